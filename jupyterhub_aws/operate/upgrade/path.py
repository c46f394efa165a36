"""Which minors an upgrade goes through, and what is refused because EKS refuses it or nobody
knows how it ends. Pure.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from jupyterhub_aws.config.cluster import ExistingCluster
from jupyterhub_aws.config.errors import Problem
from jupyterhub_aws.config.releases import calendar, numbers
from jupyterhub_aws.config.stack import StackConfig

#: Kubernetes, "Version Skew Policy": a kubelet may be up to three minors older than the API server,
#: and never newer.
KUBELET_LAG = 3


def path(start: str, end: str, known: Sequence[str]) -> list[str]:
    """The minors after `start` up to `end`, one at a time (EKS user guide, "Update existing
    cluster": one minor version at a time).

    `known` are the minors that can be built. Raises ValueError with what is wrong and what to do,
    as a pair, for anything that EKS would refuse.
    """
    if re.fullmatch(r"1\.\d+", end, re.ASCII) and numbers(end) < numbers(start):
        fix = (
            "EKS goes back by one minor within 7 days of an upgrade, by its own command"
            " (docs/upgrading.md); later nothing does"
        )
        raise ValueError(f"is older than what the stack has ({end} < {start})", fix)
    if end not in known:
        dates = calendar().get(end)
        what = (
            f"has no pinned versions here (got {end!r})"
            if dates is None
            else f"is a minor that this program does not build (got {end!r})"
        )
        raise ValueError(
            what,
            f"choose one of {', '.join(known)}; a newer one comes with a newer table"
            " (config/data/versions.toml)",
        )
    if end == start:
        raise ValueError(
            f"is the version that the stack has (got {end!r})",
            "there is nothing to do: jhub versions STACK says how it stands",
        )
    (major, first), (_, last) = numbers(start), numbers(end)
    steps = [f"{major}.{minor}" for minor in range(first + 1, last + 1)]
    missing = [minor for minor in steps if minor not in known]
    if missing:
        what = (
            f"cannot be reached: EKS goes one minor at a time, and {missing[0]} in between has no"
            " pinned versions here"
        )
        raise ValueError(what, "add its rows to config/data/versions.toml")
    return steps


def refused(stack: StackConfig, end: str, known: Sequence[str]) -> Problem | None:
    """Why a stack is not upgraded to a minor by this program; None where it is."""
    if isinstance(stack.cluster, ExistingCluster):
        fix = (
            "upgrade it as it was made (kubeadm, kops, or its own program), then set"
            " cluster.version here; the nodes' labels must stay"
        )
        return Problem(
            path="cluster.kind", what="says that the cluster is somebody else's", fix=fix
        )
    if stack.parts == "cluster":
        fix = f"plan that one: jhub upgrade plan {stack.cloud_stack} --to {end}"
        return Problem(path="cloud_stack", what="says that the cluster is another stack's", fix=fix)
    if stack.paused:
        return Problem(
            path="paused",
            what="a paused stack has no nodes that an upgrade could try",
            fix="jhub resume STACK first; or upgrade the next time",
        )
    try:
        path(stack.cluster.version, end, known)
    except ValueError as error:
        return Problem(path="--to", what=error.args[0], fix=error.args[1])
    return None


def roll_before(pools_minor: str, next_minor: str) -> bool:
    """Whether user nodes of a minor have to be replaced before the control plane goes on to
    `next_minor`.
    """
    return numbers(next_minor)[1] - numbers(pools_minor)[1] > KUBELET_LAG
