"""docs/exit-codes.md and docs/data-formats.md: what each command's exit codes mean, and what its
`--json` prints, made by the commands themselves.

Write them: python -m tests.support.command_pages.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import click

from jupyterhub_aws.cli.about import DescribedCommand
from jupyterhub_aws.cli.group import EXIT_CODES, jhub
from tests.support.data_examples import recorded_example
from tests.support.data_keys import keys
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
    "certificate inspect": (
        f"certificate inspect examples/kubeadm/Pulumi.kubeadm.yaml --json --as-of {_DAY}"
    ),
    "can": "can dev main s3:GetObject lectures/week1.csv --json",
    "versions show": f"versions dev --json --as-of {_DAY}",
    "diff": "diff tests/fixtures/previews/replace.json --json",
    "gate": "gate tests/fixtures/previews/replace.json --json",
    "upgrade plan": f"upgrade plan dev --to 1.36 --json --as-of {_DAY}",
    "migrate": "migrate tests/migrate/format-1/Pulumi.dev.yaml --json",
    "destroy plan": "destroy plan dev --json",
    "adopt check": "adopt check dev --preview tests/fixtures/previews/create.json --json",
    "homes map": "homes map dev --users tests/fixtures/data_formats/users.txt --json",
    "sites": "sites dev --json",
    "bundle list": "bundle list airgap-hub --json",
}
#: What has no answer.
PROBLEMS = "plan prod --json"
#: What needs a stack that runs, a directory or a bundle, or writes files: tests with stand-ins look
#: at the data.
LIVE = (
    "probe ldap",
    "health",
    "who",
    "nodes",
    "doctor",
    "history",
    "announce",
    "pause",
    "resume",
    "drain",
    "backup list",
    "backup now",
    "restore plan",
    "restore run",
    "restore drill",
    "restart",
    "rollback",
    "destroy hub",
    "orphans",
    "bundle verify",
    "adopt scan",
    "adopt config",
)
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
    lines = [_ABOUT, "## When there is no answer\n", _NO_ANSWER, *_table("problems")]
    lines += _example(PROBLEMS)
    for name in with_json():
        lines.append(f"## jhub {name}\n")
        lines += _table(name)
        if name in EXAMPLES:
            lines += _example(EXAMPLES[name])
        elif (data := recorded_example(name)) is not None:
            lines += ["Of a test's stack:\n", _shown(data)]
        else:
            lines.append("Asks what a stack runs on.\n")
    return "\n".join(lines)


_ABOUT = f"""# Data formats

{_GENERATED}

What `--json` prints: UTF-8, on standard output, and nothing else there; what commands say
meanwhile is on standard error. Exit codes are the same as without `--json`:
[Exit codes](exit-codes.md). Secrets are in no data.

**What stays.** `format` names kind and version (`jupyterhub-aws/who/1`). A minor version of the
library adds keys and values, so let a script ignore those that it does not know. A key is removed,
renamed or gets another type only with the next number of its format, and the
[changelog](../CHANGELOG.md) says so. Texts to read (`what`, `fix`, `message`, `says`)
change at any time: decide by `id`, `status`, or the exit code. The order of keys has no meaning.

**Tables.** `a[].b` is of each entry of the list `a`. Keys that are marked "not always" are
left out at times, all others are there, `null` where nothing is known. Times are in UTC, money is
in USD, sizes are in bytes, unless a table says otherwise.

**Examples** are made by the commands, and cut: of a list the first entry, of a long text its
beginning.
"""


_NO_ANSWER = """With wrong input, or where something does not answer, the exit code is 2. Then
`--json` prints the problems instead of the answer, and standard error has them as text.
[Problems](problems.md) lists the ids, `jhub explain ID` says more. An exception of your own
program is on standard error only. Where `--json FILE` names a file there is no data on standard
output.
"""


def _example(line: str) -> list[str]:
    done = in_process(line.split(), ROOT)
    return [f"`jhub {line}`\n", _shown(json.loads(done.stdout))]


def _shown(data: Any) -> str:
    return f"```json\n{json.dumps(_cut(data), indent=2, ensure_ascii=False)}\n```\n"


def _table(name: str) -> list[str]:
    return [
        "| key | type | meaning |\n|---|---|---|",
        *(
            f"| `{key.path}` | {key.type}{', not always' if key.optional else ''} | {key.means} |"
            for key in keys(name)
        ),
        "",
    ]


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
