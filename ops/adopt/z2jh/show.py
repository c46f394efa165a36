"""What a conversion leaves to do, in a terminal of 80 columns: lines to fill in, secrets to set, what is not carried over and why."""

from __future__ import annotations

from ops.adopt.z2jh.convert import Converted


def show(found: Converted, file: str) -> None:
    """Print it."""
    from rich.console import Console

    from ops.adopt.lines import Lines

    lines = Lines(Console(highlight=False, emoji=False))
    lines.head(file, "written: the cluster is used in place, and secrets were not copied")
    if found.to_fill_in:
        lines.title("Yours to fill in")
        for path, note in found.to_fill_in:
            lines.line("!", "yellow", path, note)
    if found.secrets:
        lines.title("Secrets to set, from where they stand")
        for secret in found.secrets:
            lines.line("$", "cyan", f"pulumi config set --secret {secret.key} -s {found.stack}", f"the value of {secret.path}")
    if found.notes:
        lines.title("To know")
        for note in found.notes:
            lines.line("·", "yellow", note)
    if found.dropped:
        lines.title("Not carried over")
        for item in found.dropped:
            lines.line("–", "red", item.path, item.why)
    if found.problems:
        lines.title("`jhub plan` says")
        for problem in found.problems:
            lines.line("✗", "red", f"{problem.path}: {problem.what}", problem.fix)
    lines.end(f"Next: fill in, then jhub plan {found.stack}")
