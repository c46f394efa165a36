"""Certificates made and looked at here."""

from __future__ import annotations

import datetime
import os
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from jupyterhub_aws.checks.certificates import (
    WARNING_DAYS,
    days_left,
    names_of,
    read,
    subject,
)
from jupyterhub_aws.cli.arguments import chosen_hub, validated_stack
from jupyterhub_aws.config.entry import HOSTNAME, PortForwardEntry, own_certificate
from jupyterhub_aws.config.errors import ConfigError, Problem, refused, shown

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey
    from cryptography.x509 import Certificate, CertificateBuilder, CertificateSigningRequestBuilder
    from rich.console import Console

    from jupyterhub_aws.checks.finding import Finding


# --- A key, and a certificate or a signing request for it.


#: Browsers refuse server certificates that are valid for longer (CA/Browser Forum, Baseline
#: Requirements 6.3.2, before March 2026).
MOST_DAYS = 398


def new(
    names: Sequence[str], *, days: int, request: bool, key_file: Path, certificate_file: Path
) -> None:
    """Make a P-256 key (readable by its owner alone), and a certificate that it signs itself, or a
    request for an authority.

    Raises ConfigError where one of the files exists: a key that is in use would be lost.
    """
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    there = [path for path in (key_file, certificate_file) if path.exists()]
    if there:
        what, fix = "exists already", "move it away, or name another file"
        problems = [Problem(id="file.exists", path=str(path), what=what, fix=fix) for path in there]
        raise ConfigError("jhub certificate", problems)
    key = ec.generate_private_key(ec.SECP256R1())
    text = _request(names, key) if request else _self_signed(names, key, days)
    pem, unencrypted = serialization.Encoding.PEM, serialization.NoEncryption()
    data = key.private_bytes(pem, serialization.PrivateFormat.PKCS8, unencrypted)
    _write(key_file, data, mode=0o600)
    _write(certificate_file, text, mode=0o644)


@cache
def stand_in(hostname: str) -> str:
    """A certificate for a name that signed itself and whose key is thrown away: a stack file
    holds it until there is a real one.
    """
    from cryptography.hazmat.primitives.asymmetric import ec

    return _self_signed([hostname], ec.generate_private_key(ec.SECP256R1()), MOST_DAYS).decode()


def _write(path: Path, text: bytes, *, mode: int) -> None:
    try:
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "wb") as file:
            file.write(text)
    except OSError as error:
        what = f"cannot be written: {error.strerror}"
        fix = "name another file"
        raise refused("jhub certificate", "file.not-written", str(path), what, fix) from error


def _self_signed(names: Sequence[str], key: EllipticCurvePrivateKey, days: int) -> bytes:
    from cryptography import x509

    now = datetime.datetime.now(datetime.UTC).replace(microsecond=0)
    subject = _subject(names[0])
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(hours=1))
        .not_valid_after(now + datetime.timedelta(days=days))
    )
    return _signed(builder, names, key)


def _request(names: Sequence[str], key: EllipticCurvePrivateKey) -> bytes:
    from cryptography import x509

    builder = x509.CertificateSigningRequestBuilder().subject_name(_subject(names[0]))
    return _signed(builder, names, key)


def _signed(
    builder: CertificateBuilder | CertificateSigningRequestBuilder,
    names: Sequence[str],
    key: EllipticCurvePrivateKey,
) -> bytes:
    from cryptography.hazmat.primitives import hashes, serialization

    made = _extended(builder, names).sign(key, hashes.SHA256())
    return bytes(made.public_bytes(serialization.Encoding.PEM))


def _subject(name: str) -> Any:
    from cryptography import x509
    from cryptography.x509.oid import NameOID

    # X.520 gives a common name 64 characters; browsers read the alternative names only.
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name[:64])])


