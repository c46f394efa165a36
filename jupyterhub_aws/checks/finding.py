"""What a check says: a verdict with a reason, the option that it is about, and what to do."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Literal

from jupyterhub_aws.checks.resources import Resource

Status = Literal["pass", "fail", "warn", "skip"]


@dataclass(frozen=True, kw_only=True)
class Finding:
    """One verdict. `fail` means that `pulumi up` would build a faulty stack; `warn` that an
    operator should look; `skip` that it cannot be known here. `path` is the option in the stack
    file, `subjects` the URNs that it is about.
    """

    id: str
    status: Status
    message: str
    path: str | None = None
    fix: str | None = None
    subjects: tuple[str, ...] = ()

    def as_json(self) -> dict[str, Any]:
        """The finding as the plan's data has it."""
        return {
            "id": self.id,
            "status": self.status,
            "message": self.message,
            "path": self.path,
            "fix": self.fix,
            "subjects": sorted(self.subjects),
        }


def verdict(check: str, faults: Iterable[Finding], *, otherwise: str) -> list[Finding]:
    """The faults that a check found, or one `pass` that says what holds."""
    found = list(faults)
    return found or [Finding(id=check, status="pass", message=otherwise)]


def urns(resources: Iterable[Resource]) -> tuple[str, ...]:
    """The URNs of resources, as a finding's subjects."""
    return tuple(resource.urn for resource in resources)
