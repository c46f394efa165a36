"""What a conversion leaves to do, in a terminal of 80 columns: lines to fill in, secrets to set, what is not carried over and why."""

from __future__ import annotations

from ops.adopt.z2jh.convert import Converted


def show(found: Converted, file: str) -> None:
    """Print it."""
    from ops.adopt.lines import Lines
    from ops.console import Terminal

    lines = Lines(Terminal())
    lines.head(file, "written: the cluster is used in place, and secrets were not copied")
    sections = {
        "Yours to fill in": [("!", "yellow", path, note) for path, note in found.to_fill_in],
        "Secrets to set, from where they stand": [
            ("$", "cyan", f"pulumi config set --secret {secret.key} -s {found.stack}", f"the value of {secret.path}") for secret in found.secrets
        ],
        "To know": [("·", "yellow", note, "") for note in found.notes],
        "Not carried over": [("–", "red", item.path, item.why) for item in found.dropped],
        "`jhub plan` says": [("✗", "red", f"{problem.path}: {problem.what}", problem.fix) for problem in found.problems],
    }
    for title, items in sections.items():
        if items:
            lines.title(title)
        for item in items:
            lines.line(*item)
    lines.end(f"Next: fill in, then jhub plan {found.stack}")
