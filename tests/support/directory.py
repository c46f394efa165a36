"""A real slapd on loopback: people, groups, TLS of every quality, and ways to spoil it while it
runs.
"""

from __future__ import annotations

import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import ldap3
from ldap3.utils.dn import escape_rdn

from tests.support.certificates import Authority, Issued

_SLAPD = "/usr/sbin/slapd"
BASE, PEOPLE, GROUPS = (
    "dc=example,dc=org",
    "ou=people,dc=example,dc=org",
    "ou=groups,dc=example,dc=org",
)
SEARCH_USER, SEARCH_PASSWORD = f"cn=search,{BASE}", "search-password-of-the-test"
_ROOT, _ROOT_PASSWORD = f"cn=root,{BASE}", "root-password-of-the-test"
#: `cn` is the first part of the DN where it is given, else `uid`.
STAFF = {
    "alice": {"password": "alice's password"},
    "bob": {"password": "bob's password"},
    "ops1": {"password": "ops1's password"},
    "boss": {"password": "boss's password"},
    "odd": {"password": "odd's password", "cn": 'Ödd, (Näme) *\\ "é"'},
    "curly": {"password": "curly's password", "cn": "Curly {0} {username}"},
}
MEMBERS = {"hub": ["alice", "odd", "curly"], "ops": ["boss"], "gpu": ["alice"]}
_SLAPD_CONF = """\
include /etc/ldap/schema/core.schema
include /etc/ldap/schema/cosine.schema
include /etc/ldap/schema/nis.schema
include /etc/ldap/schema/inetorgperson.schema
modulepath /usr/lib/ldap
moduleload back_mdb
pidfile {folder}/slapd.pid
{tls}
disallow bind_anon
database mdb
maxsize 10485760
suffix "{base}"
rootdn "{root}"
rootpw {root_password}
directory {folder}/data
access to attrs=userPassword by anonymous auth by * none
access to dn.subtree="{groups}" by users read by * none
access to * by dn.exact="{search}" read by self read by * none
"""


def missing_for_the_directory() -> str:
    """Why tests with a directory did not run; empty where slapd is there."""
    return "" if shutil.which(_SLAPD) else "no slapd: no one signed in with a directory"


@dataclass
class Directory:
    """A running slapd. `port` is that of ldaps, `plain_port` that of ldap (with StartTLS, unless
    it has no certificate at all).
    """

    folder: Path
    port: int
    plain_port: int
    process: subprocess.Popen[bytes]
    members: Mapping[str, list[str]] = field(default_factory=dict)

    def dn(self, person: str) -> str:
        return _dn(person)

    def group(self, name: str) -> str:
        return f"cn={name},{GROUPS}"

    @contextmanager
    def _admin(self) -> Iterator[ldap3.Connection]:
        connection = ldap3.Connection(
            ldap3.Server("127.0.0.1", port=self.plain_port), _ROOT, _ROOT_PASSWORD, auto_bind=True
        )
        try:
            yield connection
        finally:
            connection.unbind()

    def leave(self, person: str, group: str) -> None:
        """Take a person out of a group."""
        with self._admin() as connection:
            assert connection.modify(
                self.group(group), {"member": [(ldap3.MODIFY_DELETE, [_dn(person)])]}
            ), connection.result

    def join(self, person: str, group: str) -> None:
        with self._admin() as connection:
            assert connection.modify(
                self.group(group), {"member": [(ldap3.MODIFY_ADD, [_dn(person)])]}
            ), connection.result

    def lock_the_search_account(self, *, locked: bool = True) -> None:
        """Nobody knows its password any more; or again."""
        password = "{SSHA}locked" if locked else SEARCH_PASSWORD
        with self._admin() as connection:
            assert connection.modify(
                SEARCH_USER, {"userPassword": [(ldap3.MODIFY_REPLACE, [password])]}
            ), connection.result

    @contextmanager
    def silent(self) -> Iterator[None]:
        """It accepts connections and says nothing."""
        self.process.send_signal(signal.SIGSTOP)
        try:
            yield
        finally:
            self.process.send_signal(signal.SIGCONT)


def _dn(person: str) -> str:
    common = STAFF[person].get("cn")
    return f"cn={escape_rdn(common)},{PEOPLE}" if common else f"uid={person},{PEOPLE}"


def free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


@contextmanager
def directory(
    folder: Path, certificate: Issued | None, authority: Authority | None = None
) -> Iterator[Directory]:
    """slapd with a certificate (None: without TLS at all), filled, and stopped at the end
    whatever happens.
    """
    (folder / "data").mkdir(parents=True)
    tls = ""
    if certificate is not None:
        crt, key = certificate.write(folder, "server")
        ca = folder / "ca.crt"
        ca.write_text((authority or Authority()).pem)
        tls = f"TLSCertificateFile {crt}\nTLSCertificateKeyFile {key}\nTLSCACertificateFile {ca}"
    text = _SLAPD_CONF.format(
        folder=folder,
        base=BASE,
        root=_ROOT,
        root_password=_ROOT_PASSWORD,
        groups=GROUPS,
        search=SEARCH_USER,
        tls=tls,
    )
    (folder / "slapd.conf").write_text(text)
    port, plain = free_port(), free_port()
    urls = f"ldap://127.0.0.1:{plain}/" + (f" ldaps://127.0.0.1:{port}/" if tls else "")
    log = (folder / "slapd.log").open("wb")
    process = subprocess.Popen(
        [_SLAPD, "-f", str(folder / "slapd.conf"), "-h", urls, "-d", "0"], stdout=log, stderr=log
    )
    try:
        _wait(plain, process, folder)
        found = Directory(
            folder=folder, port=port, plain_port=plain, process=process, members=MEMBERS
        )
        _fill(found)
        yield found
    finally:
        process.send_signal(signal.SIGCONT)
        process.terminate()
        try:
            process.wait(timeout=5)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        log.close()


def _wait(port: int, process: subprocess.Popen[bytes], folder: Path) -> None:
    for _ in range(100):
        if process.poll() is not None:
            raise AssertionError((folder / "slapd.log").read_text()[-2000:])
        with socket.socket() as one:
            if one.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.1)
    raise AssertionError("slapd does not answer")


def _fill(found: Directory) -> None:
    with found._admin() as connection:

        def add(dn: str, classes: list[str], **attributes: object) -> None:
            assert connection.add(dn, classes, attributes), connection.result

        add(BASE, ["dcObject", "organization"], dc="example", o="Example")
        for dn in (PEOPLE, GROUPS):
            add(dn, ["organizationalUnit"])
        add(
            SEARCH_USER,
            ["organizationalRole", "simpleSecurityObject"],
            userPassword=SEARCH_PASSWORD,
        )
        for person, said in STAFF.items():
            add(
                _dn(person),
                ["inetOrgPerson"],
                uid=person,
                cn=said.get("cn", person),
                sn=person,
                userPassword=said["password"],
            )
        for group, people in MEMBERS.items():
            add(found.group(group), ["groupOfNames"], member=[_dn(person) for person in people])
