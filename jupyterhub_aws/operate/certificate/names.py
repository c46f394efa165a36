"""What a command names: host names, files, and hubs of a stack that have a certificate. Wrong
input is a ConfigError with what to do.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from jupyterhub_aws.checks.certificate import names_of, read
from jupyterhub_aws.cli.arguments import validated_stack
from jupyterhub_aws.config.entry import HOSTNAME, PortForwardEntry, own_certificate
from jupyterhub_aws.config.errors import ConfigError, Problem, closest, shown

_COMMAND = "jhub certificate"


def checked(names: Sequence[str]) -> list[str]:
    """Host names, a wildcard for one label among them."""
    wrong = [name for name in names if not HOSTNAME.fullmatch(name.removeprefix("*."))]
    if wrong:
        fix = "write full names in lower case, such as hub.example.org"
        raise ConfigError(
            _COMMAND,
            [
                Problem(path="HOSTNAME", what=f"is not a host name (got {shown(name)})", fix=fix)
                for name in wrong
            ],
        )
    return list(dict.fromkeys(names))


def of_file(path: Path, hostname: str | None) -> tuple[str, str]:
    """The text of a PEM file, and the host name to judge by: the given one, or the first that it
    is for.
    """
    data = _bytes(path)
    if b"-----BEGIN" not in data and data[:1] == b"\x30":
        fix = f"convert it: openssl x509 -inform der -in {path} -out {path.with_suffix('.pem')}"
        raise ConfigError(
            _COMMAND, [Problem(path=str(path), what="is in DER form, which is binary", fix=fix)]
        )
    text = data.decode("utf-8", errors="replace")
    try:
        names = names_of(read(text)[0])
    except ValueError as error:
        raise ConfigError(
            _COMMAND,
            [
                Problem(
                    path=str(path),
                    what=str(error),
                    fix="name a PEM file: -----BEGIN CERTIFICATE-----",
                )
            ],
        ) from error
    return text, hostname or (names[0].replace("*.", "any.") if names else "")


def private_key(path: Path) -> str:
    """The text of a private key's file."""
    return _bytes(path).decode("utf-8", errors="replace")


def _bytes(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise ConfigError(
            _COMMAND,
            [
                Problem(
                    path=str(path),
                    what=f"cannot be read: {error.strerror}",
                    fix="name a file that is there",
                )
            ],
        ) from error


def of_stack(stack: str, hub: str | None) -> tuple[str, str]:
    """The certificate of a stack's hub and its host name."""
    found, name = validated_stack(stack)
    having = {
        key: section
        for key, section in sorted(found.hubs.items())
        if own_certificate(section.entry) is not None
    }

    def refused(what: str, fix: str) -> ConfigError:
        return ConfigError(_COMMAND, [Problem(path=name, what=what, fix=fix)])

    if hub is not None and hub not in having:
        guess = closest(hub, having)
        raise refused(
            f"has no hub {hub!r} with a certificate of its own",
            f"did you mean {guess}?" if guess else "look for entry.tls.kind: certificate",
        )
    if not having:
        raise refused(
            "has no hub with a certificate of its own",
            "those with tls.kind: acm have theirs in AWS Certificate Manager, which renews it",
        )
    if hub is None and len(having) > 1:
        raise refused(
            f"has several hubs with a certificate: {', '.join(having)}", "name one with --hub"
        )
    section = having[hub or next(iter(having))]
    own = own_certificate(section.entry)
    assert own is not None and not isinstance(section.entry, PortForwardEntry)  # noqa: S101 -- for the type checker: chosen above
    return own.certificate, section.entry.hostname
