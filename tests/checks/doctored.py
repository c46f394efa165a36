"""The recorded stack `dev`, and copies of it with one resource spoilt."""

from __future__ import annotations

import copy
from collections.abc import Callable
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

from checks.resources import Resource, Resources
from config.load import PROJECT, load
from config.stack import StackConfig
from ops.plan.evaluate import PROGRAM, evaluate
from ops.plan.stack_file import read


@cache
def dev(*settings: str) -> tuple[StackConfig, Resources]:
    """The validated stack with these settings, and what it becomes."""
    file = read(Path(PROGRAM) / "Pulumi.dev.yaml", settings)
    stack = load(file.values, secret=file.secret, source=file.source)
    return stack, evaluate(file.values, secret=file.secret, project=PROJECT, stack=file.stack).resources


def the(resources: Resources, kind: str) -> Resource:
    """The first resource of a type."""
    return resources.of(kind)[0]


def doctored(resources: Resources, kind: str, change: Callable[[dict[str, Any]], object]) -> tuple[Resource, Resources]:
    """The first resource of a type with changed inputs, and all resources with it in place."""
    original = the(resources, kind)
    inputs = copy.deepcopy(dict(original.inputs))
    change(inputs)
    spoilt = replace(original, inputs=inputs)
    return spoilt, Resources(spoilt if resource is original else resource for resource in resources)
