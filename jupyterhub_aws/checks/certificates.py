"""The certificates that hubs of a stack bring themselves, as browsers would judge them on this
day.
"""

from __future__ import annotations

import datetime
import itertools
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from jupyterhub_aws.checks.finding import Finding, fail, passed, warn
from jupyterhub_aws.config.entry import NoTls, PortForwardEntry, own_certificate
from jupyterhub_aws.config.stack import StackConfig

if TYPE_CHECKING:
    from cryptography.x509 import Certificate


# --- A certificate as users' browsers will judge it: names, dates, chain, strength. Pure; the
# library is loaded only where there is a certificate.


_BEGIN = "-----BEGIN CERTIFICATE-----"
_LEAST_RSA_BITS = 2048
_CURVES = ("secp256r1", "secp384r1", "secp521r1")
_BROKEN_DIGESTS = ("md5", "sha1")
_ID = "certificate"
#: From here renewal is due.
WARNING_DAYS = 30


def read(pem: str) -> list[Certificate]:
    """The certificates of a PEM text, in its order; Windows line ends are fine. Raises
    ValueError, in plain words, for any other text.
    """
    from cryptography import x509

    if _BEGIN not in pem:
        raise ValueError("holds no certificate in PEM form")
    try:
        found = x509.load_pem_x509_certificates(pem.replace("\r\n", "\n").encode())
        for certificate in found:
            _ = certificate.not_valid_after_utc, certificate.subject, certificate.extensions
            certificate.public_key()
    except Exception as error:  # the library raises whatever its parts raise on damaged bytes
        raise ValueError("cannot be read: a line is missing or damaged") from error
    return found


def faults(pem: str, hostname: str, as_of: datetime.date) -> Iterator[Finding]:
    """Every fault of a server's certificate and its chain, for this name on this day: `fail` where
    browsers would refuse it.
    """
    try:
        chain = read(pem)
    except ValueError as error:
        fix = "paste it again, whole: the server's certificate first, then its chain"
        yield fail(_ID, str(error), fix)
        return
    server = chain[0]
    found = [
        *_names(server, hostname),
        *_dates(chain, as_of),
        *_strength(chain),
        *_purpose(server),
        *_order(chain),
    ]
    yield from found
    if not any(fault.status == "fail" for fault in found):
        yield from _refused(chain, hostname)


def names_of(certificate: Certificate) -> list[str]:
    """The names and addresses that a certificate is for."""
    from cryptography import x509

    try:
        found: Any = certificate.extensions.get_extension_for_class(
            x509.SubjectAlternativeName
        ).value
    except x509.ExtensionNotFound:
        return []
    return [
        *found.get_values_for_type(x509.DNSName),
        *map(str, found.get_values_for_type(x509.IPAddress)),
    ]


def _covers(name: str, hostname: str) -> bool:
    name, hostname = name.lower().rstrip("."), hostname.lower()
    return name == hostname or (name.startswith("*.") and hostname.partition(".")[2] == name[2:])


def _names(server: Certificate, hostname: str) -> Iterator[Finding]:
    found = names_of(server)
    if not any(_covers(name, hostname) for name in found):
        named = (
            f"is for {', '.join(found[:5])}"
            if found
            else "names no host (a common name alone is not read by browsers)"
        )
        fix = f"get one with {hostname} in its subjectAltName, or correct entry.hostname"
        yield fail(_ID, f"{named}, not for {hostname}", fix)


def _dates(chain: Sequence[Certificate], as_of: datetime.date) -> Iterator[Finding]:
    for index, certificate in enumerate(chain):
        name = subject(certificate)
        who = "" if index == 0 else f"certificate {index + 1} of its chain ({name}) "
        left = days_left(certificate, as_of)
        begins = certificate.not_valid_before_utc.date()
        end = certificate.not_valid_after_utc.date()
        if left < 0:
            yield fail(_ID, f"{who}expired on {end}", "replace it with a renewed one")
        elif begins > as_of:
            yield fail(
                _ID, f"{who}is not valid before {begins}", "wait, or get one that is valid now"
            )
        elif left < WARNING_DAYS:
            message = f"{who}expires on {end}: {left} day{'' if left == 1 else 's'} left"
            yield warn(_ID, message, "renew it now; only the proxy restarts")


