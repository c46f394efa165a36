"""The way to a directory, below the sign-in: its name, its port, its certificate. Nothing here
knows a password.
"""

from __future__ import annotations

import contextlib
import datetime
import socket
import ssl
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from jupyterhub_aws.config.sign_in import LdapSignIn

# --- One step of a probe: what was tried, how it went, and what to change where it failed.


@dataclass(frozen=True)
class ProbeStep:
    """`state`: ok; failed, and nothing after it can work; no, a plain answer (not a member, not let
    in); skipped, as it needs something that is missing.

    `path` is the option of the stack file to change, `fix` what to do.
    """

    what: str
    state: Literal["ok", "failed", "no", "skipped"]
    said: str
    fix: str | None = None
    path: str | None = None


#: OpenSSL's verification results (x509_vfy.h), in groups that have one fix.
_EXPIRED, _NOT_YET, _WRONG_NAME, _UNKNOWN_AUTHORITY = (10,), (9,), (62, 63, 64), (2, 18, 19, 20, 21)


def connection_steps(sign_in: LdapSignIn, path: str) -> Iterator[ProbeStep]:
    """Name, port and, with LDAPS, certificate. Ends with the first step that fails."""
    found = _resolved(sign_in, path)
    yield found
    if found.state != "ok":
        return
    found = _reached(sign_in, path)
    yield found
    if found.state != "ok":
        return
    if sign_in.tls == "on_connect":
        yield _encrypted(sign_in, path)
    elif sign_in.tls == "start_tls":
        yield _upgraded(sign_in, path)
    else:
        yield ProbeStep(
            what="encryption",
            state="no",
            said="none: passwords would travel in clear text",
            fix="choose on_connect or start_tls",
            path=f"{path}.tls",
        )


def _resolved(sign_in: LdapSignIn, path: str) -> ProbeStep:
    try:
        found = sorted(
            {
                str(item[4][0])
                for item in socket.getaddrinfo(
                    sign_in.server, sign_in.server_port, type=socket.SOCK_STREAM
                )
            }
        )
    except OSError as error:
        said = f"{sign_in.server} has no address here: {error.strerror or error}"
        fix = "correct the name; or this machine asks another DNS than the hub's pods do"
        return ProbeStep(what="name", state="failed", said=said, fix=fix, path=f"{path}.server")
    return ProbeStep(what="name", state="ok", said=f"{sign_in.server} is {', '.join(found)}")


def _reached(sign_in: LdapSignIn, path: str) -> ProbeStep:
    place = f"port {sign_in.server_port}"
    try:
        with socket.create_connection(
            (sign_in.server, sign_in.server_port), timeout=sign_in.timeout_seconds
        ):
            return ProbeStep(what="connection", state="ok", said=f"{place} is open")
    except ConnectionRefusedError:
        said, fix = (
            f"{place} is closed: nothing listens there",
            "correct port or tls (636 for on_connect, 389 for start_tls)",
        )
    except TimeoutError:
        said, fix = (
            f"{place} gives no answer within {sign_in.timeout_seconds} s",
            "open the way in firewalls and security groups, from here and from the nodes",
        )
    except OSError as error:
        said, fix = (
            f"{place} cannot be reached: {error.strerror or error}",
            "look at routes and firewalls between here and the server",
        )
    return ProbeStep(what="connection", state="failed", said=said, fix=fix, path=f"{path}.port")


def _context(sign_in: LdapSignIn) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.load_verify_locations(cadata=sign_in.ca_certificate)
    return context


def _encrypted(sign_in: LdapSignIn, path: str) -> ProbeStep:
    try:
        context = _context(sign_in)
    except ssl.SSLError:
        return _no_authority(path)
    try:
        with (
            socket.create_connection(
                (sign_in.server, sign_in.server_port), timeout=sign_in.timeout_seconds
            ) as plain,
            context.wrap_socket(plain, server_hostname=sign_in.server) as secure,
        ):
            return _good(secure)
    except ssl.SSLCertVerificationError as error:
        return _refused(error.verify_code, error.verify_message, sign_in.server, path)
    except ssl.SSLError as error:
        said = (
            f"the server does not speak TLS on port {sign_in.server_port} as this client does"
            f" ({error.reason or error})"
        )
        return ProbeStep(
            what="certificate",
            state="failed",
            said=said,
            fix="write tls: start_tls with port 389, or correct port",
            path=f"{path}.tls",
        )
    except OSError as error:
        said = f"the connection ended while TLS began: {error.strerror or error}"
        return ProbeStep(
            what="certificate",
            state="failed",
            said=said,
            fix="write tls: start_tls with port 389, or correct port",
            path=f"{path}.tls",
        )


