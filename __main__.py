"""The program: one stack file in, one JupyterHub's worth of infrastructure out. Reads from top to bottom in build order."""

from dataclasses import replace

import pulumi
import pulumi_aws as aws
import pulumi_kubernetes as kubernetes

from components.addons import AddonsArgs, ControllerAddons, NodeAddons
from components.autoscaler import Autoscaler, AutoscalerArgs, AutoscalerPolicy, AutoscalerPolicyArgs
from components.cluster import Cluster, ClusterArgs
from components.imports import Imports
from components.network import Network, NetworkArgs
from components.node_agents import NodeAgents, NodeAgentsArgs
from components.pools import Pools, PoolsArgs
from components.stack_config import load_stack

stack = load_stack()
imports = Imports(stack.imports, protect_cluster=stack.cluster.protected)
tags = stack.tags.as_aws(stack.name)
account = aws.get_caller_identity_output().account_id

network = Network("network", NetworkArgs(network=stack.network, stack_name=stack.name, region=stack.region, tags=tags))

cluster = Cluster(
    "cluster",
    ClusterArgs(
        cluster=stack.cluster,
        stack_name=stack.name,
        region=stack.region,
        account=account,
        vpc_id=network.vpc_id,
        subnet_ids=network.private_subnet_ids,
        tags=tags,
    ),
)
in_cluster = kubernetes.Provider(
    "kubernetes",
    kubeconfig=cluster.kubeconfig,
    cluster_identifier=stack.name,  # a new token or certificate in the kubeconfig is not a new cluster
    enable_server_side_apply=True,
)

addons = AddonsArgs(cluster_name=cluster.name, minor=stack.cluster.version, stack_name=stack.name, region=stack.region, homes=stack.homes.kind, tags=tags)
node_addons = NodeAddons("node-addons", addons)

pools = Pools(
    "pools",
    PoolsArgs(
        stack=stack,
        account=account,
        cluster_name=cluster.name,
        endpoint=cluster.endpoint,
        certificate_authority=cluster.certificate_authority,
        security_group_id=cluster.security_group_id,
        subnet_ids=network.private_subnet_ids,
        tags=tags,
        before_nodes=[*network.ready, *node_addons.ready],
    ),
)
controller_addons = ControllerAddons("controller-addons", replace(addons, after=pools.ready))

with_kubernetes = pulumi.ResourceOptions(providers=[in_cluster])
policy_args = AutoscalerPolicyArgs(cluster=stack.name, region=stack.region, account=account, tags=tags)
policy = AutoscalerPolicy("autoscaler-policy", policy_args)
autoscaler_args = AutoscalerArgs(stack=stack, cluster_name=cluster.name, policy_arn=policy.arn, tags=tags)
autoscaler = Autoscaler("autoscaler", autoscaler_args, with_kubernetes)
agents = NodeAgents("node-agents", NodeAgentsArgs(stack=stack), with_kubernetes)

pulumi.export("cluster_name", cluster.name)
pulumi.export("kubeconfig", cluster.kubeconfig)
pulumi.export("vpc_id", network.vpc_id)
pulumi.export("scheduling", pools.scheduling)
pulumi.export("imported", imports.confirmed([network, cluster, in_cluster, node_addons, pools, controller_addons, policy, autoscaler, agents]))
