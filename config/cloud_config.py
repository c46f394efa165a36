"""Split stacks with one configuration: the inner stack names the outer one, and has only secrets
and imports of its own.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, replace
from pathlib import Path

from jupyterhub_aws.config.errors import ConfigError, Problem, refused
from jupyterhub_aws.config.formats import newer
from jupyterhub_aws.config.keys import canonical, foreign, own_settings
from jupyterhub_aws.config.stack import PROJECT, file_key
from jupyterhub_aws.config.stack_file import CLOUD_STACK, FORMAT_KEY, IMPORTS, StackFile, find, read

__all__ = [
    "CLOUD_STACK",
    "Configuration",
    "from_engine",
    "given_by",
    "outer_of",
    "what_if",
    "whole",
]

_PARTS = file_key("parts")
#: Settings (`path=value`) on top of the outer file, while a plan answers a what-if question of the
#: inner stack.
_WHAT_IF: ContextVar[tuple[str, ...]] = ContextVar("what_if", default=())


@dataclass(frozen=True, kw_only=True)
class Configuration:
    """What this library is configured with: plain values, keys of encrypted ones, the file that
    messages name, and the folder where relative paths start.
    """

    values: Mapping[str, str]
    secret: tuple[str, ...]
    source: str
    folder: Path = Path()


def given_by(file: StackFile) -> Configuration:
    """The configuration in a stack file, without the settings of the caller's own
    program.
    """
    own = own_settings((*file.values, *file.secret))
    values = {key: value for key, value in file.values.items() if key not in own}
    return Configuration(
        values=values,
        secret=tuple(key for key in file.secret if key not in own),
        source=file.source,
        folder=file.home.working_folder,
    )


@contextmanager
def what_if(file: StackFile) -> Iterator[None]:
    """While the settings that a stack inside a cluster was asked with count as part of its outer
    stack's file.
    """
    token = _WHAT_IF.set(file.outer_settings or _WHAT_IF.get())
    try:
        yield
    finally:
        _WHAT_IF.reset(token)


def outer_of(cloud_stack: str, folder: Path) -> StackFile:
    """The file of the outer stack, with the settings of `what_if` on top. Raises ConfigError."""
    return read(find(cloud_stack, folder), _WHAT_IF.get())


def from_engine(
    values: Mapping[str, str], *, secret: Collection[str], project: str, source: str
) -> Configuration:
    """What the engine hands over to a program of a project, by the one spelling of each key,
    without the settings of the caller's own program.

    Raises ConfigError for a key in two spellings.
    """
    by_key = canonical({**values, **dict.fromkeys(secret, "")}, project, source)
    own = own_settings(by_key)
    sealed = tuple(
        key for key in canonical(dict.fromkeys(secret, ""), project, source) if key not in own
    )
    return Configuration(
        values={key: value for key, value in by_key.items() if key not in (*own, *sealed)},
        secret=sealed,
        source=source,
    )


def whole(given: Configuration, folder: Path) -> Configuration:
    """The configuration itself; or, where it names a `cloud_stack`, that one's with `parts:
    cluster` and the inner one's secrets.

    `folder` holds the stack files. Raises ConfigError for an inner stack that says anything else,
    or does not name an outer stack.
    """
    cloud = given.values.get(CLOUD_STACK)
    if cloud is None:
        if given.values.get(_PARTS) == "cluster":
            fix = "write `cloud_stack: NAME` instead, and nothing else: the rest is that stack's"
            what = "cannot be cluster by itself"
            raise refused(given.source, "split.cluster-alone", "parts", what, fix)
        return given
    if later := newer(given.values.get(FORMAT_KEY)):
        raise ConfigError(given.source, [later])
    problems = [*_more_than_secrets(given), *foreign(given.values)]
    if "/" in cloud or cloud.endswith((".yaml", ".yml")):
        fix = f"write the stack's name, such as {Path(cloud).stem.removeprefix('Pulumi.')}"
        raise ConfigError(
            given.source,
            [
                *problems,
                Problem(
                    id="split.names-a-file",
                    path="cloud_stack",
                    what=f"names a file ({cloud}), and the engine knows stacks by name",
                    fix=fix,
                ),
            ],
        )
    try:
        outer = outer_of(cloud, folder)
    except ConfigError as error:
        if not problems and any(
            problem.path for problem in error.problems
        ):  # the fault is in that file, not in its name
            raise
        problems += [
            replace(problem, path="cloud_stack", what=f"names {cloud}: {problem.what}")
            for problem in error.problems
        ]
        raise ConfigError(given.source, problems) from None
    if outer.values.get(_PARTS) != "cloud" or CLOUD_STACK in outer.values:
        fix = f"write `parts: cloud` in {outer.source}, or name another stack"
        problems.append(
            Problem(
                id="split.not-a-cloud-stack",
                path="cloud_stack",
                what=f"names {cloud}, which is not the outer stack of a split stack (parts: cloud)",
                fix=fix,
            )
        )
    if problems:
        raise ConfigError(given.source, problems)
    values = {key: value for key, value in outer.values.items() if key != IMPORTS} | {
        _PARTS: "cluster",
        CLOUD_STACK: cloud,
    }
    values |= {key: given.values[key] for key in (IMPORTS,) if key in given.values}
    return replace(given, values=values, source=outer.source)


def _more_than_secrets(given: Configuration) -> list[Problem]:
    extra: Collection[str] = sorted(
        key
        for key in given.values
        if key not in (CLOUD_STACK, IMPORTS, FORMAT_KEY) and key.startswith(f"{PROJECT}:")
    )
    what = "is in the inner stack, which takes everything from its cloud_stack"
    return [
        Problem(
            id="split.option-in-inner-stack",
            path=key.partition(":")[2],
            what=what,
            fix="move it there",
        )
        for key in extra
    ]