def _upgraded(sign_in: LdapSignIn, path: str) -> ProbeStep:
    """StartTLS by the library that the hub uses: this step has no words of its own in Python's
    standard library.
    """
    import ldap3
    from ldap3.core.exceptions import LDAPException

    try:
        _context(sign_in)
    except ssl.SSLError:
        return _no_authority(path)
    tls = ldap3.Tls(validate=ssl.CERT_REQUIRED, ca_certs_data=sign_in.ca_certificate)
    server = ldap3.Server(
        sign_in.server, port=sign_in.server_port, tls=tls, connect_timeout=sign_in.timeout_seconds
    )
    connection = ldap3.Connection(server, receive_timeout=sign_in.timeout_seconds)
    try:
        connection.open(read_server_info=False)
        if connection.start_tls(read_server_info=False):
            return _good(connection.socket)
        said = (
            "the server does not take StartTLS:"
            f" {connection.result.get('description', 'no reason given')}"
        )
    except LDAPException as error:
        code = next((code for words, code in _WORDS.items() if words in str(error).lower()), None)
        if code is not None:
            return _refused(code, str(error), sign_in.server, path)
        said = f"StartTLS failed: {error}"
    finally:
        with contextlib.suppress(LDAPException, OSError):
            connection.unbind()
        if connection.socket is not None:
            connection.socket.close()
    return ProbeStep(
        what="certificate",
        state="failed",
        said=said,
        fix="write tls: on_connect with port 636, or switch StartTLS on at the server",
        path=f"{path}.tls",
    )


#: What ldap3 and OpenSSL say in an exception's text, which is all that is left of it there.
_WORDS = {
    "certificate has expired": _EXPIRED[0],
    "not yet valid": _NOT_YET[0],
    "hostname mismatch": _WRONG_NAME[0],
    "doesn't match": _WRONG_NAME[0],
    "unable to get": _UNKNOWN_AUTHORITY[3],
    "self-signed": _UNKNOWN_AUTHORITY[1],
    "self signed": _UNKNOWN_AUTHORITY[1],
}


def _good(secure: ssl.SSLSocket) -> ProbeStep:
    found = secure.getpeercert() or {}
    end = (
        datetime.datetime.fromtimestamp(
            ssl.cert_time_to_seconds(str(found["notAfter"])), datetime.UTC
        ).date()
        if "notAfter" in found
        else None
    )
    return ProbeStep(
        what="certificate",
        state="ok",
        said=(
            "verified against your authority,"
            f" {secure.version()}{f', valid until {end}' if end else ''}"
        ),
    )


def _no_authority(path: str) -> ProbeStep:
    said = "ca_certificate cannot be read: it is not a certificate, or its text is damaged"
    return ProbeStep(
        what="certificate",
        state="failed",
        said=said,
        fix="paste the authority's certificate again, whole",
        path=f"{path}.ca_certificate",
    )


def _refused(code: int, words: str, server: str, path: str) -> ProbeStep:
    if code in _EXPIRED:
        said, fix, option = (
            "the server's certificate has expired",
            "renew it at the server; nothing here can make it valid",
            "server",
        )
    elif code in _NOT_YET:
        said, fix, option = (
            "the server's certificate is not valid yet",
            "look at the clocks of server and this machine",
            "server",
        )
    elif code in _WRONG_NAME:
        said, fix, option = (
            f"the server's certificate is not for {server}",
            "write the name that is in the certificate",
            "server",
        )
    elif code in _UNKNOWN_AUTHORITY:
        said = (
            "the server's certificate was signed by another authority than the one in the stack"
            " file"
        )
        fix, option = (
            (
                "paste the certificate of the authority that signed it, the root or the one above"
                " the server's"
            ),
            "ca_certificate",
        )
    else:
        said, fix, option = (
            f"the server's certificate is refused: {words}",
            "look at it with openssl s_client -showcerts",
            "ca_certificate",
        )
    return ProbeStep(
        what="certificate", state="failed", said=said, fix=fix, path=f"{path}.{option}"
    )
