"""Which checks cover resources that the caller's program added, and how.

A check of the structure of a stack (do hubs fit their nodes, do identities allow what software
calls) is about what this library makes: a bucket or an Auto Scaling group of the caller's is none
of its business, whatever it is called and holds. A check that judges each resource by itself (is it
encrypted, does it let the whole internet in) judges the caller's too, but the program is the
caller's: it warns and fails nothing. Only the proof of an isolated network covers all
registered resources: one gateway opens it, no matter which program adds it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from jupyterhub_aws.checks import backups, security
from jupyterhub_aws.checks.airgap import all as airgap
from jupyterhub_aws.checks.finding import Finding, skip
from jupyterhub_aws.checks.monitoring import logs_end
from jupyterhub_aws.checks.resources import READ_ERRORS, Resource, Resources
from jupyterhub_aws.config.stack import StackConfig

Check = Callable[[StackConfig, Resources], list[Finding]]

#: So many findings of one check are told one by one; more of them in one message.
_SEVERAL = 3


@dataclass(frozen=True, kw_only=True)
class Scope:
    """How a check covers added resources: what to do, in the words of a program that uses the
    library; `types`: only about these.

    `fails`: what it finds fails the plan, as among the library's own resources.
    """

    fix: str
    types: tuple[str, ...] = ()
    fails: bool = False


#: The checks that cover added resources. Every other one is about the library's own resources
#: alone.
ADDED: Mapping[Check, Scope] = {
    security.open_ingress: Scope(fix="list the allowed networks"),
    security.encryption: Scope(fix="encrypt it; for an existing resource that means replacing it"),
    security.metadata: Scope(fix="require IMDSv2 with hop limit 1"),
    security.protected: Scope(
        fix=(
            "give it opts=ResourceOptions(protect=True, retain_on_delete=True), if its data must"
            " not be lost"
        ),
        types=security.STATEFUL,
    ),
    security.tags: Scope(fix="give it the stack's tags"),
    security.secrets: Scope(fix="read it with require_secret and hand it on as an Output"),
    backups.covered: Scope(fix="give it the stack's backup tag, if its data must not be lost"),
    logs_end: Scope(fix="give it retention_in_days"),
    airgap.proof: Scope(fix="take it out, or put it into a stack of its own", fails=True),
}


def judge(check: Check, stack: StackConfig, resources: Resources) -> list[Finding]:
    """What a check says of a stack: of the library's resources, and of the added ones where it
    covers those.
    """
    own = check(stack, resources.own)
    scope = ADDED.get(check)
    if scope is None or not resources.added.all:
        return own
    return [*own, *_of_added(check, scope, stack, resources, own)]


def _of_added(
    check: Check, scope: Scope, stack: StackConfig, resources: Resources, own: list[Finding]
) -> list[Finding]:
    faults, unjudged = _faults(check, scope, stack, resources, own)
    found = [
        replace(fault, status="fail" if scope.fails else "warn", fix=scope.fix) for fault in faults
    ]
    found = (
        _together(found)
        if len(found) > _SEVERAL and not scope.fails
        else [_placed(fault, resources) for fault in found]
    )
    return [*found, *([_not_judged(check, unjudged)] if unjudged else [])]


def _faults(
    check: Check, scope: Scope, stack: StackConfig, resources: Resources, own: list[Finding]
) -> tuple[list[Finding], list[Resource]]:
    """The faults that a check finds with the added resources and not without them, and the added
    resources that it cannot judge.
    """
    known = {(finding.id, finding.message) for finding in own}

    def new(everything: Resources) -> list[Finding]:
        return [
            item
            for item in check(stack, everything)
            if item.status in ("fail", "warn") and (item.id, item.message) not in known
        ]

    judged = [
        item
        for item in resources.added
        if not item.external and (not scope.types or item.type in scope.types)
    ]
    try:
        return _about(judged, new(Resources([*resources.own, *judged]))), []
    except READ_ERRORS:
        pass  # one of them has a shape that the check does not know: they are judged one by one
    found: list[Finding] = []
    unjudged: list[Resource] = []
    for item in judged:
        try:
            found += _about([item], new(Resources([*resources.own, item])))
        except READ_ERRORS:
            unjudged.append(item)
    return list(dict.fromkeys(found)), unjudged


def _about(judged: list[Resource], findings: list[Finding]) -> list[Finding]:
    """The findings that are about added resources: a check may also find that a resource of the
    library changes with them.
    """
    urns = {item.urn for item in judged}
    return [
        finding
        for finding in findings
        if not finding.subjects or urns & set(finding.subjects) or finding.id.startswith("airgap-")
    ]


def _placed(finding: Finding, resources: Resources) -> Finding:
    """A finding with the line of the caller's program in the place of an option."""
    sources = [
        item.source
        for urn in finding.subjects
        if (item := resources.by_urn.get(urn)) is not None and item.source
    ]
    return replace(finding, path=sources[0] if sources else finding.path)


def _together(findings: list[Finding]) -> list[Finding]:
    """Many findings of one check in one: a program of hundred buckets is no reason for hundred
    lines.
    """
    told = "; ".join(finding.message for finding in findings[:_SEVERAL])
    message = (
        f"{len(findings)} resources of your program: {told}; and {len(findings) - _SEVERAL} more"
    )
    subjects = tuple(dict.fromkeys(urn for finding in findings for urn in finding.subjects))
    return [replace(findings[0], message=message, path=None, subjects=subjects)]


def _not_judged(check: Check, unjudged: list[Resource]) -> Finding:
    names = ", ".join(item.label for item in unjudged[:_SEVERAL]) + (
        f" and {len(unjudged) - _SEVERAL} more" if len(unjudged) > _SEVERAL else ""
    )
    about = " ".join((check.__doc__ or check.__name__).split()).partition(". ")[0].rstrip(".")
    message = (
        f"not judged in your program, because of values that the check cannot read: {names}"
        f" ({about[:1].lower()}{about[1:]})"
    )
    return skip("program-unknowns", message, None, *unjudged)
