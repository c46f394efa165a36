"""What is said to the cluster inside a `pulumi_eks.Cluster`, and not to the component around it:
who reaches its API, and that it is protected.

A `pulumi_eks.Cluster` that knows of a public endpoint asks it for /healthz at the end of every
`up`, 60 times with five seconds between (pulumi-eks 4.4, nodejs/eks/cluster/cluster.ts,
createCore): from outside of the listed networks that is five minutes of «Waiting up to …», and
through HTTPS_PROXY whatever NO_PROXY says. components/cluster/provider.py looks once, and says what
is wrong.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pulumi

from jupyterhub_aws.components.base import change_below

CONTROL_PLANE = "aws:eks/cluster:Cluster"


def configure_control_plane(
    component: str, *, public_access_cidrs: Sequence[str], protected: bool
) -> None:
    """Open the API of the cluster inside the `pulumi_eks.Cluster` of this resource name to these
    networks, and protect it. Call before it is made.
    """

    def changed(args: pulumi.ResourceTransformArgs) -> pulumi.ResourceTransformResult:
        props: Mapping[str, Any] = args.props
        if public_access_cidrs:
            network = props["vpcConfig"]
            opened = (
                network.apply(_opened_to(public_access_cidrs))
                if isinstance(network, pulumi.Output)
                else _opened_to(public_access_cidrs)(network)
            )
            props = {**props, "vpcConfig": opened}
        if not protected:
            return pulumi.ResourceTransformResult(props=dict(props), opts=args.opts)
        options = pulumi.ResourceOptions(protect=True, retain_on_delete=True)
        return pulumi.ResourceTransformResult(
            props=dict(props), opts=pulumi.ResourceOptions.merge(args.opts, options)
        )

    # pulumi-eks 4.4, nodejs/eks/cluster/cluster.ts, createCore: new
    # aws.eks.Cluster(`${name}-eksCluster`, …)
    change_below(CONTROL_PLANE, f"{component}-eksCluster", changed)


def _opened_to(cidrs: Sequence[str]) -> Any:
    return lambda network: {
        **network,
        "endpointPublicAccess": True,
        "publicAccessCidrs": list(cidrs),
    }
