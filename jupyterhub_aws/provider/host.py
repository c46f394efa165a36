"""The plugin: what the engine starts when a program of another language asks for a component.

Not `pulumi.provider.experimental.component_provider_host`, since its class hands dictionaries with
outputs in them to a component, knows the first missing argument only, and shows a traceback for
every mistake. Here the arguments are what the Python interface takes, and a mistake gives
the same lines as in Python.
"""

from __future__ import annotations

import asyncio
import copy
import os
import signal
import sys
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import grpc
import pulumi
from pulumi.errors import InputPropertiesError
from pulumi.provider import ConstructResult, Provider
from pulumi.provider.experimental.util import camel_case
from pulumi.provider.server import ProviderServicer
from pulumi.resource import DependencyResource
from pulumi.runtime.proto import provider_pb2_grpc

from jupyterhub_aws.components.arguments import Arguments
from jupyterhub_aws.components.base import ArgumentError
from jupyterhub_aws.components.cluster.outputs import ClusterOutputs
from jupyterhub_aws.components.cluster.provider import provider_of
from jupyterhub_aws.components.platform import JupyterHubPlatform, refused_second
from jupyterhub_aws.components.pulumi_internals import GRPC_CHANNEL_OPTIONS
from jupyterhub_aws.config.bundle import read_lock
from jupyterhub_aws.config.errors import ConfigError
from jupyterhub_aws.config.specs.alarms import MonitoredHub
from jupyterhub_aws.config.specs.cluster import ClusterAccess
from jupyterhub_aws.config.specs.images import Images
from jupyterhub_aws.provider.handles import Waits
from jupyterhub_aws.provider.package import Exported, Package, schema_text
from jupyterhub_aws.provider.shapes import PACKAGE, Shape
from jupyterhub_aws.provider.values import Reader, respelled, urn_of
from jupyterhub_aws.version import __version__

#: The name by which the engine looks for the plugin on PATH.
PLUGIN = f"pulumi-resource-{PACKAGE}"
#: Errors of calls to an engine that has stopped after a failure.
_ENGINE_ENDED = ("resource monitor shut down", "client connection is closing")


class ComponentsProvider(Provider):
    """Makes components for programs of other languages."""

    def __init__(self) -> None:
        self._package = Package()
        #: The platform of each run that this process serves: a stack, and whether it is a preview.
        self._platforms: dict[tuple[str, bool], str] = {}
        super().__init__(__version__, schema_text(self._package))

    def construct(
        self,
        name: str,
        resource_type: str,
        inputs: Mapping[str, Any],
        options: pulumi.ResourceOptions | None = None,
    ) -> ConstructResult:
        """Make a component. Raises InputPropertiesError, which the engine prints without a
        traceback, with every problem of its arguments.
        """
        package, _, kind = resource_type.partition(":index:")
        exported = self._package.components.get(kind) if package == PACKAGE else None
        if exported is None:
            raise _refusal(
                f"{resource_type} is no component of {PACKAGE} {__version__}: it has"
                f" {', '.join(sorted(self._package.components))}"
            )
        try:
            made = self._made(exported, name, inputs, options or pulumi.ResourceOptions())
        except ArgumentError as error:
            problems = [
                respelled(item, exported.arguments, self._package.shapes.words)
                for item in error.problems
            ]
            raise _refusal(str(ArgumentError(f"{kind} {name!r}", problems))) from None
        except pulumi.RunError as error:
            raise _refusal(str(error)) from None
        state = {
            camel_case(key): value
            for key, output in exported.outputs.items()
            if (value := output.get(made)) is not None
        }
        return ConstructResult(made.urn, state)

    def _made(
        self,
        exported: Exported,
        name: str,
        inputs: Mapping[str, Any],
        options: pulumi.ResourceOptions,
    ) -> Any:
        given, reader = Arguments(exported.name, name), Reader()
        read = reader.read(inputs, exported.arguments)
        given.add(reader.problems)
        given.done()
        # What the program wants to be waited for, beyond its values. Of the component itself no
        # child would wait; what is made of its handles does.
        after = [
            resource
            for resource in _listed(options.depends_on)
            if urn_of(resource) not in reader.implied
        ]
        options = copy.copy(options)
        options.depends_on = after
        waits = {key: _waits(reader.waits.get(key, {}), after) for key in read}
        values = {
            key: self._python(given, key, value, exported.arguments[key].shape, waits[key])
            for key, value in read.items()
        }
        added = {key: values.pop(key) for key in exported.added if key in values}
        if exported.prepare is not None:
            exported.prepare(given, values, added)
        given.done()
        fields = getattr(exported.args, "__dataclass_fields__", {})
        if "depends_on" in fields:
            values["depends_on"] = after
        args = exported.args(**values)
        self._one_platform(exported, name)
        if exported.in_cluster:
            _validate(args, name)
            options = _in_cluster(name, args.cluster, options)
        kind: Any = exported.kind  # each takes its own arguments
        made = kind(name, args, options)
        if exported.finish is not None:
            exported.finish(made, added)
        return made

    def _python(self, given: Arguments, key: str, value: Any, shape: Shape, waits: Waits) -> Any:
        """An argument as the Python interface takes it."""
        kind = (
            shape.object.name
            if shape.object
            else shape.items.object.name
            if shape.items and shape.items.object
            else ""
        )
        if kind in self._package.handles.by_name:
            return self._package.handles.by_name[kind].receive(given, key, value, waits)
        if kind == Images.__name__:
            return _images(given, value)
        if kind == MonitoredHub.__name__:
            return [MonitoredHub(**item) for item in value]
        return value

    def _one_platform(self, exported: Exported, name: str) -> None:
        """Raise ArgumentError for a second platform of one program, which this process sees one
        by one.
        """
        if exported.kind is JupyterHubPlatform:
            first = self._platforms.setdefault(
                (pulumi.get_stack(), pulumi.runtime.is_dry_run()), name
            )
            if first != name:
                raise refused_second(name, first)


