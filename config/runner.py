"""The runner: a small EC2 instance inside an isolated network, from which `pulumi` reaches the
cluster's API.
"""

from __future__ import annotations

import re
from typing import Annotated

from pydantic import AfterValidator

from jupyterhub_aws.config.errors import refuse, shown
from jupyterhub_aws.config.instance_types import instance_type
from jupyterhub_aws.config.managed_policies import (
    closest_policy,
    managed_path,
    managed_policy_exists,
    same_name,
)
from jupyterhub_aws.config.model import Model, option
from jupyterhub_aws.config.pools import InstanceTypeName

_POLICY = re.compile(r"arn:aws(-cn|-us-gov)?:iam::([0-9]{12}|aws):policy/[\w+=,.@/-]+", re.ASCII)
_LEAST_MIB = 3800


def _policy(value: str) -> str:
    if not _POLICY.fullmatch(value):
        what = f"is not the ARN of an IAM policy (got {shown(value)})"
        fix = "write it like arn:aws:iam::123456789012:policy/pulumi-state"
        raise refuse("policy.malformed", what, fix)
    if (path := managed_path(value)) is not None and not managed_policy_exists(path):
        meant = same_name(path) or closest_policy(path)
        if meant is not None:
            prefix = value.removesuffix(path)
            what = f"is no policy that AWS has (got {shown(value)}): attaching it would fail"
            raise refuse("policy.unknown", what, f"did you mean {prefix}{meant}?")
    if value.endswith(("/AdministratorAccess", "FullAccess", "/PowerUserAccess")):
        what = f"grants far more than a runner needs (got {shown(value)})"
        fix = "write a policy for what it does; examples/backend makes one for the state"
        raise refuse("policy.too-wide", what, fix)
    return value


def _roomy(value: str) -> str:
    if instance_type(value).memory_mib < _LEAST_MIB:
        fix = "choose one with 4 GiB, such as t3.medium"
        raise refuse("runner.too-small", f"has too little memory for pulumi (got {value})", fix)
    return value


class RunnerSection(Model):
    """An EC2 instance without any open port, reached through AWS Systems Manager, that reads the
    bundle and runs `pulumi` for the inner stack.
    """

    instance_type: Annotated[InstanceTypeName, AfterValidator(_roomy)] = option(
        "t3.medium",
        help="Its type: 4 GiB are enough.",
        changing=(
            "The instance is stopped and started; its disk is retained. Another architecture"
            " replaces the instance, and its disk is lost."
        ),
    )
    disk_gib: int = option(
        40,
        help="Its disk, for the bundle.",
        unit="GiB",
        changing="For the next instance: raise `generation` to replace the present one.",
        ge=20,
        le=1000,
    )
    generation: int = option(
        1,
        help=(
            "Raise it to replace the instance, with the present image, disk and start script. No"
            " other option replaces it."
        ),
        changing="The instance is replaced; its disk is lost.",
        ge=1,
        le=999,
    )
    policies: tuple[Annotated[str, AfterValidator(_policy)], ...] = option(
        (),
        help=(
            "Further policies of its role: such as the one for the state's bucket and key, from"
            " examples/backend."
        ),
        changing="In place, at once.",
        max_length=8,
    )
    bucket: str | None = option(
        None,
        help="Name of the bundle's bucket. Without it NAME-bundle-ACCOUNT.",
        changing="Another bucket; the old one is retained.",
        min_length=3,
        max_length=63,
    )
