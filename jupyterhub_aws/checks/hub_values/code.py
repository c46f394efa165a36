"""Code that the hub executes: whether Python can compile it, and whether the names that it uses
exist. Otherwise the hub does not start.
"""

from __future__ import annotations

import ast
import builtins
import json
import warnings
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

from jupyterhub_aws.checks.hub_values.fault import ValueFault, Values
from jupyterhub_aws.config.chart import chart_version
from jupyterhub_aws.config.errors import closest, names_secret, shown
from jupyterhub_aws.config.hub_code import Code, code_of

_DATA = Path(__file__).resolve().parents[2] / "config" / "data" / "z2jh"
#: What traitlets adds to a configuration file, and Python to a module (traitlets/config/loader.py,
#: `_read_file_as_dict`).
_ALWAYS = ("load_subconfig", "__file__", "__builtins__", "__name__", "__doc__")


_BUILTINS = frozenset(dir(builtins))


@cache
def _known() -> frozenset[str]:
    """What the chart's jupyterhub_config.py has bound when it executes such code
    (scripts/refresh_chart.py).
    """
    names: list[str] = json.loads(
        (_DATA / f"names-{chart_version()}.json").read_text(encoding="utf-8")
    )
    return frozenset((*names, *_ALWAYS))


def names_exist(values: Values) -> Iterator[ValueFault]:
    """Every name that code uses is Python's, the chart's configuration's, or bound by the code,
    or by code that is executed before it.
    """
    before: set[str] = set()
    for code in code_of(values):
        tree = parsed(code.text)
        if tree is None:  # another rule says so
            continue
        undefined, bound = _names(code, frozenset(before))
        before |= bound
        for line, name in undefined:
            hidden = any(isinstance(part, str) and names_secret(part) for part in code.path)
            guess = None if hidden else closest(name, (_known() | bound) - _BUILTINS)
            fix = (
                f"did you mean {guess}?" if guess and len(name) > 2 else "import or define it"
            )  # two letters resemble anything
            what = (
                f"line {line} uses {'a name' if hidden else shown(name)}, which does not exist"
                " there: the hub would not start, or fail later"
            )
            yield ValueFault(path=code.path, what=what, fix=fix)


def parsed(text: str) -> ast.Module | None:
    """The code as a tree; None for what is no Python."""
    try:
        with warnings.catch_warnings(action="ignore"):
            return ast.parse(text)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None


@cache
def _names(
    code: Code, before: frozenset[str]
) -> tuple[tuple[tuple[int, str], ...], frozenset[str]]:
    """Undefined names with their lines, each once, and what the code itself binds."""
    from pyflakes import checker, messages  # late: only a hub with code needs it

    tree = parsed(code.text)
    assert tree is not None  # noqa: S101 -- asked before
    found: Any = checker.Checker(tree, builtins=_known() | before, withDoctest=False)
    lines: dict[str, int] = {}
    for message in found.messages:
        if isinstance(message, (messages.UndefinedName, messages.UndefinedLocal)):
            lines.setdefault(str(message.message_args[0]), int(message.lineno))
    bound = frozenset(str(name) for scope in found.deadScopes[-1:] for name in scope)
    return (
        tuple((line, name) for name, line in sorted(lines.items(), key=lambda item: item[1])),
        bound,
    )


RULES = (names_exist,)
