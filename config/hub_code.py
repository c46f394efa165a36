"""The operator's Python code that the hub executes: where it is among the chart's values, and
which traits it sets.
"""

from __future__ import annotations

import ast
import warnings
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from jupyterhub_aws.config.errors import names_secret
from jupyterhub_aws.config.tree import KeyPath, at

#: Where the chart executes every file, before `hub.extraConfig`; one of them is this program's.
CONFIGURATION_FOLDER = "/usr/local/etc/jupyterhub/jupyterhub_config.d"
OWN_CONFIGURATION = "50-jupyterhub-aws.py"


@dataclass(frozen=True)
class Said:
    """The place of a setting in the values, and for code the words that lead there: `line 2,
    c.KubeSpawner.uid, `.
    """

    path: KeyPath
    where: str = ""


@dataclass(frozen=True)
class Assigned:
    """`c.SECTION.TRAIT = value` in code. `readable`: the value is written there and not
    computed.
    """

    section: str
    trait: str
    value: Any
    readable: bool
    said: Said


@dataclass(frozen=True)
class Code:
    """The operator's Python code that the hub executes besides the chart's own: where it is
    among the values, and its text.
    """

    path: KeyPath
    text: str


def code_of(values: Mapping[str, Any]) -> list[Code]:
    """What the hub executes, in its order: the operator's files of jupyterhub_config.d, by name,
    then `hub.extraConfig`, by key.
    """
    files, config = (
        at(values, "hub", "extraFiles"),
        at(values, "hub", "extraConfig"),
    )
    found: list[tuple[str, Code]] = []
    for key, file in files.items() if isinstance(files, Mapping) else ():
        mount, text = (at(file, part) for part in ("mountPath", "stringData"))
        name = str(mount).rpartition("/")[2]
        if (
            isinstance(text, str)
            and str(mount) == f"{CONFIGURATION_FOLDER}/{name}"
            and name.endswith(".py")
            and name != OWN_CONFIGURATION
        ):
            found.append((name, Code(("hub", "extraFiles", str(key), "stringData"), text)))
    codes = [code for _, code in sorted(found, key=lambda item: item[0])]
    return codes + [
        Code(("hub", "extraConfig", str(key)), text)
        for key, text in sorted(config.items() if isinstance(config, Mapping) else ())
        if isinstance(text, str)
    ]


def assignments(codes: Iterable[Code]) -> Iterator[Assigned]:
    """Every `c.Class.trait = value` in code, in the order in which the hub runs it; also
    `c["Class"]["trait"]`, and inside of `if`.
    """
    for code in codes:
        yield from _assigned(code)


@cache
def _assigned(code: Code) -> tuple[Assigned, ...]:
    try:
        with warnings.catch_warnings(action="ignore"):
            tree = ast.parse(code.text)
    except (SyntaxError, ValueError, RecursionError, MemoryError):  # another rule says so
        return ()
    found = []
    for node in ast.walk(tree):
        if not isinstance(node, (ast.Assign, ast.AnnAssign)) or node.value is None:
            continue
        for target in node.targets if isinstance(node, ast.Assign) else [node.target]:
            place = _trait_at(target)
            if place is None:
                continue
            section, trait = place
            hidden = any(isinstance(part, str) and names_secret(part) for part in code.path)
            said = Said(
                code.path,
                f"line {node.lineno}, " if hidden else f"line {node.lineno}, c.{section}.{trait}, ",
            )
            try:
                found.append(
                    (
                        node.lineno,
                        Assigned(section, trait, _plain(ast.literal_eval(node.value)), True, said),
                    )
                )
            except (ValueError, TypeError, SyntaxError, MemoryError, RecursionError):
                found.append((node.lineno, Assigned(section, trait, None, False, said)))
    return tuple(item for _, item in sorted(found, key=lambda pair: pair[0]))


def _plain(value: Any) -> Any:
    """A literal as JSON would have it. Raises TypeError for one that has no such form."""
    if isinstance(value, dict):
        return {str(key): _plain(inner) for key, inner in value.items()}
    if isinstance(value, (list, tuple, set)):
        return [
            _plain(inner) for inner in (sorted(value, key=str) if isinstance(value, set) else value)
        ]
    if value is None or isinstance(value, (str, bool, int, float)):
        return value
    raise TypeError(type(value))


def _trait_at(node: ast.AST) -> tuple[str, str] | None:
    """Section and trait of `c.Section.trait`, or None."""
    names: list[str] = []
    while isinstance(node, (ast.Attribute, ast.Subscript)):
        if isinstance(node, ast.Attribute):
            names.append(node.attr)
        elif isinstance(node.slice, ast.Constant) and isinstance(node.slice.value, str):
            names.append(node.slice.value)
        else:
            return None
        node = node.value
    if not (isinstance(node, ast.Name) and node.id == "c" and len(names) == 2):  # section and trait
        return None
    return names[1], names[0]
