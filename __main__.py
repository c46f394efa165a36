"""The program: one stack file in, one JupyterHub's worth of infrastructure out. Reads from top to bottom in build order."""

from dataclasses import replace
from typing import Any

import pulumi
import pulumi_aws as aws

from components.addons.addons import AddonsArgs, ControllerAddons, NodeAddons
from components.autoscaler.autoscaler import Autoscaler, AutoscalerArgs
from components.autoscaler.policy import AutoscalerPolicy, AutoscalerPolicyArgs
from components.cluster.cluster import Cluster, ClusterArgs
from components.cluster.provider import kubernetes_provider
from components.homes.homes import Homes, HomesArgs
from components.hub.hub import Hub, HubArgs, Surroundings
from components.imports import Imports
from components.network.network import Network, NetworkArgs
from components.node_agents import NodeAgents, NodeAgentsArgs
from components.pools.args import PoolsArgs
from components.pools.pools import Pools
from components.stack_config import load_stack, stack_secrets

stack = load_stack()
imports = Imports(stack.imports, protect_cluster=stack.cluster.protected)
tags = stack.tags.as_aws(stack.name)
account = aws.get_caller_identity_output().account_id
network = Network("network", NetworkArgs(network=stack.network, stack_name=stack.name, region=stack.region, tags=tags))

cluster_args = ClusterArgs(
    cluster=stack.cluster, stack_name=stack.name, region=stack.region, account=account, vpc_id=network.vpc_id, subnet_ids=network.private_subnet_ids, tags=tags
)
cluster = Cluster("cluster", cluster_args)
in_cluster = kubernetes_provider(stack.name, cluster.kubeconfig)

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

homes_args = HomesArgs(stack=stack, place=network.place, client_security_group_id=cluster.security_group_id, tags=tags)
homes = Homes("homes", homes_args, with_kubernetes)
around = Surroundings(
    place=network.place,
    node_security_group_id=cluster.security_group_id,
    core_group_name=pools.core_group_name,
    volume_handles=homes.volume_handles,
    secrets=stack_secrets(stack),
    tags=tags,
    after=[*controller_addons.ready, *homes.ready],
)
hubs = {name: Hub(f"hub-{name}", HubArgs(stack=stack, hub=name, around=around), with_kubernetes) for name in sorted(stack.hubs)}

outputs: dict[str, Any] = {"cluster_name": cluster.name, "kubeconfig": cluster.kubeconfig, "vpc_id": network.vpc_id, "scheduling": pools.scheduling}
outputs["hubs"] = {name: hub.exports for name, hub in hubs.items()}
parts = [network, cluster, in_cluster, node_addons, pools, controller_addons, policy, autoscaler, agents, homes, *hubs.values()]
outputs["imported"] = imports.confirmed(parts)
for key, value in outputs.items():
    pulumi.export(key, value)
