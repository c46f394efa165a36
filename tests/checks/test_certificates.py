"""Certificates as browsers judge them, made for each way in which one is wrong; whatever the
text is, nothing is raised and no key is shown.
"""

from __future__ import annotations

import base64
import datetime

import pytest
from cryptography.x509.oid import ExtendedKeyUsageOID
from hypothesis import given, settings
from hypothesis import strategies as st

from jupyterhub_aws.checks.certificates import certificates, faults, key_fault
from jupyterhub_aws.checks.finding import Finding
from jupyterhub_aws.config.load import load
from tests.support.certificates import NOW, Authority, Issued, key_pem, new_key, self_signed
from tests.support.stack_files import CERTIFICATE, SOURCE, changed, dev_stack, engine_values

HOST = "hub.example.org"
ROOT = Authority("Root")
ROOT_OF_RSA = Authority("Root of RSA", key=new_key("RSA-2048"))
MIDDLE = Authority("Middle", ROOT)
TODAY = NOW.date()


def found(pem: str, host: str = HOST, *, days: int = 0) -> list[tuple[str, str]]:
    return [
        (fault.status, fault.message)
        for fault in faults(pem, host, TODAY + datetime.timedelta(days=days))
    ]


@pytest.mark.parametrize(
    "pem",
    [
        ROOT.issue(HOST).pem,
        MIDDLE.issue(HOST).pem + MIDDLE.pem,
        MIDDLE.issue(HOST).pem + MIDDLE.pem + ROOT.pem,
        ROOT.issue(HOST, kind="RSA-2048").pem,
    ],
    ids=["leaf", "with its chain", "with the root", "rsa"],
)
@pytest.mark.parametrize("ends", ["\n", "\r\n"], ids=["unix", "windows"])
def test_a_right_one_has_no_fault(pem: str, ends: str) -> None:
    assert found(pem.replace("\n", ends)) == []


@pytest.mark.parametrize(
    ("issued", "says"),
    [
        (
            ROOT.issue(HOST, valid_from=-40, valid_to=-2),
            f"expired on {TODAY - datetime.timedelta(days=2)}",
        ),
        (
            ROOT.issue(HOST, valid_from=3),
            f"is not valid before {TODAY + datetime.timedelta(days=3)}",
        ),
        (ROOT.issue("other.example.org"), f"is for other.example.org, not for {HOST}"),
        (ROOT.issue("*.org"), "is for *.org"),
        (ROOT.issue("*.example.org.evil.net"), "not for"),
        (ROOT.issue(HOST, alternatives=False), "names no host"),
        (ROOT.issue(HOST, kind="RSA-1024"), "RSA key of 1024 bits"),
        (ROOT.issue(HOST, usage=ExtendedKeyUsageOID.CLIENT_AUTH), "is not for servers"),
    ],
)
def test_what_browsers_refuse_fails(issued: Issued, says: str) -> None:
    (fault,) = found(issued.pem)
    assert fault[0] == "fail"
    assert says in fault[1]


def test_a_wildcard_covers_one_label() -> None:
    wild = ROOT.issue("*.example.org").pem
    assert found(wild) == []
    assert found(wild, "a.hub.example.org")[0][0] == found(wild, "example.org")[0][0] == "fail"


def test_a_certificate_chain_in_the_wrong_order_or_of_another_issuer_fails() -> None:
    server = MIDDLE.issue(HOST).pem
    assert [status for status, _ in found(MIDDLE.pem + server)] == [
        "fail",
        "fail",
        "fail",
    ], "the name, the kind, the order"
    ((status, what),) = found(server + ROOT.pem)
    assert status == "fail" and "(Root) did not sign the one before it" in what
    lookalike = Authority("Middle", ROOT)
    assert found(server + lookalike.pem)[0][0] == "fail", "the same name, another key"


def test_a_chain_that_may_not_sign_for_this_name_fails() -> None:
    server = ROOT.issue("middle.example.org")
    posing = Authority("middle.example.org", ROOT, key=server.key)
    ours, other = (Authority("Ours", ROOT, only=name) for name in ("example.org", "other.org"))
    short = Authority("Short", ROOT, depth=0)
    long = Authority("Long", short)
    for pem, says in (
        (posing.issue(HOST).pem + server.pem, "basicConstraints.cA must be asserted"),
        (other.issue(HOST).pem + other.pem, "constraint"),
        (long.issue(HOST).pem + long.pem + short.pem, "path length"),
    ):
        for chain in (pem, pem + ROOT.pem):
            ((status, what),) = found(chain)
            assert status == "fail" and "its chain is refused by browsers" in what and says in what
    assert found(ours.issue(HOST).pem + ours.pem) == []
    assert found(short.issue(HOST).pem + short.pem + ROOT.pem) == []
    # Of several faults the ones with a fix of their own are named.
    ((_, what),) = found(posing.issue("x.org").pem + server.pem)
    assert what.startswith("is for x.org")
    # On its first and on its last day, whatever the hour.
    assert found(MIDDLE.issue(HOST, valid_from=0).pem + MIDDLE.pem) == []
    ((status, _),) = found(MIDDLE.issue(HOST, valid_to=40).pem + MIDDLE.pem, days=40)
    assert status == "warn"


