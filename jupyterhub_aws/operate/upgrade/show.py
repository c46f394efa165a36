"""The steps of an upgrade in a terminal of 80 columns, and as data."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from jupyterhub_aws.operate.upgrade.steps import Upgrade, UpgradeStep

if TYPE_CHECKING:
    from rich.console import Console


FORMAT = "jupyterhub-aws/upgrade/1"
_QUIET = "routine"


def as_data(upgrade: Upgrade, steps: Sequence[UpgradeStep], apis: Sequence[str]) -> str:
    """The steps as JSON text with a newline at its end."""
    data = {
        "format": FORMAT, "stack": upgrade.name, "from": upgrade.stack.cluster.version, "to": upgrade.target,
        "steps": [step.as_json() for step in steps], "apis": list(apis),
    }  # fmt: skip
    return json.dumps(data, indent=2) + "\n"


def render(upgrade: Upgrade, steps: Sequence[UpgradeStep], apis: Sequence[str]) -> None:
    """Print them."""
    from rich.text import Text

    from jupyterhub_aws.cli.console import Terminal

    console = Terminal()
    console.print(
        Text(
            f"{upgrade.name}: Kubernetes {upgrade.stack.cluster.version} → {upgrade.target}, in"
            f" {len(steps)} steps",
            "bold",
        )
    )
    for number, step in enumerate(steps, 1):
        console.print()
        console.print(Text(f"{number}  {step.title}", "bold"))
        _step(console, step)
    console.print()
    console.print(Text("APIs that this program itself uses", "bold"))
    console.print(Text("; ".join(apis) or "none"))
    console.print(
        Text(
            "Nothing of this was run on AWS by this project: what a step does is read from the"
            " plan, and how long it takes is estimated.",
            "dim",
        )
    )


def _step(console: Console, step: UpgradeStep) -> None:
    for key, value in step.change.items():
        _line(
            console, "write", f"{key}: {_yaml(value)}" if value is not None else f"take {key} out"
        )
    for command in step.commands:
        _copied(console, command)
    if step.measured is not None:
        loud = [effect for effect in step.measured.effects if effect.class_ != _QUIET]
        for text in dict.fromkeys(
            f"{effect.about}: {effect.says}" if effect.about else effect.says for effect in loud
        ):
            _line(console, "does", text)
        if not loud:
            _line(console, "does", "no effect on users")
        quiet = list(
            dict.fromkeys(
                effect.says
                for effect in step.measured.effects
                if effect.class_ == _QUIET and effect.topic == "people"
            )
        )
        for text in quiet:
            _line(console, "also", text)
        if len(step.order) > 1:
            _line(console, "order", " → ".join(step.order))
    _line(console, "takes", step.takes)
    _line(console, "back", step.back)
    for note in step.notes:
        _line(console, "note", note)


def _copied(console: Console, command: str) -> None:
    """A command as one line, however long: what a terminal folds by itself is copied whole."""
    from rich.text import Text

    console.print(Text(f"   run {command}"), soft_wrap=True)


def _line(console: Console, label: str, text: str) -> None:
    from rich.table import Table
    from rich.text import Text

    table = Table.grid(padding=(0, 1))
    table.add_column(width=6, style="dim")
    table.add_column(overflow="fold")
    table.add_row(f"   {label}"[-6:].rjust(6), Text(text))
    console.print(table)


def _yaml(value: Any) -> str:
    return json.dumps(value) if isinstance(value, str) else json.dumps(value).replace('"', "")
