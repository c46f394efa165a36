"""Values from AWS that the objects inside the cluster need: passed inside one program, or read
from the outputs of the outer stack.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pulumi

from jupyterhub_aws.config.stack import StackConfig


@dataclass(frozen=True, kw_only=True, eq=False)
class HubFacts:
    """Of one hub: the ids of its homes and its database. None where it has none of that kind;
    the password is a secret.
    """

    homes_handle: pulumi.Input[str] | None = None
    database_volume: pulumi.Input[str] | None = None
    database_url: pulumi.Input[str] | None = None
    database_password: pulumi.Output[str] | None = None
    after: Sequence[pulumi.Resource] = ()


@dataclass(frozen=True, kw_only=True, eq=False)
class CloudFacts:
    """`kubeconfig` has no credentials in it (None: the caller's own), `created` is when EKS made
    the cluster; `after` is what hubs wait for. It is empty between split stacks. `ownership_handle`
    names homes that still need a new owner.
    """

    kubeconfig: pulumi.Input[str] | None
    hubs: Mapping[str, HubFacts]
    created: pulumi.Input[str] | None = None
    ownership_handle: pulumi.Input[str] | None = None
    after: Sequence[pulumi.Resource] = ()


#: Facts of a hub that are no secret.
_PLAIN = ("homes_handle", "database_volume", "database_url")


def digest(stack: StackConfig) -> str:
    """A digest of sixteen hexadecimal digits of a stack's configuration, the same for both of two
    split stacks.

    Keys are sorted: the engine passes maps with their keys sorted, and the inner stack reads the
    file as it is.
    """
    said = json.loads(stack.model_dump_json(exclude={"format", "parts", "cloud_stack", "imports"}))
    return hashlib.sha256(json.dumps(said, sort_keys=True).encode()).hexdigest()[:16]


def exported(stack: StackConfig, facts: CloudFacts) -> dict[str, pulumi.Input[Any]]:
    """The outputs that the inner stack reads. Passwords are in an output of their own, which is
    secret as a whole.
    """
    hubs = {
        name: {key: value for key in _PLAIN if (value := getattr(hub, key)) is not None}
        for name, hub in facts.hubs.items()
    }
    passwords = {
        name: hub.database_password
        for name, hub in facts.hubs.items()
        if hub.database_password is not None
    }
    found: dict[str, pulumi.Input[Any]] = {"hub_facts": hubs, "configuration": digest(stack)}
    found |= {} if facts.ownership_handle is None else {"ownership_handle": facts.ownership_handle}
    return {**found, "database_passwords": passwords} if passwords else found


def taken_over(stack: StackConfig) -> CloudFacts:
    """The facts of the stack that `cloud_stack` names, from its outputs.

    All values wait for the comparison of both configurations: the files may have moved on since
    that stack was built. Raises pulumi.RunError, when the outputs are known, where they differ.
    """
    reference = pulumi.StackReference(
        f"{pulumi.get_organization()}/{pulumi.get_project()}/{stack.cloud_stack}"
    )
    same = reference.get_output("configuration").apply(lambda found: _compared(stack, found))
    kubeconfig = pulumi.Output.all(same, reference.get_output("kubeconfig")).apply(
        lambda known: str(known[1])
    )
    facts, passwords = reference.get_output("hub_facts"), reference.get_output("database_passwords")
    handle = (
        reference.get_output("ownership_handle").apply(lambda found: str(found or ""))
        if stack.ownership_pending
        else None
    )
    hubs = {name: _of_hub(name, facts, passwords, stack) for name in stack.hubs}
    return CloudFacts(kubeconfig=kubeconfig, hubs=hubs, ownership_handle=handle)


def _compared(stack: StackConfig, found: object) -> bool:
    if found is None:
        raise pulumi.RunError(
            f"cloud_stack: {stack.cloud_stack} has no outputs yet; run first: pulumi up --stack"
            f" {stack.cloud_stack}"
        )
    if found != digest(stack):
        raise pulumi.RunError(
            f"cloud_stack: {stack.cloud_stack} was built from another configuration than"
            f" Pulumi.{stack.cloud_stack}.yaml is now; run first: pulumi up --stack"
            f" {stack.cloud_stack}"
        )
    return True


def _of_hub(
    name: str, facts: pulumi.Output[Any], passwords: pulumi.Output[Any], stack: StackConfig
) -> HubFacts:
    def fact(key: str) -> pulumi.Output[str]:
        return facts.apply(lambda known: str(((known or {}).get(name) or {}).get(key) or ""))

    database = stack.hubs[name].database.kind
    return HubFacts(
        homes_handle=fact("homes_handle") if stack.homes.kind == "efs" else None,
        database_volume=fact("database_volume") if database == "sqlite" else None,
        database_url=fact("database_url") if database == "postgres" else None,
        database_password=(
            pulumi.Output.secret(passwords.apply(lambda known: str((known or {}).get(name) or "")))
            if database == "postgres"
            else None
        ),
    )
