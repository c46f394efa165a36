"""Two stacks, one configuration: the inner one names the outer one, and brings nothing but secrets and imports of its own."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path

from config.errors import ConfigError, Problem
from config.stack import PROJECT, file_key
from config.stack_file import find, read

CLOUD_STACK = file_key("cloud_stack")
_PARTS = file_key("parts")
_IMPORTS = file_key("imports")


@dataclass(frozen=True, kw_only=True)
class Configuration:
    """What a program is configured with: plain values, the keys of encrypted ones, and the file that messages name."""

    values: Mapping[str, str]
    secret: tuple[str, ...]
    source: str


def whole(given: Configuration, folder: Path) -> Configuration:
    """The configuration itself; or, where it names a `cloud_stack`, that one's with `parts: cluster` and the inner one's secrets.

    `folder` holds the stack files. Raises ConfigError for an inner stack that says anything else, or names no outer half.
    """
    cloud = given.values.get(CLOUD_STACK)
    if cloud is None:
        if given.values.get(_PARTS) == "cluster":
            fix = "write `cloud_stack: NAME` instead, and nothing else: the rest is that stack's"
            raise ConfigError(given.source, [Problem(path="parts", what="cannot be cluster by itself", fix=fix)])
        return given
    problems = _more_than_secrets(given)
    try:
        outer = read(find(cloud, folder))
    except ConfigError as error:
        problems += [Problem(path="cloud_stack", what=f"names {cloud}: {problem.what}", fix=problem.fix) for problem in error.problems]
        raise ConfigError(given.source, problems) from None
    if outer.values.get(_PARTS) != "cloud" or CLOUD_STACK in outer.values:
        fix = f"write `parts: cloud` in {outer.source}, or name another stack"
        problems.append(Problem(path="cloud_stack", what=f"names {cloud}, which is no half of anything", fix=fix))
    if problems:
        raise ConfigError(given.source, problems)
    values = {key: value for key, value in outer.values.items() if key != _IMPORTS} | {_PARTS: "cluster", CLOUD_STACK: cloud}
    return Configuration(values={**values, **{key: given.values[key] for key in (_IMPORTS,) if key in given.values}}, secret=given.secret, source=outer.source)


def _more_than_secrets(given: Configuration) -> list[Problem]:
    extra: Collection[str] = sorted(key for key in given.values if key not in (CLOUD_STACK, _IMPORTS) and key.startswith(f"{PROJECT}:"))
    what = "stands in the inner stack, which takes everything from its cloud_stack"
    return [Problem(path=key.partition(":")[2], what=what, fix="move it there") for key in extra]
