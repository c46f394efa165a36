"""docs/exit-codes.md and docs/data-formats.md: what each command's exit codes mean, and what its
`--json` prints, made by the commands themselves.

Write them: python -m tests.support.command_pages.
"""

from __future__ import annotations

import importlib
import json
from collections.abc import Iterator
from typing import Any

import click

from jupyterhub_aws.cli.about import DescribedCommand
from jupyterhub_aws.cli.group import EXIT_CODES, jhub
from tests.support.in_process import in_process
from tests.support.stack_files import ROOT

EXITS, FORMATS = ROOT / "docs" / "exit-codes.md", ROOT / "docs" / "data-formats.md"
_GENERATED = "<!-- Written by: python -m tests.support.command_pages -->"
_DAY = "2026-11-23"
#: What makes an example, without an account.
EXAMPLES = {
    "init": "init lab --list --json",
    "plan": f"plan dev --json --as-of {_DAY}",
    "explain": "explain spot-price --json",
    "can": "can dev main s3:GetObject lectures/week1.csv --json",
    "versions show": f"versions dev --json --as-of {_DAY}",
    "upgrade plan": f"upgrade plan dev --to 1.36 --json --as-of {_DAY}",
    "destroy plan": "destroy plan dev --json",
    "sites": "sites dev --json",
    "bundle list": "bundle list airgap-hub --json",
}
#: What needs a stack that runs: where the name of its format is decided.
LIVE = {
    "health": "operate.health.report",
    "who": "operate.daily.who",
    "nodes": "operate.daily.nodes",
    "doctor": "operate.daily.doctor",
    "announce": "operate.daily.announce",
    "destroy hub": "operate.teardown.hub",
    "orphans": "operate.teardown.orphans",
}
#: What needs other files, or a stack that runs, and has no name for its format.
UNNAMED = {
    "diff": "the difference of two plans, as `jhub plan --against REF --json` prints it",
    "gate": "the difference, and under `gate` the verdict",
    "backup list": "backups and resources that hold data, by what they are of",
    "homes map": "the old and new directory of each user, and collisions",
    "adopt scan": "what was found in the account, and what is left to fill in",
    "adopt config": "what became of every value, by its path",
}
_LONGEST = 70


def leaves(
    command: click.Command = jhub, words: tuple[str, ...] = ()
) -> Iterator[tuple[str, DescribedCommand]]:
    """Every command that does something, by its words."""
    if isinstance(command, click.Group):
        ctx = click.Context(command)
        for name in command.list_commands(ctx):
            found = command.get_command(ctx, name)
            if found is not None:
                yield from leaves(found, (*words, name))
    elif isinstance(command, DescribedCommand):
        yield " ".join(words), command


def exit_codes() -> str:
    """The text of docs/exit-codes.md."""
    lines = [
        f"# Exit codes\n\n{_GENERATED}\n",
        "Each command ends with one of these. Scripts and workflows can rely on them.\n",
        "| code | what it means |\n|---|---|",
        *(f"| {code} | {says} |" for code, says in EXIT_CODES.items()),
        "",
        "A reader that leaves early (`jhub plan dev | head`) does not change the exit code. With 2",
        "and 130 nothing is half-written: a file is written whole, or stays as it was. A command",
        "that changes a running stack in steps says which are done, and goes on when it is run",
        "again. What each code means for a command, as its `--help` says too:\n",
        "| command | 0 | 1 | 2 |\n|---|---|---|---|",
    ]
    for name, command in leaves():
        cells = (command.exits.get(code, "") for code in (0, 1, 2))
        lines.append(f"| `jhub {name}` | {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


def with_json() -> list[str]:
    """The commands that have `--json`."""
    return [
        name
        for name, command in leaves()
        if any("--json" in param.opts for param in command.params)
    ]


def data_formats() -> str:
    """The text of docs/data-formats.md."""
    lines = [
        f"# Data formats\n\n{_GENERATED}\n",
        "What `--json` prints: UTF-8, on standard output, and nothing else there. Where `format` is",
        "a field it names kind and version (`jupyterhub-aws/who/1`): fields are added within a",
        "version, and renamed or removed only with the next one. Problems and findings have the",
        "fields `id`, `path`, `what` (or `message`) and `fix`; [Problems](problems.md) and",
        "[Findings](findings.md) list the ids. The examples are made by the commands, and cut: of a",
        "list the first entry, of a long text its beginning. Exit codes are the same as without",
        "`--json`: [Exit codes](exit-codes.md).\n",
    ]
    for name in with_json():
        lines.append(f"## jhub {name}\n")
        if name in EXAMPLES:
            done = in_process(EXAMPLES[name].split(), ROOT)
            shown = json.dumps(_cut(json.loads(done.stdout)), indent=2, ensure_ascii=False)
            lines.append(f"`jhub {EXAMPLES[name]}`\n\n```json\n{shown}\n```\n")
        elif name in LIVE:
            module = importlib.import_module(f"jupyterhub_aws.{LIVE[name]}")
            lines.append(f"Format `{module.FORMAT}`. Asks a stack that exists.\n")
        else:
            lines.append(f"{UNNAMED[name][:1].upper()}{UNNAMED[name][1:]}.\n")
    return "\n".join(lines)


def _cut(value: Any, depth: int = 0) -> Any:
    """The beginning of data: enough to see its shape."""
    if isinstance(value, dict):
        most = 40 if depth == 0 else 12
        kept = list(value.items())[:most]
        return {key: _cut(item, depth + 1) if depth < 4 else "…" for key, item in kept}
    if isinstance(value, list):
        return [_cut(item, depth + 1) for item in value[:1]]
    if isinstance(value, str) and len(value) > _LONGEST:
        return value[:_LONGEST] + "…"
    return value


def write() -> None:
    """Write both pages."""
    EXITS.write_text(exit_codes(), encoding="utf-8")
    FORMATS.write_text(data_formats(), encoding="utf-8")


if __name__ == "__main__":
    write()
    print(f"wrote {EXITS.relative_to(ROOT)}, {FORMATS.relative_to(ROOT)}")
