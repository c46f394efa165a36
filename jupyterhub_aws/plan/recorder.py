"""A stand-in for the engine's resource monitor that records every registration and answers with
placeholders.

It does what the SDK's own mocks leave out and a plan needs: URNs and aliases as the engine makes
them, transforms, the children of `pulumi_eks.Cluster`, refusal of duplicate URNs, and protobuf left
as it is (fast, and secrets stay secret).

What this library registers is known to the last child, and anything else is an error. What the
caller's program registers beside it is taken as it is, whatever its type: inputs echoed, outputs
that only a provider knows left unknown, and what cannot be known noted.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pulumi
from google.protobuf.empty_pb2 import Empty
from google.protobuf.struct_pb2 import Struct
from pulumi.runtime.mocks import MockMonitor, Mocks
from pulumi.runtime.proto import provider_pb2, resource_pb2

from jupyterhub_aws.changes.mask import masked
from jupyterhub_aws.checks.program import Note
from jupyterhub_aws.checks.resources import (
    SECRET,
    UNKNOWN,
    UNKNOWN_SENTINEL,
    Resource,
    made_here,
    placeholder,
)
from jupyterhub_aws.plan import answers, eks_cluster
from jupyterhub_aws.plan.answers import UnknownCallError, missing_outputs, outputs_inside, taggable
from jupyterhub_aws.plan.sdk import ASKED_BY
from jupyterhub_aws.plan.source import registered_at, registered_by_library
from jupyterhub_aws.plan.transforms import CallersTransforms, made_by_this_library, on_child
from jupyterhub_aws.plan.values import plain, plain_struct

STACK = "pulumi:pulumi:Stack"
STACK_REFERENCE = "pulumi:pulumi:StackReference"


class DuplicateUrnError(Exception):
    """Two resources of one type and name under one parent: the engine would refuse the program."""


class _NoMocks(Mocks):
    def call(self, args: Any) -> Any:
        raise NotImplementedError

    def new_resource(self, args: Any) -> Any:
        raise NotImplementedError


class Recorder(MockMonitor):
    """The resource monitor of one evaluation. `recorded` maps URNs to resources, `outputs` holds
    the stack's exports, `notes` what cannot be known.
    """

    def __init__(self, project: str, stack: str, referred: Mapping[str, Any] | None = None) -> None:
        super().__init__(_NoMocks())
        self._referred = referred or {}
        self._cloud_stack: str | None = None
        self._project, self._stack = project, stack
        self._states: dict[str, tuple[str, Struct]] = {}
        self._callers_transforms = CallersTransforms()
        self.recorded: dict[str, Resource] = {}
        self._positions: dict[str, str] = {}
        self.outputs: dict[str, Any] = {}
        self.notes: list[Note] = []
        self.stack_urn = f"urn:pulumi:{stack}::{project}::{STACK}::{project}-{stack}"

    def urn(self, parent: str | None, token: str, name: str) -> str:
        """The URN as the engine makes it: the whole chain of parent types, without the stack's."""
        chain = f"{parent.split('::')[2]}${token}" if parent and parent != self.stack_urn else token
        return f"urn:pulumi:{self._stack}::{self._project}::{chain}::{name}"

    def GetDeploymentInfo(self, request: Any) -> Any:  # noqa: N802 -- protobuf request; the SDK's name
        """What the SDK's mocks can do, and what a program may use besides without any effect on
        a plan.
        """
        info: Any = super().GetDeploymentInfo(request)  # type: ignore[no-untyped-call]
        info.supportedFeatures.append(resource_pb2.RESOURCE_MONITOR_FEATURE_STATE_MIGRATIONS)
        return info

    def RegisterResource(self, request: Any) -> Any:  # noqa: N802 -- protobuf request; the SDK's name
        """Record a registration, after all transforms, and answer with inputs and placeholders."""
        if request.type == STACK:
            return resource_pb2.RegisterResourceResponse(urn=self.stack_urn)
        urn = self.urn(request.parent, request.type, request.name)
        self._callers_transforms.apply(request, urn, self._theirs())
        imported, protect, retain = self._transformed(request)
        resource = self._resource(
            request, urn, import_id=imported, protect=protect, retain_on_delete=retain
        )
        self.record(resource, registered_at(request))
        if request.remote and (resource.source is None and made_here(request.parent or urn)):
            return self._eks_cluster(request, resource)
        if request.remote:
            what = f"{request.name} ({request.type})"
            self.notes.append(Note(kind="component", what=what, source=resource.source or ""))
            return resource_pb2.RegisterResourceResponse(urn=urn)
        identity = placeholder(request.name, "id") if request.custom else ""
        secret = set(request.additionalSecretOutputs)
        state = self.answer(request.object, request.type, request.name, secret)
        self._states[urn] = (identity, state)
        return resource_pb2.RegisterResourceResponse(urn=urn, id=identity, object=state)

    def _eks_cluster(self, request: Any, resource: Resource) -> Any:
        eks_cluster.expect(request.type)
        child, found = eks_cluster.expand(self, resource, plain_struct(request.object))
        because = resource_pb2.RegisterResourceResponse.PropertyDependencies(urns=[child])
        return resource_pb2.RegisterResourceResponse(
            urn=resource.urn,
            object=found,
            propertyDependencies=dict.fromkeys(found.fields, because),
        )

    def record(self, resource: Resource, position: str = "") -> None:
        """Keep a resource. Raises DuplicateUrnError where one of that URN is there; `position`
        is that of the call in a user's file, as `FILE:LINE`.
        """
        if resource.urn in self.recorded:
            both = (self._positions.get(resource.urn, ""), position)
            places = " and ".join(dict.fromkeys(filter(None, both)))
            where = f" (at {places})" if places else ""
            raise DuplicateUrnError(
                f"{resource.type} {resource.name!r} is registered twice under one parent{where},"
                " which the engine refuses; give one of them another name"
            )
        self.recorded[resource.urn], self._positions[resource.urn] = resource, position

    def hold(self, urn: str, identity: str, state: Struct) -> None:
        """Keep the state of a resource that a reference will ask for."""
        self._states[urn] = (identity, state)

    def answer(self, inputs: Struct, token: str, name: str, secret: set[str]) -> Struct:
        """What a resource would answer: its inputs, and placeholders for what it alone can know.
        Secret outputs stay unknown.
        """
        state = Struct()
        state.CopyFrom(inputs)
        fields = inputs.fields.items()
        known = {key for key, value in fields if value.WhichOneof("kind") != "null_value"}
        state.update(missing_outputs(token, name, known | secret))
        for given, outputs in outputs_inside(token, name).items():
            inner = state.fields[given].struct_value
            inner.update(
                {output: answer for output, answer in outputs.items() if output not in inner.fields}
            )
        return state

    def transform(
        self, token: str, name: str, *, custom: bool, props: Mapping[str, Any], parent: str = ""
    ) -> pulumi.ResourceTransformResult:
        """What the stack's transforms make of a resource's inputs and options; with a `parent`,
        those of the caller's program too.
        """
        found = pulumi.ResourceTransformResult(props=props, opts=pulumi.ResourceOptions())
        for transform in filter(made_by_this_library, self._stack_transforms):
            result = transform(
                pulumi.ResourceTransformArgs(
                    custom=custom, type_=token, name=name, props=dict(found.props), opts=found.opts
                )
            )
            found = result if isinstance(result, pulumi.ResourceTransformResult) else found
        theirs = self._theirs()
        if not parent or not theirs:
            return found
        struct = _struct(dict(found.props))
        options = on_child(theirs, token, name, parent, struct)
        return pulumi.ResourceTransformResult(
            props=plain_struct(struct), opts=pulumi.ResourceOptions.merge(found.opts, options)
        )

    def _theirs(self) -> list[Any]:
        """The stack transforms of the caller's program."""
        return [item for item in self._stack_transforms if not made_by_this_library(item)]

    def _transformed(self, request: Any) -> tuple[str | None, bool, bool]:
        options = self.transform(request.type, request.name, custom=request.custom, props={}).opts
        imported = options.import_ if isinstance(options.import_, str) else None
        return (
            imported or request.importId or None,
            bool(request.protect or options.protect),
            bool(request.retainOnDelete or options.retain_on_delete),
        )

    def _resource(
        self,
        request: Any,
        urn: str,
        *,
        import_id: str | None,
        protect: bool,
        retain_on_delete: bool,
    ) -> Resource:
        needs = set(request.dependencies)
        for dependency in request.propertyDependencies.values():
            needs.update(dependency.urns)
        source = _source(request)
        inputs = self._shown(request, request.object, source)
        # Whole resources as inputs.
        texts = (value for value in inputs.values() if isinstance(value, str))
        needs.update(value for value in texts if value in self.recorded)
        provider = request.provider.rpartition("::")[0] or None
        return Resource(
            urn=urn,
            type=request.type,
            name=request.name,
            parent=self._parent(request),
            custom=request.custom,
            protect=protect,
            retain_on_delete=retain_on_delete,
            ignore_changes=tuple(sorted(request.ignoreChanges)),
            import_id=import_id,
            provider=provider,
            depends_on=tuple(sorted(needs | ({provider} if provider else set()))),
            inputs=inputs,
            taggable=taggable(request.type),
            source=source,
            aliases=self._aliases(request),
        )

    def _parent(self, request: Any) -> str | None:
        is_stack = request.parent == self.stack_urn
        return request.parent if request.parent and not is_stack else None

    def _shown(self, request: Any, struct: Struct, source: str | None) -> dict[str, Any]:
        """Inputs as data. Without what an SDK keeps for itself: the pickled code of a dynamic
        resource, which may hold anything. And of the caller's resources without what is a secret by
        its name, its place or its form, and was not given as one: that is noted.
        """
        given = plain_struct(struct).items()
        inputs = {key: value for key, value in given if not key.startswith("__")}
        if source is None:
            return inputs
        shown: dict[str, Any] = masked(inputs, (), request.type)
        if shown != inputs:
            what = f"{request.name} ({request.type})"
            self.notes.append(Note(kind="clear text", what=what, source=source))
        return shown

    def _aliases(self, request: Any) -> tuple[str, ...]:
        """The former URNs, as the engine finds them (pkg/resource/deploy/step_generator.go,
        generateAliases): the resource's own, and its parent's.

        Without the former types that an SDK gives to each resource of a type: no plan of this
        program ever had them.
        """
        parent = self.recorded.get(request.parent)
        given = [
            self._alias(alias, request)
            for alias in request.aliases
            if not (request.custom and _is_former_type(alias))
        ]
        if not given and (parent is None or not parent.aliases):
            return ()
        names = [
            (request.type, request.name),
            *((urn.split("::")[2].rpartition("$")[2], urn.split("::", 3)[3]) for urn in given),
        ]
        inherited = [
            self.urn(
                above,
                kind,
                (
                    above.split("::", 3)[3] + name.removeprefix(parent.name)
                    if name.startswith(parent.name)
                    else name
                ),
            )
            for above in (() if parent is None else parent.aliases)
            for kind, name in names
            if parent is not None
        ]
        return tuple(dict.fromkeys([*given, *inherited]))

    def _alias(self, alias: Any, request: Any) -> str:
        if alias.HasField("urn"):
            return str(alias.urn)
        spec = alias.spec
        parent = None if spec.noParent else (spec.parentUrn or request.parent)
        urn = self.urn(parent, spec.type or request.type, spec.name or request.name)
        _, _, kind, name = urn.split("::", 3)
        return f"urn:pulumi:{spec.stack or self._stack}::{spec.project or self._project}::{kind}::{name}"

    def ReadResource(self, request: Any) -> Any:  # noqa: N802 -- protobuf request; the SDK's name
        """Answer for this stack's cloud stack, by the outputs of its own evaluation.
        What else the caller's program reads is noted down.
        """
        urn, source = self.urn(request.parent, request.type, request.name), _source(request)
        if request.type == STACK_REFERENCE and source is None:
            self._cloud_stack = request.id
        elif source is None:
            raise UnknownCallError(
                f"a component of this library reads {request.type}, which only AWS can answer; take"
                " the value from the stack file instead"
            )
        else:
            self.record(self._read(request, urn, source))
        if request.type == STACK_REFERENCE:
            return resource_pb2.ReadResourceResponse(
                urn=urn, id=request.id, properties=self._referred_outputs(request.id)
            )
        secret = set(request.additionalSecretOutputs)
        known = self.answer(request.properties, request.type, request.name, secret)
        identity = "" if request.id == UNKNOWN_SENTINEL else request.id
        self._states[urn] = (identity, known)
        return resource_pb2.ReadResourceResponse(urn=urn, id=identity, properties=known)

    def _referred_outputs(self, stack: str) -> Struct:
        """The outputs of another stack: known of its cloud stack, unknown of
        every other.
        """
        state = Struct()
        state.update({"name": stack})
        if stack == self._cloud_stack:
            secret = [key for key, value in self._referred.items() if value == SECRET]
            state.update({"outputs": dict(self._referred), "secretOutputNames": secret})
        return state

    def _read(self, request: Any, urn: str, source: str) -> Resource:
        provider = request.provider.rpartition("::")[0] or None
        return Resource(
            urn=urn,
            type=request.type,
            name=request.name,
            parent=self._parent(request),
            custom=True,
            protect=False,
            retain_on_delete=False,
            ignore_changes=(),
            import_id=None,
            provider=provider,
            depends_on=tuple(sorted({*request.dependencies, *((provider,) if provider else ())})),
            inputs={
                **self._shown(request, request.properties, source),
                "id": UNKNOWN if request.id == UNKNOWN_SENTINEL else request.id,
            },
            taggable=False,
            source=source,
            external=True,
        )

    def Call(self, request: Any) -> Any:  # noqa: N802 -- protobuf request; the SDK's name
        """A method of an external component: only its own package knows what it returns."""
        fields: dict[str, Any] = {"return": _struct({"answer": UNKNOWN_SENTINEL})}
        return provider_pb2.CallResponse(**fields)

    def ExistsResource(self, request: Any) -> Any:  # noqa: N802 -- protobuf request; the SDK's name
        """Whether a resource exists outside: the protocol has no word for "unknown", so it does
        not, and that is noted.
        """
        self.notes.append(
            Note(kind="prompt look-up", what=f"whether a {request.type} exists", source="")
        )
        return resource_pb2.ExistsResourceResponse(exists=False)

    def RegisterResourceOutputs(self, request: Any) -> Any:  # noqa: N802 -- protobuf request; the SDK's name
        """Keep the stack's exports."""
        if request.urn == self.stack_urn:
            self.outputs = masked(
                {key: plain(value) for key, value in sorted(request.outputs.fields.items())}
            )
        return Empty()

    def Invoke(self, request: Any) -> Any:  # noqa: N802 -- protobuf request; the SDK's name
        """Answer a resource reference from what was recorded, a data source by its model; what
        only a provider can answer is unknown.
        """
        if request.tok == "pulumi:pulumi:getResource":
            urn = request.args.fields["urn"].string_value
            identity, state = self._states.get(urn, ("", Struct()))
            found = _struct({"urn": urn, "id": identity})
            found.fields["state"].struct_value.CopyFrom(state)
            return _answered(found)
        asker = ASKED_BY.get()
        try:
            known = answers.answer(request.tok, plain_struct(request.args), strict=asker.library)
        except answers.UnreadableError as error:
            return resource_pb2.ResourceInvokeResponse(
                failures=[provider_pb2.CheckFailure(property="", reason=str(error))]
            )
        if known is None:
            self.notes.append(Note(kind="look-up", what=request.tok, source=asker.position))
            return resource_pb2.ResourceInvokeResponse(unknown=True)
        return _answered(_struct(known))


def _struct(values: Mapping[str, Any]) -> Struct:
    struct = Struct()
    struct.update(values)
    return struct


def _answered(found: Struct) -> Any:
    fields: dict[str, Any] = {"return": found}  # `return` is a keyword: it cannot be passed by name
    return resource_pb2.ResourceInvokeResponse(**fields)


def _is_former_type(alias: Any) -> bool:
    spec = alias.spec
    return bool(spec.type) and not (
        spec.name or spec.parentUrn or spec.noParent or spec.stack or spec.project
    )


def _source(request: Any) -> str | None:
    """The line of the caller's program that registers; None where this library does."""
    return None if registered_by_library(request) else registered_at(request) or "__main__.py"