def _refusal(text: str) -> InputPropertiesError:
    """What the engine prints as it is. The list of properties is empty and not None, because the
    SDK fails at None; a value in it would be printed too.
    """
    return InputPropertiesError(text, [])


def _images(given: Arguments, value: Mapping[str, Any]) -> Images | None:
    lock = value.get("lock")
    try:
        return Images(**{**value, "lock": None if lock is None else read_lock(Path(lock))})
    except ConfigError as error:
        given.add(
            replace(item, path="images.lock", what=f"{error.source} {item.what}")
            for item in error.problems
        )
        return None


def _waits(urns: Mapping[str, Collection[str]], after: Sequence[pulumi.Resource]) -> Waits:
    """What is waited for with a handle, and what the program wants to be waited for besides."""
    return {
        what: [*map(DependencyResource, sorted(urns.get(what, ()))), *after]
        for what in {"ready", *urns}
    }


def _listed(depends_on: Any) -> list[pulumi.Resource]:
    return (
        []
        if depends_on is None
        else list(depends_on)
        if isinstance(depends_on, (list, tuple))
        else [depends_on]
    )


def _validate(args: Any, name: str) -> None:
    """Raise ArgumentError for wrong arguments before anything is registered, also what the
    component needs first.
    """
    (args.parts if hasattr(args, "parts") else args.resolved)(name)


def _in_cluster(
    name: str, cluster: ClusterOutputs, options: pulumi.ResourceOptions
) -> pulumi.ResourceOptions:
    """The options with a Kubernetes provider: one that the program gave, or one of this
    component's own, because nothing else of this process outlives it.
    """
    given = options.providers or {}  # the engine hands over a map by package
    providers = (
        dict(given) if isinstance(given, Mapping) else {item.package: item for item in given}
    )
    if "kubernetes" not in providers:
        access = cluster.access or ClusterAccess(cluster=cluster.name)
        parent = pulumi.ResourceOptions(
            parent=options.parent, protect=False
        )  # said, because a parent in another process cannot be asked
        providers["kubernetes"] = provider_of(
            f"{name}-kubernetes", access, cluster.kubeconfig_json, cluster.created, parent
        )
    return pulumi.ResourceOptions.merge(options, pulumi.ResourceOptions(providers=providers))


class ComponentsServicer(ProviderServicer):
    """The plugin's end of the line to the engine: what fails while a component is made is said
    in one line too.
    """

    async def _construct(self, request: Any, context: Any) -> Any:
        try:
            return await super()._construct(request, context)
        except pulumi.RunError as error:
            raise _refusal(str(error)) from None
        except Exception as error:
            if any(
                sign in str(error) for sign in _ENGINE_ENDED
            ):  # the engine says by itself what failed
                raise _refusal("is not finished, because another resource failed") from None
            raise


def serve() -> None:
    """The program `pulumi-resource-jupyterhub-aws`: serve the engine at the address in the first
    argument, until it ends this process.

    With `--schema` it prints the package's schema instead, for which no engine is needed.
    """
    arguments = sys.argv[1:]
    if arguments == ["--schema"]:
        sys.stdout.write(schema_text(Package()))
    elif not arguments or arguments[0].startswith("-"):
        sys.stderr.write(
            f"{PLUGIN} is started by Pulumi. To use it: pulumi package add {sys.argv[0]}; its"
            f" schema: {PLUGIN} --schema\n"
        )
        sys.exit(2)
    else:
        # When the engine ends it, there is nothing to tidy up: the SDK's own servers would complain
        # of a loop that is gone, in the user's terminal.
        for ending in (signal.SIGINT, signal.SIGTERM):
            signal.signal(ending, lambda *_: os._exit(0))
        asyncio.run(_serve(arguments))


async def _serve(arguments: list[str]) -> None:
    server = grpc.aio.server(options=GRPC_CHANNEL_OPTIONS)
    provider_pb2_grpc.add_ResourceProviderServicer_to_server(
        ComponentsServicer(ComponentsProvider(), arguments, engine_address=arguments[0]), server
    )
    port = server.add_insecure_port(address="127.0.0.1:0")
    await server.start()
    sys.stdout.write(f"{port}\n")  # how the engine learns where the plugin is
    sys.stdout.flush()
    await server.wait_for_termination()
