"""What a check says: a verdict with a reason, the option that it is about, and what to do."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
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


def fail(
    check: str, message: str, fix: str | None = None, *about: Resource, path: str | None = None
) -> Finding:
    """A fault of the stack: what is wrong, what to do, and the resources that it is about."""
    subjects = urns(about)
    return Finding(id=check, status="fail", message=message, path=path, fix=fix, subjects=subjects)


def warn(
    check: str, message: str, fix: str | None = None, *about: Resource, path: str | None = None
) -> Finding:
    """What an operator should look at."""
    return replace(fail(check, message, fix, *about, path=path), status="warn")


def skip(
    check: str, message: str, fix: str | None = None, *about: Resource, path: str | None = None
) -> Finding:
    """What cannot be known here."""
    return replace(fail(check, message, fix, *about, path=path), status="skip")


def passed(check: str, message: str, *, path: str | None = None) -> Finding:
    """What holds."""
    return Finding(id=check, status="pass", message=message, path=path)


def verdict(check: str, faults: Iterable[Finding], *, otherwise: str) -> list[Finding]:
    """The faults that a check found, or one `pass` that says what holds."""
    return list(faults) or [passed(check, otherwise)]


def urns(resources: Iterable[Resource]) -> tuple[str, ...]:
    """The URNs of resources, as a finding's subjects."""
    return tuple(resource.urn for resource in resources)
