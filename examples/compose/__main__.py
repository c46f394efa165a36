"""A hub without a stack file: every part by itself, in one program."""

import pulumi

from jupyterhub_aws import (
    Cluster,
    ClusterArgs,
    ClusterAutoscaler,
    ClusterAutoscalerArgs,
    EfsHomes,
    EfsHomesArgs,
    GitHubSignIn,
    JupyterHub,
    JupyterHubArgs,
    Network,
    NetworkArgs,
    NodeAgents,
    NodeAgentsArgs,
    NodePools,
    NodePoolsArgs,
    PortForwardEntry,
    Profile,
    SpotFirst,
)

network = Network(
    "lab", NetworkArgs(cidr="10.0.0.0/16", zones=["us-east-1a", "us-east-1b"], nat="single")
)
api = ["203.0.113.0/24"]  # from where you work
cluster = Cluster(
    "lab-cluster",
    ClusterArgs(network=network.outputs, version="1.35", public_access_cidrs=api, protected=False),
)
memory = SpotFirst(instance_types=["r5n.2xlarge", "r6i.2xlarge"], max_size=10)
pools = NodePools("lab-pools", NodePoolsArgs(cluster=cluster.outputs, pools={"memory": memory}))
NodeAgents("lab-agents", NodeAgentsArgs(cluster=cluster.outputs, pools=pools.outputs))
ClusterAutoscaler(
    "lab-autoscaler", ClusterAutoscalerArgs(cluster=cluster.outputs, pools=pools.outputs)
)
homes = EfsHomes("lab-homes", EfsHomesArgs(cluster=cluster.outputs, hubs=["main"]))
hub = JupyterHub(
    "main",
    JupyterHubArgs(
        cluster=cluster.outputs,
        pools=pools.outputs,
        homes=homes.outputs,
        sign_in=GitHubSignIn(
            client_id="Ov23liDocumentation0", allowed_organizations=("example-org",)
        ),
        entry=PortForwardEntry(),
        profiles={
            "small": Profile(pool="memory", cpu=2, memory="16G"),
            "large": Profile(pool="memory", cpu=4, memory="32G"),
        },
        secrets={"client-secret": pulumi.Config().require_secret("client-secret")},
    ),
)
pulumi.export("url", hub.url)
