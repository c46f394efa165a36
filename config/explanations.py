"""What is known of an id: of a problem, of a check's finding, of a section of problems, of an option.

The wordings are read from the source (tests/support/problems_page.py writes config/data/
wordings.json); causes and cures are written by hand (config/data/explanations.toml).
"""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any, Literal

from jupyterhub_aws.config.errors import did_you_mean, refused

Node = dict[str, Any]
_DATA = Path(__file__).parent / "data"


@dataclass(frozen=True, kw_only=True)
class SaidWording:
    """One wording of a problem or finding; `…` for what differs from case to case."""

    what: str
    fix: str
    status: str


@dataclass(frozen=True, kw_only=True)
class Explained:
    """What is known of an id.

    `says` is what a problem's section has in common; `checks`, `why` and `cure` are a finding's;
    `ids` are those of a section.
    """

    kind: Literal["problem", "finding", "section"]
    id: str
    says: str = ""
    checks: str = ""
    why: str = ""
    cure: str = ""
    options: tuple[str, ...] = ()
    wordings: tuple[SaidWording, ...] = ()
    ids: tuple[str, ...] = ()

    def as_json(self) -> dict[str, Any]:
        """The same as data."""
        data: dict[str, Any] = {"id": self.id, "kind": self.kind}
        for name in ("says", "checks", "why", "cure"):
            if getattr(self, name):
                data[name] = getattr(self, name)
        if self.options:
            data["options"] = list(self.options)
        if self.ids:
            data["ids"] = list(self.ids)
        if self.wordings:
            data["wordings"] = [
                {
                    "what": item.what,
                    "fix": item.fix,
                    **({"status": item.status} if item.status else {}),
                }
                for item in self.wordings
            ]
        return data


@dataclass(frozen=True, kw_only=True)
class ExplainedOption:
    """An option of stack files. `is_free`: its last word is a name of one's own, of a pool or a
    profile.
    """

    path: str
    says: str
    default: str
    changing: str
    kinds: tuple[str, ...]
    inside: tuple[str, ...]
    is_free: bool

    def as_json(self) -> dict[str, Any]:
        """The same as data."""
        return {
            "kind": "option",
            "id": self.path,
            "says": self.says,
            "values": list(self.kinds),
            "default": self.default,
            "changing": self.changing,
            "options": list(self.inside),
        }


@cache
def wordings() -> dict[str, dict[str, list[list[str]]]]:
    """What config/data/wordings.json has: the wordings of problems and findings, by id."""
    found: dict[str, dict[str, list[list[str]]]] = json.loads(
        (_DATA / "wordings.json").read_text(encoding="utf-8")
    )
    return found


@cache
def _texts() -> dict[str, dict[str, dict[str, Any]]]:
    return tomllib.loads((_DATA / "explanations.toml").read_text(encoding="utf-8"))


def known_ids() -> list[str]:
    """Every id of a problem or finding, and every section."""
    found = wordings()
    return sorted({*found["problems"], *found["findings"], *_texts()["sections"]})


def sections() -> dict[str, str]:
    """The sections of problems, and what each is about."""
    return {name: str(text["says"]) for name, text in sorted(_texts()["sections"].items())}


def finding_ids() -> list[str]:
    """The ids of the checks' findings."""
    return sorted(wordings()["findings"])


@cache
def explained(which: str) -> Explained:
    """What is known of an id. Raises ConfigError for one that does not exist."""
    found, texts = wordings(), _texts()
    if which in found["findings"]:
        text = texts["findings"][which]
        return Explained(
            kind="finding",
            id=which,
            checks=str(text["checks"]),
            why=str(text["why"]),
            cure=str(text["cure"]),
            wordings=_said(found["findings"][which]),
        )
    if which in found["problems"]:
        section = explained_section(which.partition(".")[0])
        said = _said(found["problems"][which])
        return replace(section, kind="problem", id=which, ids=(), wordings=said)
    if which in texts["sections"]:
        return explained_section(which)
    fix = did_you_mean(which, known_ids(), "see the sections: jhub explain")
    raise refused("jhub explain", "explain.unknown", which, "is no id and no option", fix)


def explained_section(name: str) -> Explained:
    """What is known of a section of problems, also where a finding has its name. Raises KeyError
    for one that does not exist.
    """
    about = _texts()["sections"][name]
    return Explained(
        kind="section",
        id=name,
        says=str(about["says"]),
        options=tuple(about["options"]),
        ids=tuple(item for item in wordings()["problems"] if item.partition(".")[0] == name),
    )