def _strength(chain: Sequence[Certificate]) -> Iterator[Finding]:
    from cryptography.hazmat.primitives.asymmetric import ec, rsa

    for index, certificate in enumerate(chain):
        who = "" if index == 0 else f"certificate {index + 1} of its chain "
        key = certificate.public_key()
        if isinstance(key, rsa.RSAPublicKey):
            if key.key_size < _LEAST_RSA_BITS:
                message = f"{who}has an RSA key of {key.key_size} bits, which can be broken"
                least = f"RSA of {_LEAST_RSA_BITS} bits and more"
                fix = f"make a new key: jhub certificate new, or {least}"
                yield fail(_ID, message, fix)
        elif isinstance(key, ec.EllipticCurvePublicKey):
            if key.curve.name not in _CURVES:
                message = f"{who}has a key on curve {key.curve.name}, which browsers refuse"
                yield fail(_ID, message, "use P-256: jhub certificate new")
        else:
            kind = type(key).__name__.removesuffix("PublicKey")
            yield fail(_ID, f"{who}has a key that browsers refuse ({kind})", "use P-256 or RSA")
        digest = certificate.signature_hash_algorithm
        if digest is not None and digest.name in _BROKEN_DIGESTS and not self_signed(certificate):
            message = f"{who}is signed with {digest.name.upper()}, which browsers refuse"
            yield fail(_ID, message, "have it signed again with SHA-256")


def _purpose(server: Certificate) -> Iterator[Finding]:
    from cryptography import x509
    from cryptography.x509.oid import ExtendedKeyUsageOID as KeyUsage

    try:
        usage: Any = server.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
        if not {KeyUsage.SERVER_AUTH, KeyUsage.ANY_EXTENDED_KEY_USAGE} & set(usage):
            message = "is not for servers (extendedKeyUsage without serverAuth)"
            yield fail(_ID, message, "get one for a server")
    except x509.ExtensionNotFound:
        pass
    try:
        basic: Any = server.extensions.get_extension_for_class(x509.BasicConstraints).value
    except x509.ExtensionNotFound:
        return
    if basic.ca and not self_signed(server):
        message = "begins with an authority's certificate, not the server's"
        yield fail(_ID, message, "put the server's certificate first, then its chain")


def _order(chain: Sequence[Certificate]) -> Iterator[Finding]:
    for index, (lower, upper) in enumerate(itertools.pairwise(chain)):
        try:
            lower.verify_directly_issued_by(upper)
        except Exception:  # the library has a kind of error for each way in which it is not
            message = (
                f"certificate {index + 2} of its chain ({subject(upper)}) did not sign the one"
                f" before it ({subject(lower)})"
            )
            fix = "order them: the server's first, each next one the signer of the one before"
            yield fail(_ID, message, fix)
            return
    if len(chain) == 1 and self_signed(chain[0]):
        message = "is self-signed: every browser warns users, who learn to click warnings away"
        yield warn(_ID, message, "have it signed by your authority")