def test_the_last_month_and_a_signature_of_ones_own_are_warnings() -> None:
    issued = ROOT.issue(HOST, valid_to=90)
    for days, expected in ((59, []), (60, []), (61, ["warn"]), (90, ["warn"]), (91, ["fail"])):
        assert [status for status, _ in found(issued.pem, days=days)] == expected, days
    assert "1 day left" in found(issued.pem, days=89)[0][1]
    ((status, what),) = found(self_signed(HOST).pem)
    assert status == "warn" and "is self-signed" in what


def test_a_broken_digest_fails() -> None:
    """The library signs with SHA-1 no more; so the certificate's own word for it is changed
    afterwards.
    """
    issued = ROOT_OF_RSA.issue(HOST, kind="RSA-2048")
    old = issued.der.replace(
        bytes.fromhex("2a864886f70d01010b"), bytes.fromhex("2a864886f70d010105")
    )
    pem = (
        f"-----BEGIN CERTIFICATE-----\n{base64.b64encode(old).decode()}\n-----END"
        " CERTIFICATE-----\n"
    )
    ((status, what),) = found(pem)
    assert (status, what) == ("fail", "is signed with SHA1, which browsers refuse")


DAMAGED = {
    "der": ROOT.issue(HOST).der.decode("latin-1"),
    "no lines": "",
    "truncated": (
        "\n".join(ROOT.issue(HOST).pem.splitlines()[:-3]) + "\n-----END CERTIFICATE-----\n"
    ),
    "a line too few": "\n".join(
        line for index, line in enumerate(ROOT.issue(HOST).pem.splitlines()) if index != 3
    ),
    "base64 of nothing": (
        "-----BEGIN CERTIFICATE-----\nMIIBszCCAVmgAwIBAgIUQ2xhdWRl\n-----END CERTIFICATE-----\n"
    ),
    "a request": "-----BEGIN CERTIFICATE REQUEST-----\nMIIB\n-----END CERTIFICATE REQUEST-----\n",
}


@pytest.mark.parametrize("text", DAMAGED.values(), ids=DAMAGED)
def test_what_cannot_be_read_says_so(text: str) -> None:
    ((status, what),) = found(text)
    assert status == "fail"
    assert what in (
        "holds no certificate in PEM form",
        "cannot be read: a line is missing or damaged",
    )


def test_a_key_belongs_to_its_certificate_and_to_no_other() -> None:
    for kind in ("P-256", "RSA-2048"):
        issued = ROOT.issue(HOST, kind=kind)
        for form in ("PKCS8", "TraditionalOpenSSL"):
            text = key_pem(issued.key, form=form)
            assert key_fault(issued.pem, text) is None
            assert key_fault(issued.pem + MIDDLE.pem, text.replace("\n", "\r\n")) is None
        assert key_fault(issued.pem, key_pem(new_key(kind))) == "it belongs to another certificate"
    issued = ROOT.issue(HOST)
    assert "passphrase" in str(key_fault(issued.pem, key_pem(issued.key, passphrase=b"secret")))
    assert "PEM form" in str(key_fault(issued.pem, issued.pem))
    assert "certificate itself" in str(key_fault("nothing", issued.key_pem))


KEY = ROOT.issue(HOST)


@given(st.data())
@settings(max_examples=150, deadline=None)
def test_nothing_is_raised_and_no_part_of_a_key_is_said(data: st.DataObject) -> None:
    key, pem = KEY.key_pem, KEY.pem
    for text in (key, pem):
        for _ in range(data.draw(st.integers(1, 3))):
            at = data.draw(st.integers(0, len(text) - 1))
            text = (
                text[:at]
                + data.draw(st.sampled_from(["", "x", "\0", "=", "\n", "é", text[:20]]))
                + text[at + data.draw(st.integers(0, 30)) :]
            )
        said = [
            *(what for _, what in found(text)),
            str(key_fault(text, key)),
            str(key_fault(pem, text)),
        ]
        parts = {key[index : index + 12] for index in range(30, len(key) - 40)}
        assert not [part for part in parts if any(part in words for words in said)]


# --- the check ---


def of_stack(certificate: str, *, day: datetime.date = TODAY) -> list[Finding]:
    put = {"hubs.main.entry.tls": {"kind": "certificate", "certificate": certificate}}
    values, secret = engine_values(changed(dev_stack(), put=put))
    return certificates(load(values, secret=secret, source=SOURCE), day)


def test_the_plan_says_what_is_wrong_with_which_hub() -> None:
    (passed,) = of_stack(CERTIFICATE)
    assert (passed.status, passed.path) == ("pass", "hubs.main.entry.tls.certificate")
    assert "valid until 2126-" in passed.message
    (failed,) = of_stack(ROOT.issue("other.example.org").pem)
    assert (failed.status, failed.path) == ("fail", "hubs.main.entry.tls.certificate")
    assert failed.fix and "certificate of hub main is for other.example.org" in failed.message
    (none,) = certificates(load(engine_values(dev_stack())[0], secret=(), source=SOURCE), TODAY)
    assert (none.status, none.path) == ("pass", None)
