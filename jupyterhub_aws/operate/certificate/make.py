"""A key, and a certificate or a signing request for it."""

from __future__ import annotations

import datetime
import os
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from jupyterhub_aws.config.errors import ConfigError, Problem

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey
    from cryptography.x509 import CertificateBuilder, CertificateSigningRequestBuilder

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
        problems = [
            Problem(path=str(path), what="exists already", fix="move it away, or name another file")
            for path in there
        ]
        raise ConfigError("jhub certificate", problems)
    key = ec.generate_private_key(ec.SECP256R1())
    text = _request(names, key) if request else _self_signed(names, key, days)
    form = (
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    _write(key_file, key.private_bytes(*form), mode=0o600)
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
        raise ConfigError(
            "jhub certificate",
            [
                Problem(
                    path=str(path),
                    what=f"cannot be written: {error.strerror}",
                    fix="name another file",
                )
            ],
        ) from error


def _self_signed(names: Sequence[str], key: EllipticCurvePrivateKey, days: int) -> bytes:
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization

    now = datetime.datetime.now(datetime.UTC).replace(microsecond=0)
    subject = _subject(names[0])
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
    )
    builder = builder.not_valid_before(now - datetime.timedelta(hours=1)).not_valid_after(
        now + datetime.timedelta(days=days)
    )
    return bytes(
        _extended(builder, names)
        .sign(key, hashes.SHA256())
        .public_bytes(serialization.Encoding.PEM)
    )


def _request(names: Sequence[str], key: EllipticCurvePrivateKey) -> bytes:
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization

    builder = x509.CertificateSigningRequestBuilder().subject_name(_subject(names[0]))
    return bytes(
        _extended(builder, names)
        .sign(key, hashes.SHA256())
        .public_bytes(serialization.Encoding.PEM)
    )


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
