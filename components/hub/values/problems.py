"""Whether the chart would take what a stack's hubs become, and people could use it: asked before
anything is evaluated.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from jupyterhub_aws.checks.hub_values.all import verdict
from jupyterhub_aws.checks.hub_values.chart_policies import closed_by_default
from jupyterhub_aws.checks.hub_values.fault import at
from jupyterhub_aws.checks.hub_values.policy_rules import malformed
from jupyterhub_aws.checks.hub_values.reach import reach
from jupyterhub_aws.checks.resources import SECRET
from jupyterhub_aws.components.hub.values.hub import HubSecretInputs, hub_values, rendered
from jupyterhub_aws.components.hub.values.owned import owned
from jupyterhub_aws.config.chart import CHART, chart_version, effective
from jupyterhub_aws.config.entry import own_certificate
from jupyterhub_aws.config.errors import Problem, dotted
from jupyterhub_aws.config.homes import EphemeralHomes
from jupyterhub_aws.config.specs import resolve
from jupyterhub_aws.config.specs.hub import HubSpec
from jupyterhub_aws.config.specs.names import SECRETS
from jupyterhub_aws.config.stack import StackConfig
from jupyterhub_aws.config.traits import resolve as resolved_traits
from jupyterhub_aws.config.tree import Path

#: What stands in for values that only AWS or chance can know.
UNKNOWN = HubSecretInputs(
    auth_token=SECRET,
    cookie_secret=SECRET,
    auth_state_key=SECRET,
    operator_token=SECRET,
    checksum=SECRET,
    database_url="postgresql+psycopg2://jupyterhub@database/jupyterhub",
)


def hub_problems(stack: StackConfig, name: str) -> Iterator[Problem]:
    """What is wrong with one hub's values, each at the place in `helm_values` where it can be
    changed.
    """
    hub = resolve(stack).hubs[name]
    values = hub_values(hub, UNKNOWN, resolve(stack).images)
    refused, told = False, set()
    for fault, by_schema in verdict(values, hub.options, hub.start_seconds):
        refused |= by_schema
        told.add(fault.path)
        source = f" (schema of chart {CHART} {chart_version()})" if by_schema else ""
        yield _problem(name, fault.path, f"{fault.what}{source}", fault.fix)
    if not refused:
        whole = effective(values)
        yield from _undone(hub, whole)
        if hub.options.helm_values:
            yield from _unreachable(stack, name, whole)
            yield from _otherwise(hub, whole, told)


def _unreachable(stack: StackConfig, name: str, values: Mapping[str, Any]) -> Iterator[Problem]:
    """What network policies take from pods that need it, or open although it protects something."""
    wrong = [*malformed(values)]
    wrong = wrong or [
        item.fault
        for item in reach(
            stack, name, resolved_traits(values).values, [closed_by_default(f"hub-{name}")]
        )
        if item.refused
    ]
    yield from (_problem(name, fault.path, fault.what, fault.fix) for fault in wrong)


def _undone(hub: HubSpec, values: Mapping[str, Any]) -> Iterator[Problem]:
    """What `helm_values` may not take away, because another part of the stack counts on it."""
    if at(values, "hub", "existingSecret") != SECRETS:
        yield _problem(
            hub.name,
            ("hub", "existingSecret"),
            "takes the secrets of the sign-in away from the hub",
            "remove it",
        )
    storage = at(values, "singleuser", "storage", "type")
    if storage == "none" and not isinstance(hub.homes, EphemeralHomes):
        yield _problem(
            hub.name,
            ("singleuser", "storage", "type"),
            "keeps nothing when a server stops",
            "say so: homes.kind: ephemeral",
        )
    if bool(at(values, "proxy", "https", "enabled")) != (
        own_certificate(hub.options.entry) is not None
    ):
        yield _problem(
            hub.name,
            ("proxy", "https", "enabled"),
            "contradicts the hub's entry, which says who encrypts",
            "remove it, and use entry.tls",
        )


def _otherwise(hub: HubSpec, values: Mapping[str, Any], told: set[Path]) -> Iterator[Problem]:
    """What `helm_values` says otherwise than an option of the stack file, where no rule has
    spoken yet.
    """
    said = resolved_traits(effective(rendered(hub, UNKNOWN)))
    for path, what, fix in owned(hub.options, said, resolved_traits(values)):
        spoken = path in told or any(other[: len(path)] == path for other in told)
        if not spoken or path[:2] == ("hub", "extraConfig"):  # code is one place, whatever it says
            yield _problem(hub.name, path, what, fix)


def _problem(name: str, path: Path, what: str, fix: str) -> Problem:
    return Problem(path=dotted(("hubs", name, "helm_values", *path)), what=what, fix=fix)
