"""A hub in a VPC and an EKS cluster that this program makes with plain `pulumi_aws`: theirs.py.
The library gets both by handles that are filled in here.
"""

import pulumi
from theirs import addons, cluster, nat_routes, private, public, vpc

from jupyterhub_aws import (
    ClusterAutoscaler,
    ClusterAutoscalerArgs,
    ClusterOutputs,
    EfsHomes,
    EfsHomesArgs,
    JupyterHub,
    JupyterHubArgs,
    NetworkOutputs,
    NodeAgents,
    NodeAgentsArgs,
    NodePools,
    NodePoolsArgs,
    SpotFirst,
)

network = NetworkOutputs(
    vpc_id=vpc.id,
    cidrs=["10.20.0.0/16"],
    private_subnets={zone: subnet.id for zone, subnet in private.items()},
    public_subnets={zone: subnet.id for zone, subnet in public.items()},
    ready=nat_routes,
)
eks = ClusterOutputs(
    name="research",
    version="1.35",
    network=network,
    endpoint=cluster.endpoint,
    certificate_authority=cluster.certificate_authority.data,
    security_group_id=cluster.vpc_config.cluster_security_group_id,
    ready=addons,
)

memory = SpotFirst(instance_types=["r5n.2xlarge", "r6i.2xlarge"], max_size=10)
pools = NodePools("pools", NodePoolsArgs(cluster=eks, pools={"memory": memory}))
NodeAgents("agents", NodeAgentsArgs(cluster=eks, pools=pools.outputs))
ClusterAutoscaler("autoscaler", ClusterAutoscalerArgs(cluster=eks, pools=pools.outputs))
homes = EfsHomes("homes", EfsHomesArgs(cluster=eks, hubs=["main"], physical_name="research"))
hub = JupyterHub(
    "main",
    JupyterHubArgs(
        cluster=eks,
        pools=pools.outputs,
        homes=homes.outputs,
        sign_in={
            "kind": "github",
            "client_id": "Ov23liDocumentation0",
            "allowed_organizations": ["example-org"],
        },
        entry={"kind": "port_forward"},
        profiles={"small": {"pool": "memory", "cpu": 2, "memory": "16G"}},
        secrets={"client-secret": pulumi.Config().require_secret("client-secret")},
    ),
)
pulumi.export("url", hub.url)
