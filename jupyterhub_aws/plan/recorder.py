"""A stand-in for the engine's resource monitor that records every registration and answers with placeholders.

It does what the SDK's own mocks leave out and a plan needs: URNs as the engine makes them, stack transforms, the
children of `pulumi_eks.Cluster`, refusal of duplicate URNs, and protobuf left as it is (fast, and secrets stay secret).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pulumi
from google.protobuf.empty_pb2 import Empty
from google.protobuf.struct_pb2 import Struct
from pulumi.runtime.mocks import MockMonitor, Mocks
from pulumi.runtime.proto import resource_pb2

from jupyterhub_aws.checks.resources import SECRET, Resource
from jupyterhub_aws.plan import eks_cluster
from jupyterhub_aws.plan.placeholders import missing_outputs, taggable
from jupyterhub_aws.plan.source import shown_position
from jupyterhub_aws.plan.values import plain, plain_struct

STACK = "pulumi:pulumi:Stack"
#: Data sources that the program asks, and what stands for their answers.
_ANSWERS: dict[str, dict[str, Any]] = {
    # A VPC of somebody else's: whether it is what the stack file says, only AWS knows.
    **{key: {} for key in ("aws:ec2/getVpc:getVpc", "aws:ec2/getSubnet:getSubnet")},
    "aws:ec2/getPrefixList:getPrefixList": {"id": "${aws.s3-prefix-list}"},
    "aws:index/getCallerIdentity:getCallerIdentity": {"accountId": "${aws.account}", "arn": "${aws.caller}", "id": "${aws.account}", "userId": "${aws.user}"},
}


class DuplicateUrnError(Exception):
    """Two resources of one type and name under one parent: the engine would refuse the program."""


class UnknownCallError(Exception):
    """The program asks AWS something that no recording can answer."""


def _position(request: Any) -> str:  # noqa: ANN401 -- protobuf request
    """Where in a user's file a registration is written; empty for the library's own."""
    found = request.sourcePosition
    return shown_position(found.uri, found.line) if found.uri else ""


class _NoMocks(Mocks):
    def call(self, args: Any) -> Any:  # noqa: ANN401 -- never called: the monitor answers by itself
        raise NotImplementedError

    def new_resource(self, args: Any) -> Any:  # noqa: ANN401 -- never called: the monitor answers by itself
        raise NotImplementedError


class Recorder(MockMonitor):
    """The resource monitor of one evaluation. `recorded` maps URNs to resources, `outputs` holds the stack's exports."""

    def __init__(self, project: str, stack: str, referred: Mapping[str, Any] | None = None) -> None:
        super().__init__(_NoMocks())
        self._referred = referred or {}
        self._project, self._stack = project, stack
        self._states: dict[str, tuple[str, Struct]] = {}
        self.recorded: dict[str, Resource] = {}
        self._positions: dict[str, str] = {}
        self.outputs: dict[str, Any] = {}
        self.stack_urn = f"urn:pulumi:{stack}::{project}::{STACK}::{project}-{stack}"

    def urn(self, parent: str | None, token: str, name: str) -> str:
        """The URN as the engine makes it: the whole chain of parent types, without the stack's."""
        chain = f"{parent.split('::')[2]}${token}" if parent and parent != self.stack_urn else token
        return f"urn:pulumi:{self._stack}::{self._project}::{chain}::{name}"

    def RegisterResource(self, request: Any) -> Any:  # noqa: ANN401, N802 -- protobuf request; the SDK's name
        """Record a registration, after the stack's transforms, and answer with inputs and placeholders."""
        if request.type == STACK:
            return resource_pb2.RegisterResourceResponse(urn=self.stack_urn)
        imported, protect, retain = self._transformed(request)
        resource = self._resource(request, import_id=imported, protect=protect, retain_on_delete=retain)
        self.record(resource, _position(request))
        if request.remote:
            eks_cluster.expect(request.type)
            child, answers = eks_cluster.expand(self, resource, plain_struct(request.object))
            because = resource_pb2.RegisterResourceResponse.PropertyDependencies(urns=[child])
            return resource_pb2.RegisterResourceResponse(urn=resource.urn, object=answers, propertyDependencies=dict.fromkeys(answers.fields, because))
        identity = f"${{{request.name}.id}}" if request.custom else ""
        state = self.answer(request.object, request.type, request.name, set(request.additionalSecretOutputs))
        self._states[resource.urn] = (identity, state)
        return resource_pb2.RegisterResourceResponse(urn=resource.urn, id=identity, object=state)

    def record(self, resource: Resource, position: str = "") -> None:
        """Keep a resource. Raises DuplicateUrnError where one of that URN is there; `position` is that of the call in a user's file, as `FILE:LINE`."""
        if resource.urn in self.recorded:
            places = " and ".join(dict.fromkeys(place for place in (self._positions.get(resource.urn, ""), position) if place))
            where = f" (at {places})" if places else ""
            raise DuplicateUrnError(
                f"{resource.type} {resource.name!r} is registered twice under one parent{where}, which the engine refuses; give one of them another name"
            )
        self.recorded[resource.urn], self._positions[resource.urn] = resource, position

    def hold(self, urn: str, identity: str, state: Struct) -> None:
        """Keep the state of a resource that a reference will ask for."""
        self._states[urn] = (identity, state)

    def answer(self, inputs: Struct, token: str, name: str, secret: set[str]) -> Struct:
        """What a resource would answer: its inputs, and placeholders for what it alone can know. Secret outputs stay unknown."""
        state = Struct()
        state.CopyFrom(inputs)
        known = {key for key, value in inputs.fields.items() if value.WhichOneof("kind") != "null_value"} | secret
        state.update(missing_outputs(token, name, known))
        return state

    def transform(self, token: str, name: str, *, custom: bool, props: Mapping[str, Any]) -> pulumi.ResourceTransformResult:
        """What the stack's transforms make of a resource's inputs and options."""
        found = pulumi.ResourceTransformResult(props=props, opts=pulumi.ResourceOptions())
        for transform in self._stack_transforms:
            result = transform(pulumi.ResourceTransformArgs(custom=custom, type_=token, name=name, props=dict(found.props), opts=found.opts))
            found = result if isinstance(result, pulumi.ResourceTransformResult) else found
        return found

    def _transformed(self, request: Any) -> tuple[str | None, bool, bool]:  # noqa: ANN401 -- protobuf request
        options = self.transform(request.type, request.name, custom=request.custom, props={}).opts
        imported = options.import_ if isinstance(options.import_, str) else None
        return imported or request.importId or None, bool(request.protect or options.protect), bool(request.retainOnDelete or options.retain_on_delete)

    def _resource(self, request: Any, *, import_id: str | None, protect: bool, retain_on_delete: bool) -> Resource:  # noqa: ANN401 -- protobuf request
        needs = set(request.dependencies)
        for dependency in request.propertyDependencies.values():
            needs.update(dependency.urns)
        inputs = plain_struct(request.object)
        needs.update(value for value in inputs.values() if isinstance(value, str) and value.startswith("urn:pulumi:"))  # whole resources as inputs
        provider = request.provider.rpartition("::")[0] or None
        return Resource(
            urn=self.urn(request.parent, request.type, request.name),
            type=request.type,
            name=request.name,
            parent=request.parent if request.parent and request.parent != self.stack_urn else None,
            custom=request.custom,
            protect=protect,
            retain_on_delete=retain_on_delete,
            ignore_changes=tuple(sorted(request.ignoreChanges)),
            import_id=import_id,
            provider=provider,
            depends_on=tuple(sorted(needs | ({provider} if provider else set()))),
            inputs=inputs,
            taggable=taggable(request.type),
            aliases=tuple(self._alias(request, alias) for alias in request.aliases),
        )

    def _alias(self, request: Any, alias: Any) -> str:  # noqa: ANN401 -- protobuf request and alias
        """A former URN as the engine makes it of an alias (collapseAliasToUrn): what the alias leaves out is as it is now."""
        if alias.urn:
            return str(alias.urn)
        spec = alias.spec
        parent = "" if spec.noParent else spec.parentUrn or request.parent
        urn = self.urn(parent, spec.type or request.type, spec.name or request.name)
        return f"urn:pulumi:{spec.stack or self._stack}::{spec.project or self._project}::{urn.split('::', 2)[2]}"

    def ReadResource(self, request: Any) -> Any:  # noqa: ANN401, N802 -- protobuf request; the SDK's name
        """Answer for the stack that this one refers to, by the outputs of its own evaluation. Nothing else can be read without AWS."""
        if request.type != "pulumi:pulumi:StackReference":
            raise UnknownCallError(f"the program reads {request.type}, which only AWS can answer; take the value from the stack file instead")
        state = Struct()
        state.update(
            {"name": request.id, "outputs": dict(self._referred), "secretOutputNames": [key for key, value in self._referred.items() if value == SECRET]}
        )
        return resource_pb2.ReadResourceResponse(urn=self.urn(None, request.type, request.name), properties=state)

    def RegisterResourceOutputs(self, request: Any) -> Any:  # noqa: ANN401, N802 -- protobuf request; the SDK's name
        """Keep the stack's exports."""
        if request.urn == self.stack_urn:
            self.outputs = {key: plain(value) for key, value in sorted(request.outputs.fields.items())}
        return Empty()

    def Invoke(self, request: Any) -> Any:  # noqa: ANN401, N802 -- protobuf request; the SDK's name
        """Answer a resource reference from what was recorded, a known data source with placeholders, nothing else."""
        answer = Struct()
        if request.tok == "pulumi:pulumi:getResource":
            urn = request.args.fields["urn"].string_value
            identity, state = self._states[urn]
            answer.update({"urn": urn, "id": identity})
            answer.fields["state"].struct_value.CopyFrom(state)
        elif request.tok in _ANSWERS:
            answer.update(_ANSWERS[request.tok])
        else:
            raise UnknownCallError(f"the program calls {request.tok}, which only AWS can answer; take the value from the stack file instead")
        fields: dict[str, Any] = {"return": answer}  # `return` is a keyword: it cannot be passed by name
        return resource_pb2.ResourceInvokeResponse(**fields)
