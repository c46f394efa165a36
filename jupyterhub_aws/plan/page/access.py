"""Who may do what: every role with who takes it, what it carries, and what that allows in words."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import groupby
from typing import Any

from jupyterhub_aws.checks.identities.all import IdentityProof, JudgedCall
from jupyterhub_aws.checks.resources import Resource, Resources
from jupyterhub_aws.plan.page.parts import Anchors, InputDocument, Link, documents
from jupyterhub_aws.plan.plan import Plan

_ROLE = "aws:iam/role:Role"
_POLICY = "aws:iam/policy:Policy"
_ATTACHMENT = "aws:iam/rolePolicyAttachment:RolePolicyAttachment"
_INLINE = "aws:iam/rolePolicy:RolePolicy"
_IDENTITY = "aws:eks/podIdentityAssociation:PodIdentityAssociation"


@dataclass(frozen=True, kw_only=True)
class RoleGrant:
    """A policy that a role carries. `urn`: the resource with its document."""

    name: str
    urn: str
    link: Link
    document: InputDocument | None


@dataclass(frozen=True, kw_only=True)
class Role:
    """One role."""

    name: str
    urn: str
    link: Link
    trust: tuple[InputDocument, ...]
    used_by: tuple[str, ...]
    given: tuple[RoleGrant, ...]


@dataclass(frozen=True, kw_only=True)
class Guard:
    """A document at the resource that it protects, such as a file system's policy."""

    urn: str
    link: Link
    documents: tuple[InputDocument, ...]


def roles(resources: Resources, anchors: Anchors) -> tuple[Role, ...]:
    """Every role, by name."""
    return tuple(
        sorted(
            (_role(role, resources, anchors) for role in resources.of(_ROLE)),
            key=lambda item: item.name,
        )
    )


def _role(role: Resource, resources: Resources, anchors: Anchors) -> Role:
    def mine(kind: str, key: str) -> list[Resource]:
        named = role.inputs.get("name")
        return [
            item
            for item in resources.of(kind)
            if item.inputs.get(key) == named
            or role in resources.referred(item.inputs.get(key), _ROLE)
        ]

    given = [_attached(item, resources, anchors) for item in mine(_ATTACHMENT, "role")]
    given += [
        RoleGrant(
            name=str(item.inputs.get("name", item.name)),
            urn=item.urn,
            link=anchors.link(item.urn),
            document=found,
        )
        for item in mine(_INLINE, "role")
        for found in documents(item.inputs)
    ]
    return Role(
        name=str(role.inputs.get("name", role.name)),
        urn=role.urn,
        link=anchors.link(role.urn),
        trust=tuple(documents(role.inputs)),
        used_by=tuple(
            sorted(
                f"pods of {_of(item.inputs, 'namespace')}/{_of(item.inputs, 'serviceAccount')}"
                for item in mine(_IDENTITY, "roleArn")
            )
        ),
        given=tuple(sorted(given, key=lambda item: item.name)),
    )


def _attached(item: Resource, resources: Resources, anchors: Anchors) -> RoleGrant:
    arn = item.inputs.get("policyArn")
    for policy in resources.referred(arn, _POLICY):
        found = documents(policy.inputs)
        return RoleGrant(
            name=str(policy.inputs.get("name", policy.name)),
            urn=policy.urn,
            link=anchors.link(policy.urn),
            document=found[0] if found else None,
        )
    name = str(arn).rpartition("/")[2]
    return RoleGrant(name=name, urn=item.urn, link=anchors.link(item.urn), document=None)


def _of(inputs: Mapping[str, Any], key: str) -> str:
    return str(inputs.get(key, "?"))


def guards(resources: Resources, anchors: Anchors) -> tuple[Guard, ...]:
    """Every other resource with an IAM document, by name."""
    others = [
        resource
        for resource in resources
        if resource.type not in (_ROLE, _POLICY, _INLINE) and documents(resource.inputs)
    ]
    found = sorted(others, key=lambda item: (item.name, item.type))
    return tuple(
        Guard(urn=item.urn, link=anchors.link(item.urn), documents=tuple(documents(item.inputs)))
        for item in found
    )


def told(roles: Iterable[Role], guards: Iterable[Guard]) -> set[str]:
    """The URNs of the resources with documents that roles and guards say in words."""
    of_roles = {urn for role in roles for urn in (role.urn, *(given.urn for given in role.given))}
    return of_roles | {guard.urn for guard in guards}


# --- What each piece of software asks of AWS, and what allows it: the identity proof as a table.


_VERDICT = {True: "pass", False: "fail", None: "skip"}


@dataclass(frozen=True, kw_only=True)
class CallRow:
    """Calls that one statement decides on one resource. `source` is the number of the text in
    which it is read that the software makes them.
    """

    actions: tuple[str, ...]
    on: str
    by: str
    status: str
    source: int
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


def calling_identities(
    plan: Plan, anchors: Anchors
) -> tuple[tuple[CallingIdentity, ...], tuple[str, ...]]:
    """Every identity of the plan that calls AWS, with every call; and the texts in which it is
    read what they call, in the order of their numbers.
    """
    sources: dict[str, int] = {}
    proof = IdentityProof(plan.stack, plan.recording.everything.own)
    found = groupby(
        proof.calls,
        key=lambda call: (
            call.identity.software.name,
            "" if call.identity.role is None else call.identity.role.urn,
        ),
    )
    identities = tuple(
        CallingIdentity(
            software=name,
            role=anchors.link(urn) if urn else None,
            rows=tuple(_rows(list(calls), sources)),
        )
        for (name, urn), calls in found
    )
    return identities, tuple(sources)


def _rows(calls: list[JudgedCall], sources: dict[str, int]) -> Iterator[CallRow]:
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
            actions=actions,
            on=what,
            by=by,
            status=worst,
            source=sources.setdefault(source, len(sources) + 1),
            endpoint=", ".join(names),
        )
