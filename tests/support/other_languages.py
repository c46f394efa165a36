"""A program of another language without one: what it says travels as the engine hands it over,
and comes back as a program gets it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import pulumi
from pulumi.provider.server import ProviderServicer
from pulumi.runtime import proto, rpc
from pulumi.runtime.sync_await import _sync_await

from jupyterhub_aws.config.stack_file import read
from jupyterhub_aws.provider.host import ComponentsProvider
from tests.support.stack_files import ROOT


class OtherLanguage:
    """Makes components by the plugin, inside a program that is being recorded."""

    def __init__(self) -> None:
        self.plugin = ComponentsProvider()

    def make(
        self,
        kind: str,
        name: str,
        arguments: Mapping[str, Any],
        options: pulumi.ResourceOptions | None = None,
    ) -> dict[str, pulumi.Output[Any]]:
        """The outputs of a component, each known as far as a preview knows it."""
        result = self.plugin.construct(
            name,
            f"jupyterhub-aws:index:{kind}",
            handed_over(arguments),
            options or pulumi.ResourceOptions(),
        )
        return {key: pulumi.Output.from_input(value) for key, value in result.state.items()}


def handed_over(arguments: Mapping[str, Any]) -> dict[str, Any]:
    """The arguments of a component as its plugin gets them: through the wire, outputs with what
    is known of them.
    """

    async def travel() -> dict[str, Any]:
        for value in arguments.values():
            await _awaited(value)
        whose: dict[str, list[pulumi.Resource]] = {}
        struct = await rpc.serialize_properties(dict(arguments), whose)
        urns = {
            key: [await resource.urn.future() for resource in found] for key, found in whose.items()
        }
        return await ProviderServicer._construct_inputs(
            struct,
            {
                key: proto.ConstructRequest.PropertyDependencies(urns=found)
                for key, found in urns.items()
            },
        )

    return _sync_await(travel())


async def _awaited(value: Any) -> None:
    """Wait for every output in a value, as a program in another language has: the engine answers
    once a component is made.
    """
    if isinstance(value, pulumi.Output):
        await value.future(with_unknowns=True)
    elif isinstance(value, Mapping):
        for item in value.values():
            await _awaited(item)
    elif isinstance(value, list):
        for item in value:
            await _awaited(item)


def platform_of(stack: str, secret: str) -> dict[str, Any]:
    """The arguments of a platform like a committed stack, as a program says them: plain values,
    and one secret that every hub needs.
    """
    values = read(ROOT / f"Pulumi.{stack}.yaml", ()).values
    said = {
        key.removeprefix("jupyterhub-aws:"): value
        for key, value in values.items()
        if not key.startswith("aws:")
    }
    configuration = {
        key: json.loads(value) if value.startswith(("{", "[")) else value
        for key, value in said.items()
    }
    configuration |= {
        "region": values["aws:region"],
        "accounts": json.loads(values["aws:allowedAccountIds"]),
    }
    return {
        "configuration": configuration,
        "secrets": {"hub-main-client-secret": pulumi.Output.secret(secret)},
    }
