"""The recorded stack `dev`, and copies of it with one resource spoilt."""

from __future__ import annotations

import copy
from collections.abc import Callable
from dataclasses import replace
from functools import cache
from typing import Any

from jupyterhub_aws.checks.resources import Resource, Resources
from jupyterhub_aws.config.load import load
from jupyterhub_aws.config.stack import StackConfig
from jupyterhub_aws.config.stack_file import read
from tests.support.stack_files import ROOT
from tests.support.stacks import record


@cache
def stack_of(*settings: str) -> StackConfig:
    """The validated stack with these settings."""
    file = read(ROOT / "Pulumi.dev.yaml", settings)
    return load(file.values, secret=file.secret, source=file.source)


def dev(*settings: str) -> tuple[StackConfig, Resources]:
    """The validated stack with these settings, and what it becomes."""
    return stack_of(*settings), record(*settings).resources


def the(resources: Resources, kind: str) -> Resource:
    """The first resource of a type."""
    return resources.of(kind)[0]


def doctored(
    resources: Resources, kind: str, change: Callable[[dict[str, Any]], object]
) -> tuple[Resource, Resources]:
    """The first resource of a type with changed inputs, and all resources with it in place."""
    original = the(resources, kind)
    inputs = copy.deepcopy(dict(original.inputs))
    change(inputs)
    spoilt = replace(original, inputs=inputs)
    return spoilt, Resources(spoilt if resource is original else resource for resource in resources)
