"""A cluster as other components need it: from a component here, or filled in by hand for an
existing cluster.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import pulumi
import pulumi_kubernetes as kubernetes

from jupyterhub_aws.components.base import ArgumentError
from jupyterhub_aws.components.cluster.provider import provider_of
from jupyterhub_aws.components.network.outputs import NetworkOutputs
from jupyterhub_aws.config.errors import Problem
from jupyterhub_aws.config.specs.cluster import ClusterAccess
from jupyterhub_aws.config.specs.network import NetworkSpec


@dataclass(frozen=True, kw_only=True, eq=False)
class ClusterOutputs:
    """A Kubernetes cluster. `Cluster(...).outputs` is one; of a cluster made with `pulumi_aws` fill
    in the first six fields.

    Of a cluster outside of AWS, or one whose nodes the program does not manage, the first three are
    enough.

    Attributes:
        name: The cluster's name in EKS, as plain text: names and tags of node groups are made from
            it.
        version: Its Kubernetes minor version, such as "1.35". Add-ons, node images and the
            autoscaler follow from it.
        network: The network of its nodes. Where nothing is made in a VPC, what is known of it is
            enough: a `NetworkSpec`.
        endpoint: The address of the Kubernetes API.
        certificate_authority: The API's certificate authority in base64
            (`certificate_authority.data`).
        security_group_id: The security group that EKS made for the cluster
            (`vpc_config.cluster_security_group_id`).
        node_security_group_id: The security group of nodes; without it the cluster's.
        service_cidr: The addresses of Kubernetes services
            (`kubernetes_network_config.service_ipv4_cidr`); the default is what this library
            chooses.
        kubeconfig: A kubeconfig without credentials. Without it: one that runs `aws eks get-token`,
            where there is an endpoint; else the caller's own.
        created: When EKS made the cluster: the API of a new cluster is waited for during a quarter
            of an hour.
        id: The name as an output, for resources that have to wait until EKS has the cluster;
            without it: the name, once the endpoint is known.
        ready: Resources that nodes need to join: the add-ons for addresses, services and
            credentials of pods.
        access: For messages where the API does not answer; without it they give general advice.
        owner: The component of which a provider for this cluster becomes a child.

    """

    name: str
    version: str
    network: NetworkOutputs | NetworkSpec
    endpoint: pulumi.Input[str] | None = None
    certificate_authority: pulumi.Input[str] | None = None
    security_group_id: pulumi.Input[str] | None = None
    node_security_group_id: pulumi.Input[str] | None = None
    service_cidr: str = "172.20.0.0/16"
    kubeconfig: pulumi.Input[str] | None = None
    created: pulumi.Input[str] | None = None
    id: pulumi.Input[str] | None = None
    ready: Sequence[pulumi.Resource] = ()
    access: ClusterAccess | None = None
    owner: pulumi.Resource | None = None

    @property
    def network_spec(self) -> NetworkSpec:
        """What is known of the network."""
        return self.network if isinstance(self.network, NetworkSpec) else self.network.spec

    @property
    def vpc(self) -> NetworkOutputs:
        """The network, where it is a VPC. Raises ArgumentError where it is not."""
        if isinstance(self.network, NetworkSpec):
            raise self._lacks(
                "argument.kind",
                "network",
                "is no NetworkOutputs, and resources are made in its VPC",
                "give the .outputs of a network, or of a Cluster",
            )
        return self.network

    @property
    def region(self) -> str:
        """The AWS region; empty outside of AWS."""
        return self.network_spec.region

    @property
    def control_plane_group_id(self) -> pulumi.Output[str]:
        """The security group that EKS made. Raises ArgumentError where it is not known."""
        return self._known("security_group_id")

    @property
    def node_group_id(self) -> pulumi.Output[str]:
        """The security group that nodes really have. Raises ArgumentError where it is not known."""
        return self._known(
            "security_group_id" if self.node_security_group_id is None else "node_security_group_id"
        )

    def _known(self, name: str) -> pulumi.Output[str]:
        value: pulumi.Input[str] | None = getattr(self, name)
        if value is None:
            raise self._lacks(
                "cluster.output-missing",
                name,
                "is missing",
                "fill it in, or give the .outputs of a Cluster",
            )
        return pulumi.Output.from_input(value)

    def _lacks(self, which: str, path: str, what: str, fix: str) -> ArgumentError:
        return ArgumentError(
            f"ClusterOutputs {self.name!r}",
            [Problem(id=which, path=path, what=what, fix=fix)],
        )

    @property
    def name_output(self) -> pulumi.Output[str]:
        """The name, once EKS has the cluster."""
        if self.id is not None:
            return pulumi.Output.from_input(self.id)
        return self._known("endpoint").apply(lambda _: self.name)

    @property
    def proxy_environment(self) -> dict[str, str]:
        """The variables that tell nodes and pods of the HTTP proxy; empty without a proxy."""
        return self.network_spec.proxy_environment(self.service_cidr)

    @property
    def kubeconfig_json(self) -> pulumi.Output[str] | None:
        """The kubeconfig by which programs reach the cluster; None: the caller's own."""
        if self.kubeconfig is not None:
            return pulumi.Output.from_input(self.kubeconfig)
        if self.endpoint is None or self.certificate_authority is None:
            return None
        return pulumi.Output.all(self.endpoint, self.certificate_authority).apply(
            lambda known: eks_kubeconfig(self.name, *known)
        )

    @cached_property
    def kubernetes_provider(self) -> kubernetes.Provider:
        """A provider for objects in this cluster, made at its first use. Raises pulumi.RunError,
        with one line, where the API does not answer.
        """
        prefix = self.name if self.owner is None else self.owner._name
        return provider_of(
            f"{prefix}-kubernetes",
            self.access or ClusterAccess(cluster=self.name),
            self.kubeconfig_json,
            self.created,
            pulumi.ResourceOptions(parent=self.owner),
        )


def eks_kubeconfig(name: str, endpoint: str, certificate_authority: str) -> str:
    """A kubeconfig for a cluster in EKS, which asks the `aws` CLI for a token (EKS user guide,
    "Create kubeconfig file manually").
    """
    user = {
        "exec": {
            "apiVersion": "client.authentication.k8s.io/v1beta1",
            "command": "aws",
            "args": ["eks", "get-token", "--cluster-name", name],
        }
    }
    document = {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [
            {
                "name": name,
                "cluster": {
                    "server": endpoint,
                    "certificate-authority-data": certificate_authority,
                },
            }
        ],
        "contexts": [{"name": name, "context": {"cluster": name, "user": name}}],
        "current-context": name,
        "users": [{"name": name, "user": user}],
    }
    return json.dumps(document)


def in_cluster(
    cluster: ClusterOutputs, opts: pulumi.ResourceOptions | None
) -> pulumi.ResourceOptions:
    """Options of a component that makes objects in a cluster: with the cluster's provider,
    unless they or their parent have one for Kubernetes.
    """
    opts = pulumi.ResourceOptions() if opts is None else opts
    given = opts.providers if opts.providers is not None else []
    listed = (
        [given]
        if isinstance(given, pulumi.ProviderResource)
        else list(given.values())
        if isinstance(given, Mapping)
        else list(given)
    )
    known = [
        item.package for item in (*listed, *([] if opts.provider is None else [opts.provider]))
    ]
    inherited = (
        opts.parent is not None
        and opts.parent.get_provider("kubernetes:helm.sh/v3:Release") is not None
    )
    if "kubernetes" in known or inherited:
        return opts
    return pulumi.ResourceOptions.merge(
        opts, pulumi.ResourceOptions(providers=[cluster.kubernetes_provider])
    )