def _refused(chain: Sequence[Certificate], hostname: str) -> Iterator[Finding]:
    """What the library's verifier refuses besides: authorities that are none, that may not sign
    for this name, or not through so many others. It knows one fault at a time, so the faults that
    have a fix of their own are found above.

    Extensions that only public authorities must have are not asked for, and nothing of a root:
    browsers have their own copy.
    """
    from cryptography import x509
    from cryptography.x509.verification import (
        Criticality,
        ExtensionPolicy,
        PolicyBuilder,
        Store,
        VerificationError,
    )

    authorities = [item for item in chain[1:] if not self_signed(item)]
    if not authorities:
        return
    free, either = ExtensionPolicy.permit_all(), Criticality.AGNOSTIC
    policy = (
        PolicyBuilder()
        .store(Store(authorities[-1:]))
        .extension_policies(
            ee_policy=free.require_present(x509.SubjectAlternativeName, either, None),
            ca_policy=free.require_present(x509.BasicConstraints, either, None),
        )
    )
    # Dates are judged above: a moment at which each of them is valid.
    when = max(item.not_valid_before_utc for item in chain)
    verifier = policy.time(when).build_server_verifier(x509.DNSName(hostname))
    try:
        verifier.verify(chain[0], authorities[:-1])
    except VerificationError as error:
        said = str(error).partition(" (encountered")[0].rpartition(": ")[2]
        fix = "ask your authority for a chain that may sign for this name"
        yield fail(_ID, f"its chain is refused by browsers ({said})", fix)


def self_signed(certificate: Certificate) -> bool:
    """Whether a certificate names itself as its signer."""
    return certificate.issuer == certificate.subject


def subject(certificate: Certificate) -> str:
    """A certificate's subject in short: its common name, or all of it."""
    from cryptography.x509.oid import NameOID

    names = certificate.subject.get_attributes_for_oid(NameOID.COMMON_NAME)
    if names:
        return str(names[0].value)
    return certificate.subject.rfc4514_string() or "without a subject"


def days_left(certificate: Certificate, as_of: datetime.date) -> int:
    """Whole days until a certificate ends; below zero afterwards."""
    return (certificate.not_valid_after_utc.date() - as_of).days


def key_fault(certificate_pem: str, key_pem: str) -> str | None:
    """Why a private key is not that of the first certificate; None where it is. Nothing of the
    key is in the answer.
    """
    from cryptography.hazmat.primitives import serialization

    try:
        public = read(certificate_pem)[0].public_key()
    except ValueError:
        return "the certificate itself cannot be read"
    if "PRIVATE KEY-----" not in key_pem:
        return "it is not a private key in PEM form (BEGIN PRIVATE KEY)"
    try:
        key = serialization.load_pem_private_key(
            key_pem.replace("\r\n", "\n").encode(), password=None
        )
    except TypeError:
        return (
            "it is protected by a passphrase, which the proxy cannot ask for: remove it with"
            " `openssl pkey`"
        )
    except Exception:  # the library raises whatever its parts raise on damaged bytes
        return "it cannot be read: a line is missing or damaged"
    form = (serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    if key.public_key().public_bytes(*form) != public.public_bytes(*form):
        return "it belongs to another certificate"
    return None


def certificates(stack: StackConfig, as_of: datetime.date) -> list[Finding]:
    """Every certificate of a hub's own: chain, host name, dates and strength. Whether its key
    fits is known at `up`, and to `jhub certificate inspect`.
    """
    found = [
        finding for name in sorted(stack.hubs_inside) for finding in _of_hub(stack, name, as_of)
    ]
    # Beside one that is wrong, what is right with others is no verdict.
    wrong = [finding for finding in found if finding.status != "pass"]
    return wrong or found or [passed(_ID, "no hub brings a certificate of its own")]


def _of_hub(stack: StackConfig, name: str, as_of: datetime.date) -> Iterator[Finding]:
    entry = stack.hubs[name].entry
    own = own_certificate(entry)
    if own is None or isinstance(entry, PortForwardEntry) or isinstance(entry.tls, NoTls):
        return
    path, what = f"hubs.{name}.entry.tls.certificate", f"certificate of hub {name}"
    wrong = list(faults(own.certificate, entry.hostname, as_of))
    for fault in wrong:
        yield replace(fault, message=f"{what} {fault.message}", path=path)
    if not wrong:
        end = read(own.certificate)[0].not_valid_after_utc.date()
        yield passed(_ID, f"{what} is for {entry.hostname} and valid until {end}", path=path)