#: A wording that is nothing but what differs says nothing: these say where it is.
_VARIES = "(what it says differs from case to case)"
_IN_MESSAGE = "do what the message says"
#: What to do, where the source has a form and only the message has the words.
_FORMS = {
    "write …": "write what the message suggests",
    "did you mean …?": "write the name that the message suggests, if you meant it",
    "choose from …": "choose from those that the message lists",
    "there …": "choose from those that the message lists",
    "… and one more": _IN_MESSAGE,
    "choose one of …": "choose from those that the message lists",
}


def _said(rows: list[list[str]]) -> tuple[SaidWording, ...]:
    """What an id says, each wording once, with all that may be done about it."""
    fixes: dict[tuple[str, str], list[str]] = {}
    for row in rows:
        what, fix, status = (*row, "", "", "")[:3]
        known = fixes.setdefault((what if _has_words(what) else _VARIES, status), [])
        if fix and _has_words(fix):
            known.append(_FORMS.get(fix, fix))
    return tuple(
        SaidWording(
            what=what,
            fix="; or ".join(_different(known)) or ("" if status == "pass" else _IN_MESSAGE),
            status=status,
        )
        for (what, status), known in fixes.items()
    )


def _different(fixes: list[str]) -> list[str]:
    """Each once; one that another contains is in that one."""
    return [
        fix
        for fix in dict.fromkeys(fixes)
        if not any(fix in other for other in fixes if other != fix)
    ]


def _has_words(text: str) -> bool:
    return re.search(r"[a-z]{3}", text) is not None


def explained_option(path: str) -> ExplainedOption | None:
    """The option at a path of a stack file; names of pools, hubs and profiles may be any word.
    None where there is none.
    """
    from jupyterhub_aws.config.schema import flow, models_schema

    schema = models_schema()
    definitions: Node = schema["$defs"]
    nodes = [node for node in [schema["properties"].get(path.partition(".")[0])] if node]
    is_free = False
    for part in path.split(".")[1:]:
        is_free = not any(
            part in model.get("properties", {})
            for node in nodes
            for model in _models(node, definitions)
        )
        nodes = [below for node in nodes for below in _below(node, part, definitions)]
    if not nodes:
        return None
    node = nodes[0]
    kinds = dict.fromkeys(kind for one in nodes for kind in _kinds(one, definitions))
    inside = dict.fromkeys(
        name
        for one in nodes
        for model in _models(one, definitions)
        for name in model.get("properties", {})
    )
    given = node.get("default")
    default = "none: it has to be written" if "default" not in node else "not set"
    return ExplainedOption(
        path=path,
        says=str(node.get("description", "")),
        default=default if given is None else flow(given),
        changing=str(node.get("changing", "")),
        kinds=tuple(kinds),
        inside=tuple(inside),
        is_free=is_free,
    )


def _below(node: Node, part: str, definitions: Node) -> Iterator[Node]:
    """What a name leads to in the schema of a value."""
    for model in _models(node, definitions):
        properties = model.get("properties", {})
        if part in properties:
            yield properties[part]
        elif isinstance(model.get("additionalProperties"), dict):
            yield model["additionalProperties"]


def _models(node: Node, definitions: Node) -> Iterator[Node]:
    """The schemas of maps that a value may be: of a reference, of a union's members, of entries."""
    if "$ref" in node:
        yield from _models(definitions[node["$ref"].rpartition("/")[2]], definitions)
        return
    members = [*node.get("anyOf", ()), *node.get("oneOf", ())]
    for member in members:
        yield from _models(member, definitions)
    if "items" in node:
        yield from _models(node["items"], definitions)
    if not members and ("properties" in node or "additionalProperties" in node):
        yield node


def _kinds(node: Node, definitions: Node) -> Iterator[str]:
    """The values that an option takes, in a word each."""
    if "$ref" in node:
        yield from _kinds(definitions[node["$ref"].rpartition("/")[2]], definitions)
        return
    for member in (*node.get("anyOf", ()), *node.get("oneOf", ())):
        yield from _kinds(member, definitions)
    if "enum" in node or "const" in node:
        yield from map(str, node.get("enum", [node.get("const")]))
    elif "type" in node and node["type"] != "null":
        words = {
            "string": "text",
            "integer": "whole number",
            "boolean": "true or false",
            "array": "list",
            "object": "map",
        }
        word = words.get(str(node["type"]), str(node["type"]))
        least, most = node.get("minimum"), node.get("maximum")
        if least is not None or most is not None:
            word += f" from {least} to {most}" if most is not None else f" from {least}"
        yield f"{word} ({node['unit']})" if node.get("unit") else word
