"""What `pulumi_eks.Cluster` makes inside, for the one way in which this program uses it.

Read in pulumi-eks 4.4 (nodejs/eks/cluster/cluster.ts, createCore) and compared with a run of the
real engine (tests/engine): the cluster and a Kubernetes provider. Any other configuration of the
component is refused here, so that a plan never shows less than the engine would make.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

import pulumi
from google.protobuf.struct_pb2 import Struct

from jupyterhub_aws.checks.resources import Resource
from jupyterhub_aws.plan.answers import taggable
from jupyterhub_aws.plan.values import reference

TOKEN = "eks:index:Cluster"  # noqa: S105 -- a type token
_CHILD = "aws:eks/cluster:Cluster"
_PROVIDER = "pulumi:providers:kubernetes"
#: Inputs that switch off all else that the component would make.
_SWITCHED_OFF = {
    "skipDefaultNodeGroup": True,
    "skipDefaultSecurityGroups": True,
    "createOidcProvider": False,
    "bootstrapSelfManagedAddons": False,
    "useDefaultVpcCni": True,
    "kubeProxyAddonOptions": {"enabled": False},
    "corednsAddonOptions": {"enabled": False},
    "authenticationMode": "API",
}


class Records(Protocol):
    """What this module needs of a recorder."""

    def urn(self, parent: str | None, token: str, name: str) -> str:
        """Make a URN as the engine does."""

    def record(self, resource: Resource) -> None:
        """Keep a resource."""

    def hold(self, urn: str, identity: str, state: Struct) -> None:
        """Keep a state that a reference will ask for."""

    def answer(self, inputs: Struct, token: str, name: str, secret: set[str]) -> Struct:
        """Inputs, and placeholders for the rest."""

    def transform(
        self, token: str, name: str, *, custom: bool, props: Mapping[str, Any], parent: str = ""
    ) -> pulumi.ResourceTransformResult:
        """What the stack's transforms make of inputs and options."""


class UnknownComponentError(Exception):
    """A remote component, or a configuration of it, with children that are not modelled."""


def expect(token: str) -> None:
    """Raise UnknownComponentError for any remote component but this one."""
    if token != TOKEN:
        raise UnknownComponentError(
            f"{token} is a remote component: what it makes inside is not modelled"
        )


def expand(recorder: Records, component: Resource, inputs: dict[str, Any]) -> tuple[str, Struct]:
    """Record the component's children, and return the cluster's URN, on which all outputs
    depend, and the outputs.
    """
    for key, value in _SWITCHED_OFF.items():
        if inputs.get(key) != value:
            raise UnknownComponentError(
                f"{TOKEN} with {key}={inputs.get(key)!r} makes children that are not modelled;"
                f" expected {value!r}"
            )
    name = f"{component.name}-eksCluster"
    child = _child(recorder, component, name, _CHILD, _cluster_inputs(inputs, name))
    state = recorder.answer(_as_struct(child.inputs), _CHILD, name, set())
    recorder.hold(child.urn, str(inputs["name"]), state)
    kubeconfig = f"${{{name}.kubeconfig}}"
    _child(
        recorder,
        component,
        f"{component.name}-eks-k8s",
        _PROVIDER,
        {"kubeconfig": kubeconfig},
        needs=(child.urn,),
    )
    return child.urn, _as_struct(
        {"kubeconfigJson": kubeconfig, "eksCluster": reference(child.urn, str(inputs["name"]))}
    )


def _as_struct(values: Any) -> Struct:
    struct = Struct()
    struct.update(values)
    return struct


def _cluster_inputs(inputs: dict[str, Any], name: str) -> dict[str, Any]:
    network = {
        "subnetIds": inputs["privateSubnetIds"],
        "endpointPrivateAccess": inputs["endpointPrivateAccess"],
        "endpointPublicAccess": inputs.get("endpointPublicAccess"),
        "publicAccessCidrs": inputs.get("publicAccessCidrs"),
    }
    child = {
        "name": inputs["name"],
        "roleArn": f"${{{str(inputs['serviceRole']).rpartition('::')[2]}.arn}}",
        "bootstrapSelfManagedAddons": False,
        "kubernetesNetworkConfig": {
            "ipFamily": "ipv4",
            "serviceIpv4Cidr": inputs["kubernetesServiceIpAddressRange"],
        },
        "vpcConfig": {key: value for key, value in network.items() if value is not None},
        "version": inputs["version"],
        "enabledClusterLogTypes": inputs["enabledClusterLogTypes"],
        "tags": {"Name": name, **inputs["clusterTags"]},
        "encryptionConfig": {
            "provider": {"keyArn": inputs["encryptionConfigKeyArn"]},
            "resources": ["secrets"],
        },
        "accessConfig": {
            "authenticationMode": inputs["authenticationMode"],
            "bootstrapClusterCreatorAdminPermissions": True,
        },
        "upgradePolicy": inputs["upgradePolicy"],
    }
    return dict(sorted(child.items()))


def _child(  # noqa: PLR0913 -- as the SDK calls it
    recorder: Records,
    component: Resource,
    name: str,
    token: str,
    inputs: dict[str, Any],
    *,
    needs: tuple[str, ...] = (),
) -> Resource:
    transformed = recorder.transform(token, name, custom=True, props=inputs, parent=component.urn)
    options, inputs = transformed.opts, dict(transformed.props)
    ignored = (
        ("accessConfig.bootstrapClusterCreatorAdminPermissions", "bootstrapSelfManagedAddons")
        if token == _CHILD
        else ()
    )
    resource = Resource(
        urn=recorder.urn(component.urn, token, name),
        type=token,
        name=name,
        parent=component.urn,
        custom=True,
        protect=component.protect or bool(options.protect),
        retain_on_delete=component.retain_on_delete or bool(options.retain_on_delete),
        ignore_changes=ignored,
        import_id=options.import_ if isinstance(options.import_, str) else None,
        provider=None,
        depends_on=tuple(sorted({*component.depends_on, *needs})),
        inputs=inputs,
        taggable=taggable(token),
    )
    recorder.record(resource)
    return resource