def _extended(
    builder: CertificateBuilder | CertificateSigningRequestBuilder, names: Sequence[str]
) -> Any:
    from cryptography import x509
    from cryptography.x509.oid import ExtendedKeyUsageOID

    off = {
        "content_commitment": False,
        "key_encipherment": False,
        "data_encipherment": False,
        "key_agreement": False,
        "key_cert_sign": False,
    }
    usage = x509.KeyUsage(
        digital_signature=True, crl_sign=False, encipher_only=False, decipher_only=False, **off
    )
    return (
        builder.add_extension(
            x509.SubjectAlternativeName([x509.DNSName(name) for name in names]), critical=False
        )
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(usage, critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
    )


# --- What a command names: host names, files, and hubs of a stack that have a certificate. Wrong
# input is a ConfigError with what to do.


_COMMAND = "jhub certificate"


def checked(names: Sequence[str]) -> list[str]:
    """Host names, a wildcard for one label among them."""
    wrong = [name for name in names if not HOSTNAME.fullmatch(name.removeprefix("*."))]
    if wrong:
        fix = "write full names in lower case, such as hub.example.org"
        problems = [
            Problem(
                id="host-name.malformed",
                path="HOSTNAME",
                what=f"is not a host name (got {shown(name)})",
                fix=fix,
            )
            for name in wrong
        ]
        raise ConfigError(_COMMAND, problems)
    return list(dict.fromkeys(names))


def of_file(path: Path, hostname: str | None) -> tuple[str, str]:
    """The text of a PEM file, and the host name to judge by: the given one, or the first that it
    is for.
    """
    data = _bytes(path)
    if b"-----BEGIN" not in data and data[:1] == b"\x30":
        fix = f"convert it: openssl x509 -inform der -in {path} -out {path.with_suffix('.pem')}"
        what = "is in DER form, which is binary"
        raise refused(_COMMAND, "certificate.der", str(path), what, fix)
    text = data.decode("utf-8", errors="replace")
    try:
        names = names_of(read(text)[0])
    except ValueError as error:
        fix = "name a PEM file: -----BEGIN CERTIFICATE-----"
        raise refused(_COMMAND, "certificate.unreadable", str(path), str(error), fix) from error
    return text, hostname or (names[0].replace("*.", "any.") if names else "")


def private_key(path: Path) -> str:
    """The text of a private key's file."""
    return _bytes(path).decode("utf-8", errors="replace")


def _bytes(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        what = f"cannot be read: {error.strerror}"
        fix = "name a file that is there"
        raise refused(_COMMAND, "file.unreadable", str(path), what, fix) from error


def of_stack(stack: str, hub: str | None) -> tuple[str, str]:
    """The certificate of a stack's hub and its host name."""
    found, name = validated_stack(stack)
    having = {
        key: section
        for key, section in sorted(found.hubs.items())
        if own_certificate(section.entry) is not None
    }

    chosen = chosen_hub(
        _COMMAND,
        name,
        having,
        hub,
        kind=" with a certificate of its own",
        none="those with tls.kind: acm have theirs in AWS Certificate Manager, which renews it",
    )
    section = having[chosen]
    own = own_certificate(section.entry)
    assert own is not None and not isinstance(section.entry, PortForwardEntry)  # noqa: S101 -- for the type checker: chosen above
    return own.certificate, section.entry.hostname


# --- A certificate and its chain in a terminal: whose, by whom, until when, and what is wrong with
# it.


FORMAT = "jupyterhub-aws/certificate/1"


def as_data(
    pem: str, hostname: str, as_of: datetime.date, faults: Sequence[Finding]
) -> dict[str, Any]:
    """The chain and what is wrong with it, as data: the server's certificate first."""
    return {
        "format": FORMAT,
        "as_of": as_of.isoformat(),
        "hostname": hostname or None,
        "certificates": [_as_json(certificate, as_of) for certificate in read(pem)],
        "findings": [fault.as_json() for fault in faults],
    }


def _as_json(certificate: Certificate, as_of: datetime.date) -> dict[str, Any]:
    from cryptography.hazmat.primitives import hashes

    return {
        "subject": subject(certificate),
        "names": names_of(certificate),
        "issuer": certificate.issuer.rfc4514_string(),
        "not_before": certificate.not_valid_before_utc.isoformat(),
        "not_after": certificate.not_valid_after_utc.isoformat(),
        "days_left": days_left(certificate, as_of),
        "key": _key(certificate),
        "sha256": certificate.fingerprint(hashes.SHA256()).hex(":"),
    }


_MARKS = {"fail": ("✗", "red"), "warn": ("!", "yellow")}


def show(pem: str, as_of: datetime.date, console: Console) -> None:
    """Every certificate of a PEM text. Raises ValueError for one that cannot be read."""
    for index, certificate in enumerate(read(pem)):
        console.print(f"[bold]{'Server' if index == 0 else f'Chain {index}'}[/bold]  ", end="")
        console.print(subject(certificate), markup=False)
        for label, text, style in _facts(certificate, as_of):
            console.print(f"  {label:<9}", style="dim", end="")
            console.print(text, style=style, markup=False, soft_wrap=True)


def _facts(certificate: Certificate, as_of: datetime.date) -> list[tuple[str, str, str | None]]:
    from cryptography.hazmat.primitives import hashes

    left = days_left(certificate, as_of)
    until = (
        f"{certificate.not_valid_before_utc.date()} to {certificate.not_valid_after_utc.date()},"
        f" {left} days left"
    )
    digest = certificate.fingerprint(hashes.SHA256()).hex(":")
    return [
        ("for", ", ".join(names_of(certificate)) or "no host", None),
        ("by", certificate.issuer.rfc4514_string(), None),
        ("valid", until, "red" if left < 0 else "yellow" if left < WARNING_DAYS else None),
        ("key", _key(certificate), None),
        ("sha256", digest[:47], "dim"),
        ("", digest[48:], "dim"),
    ]


def _key(certificate: Certificate) -> str:
    key = certificate.public_key()
    kind = type(key).__name__.removesuffix("PublicKey").lstrip("_")
    size = getattr(key, "key_size", None)
    curve = getattr(getattr(key, "curve", None), "name", None)
    return f"{kind} {curve or ''}{'' if curve or size is None else f'{size} bits'}".strip()


def show_faults(faults: list[Finding], console: Console) -> None:
    """What is wrong, each with what to do; or that nothing is."""
    for fault in faults:
        mark, colour = _MARKS[fault.status]
        console.print(f"[{colour}]{mark}[/{colour}] ", end="")
        console.print(fault.message, markup=False, soft_wrap=True)
        console.print(f"  → {fault.fix}", style="dim", markup=False, soft_wrap=True)
    if not faults:
        console.print("[green]✓[/green] browsers that trust its authority will take it")
