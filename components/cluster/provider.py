"""The Kubernetes provider of a cluster, once its API has answered."""

from __future__ import annotations

import asyncio
import datetime
import json
import threading
from collections.abc import Collection
from typing import Any

import pulumi
import pulumi_aws as aws
import pulumi_kubernetes as kubernetes
from pulumi.runtime.mocks import MockMonitor
from pulumi.runtime.settings import get_monitor

from jupyterhub_aws.components.cluster.api import (
    SECONDS,
    Address,
    ApiFault,
    address_in,
    callers_kubeconfig,
    fault,
)
from jupyterhub_aws.config.specs.cluster import ClusterAccess

#: So long after EKS has made a cluster, its name may not resolve everywhere yet; for so long a
#: first `up` waits for it (pulumi_eks: five minutes).
_YOUNG = datetime.timedelta(minutes=15)
_LOOKS, _SECONDS_BETWEEN = 60, 5.0


def provider_of(
    name: str,
    access: ClusterAccess,
    kubeconfig: pulumi.Input[str] | None,
    created: pulumi.Input[str] | None = None,
    opts: pulumi.ResourceOptions | None = None,
) -> kubernetes.Provider:
    """A provider for objects in a cluster. `kubeconfig` is the text of one; None: the file that
    `access` names, or the caller's own.

    `created` is when EKS made the cluster, where this program makes it. Raises pulumi.RunError,
    with one line, where its API does not answer from here.
    """
    config: pulumi.Input[str] | None = access.kubeconfig
    if kubeconfig is None:
        _look(access)
    else:
        config = pulumi.Output.all(kubeconfig, created).apply(
            lambda known: _reached(access, str(known[0]), known[1])
        )
    return kubernetes.Provider(
        name,
        kubeconfig=config,
        context=access.context,
        # a new token or certificate in the kubeconfig is not a new cluster
        cluster_identifier=access.cluster,
        enable_server_side_apply=True,
        enable_secret_mutable=True,  # else a changed secret is deleted before it is made again
        # Paused, the API of an existing cluster is stopped with its instances: `up` and `refresh`
        # then skip the objects in it.
        skip_update_unreachable=True if kubeconfig is None and access.paused else None,
        opts=opts,
    )


def under_an_engine() -> bool:
    """Whether resources are really read and created: not in a plan, which records the program
    and connects to nothing.
    """
    return not isinstance(get_monitor(), MockMonitor)


def _look(access: ClusterAccess) -> None:
    """The cluster existed before the stack: this program cannot change which networks reach its
    API.
    """
    if access.paused or not under_an_engine():
        return
    address = address_in(callers_kubeconfig(access.kubeconfig), access.context)
    wrong = None if address is None else fault(address)
    if address is not None and wrong is not None:
        file = access.kubeconfig or "KUBECONFIG or ~/.kube/config"
        raise _silent(
            address,
            wrong,
            "is the cluster up, and is this machine in its network? The address is the one in"
            f" {file}",
        )


async def _reached(access: ClusterAccess, kubeconfig: str, created: str | None) -> Any:
    """The kubeconfig, once its cluster's address has answered."""
    try:
        address = address_in(json.loads(kubeconfig))
    except ValueError:
        address = None
    if address is None or not under_an_engine():
        return kubeconfig
    wrong = await _fault(address)
    if wrong is not None and wrong.early and not pulumi.runtime.is_dry_run() and _is_young(created):
        wrong = await _awaited(address, wrong)
    if wrong is None:
        return kubeconfig
    if pulumi.runtime.is_dry_run() and access.public_access_cidrs is not None and not access.inside:
        now = aws.eks.get_cluster_output(name=access.cluster).vpc_config
        return now.apply(lambda found: _unless_it_changes(access, address, wrong, found))
    raise _silent(address, wrong, _cure(access))


async def _awaited(address: Address, wrong: ApiFault) -> ApiFault | None:
    """The failure after waiting for a new cluster; None as soon as it answers."""
    pulumi.log.info(
        f"waiting for the Kubernetes API of the new cluster at {address.host} ({wrong.why}),"
        f" {_LOOKS * _SECONDS_BETWEEN / 60:.0f} minutes at most"
    )
    last: ApiFault | None = wrong
    for _ in range(_LOOKS):
        await asyncio.sleep(_SECONDS_BETWEEN)
        last = await _fault(address)
        if last is None or not last.early:
            break
    return last


def _unless_it_changes(access: ClusterAccess, address: Address, wrong: ApiFault, found: Any) -> Any:
    """An unknown value instead of the kubeconfig, where this update itself changes which
    networks may reach the API: if it were refused, access could never be granted.
    """
    now = set(found.public_access_cidrs if found.endpoint_public_access else ())
    wanted = set(access.public_access_cidrs or ())
    if now == wanted:
        raise _silent(address, wrong, _cure(access))
    change = f"{_listed(now)} becomes {_listed(wanted)}"
    pulumi.log.warn(
        f"the Kubernetes API at {address.host} does not answer from here ({wrong.why}). This update"
        f" changes which networks may reach it ({access.option}: {change}), so the objects in the"
        " cluster are shown without reading them"
    )
    unknown: asyncio.Future[bool] = asyncio.get_event_loop().create_future()
    unknown.set_result(False)
    nothing: asyncio.Future[str] = asyncio.get_event_loop().create_future()
    nothing.set_result("")
    return pulumi.Output(set(), nothing, unknown)


async def _fault(address: Address) -> ApiFault | None:
    """Check without blocking the rest of the program; a resolver that does not answer is
    abandoned.
    """
    loop = asyncio.get_running_loop()
    found: asyncio.Future[ApiFault | None] = loop.create_future()

    def look() -> None:
        seen = fault(address)
        loop.call_soon_threadsafe(lambda: None if found.done() else found.set_result(seen))

    threading.Thread(target=look, daemon=True).start()
    try:
        return await asyncio.wait_for(asyncio.shield(found), SECONDS + 1)
    except TimeoutError:
        return ApiFault(
            why=f"the name {address.host} is not resolved within {SECONDS:.0f} seconds", early=False
        )


def _is_young(created: str | None) -> bool:
    try:
        since = datetime.datetime.now(datetime.UTC) - datetime.datetime.fromisoformat(
            str(created).removesuffix(" UTC").replace(" +", "+")
        )
    except (TypeError, ValueError):
        return False
    return since < _YOUNG


def _listed(cidrs: Collection[str]) -> str:
    return ", ".join(sorted(cidrs)) or "no external network"


def _cure(access: ClusterAccess) -> str:
    """What to do where a cluster in EKS does not answer."""
    if access.inside:
        return "run this stack inside the network, for example on the runner (docs/airgap.md)"
    public = access.public_access_cidrs
    if public is None:
        return "is the cluster up, and is this machine in a network that its API allows?"
    if not public:
        return (
            f"{access.option} is empty, so it answers inside the VPC only: run this there, or list"
            " the network of this machine"
        )
    ask = (
        "is the address of this machine, or of its VPN, among them? If not, add it and run this"
        " again"
    )
    return f"{access.option} allows {_listed(public)}: {ask}"


def _silent(address: Address, wrong: ApiFault, cure: str) -> pulumi.RunError:
    return pulumi.RunError(
        f"the Kubernetes API at {address.host} does not answer from here ({wrong.why}): {cure}"
    )
