"""A certificate authority for tests, and what it signs: also what nobody should accept."""

from __future__ import annotations

import datetime
import ipaddress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

NOW = datetime.datetime.now(datetime.UTC).replace(microsecond=0)


@dataclass(frozen=True, kw_only=True)
class Issued:
    """A certificate with its key. `pem` and `key_pem` are text."""

    certificate: x509.Certificate
    key: Any

    @property
    def pem(self) -> str:
        return self.certificate.public_bytes(serialization.Encoding.PEM).decode()

    @property
    def der(self) -> bytes:
        return self.certificate.public_bytes(serialization.Encoding.DER)

    @property
    def key_pem(self) -> str:
        return key_pem(self.key)

    def write(self, folder: Path, name: str) -> tuple[Path, Path]:
        certificate, key = folder / f"{name}.crt", folder / f"{name}.key"
        certificate.write_text(self.pem)
        key.write_text(self.key_pem)
        key.chmod(0o600)
        return certificate, key


def key_pem(key: Any, *, passphrase: bytes | None = None, form: str = "PKCS8") -> str:
    encryption = (
        serialization.NoEncryption()
        if passphrase is None
        else serialization.BestAvailableEncryption(passphrase)
    )
    return key.private_bytes(
        serialization.Encoding.PEM, getattr(serialization.PrivateFormat, form), encryption
    ).decode()


def new_key(kind: str = "P-256") -> Any:
    return (
        rsa.generate_private_key(65537, int(kind[4:]))
        if kind.startswith("RSA-")
        else ec.generate_private_key(ec.SECP256R1())
    )


def _name(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


def _alternative(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        return x509.DNSName(name)


@dataclass(frozen=True)
class Authority:
    """Signs what it is asked to. `parent` None: a root. It may sign through so many others
    (`depth`), and for names in one domain (`only`).
    """

    name: str = "Test authority"
    parent: Authority | None = None
    key: Any = field(default_factory=new_key)
    depth: int | None = None
    only: str | None = None

    @property
    def certificate(self) -> x509.Certificate:
        signer = self.parent or self
        builder = _builder(self.name, signer.name, self.key.public_key(), -1, 3650)
        builder = builder.add_extension(
            x509.BasicConstraints(ca=True, path_length=self.depth), critical=True
        )
        if self.only is not None:
            names = x509.NameConstraints([x509.DNSName(self.only)], None)
            builder = builder.add_extension(names, critical=True)
        return builder.sign(signer.key, hashes.SHA256())

    @property
    def pem(self) -> str:
        return self.certificate.public_bytes(serialization.Encoding.PEM).decode()

    def issue(
        self,
        *names: str,
        valid_from: int = -1,
        valid_to: int = 90,
        kind: str = "P-256",
        usage: x509.ObjectIdentifier | None = ExtendedKeyUsageOID.SERVER_AUTH,
        alternatives: bool = True,
        digest: Any = None,
    ) -> Issued:
        """A certificate for these names, valid from and to so many days from now."""
        key = new_key(kind)
        builder = _builder(names[0], self.name, key.public_key(), valid_from, valid_to)
        builder = builder.add_extension(
            x509.BasicConstraints(ca=False, path_length=None), critical=True
        )
        if alternatives:
            builder = builder.add_extension(
                x509.SubjectAlternativeName([_alternative(name) for name in names]), critical=False
            )
        if usage is not None:
            builder = builder.add_extension(x509.ExtendedKeyUsage([usage]), critical=False)
        return Issued(certificate=builder.sign(self.key, digest or hashes.SHA256()), key=key)


def _builder(
    subject: str, issuer: str, public: Any, valid_from: int, valid_to: int
) -> x509.CertificateBuilder:
    builder = (
        x509.CertificateBuilder()
        .subject_name(_name(subject))
        .issuer_name(_name(issuer))
        .public_key(public)
    )
    builder = builder.serial_number(x509.random_serial_number())
    day = datetime.timedelta(days=1)
    return builder.not_valid_before(NOW + valid_from * day).not_valid_after(NOW + valid_to * day)


def self_signed(*names: str, valid_to: int = 90, kind: str = "P-256") -> Issued:
    """A certificate that its own key signed."""
    key = new_key(kind)
    builder = _builder(names[0], names[0], key.public_key(), -1, valid_to)
    builder = builder.add_extension(
        x509.BasicConstraints(ca=False, path_length=None), critical=True
    )
    builder = builder.add_extension(
        x509.SubjectAlternativeName([_alternative(name) for name in names]), critical=False
    )
    builder = builder.add_extension(
        x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False
    )
    return Issued(certificate=builder.sign(key, hashes.SHA256()), key=key)
