"""A certificate and its chain in a terminal: whose, by whom, until when, and what is wrong with
it.
"""

from __future__ import annotations

import datetime
from typing import TYPE_CHECKING

from jupyterhub_aws.checks.certificate import (
    WARNING_DAYS,
    CertificateFault,
    days_left,
    names_of,
    read,
    subject,
)

if TYPE_CHECKING:
    from cryptography.x509 import Certificate
    from rich.console import Console

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


def show_faults(faults: list[CertificateFault], console: Console) -> None:
    """What is wrong, each with what to do; or that nothing is."""
    for fault in faults:
        mark, colour = _MARKS[fault.status]
        console.print(f"[{colour}]{mark}[/{colour}] ", end="")
        console.print(fault.what, markup=False, soft_wrap=True)
        console.print(f"  → {fault.fix}", style="dim", markup=False, soft_wrap=True)
    if not faults:
        console.print("[green]✓[/green] browsers that trust its authority will take it")
