"""Blocks of code in the pages: which there are, the commands in them, and what a piece of YAML is a
piece of.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from markdown_it import MarkdownIt
from ruamel.yaml import YAML

from jupyterhub_aws.config.chart import default_values
from jupyterhub_aws.config.hub import Hub
from jupyterhub_aws.config.stack import PROVIDER_KEYS, StackConfig
from tests.support.stack_files import ROOT, config_of, engine_key

#: Generated pages have tests of their own (tests/config/test_schema.py, tests/repo/test_documentation.py).
GENERATED = ("docs/reference/", "docs/commands/", "docs/commands.md", "docs/problems/", "docs/api/")
#: Languages of blocks that hold commands. One without a language does where a line begins as a command.
SHELL = ("", "console", "sh", "bash", "shell")
_PROGRAM = re.compile(r"(?:\.venv/bin/)?([a-z][\w.-]*)$")
_ASSIGNED = re.compile(r"^[A-Za-z_]\w*=")
_ENDS = {"&&", "||", ";", "|", "&", "do", "then", "(", ")"}


@dataclass(frozen=True)
class Block:
    """One fenced block: where it is, its language and its text."""

    page: str
    line: int
    language: str
    text: str

    def __str__(self) -> str:
        return f"{self.page}:{self.line}"


@dataclass(frozen=True)
class Command:
    """One simple command of a block."""

    block: Block
    words: tuple[str, ...]

    @property
    def program(self) -> str:
        found = _PROGRAM.match(self.words[0])
        return found[1] if found else self.words[0]

    def __str__(self) -> str:
        return f"{self.block}: {' '.join(self.words)}"


def pages() -> list[Path]:
    """Every page that is written by hand."""
    found = [
        ROOT / "README.md",
        ROOT / "CONTRIBUTING.md",
        *sorted((ROOT / "docs").rglob("*.md")),
        *sorted((ROOT / "examples").rglob("*.md")),
    ]
    return [path for path in found if not path.relative_to(ROOT).as_posix().startswith(GENERATED)]


def blocks() -> list[Block]:
    """Every fenced block of every page, also those in lists."""
    markdown = MarkdownIt("commonmark")
    return [
        Block(
            page=path.relative_to(ROOT).as_posix(),
            line=(token.map or [0])[0] + 1,
            language=token.info.split()[0] if token.info.strip() else "",
            text=token.content,
        )
        for path in pages()
        for token in markdown.parse(path.read_text(encoding="utf-8"))
        if token.type == "fence"
    ]


def commands(block: Block) -> Iterator[Command]:
    """The simple commands of a block of a shell; those within `$(…)` too. Where lines begin with
    `$`, the others are what commands print.
    """
    text = block.text.replace("\\\n", " ")
    lines = text.splitlines()
    if any(line.startswith("$ ") for line in lines):
        lines = _typed(lines)
    yield from _commands(block, "\n".join(lines))


def _typed(lines: list[str]) -> list[str]:
    """What follows `$ `, with the further lines of a quotation; not what was printed."""
    typed: list[str] = []
    begun = False
    for line in lines:
        if line.startswith("$ "):
            typed.append(line[2:])
        elif begun:
            typed[-1] += f"\n{line}"
        else:
            continue
        try:
            shlex.split(typed[-1], comments=True)
            begun = False
        except ValueError:
            begun = True
    return typed


def _commands(block: Block, text: str) -> Iterator[Command]:
    # Outer commands see an inner one as one word.
    text, inner = _without_inner(_without_heredocs(text))
    for one in inner:
        yield from _commands(block, one)
    begun = ""
    for line in text.splitlines():
        begun = f"{begun}\n{line}" if begun else line
        lexer = shlex.shlex(begun, posix=True, punctuation_chars=";&|()")
        lexer.whitespace_split = True
        lexer.commenters = "#"
        try:
            words = list(lexer)
        except ValueError:  # a quotation that goes on in the next line
            continue
        begun = ""
        current: list[str] = []
        for word in [*words, ";"]:
            if word in _ENDS:
                if current := _simple(current):
                    yield Command(block, tuple(current))
                current = []
            else:
                current.append(word)
    assert not begun, f"{block}: a quotation is left open: {begun}"


def _without_inner(text: str) -> tuple[str, list[str]]:
    """A text without what is in `$(…)` and `<(…)`, and that."""
    inner: list[str] = []
    while found := re.search(r"[$<]\(", text):
        depth, end = 1, found.end()
        while depth and end < len(text):
            depth += {"(": 1, ")": -1}.get(text[end], 0)
            end += 1
        inner.append(text[found.end() : end - 1])
        text = f"{text[: found.start()]}_INNER_{text[end:]}"
    return text, inner


def _without_heredocs(text: str) -> str:
    return re.sub(r"<<-?\s*'?(\w+)'?\n.*?^\1$", "", text, flags=re.DOTALL | re.MULTILINE)


def _simple(words: list[str]) -> list[str]:
    """A command without variables before it, redirections and the words of a loop."""
    while words and (_ASSIGNED.match(words[0]) or words[0] in ("export", "sudo", "env", "time")):
        words = words[1:]
    if not words or words[0] in ("for", "done", "fi", "if", "while", "else", "-i"):
        return []
    kept: list[str] = []
    skip = False
    for word in words:
        if skip:
            skip = False
        elif word in (">", ">>", "<", "2>"):
            skip = True
        elif not re.match(r"^\d?[<>]", word):
            kept.append(word)
    return kept


# --- YAML ---


def parsed(text: str) -> list[Any]:
    """The documents of a piece of YAML, as the engine reads them."""
    return [_of_this_project(document) for document in YAML(typ="safe", pure=True).load_all(text)]


def _of_this_project(document: Any) -> Any:
    """A document whose keys begin with the name of a project that a page makes, as one of ours."""
    if not isinstance(document, dict):
        return document
    if isinstance(document.get("config"), dict):
        return {**document, "config": _of_this_project(document["config"])}
    return {
        section if (section := str(key).rpartition(":")[2]) in StackConfig.model_fields
        and str(key) not in PROVIDER_KEYS.values() else key: value
        for key, value in document.items()
    }  # fmt: skip


def kind_of(document: Any) -> str:
    """What a piece of YAML is a piece of."""
    if not isinstance(document, Mapping):
        return "unknown"
    keys = {str(key).removeprefix("jupyterhub-aws:") for key in document}
    pools = config_of(ROOT / "Pulumi.dev.yaml")["jupyterhub-aws:pools"]
    kinds = {
        "stack file": "config" in keys,
        "sections": keys
        <= set(StackConfig.model_fields) | set(PROVIDER_KEYS.values()) | {"aws:region"},
        "hub": keys <= set(Hub.model_fields),
        "object": {"apiVersion", "kind"} <= keys,
        "workflow": "jobs" in keys,
        "project": {"name", "runtime"} <= keys,
        "pools": keys <= set(pools),
        "chart": keys <= set(default_values()),
    }
    return next((kind for kind, it_is in kinds.items() if it_is), "unknown")


def configuration(document: Mapping[str, Any], kind: str, base: str) -> dict[str, Any]:
    """A whole stack file's values, with a piece of one put into the stack file `base`."""
    if kind == "stack file":
        said = {engine_key(str(key)): value for key, value in document["config"].items()}
        if {"jupyterhub-aws:network", "jupyterhub-aws:cluster"} <= set(said) or (
            "jupyterhub-aws:cloud_stack" in said
        ):
            return said
    elif kind == "hub":
        said = {"jupyterhub-aws:hubs": {"main": dict(document)}}
    elif kind == "pools":
        said = {"jupyterhub-aws:pools": dict(document)}
    else:
        said = {engine_key(str(key)): value for key, value in document.items()}
    config: dict[str, Any] = put(config_of(ROOT / base), said)
    _without_what_is_replaced(config, said)
    return config


def put(base: Any, over: Any) -> Any:
    """`over` in the place of `base`: maps are merged, unless their kind is another one."""
    if not isinstance(base, dict) or not isinstance(over, Mapping):
        return over
    for tag in ("kind", "capacity", "mode"):
        if tag in over and base.get(tag, over[tag]) != over[tag]:
            return dict(over)
    return {**base, **{key: put(base.get(key), value) for key, value in over.items()}}


def _without_what_is_replaced(config: dict[str, Any], said: Mapping[str, Any]) -> None:
    """An option that a block's own options exclude: a list of images has no one image beside it."""
    for name, hub in (said.get("jupyterhub-aws:hubs") or {}).items():
        whole = config["jupyterhub-aws:hubs"][name]
        if "image_choices" in hub and "image" not in hub:
            whole.pop("image", None)
        for profile, own in ((hub or {}).get("profiles") or {}).items():
            if "images" in own or "image_choices" in own:
                whole["profiles"][profile].pop("image", None)
