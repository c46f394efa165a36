"""Complete validation of a configuration: its own rules, the chart's, and those of its bundle's
lock. No Pulumi.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from jupyterhub_aws.components.hub.values.problems import hub_problems
from jupyterhub_aws.components.needed import needed_images
from jupyterhub_aws.config.cloud_config import Configuration
from jupyterhub_aws.config.errors import ConfigError, Problem
from jupyterhub_aws.config.load import load
from jupyterhub_aws.config.specs import resolve
from jupyterhub_aws.config.stack import StackConfig


def validated(given: Configuration) -> StackConfig:
    """The stack of a whole configuration, whose hubs the chart takes and whose images the lock
    names. Raises ConfigError with every problem.
    """
    stack = load(given.values, secret=given.secret, source=given.source).at(given.folder)
    problems = list(lock_problems(stack))
    if problems:  # without the lock no hub's values can be rendered
        raise ConfigError(given.source, problems)
    problems += [problem for name in stack.hubs for problem in hub_problems(stack, name)]
    if problems:
        raise ConfigError(given.source, problems)
    return stack


def lock_problems(stack: StackConfig) -> Iterator[Problem]:
    """Where the lock was made for other versions than the stack runs now."""
    try:
        images = resolve(stack).images
    except ConfigError as error:
        for problem in error.problems:
            what = f"{error.source} {problem.what}"
            yield replace(problem, path="registry.lock", what=what)
        return
    if images.lock is None:
        return
    for needed in needed_images(resolve(stack)):
        if images.lock.digest("image", needed.reference) is None:
            name, _, tag = needed.reference.rpartition(":")
            other = next(
                (key for key in images.lock.keys("image") if key.rpartition(":")[0] == name), None
            )
            what = (
                f"is of another version: it has {other}, and {needed.needed_by[0]} needs {tag}"
                if other
                else f"lacks {needed.reference}"
            )
            yield Problem(
                id="lock.other-version" if other else "lock.incomplete",
                path="registry.lock",
                what=what,
                fix="run `jhub bundle lock`, pull and push again, and commit the lock",
            )
