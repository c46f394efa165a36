"""Who reaches the Kubernetes API from outside, told to the cluster itself and not to `pulumi_eks.Cluster` around it.

A `pulumi_eks.Cluster` that knows of a public endpoint asks it for /healthz at the end of every `up`, 60 times with five seconds between
(pulumi-eks 4.4, nodejs/eks/cluster/cluster.ts, createCore): from outside of the listed networks that is five minutes of «Waiting up to …», and
through HTTPS_PROXY whatever NO_PROXY says. components/cluster/provider.py looks once, and says what is wrong.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pulumi

from jupyterhub_aws.components.imports import CONTROL_PLANE


def open_to(cidrs: Sequence[str]) -> None:
    """Register the transform that opens the endpoint to these networks. Call before the cluster is registered; without networks nothing is opened."""
    if not cidrs:
        return

    def opened(args: pulumi.ResourceTransformArgs) -> pulumi.ResourceTransformResult | None:
        if args.type_ != CONTROL_PLANE:
            return None
        network: Any = args.props["vpcConfig"]
        public = network.apply(lambda known: _public(known, cidrs)) if isinstance(network, pulumi.Output) else _public(network, cidrs)
        return pulumi.ResourceTransformResult(props={**args.props, "vpcConfig": public}, opts=args.opts)

    pulumi.runtime.register_resource_transform(opened)


def _public(network: Mapping[str, Any], cidrs: Sequence[str]) -> dict[str, Any]:
    return {**network, "endpointPublicAccess": True, "publicAccessCidrs": list(cidrs)}
