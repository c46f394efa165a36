"""The inner half of a stack: everything that the Kubernetes API makes, from the facts of its AWS half."""

from __future__ import annotations

from typing import Any

import pulumi

from jupyterhub_aws.components.autoscaler.autoscaler import Autoscaler, AutoscalerArgs
from jupyterhub_aws.components.cluster.provider import kubernetes_provider
from jupyterhub_aws.components.facts import CloudFacts, HubFacts
from jupyterhub_aws.components.homes.ownership import Ownership, OwnershipArgs
from jupyterhub_aws.components.homes.volume_class import VolumeClass, VolumeClassArgs
from jupyterhub_aws.components.hub.hub import Hub, HubArgs
from jupyterhub_aws.components.node_agents import NodeAgents, NodeAgentsArgs
from jupyterhub_aws.components.stack_config import stack_secrets
from jupyterhub_aws.config.cluster import EksCluster, ExistingCluster
from jupyterhub_aws.config.homes import EbsHomes
from jupyterhub_aws.config.stack import StackConfig


class InCluster:
    """The provider, what nodes need, and the hubs. In a cluster that was there already only the hubs and what they stand on."""

    def __init__(self, stack: StackConfig, facts: CloudFacts) -> None:
        provider = kubernetes_provider(stack, facts.kubeconfig, facts.created)
        inside = pulumi.ResourceOptions(providers=[provider])
        parts: list[pulumi.Resource] = [provider]
        if isinstance(stack.cluster, EksCluster):
            parts.append(Autoscaler("autoscaler", AutoscalerArgs(stack=stack, after=facts.autoscaler_after), inside))
            parts.append(NodeAgents("node-agents", NodeAgentsArgs(stack=stack), inside))
        after = list(facts.after)
        if isinstance(stack.homes, EbsHomes):
            tags = stack.tags.as_aws(stack.name)
            volumes = VolumeClass("homes", VolumeClassArgs(stack=stack, homes=stack.homes, tags=tags), inside)
            parts.append(volumes)
            after += volumes.ready
        shared: dict[str, Any] = {"stack": stack, "given": stack_secrets(stack), "after": after, "kubeconfig": facts.kubeconfig}
        self.hubs = {
            name: Hub(f"hub-{name}", HubArgs(**shared, hub=name, facts=facts.hubs.get(name, HubFacts())), inside) for name in sorted(stack.hubs_inside)
        }
        if stack.ownership_pending:
            parts.append(Ownership("homes-ownership", OwnershipArgs(stack=stack, volume_handle=facts.ownership_handle, after=after), inside))
        self.parts = [*parts, *self.hubs.values()]
        there = stack.cluster
        #: How a person reaches the cluster: by the kubeconfig of the stack that made it, or by the file that the stack names.
        self._access: dict[str, pulumi.Input[Any]] = {} if facts.kubeconfig is None else {"kubeconfig": facts.kubeconfig}
        if isinstance(there, ExistingCluster):
            self._access = {"cluster_access": {"file": there.kubeconfig or "", "context": there.context or ""}}

    @property
    def outputs(self) -> dict[str, pulumi.Input[Any]]:
        """What a stack exports of it."""
        return {"hubs": {name: hub.exports for name, hub in self.hubs.items()}, **self._access}
