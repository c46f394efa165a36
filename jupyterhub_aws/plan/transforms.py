"""Transforms of the caller's program, as the engine runs them: a resource's own, then its
ancestors', then the stack's.

Order and options: pulumi 3.260, pkg/resource/deploy/source_eval.go, RegisterResource. A transform
runs in the SDK's own callback, so that it sees what it would see under an engine. Those of this
library look at a type and a name only: the recorder calls them as plain functions.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Iterator
from typing import Any

import pulumi
from google.protobuf.struct_pb2 import Struct
from pulumi.runtime.proto import resource_pb2

from jupyterhub_aws.components.pulumi_internals import CallbackServicer, sync_await

_Callback = Callable[[bytes], Awaitable[Any]]
#: Options of a registration by their names in a transform's request, where the shape is the same.
_LISTS = {
    "dependencies": "depends_on",
    "ignoreChanges": "ignore_changes",
    "additionalSecretOutputs": "additional_secret_outputs",
}
_TEXTS = {"provider": "provider", "importId": "import"}
_SWITCHES = {"protect": "protect", "retainOnDelete": "retain_on_delete"}


class CallersTransforms:
    """The transforms that the caller's program registers with resources, and with the stack."""

    def __init__(self) -> None:
        self._of_resource: dict[str, list[_Callback]] = {}
        self._parents: dict[str, str] = {}

    def apply(self, request: Any, urn: str, of_stack: Iterable[Callable[..., Any]]) -> None:
        """Change a registration as its transforms say. `of_stack` are the stack's transforms
        that are the caller's.
        """
        own = list(_callbacks(item.token for item in request.transforms))
        if own:
            self._of_resource[urn] = own
        self._parents[urn] = request.parent
        inherited = [
            callback
            for ancestor in self._ancestors(request.parent)
            for callback in self._of_resource.get(ancestor, ())
        ]
        for callback in (*own, *inherited, *_registered(of_stack)):
            _run(callback, request)

    def _ancestors(self, urn: str) -> Iterator[str]:
        while urn:
            yield urn
            urn = self._parents.get(urn, "")


def made_by_this_library(transform: Callable[..., Any]) -> bool:
    """Whether a stack transform is one of this library's components."""
    return str(getattr(transform, "__module__", "")).startswith("jupyterhub_aws.")


def on_child(
    transforms: Iterable[Callable[..., Any]], token: str, name: str, parent: str, props: Struct
) -> pulumi.ResourceOptions:
    """Run the caller's stack transforms on a child that a remote component makes; `props` are
    changed in place. The options that follow.
    """
    request = resource_pb2.RegisterResourceRequest(
        type=token, name=name, parent=parent, custom=True, object=props
    )
    for callback in _registered(transforms):
        _run(callback, request)
    props.CopyFrom(request.object)
    options = pulumi.ResourceOptions(import_=request.importId or None)
    options.protect, options.retain_on_delete = (
        request.protect or None,
        request.retainOnDelete or None,
    )
    return options


def _callbacks(tokens: Iterable[str]) -> Iterator[_Callback]:
    for token in tokens:
        yield next(
            servicer._callbacks[token]
            for servicer in CallbackServicer._servicers
            if token in servicer._callbacks
        )


def _registered(transforms: Iterable[Callable[..., Any]]) -> Iterator[_Callback]:
    for transform in transforms:
        for servicer in CallbackServicer._servicers:
            if transform in servicer._transforms:
                yield servicer._callbacks[servicer._transforms[transform]]
                break


def _run(callback: _Callback, request: Any) -> None:
    asked = resource_pb2.TransformRequest(
        type=request.type,
        name=request.name,
        custom=request.custom,
        parent=request.parent,
        properties=request.object,
        options=_options(request),
    )
    response = sync_await(callback(asked.SerializeToString()))
    request.object.CopyFrom(response.properties)
    if response.HasField("options"):
        _take(response.options, request)


def _options(request: Any) -> Any:
    options = resource_pb2.TransformResourceOptions(aliases=request.aliases)
    for field, name in _LISTS.items():
        getattr(options, name).extend(getattr(request, field))
    for field, name in _TEXTS.items():
        setattr(options, name, getattr(request, field))
    for field, name in _SWITCHES.items():
        if request.HasField(field):
            setattr(options, name, getattr(request, field))
    return options


def _take(options: Any, request: Any) -> None:
    for field, name in _LISTS.items():
        del getattr(request, field)[:]
        getattr(request, field).extend(getattr(options, name))
    for field, name in _TEXTS.items():
        setattr(request, field, getattr(options, name))
    for field, name in _SWITCHES.items():
        request.ClearField(field)
        if options.HasField(name):
            setattr(request, field, getattr(options, name))
    del request.aliases[:]
    request.aliases.extend(options.aliases)
