"""What each piece of software asks of AWS, and what allows it: the identity proof as a table."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby

from jupyterhub_aws.checks.identities.all import IdentityProof, JudgedCall
from jupyterhub_aws.plan.page.anchors import Anchors
from jupyterhub_aws.plan.page.tree import Link
from jupyterhub_aws.plan.plan import Plan

_VERDICT = {True: "pass", False: "fail", None: "skip"}


@dataclass(frozen=True, kw_only=True)
class CallRow:
    """Calls that one statement decides on one resource."""

    actions: tuple[str, ...]
    on: str
    by: str
    status: str
    source: str
    endpoint: str


@dataclass(frozen=True, kw_only=True)
class CallingIdentity:
    """One piece of software with its role, and its calls."""

    software: str
    role: Link | None
    rows: tuple[CallRow, ...]

    @property
    def status(self) -> str:
        """The worst of its rows: fail, skip or pass."""
        found = {row.status for row in self.rows}
        return next(status for status in ("fail", "skip", "pass") if status in found)


def calling_identities(plan: Plan, anchors: Anchors) -> tuple[CallingIdentity, ...]:
    """Every identity of the plan that calls AWS, with every call."""
    proof = IdentityProof(plan.stack, plan.recording.everything.own)
    found = groupby(
        proof.calls,
        key=lambda call: (
            call.identity.software.name,
            "" if call.identity.role is None else call.identity.role.urn,
        ),
    )
    return tuple(
        CallingIdentity(
            software=name, role=anchors.link(urn) if urn else None, rows=tuple(_rows(list(calls)))
        )
        for (name, urn), calls in found
    )


def _rows(calls: list[JudgedCall]) -> Iterator[CallRow]:
    groups: dict[tuple[str, str, str], list[JudgedCall]] = {}
    for call in calls:
        groups.setdefault((call.target.what, call.decision.by, call.source), []).append(call)
    for (what, by, source), alike in groups.items():
        names = sorted({call.endpoint.name for call in alike if call.endpoint is not None})
        worst = next(
            status
            for status in ("fail", "skip", "pass")
            if status in {_VERDICT[call.decision.allowed] for call in alike}
        )
        actions = tuple(dict.fromkeys(call.action for call in alike))
        yield CallRow(
            actions=actions, on=what, by=by, status=worst, source=source, endpoint=", ".join(names)
        )
