"""What a conversion leaves to do, in a terminal of 80 columns: lines to fill in, secrets to set,
what is not carried over and why.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from jupyterhub_aws.adopt.z2jh.convert import Converted
from jupyterhub_aws.adopt.z2jh.taken import LedgerStatus
from jupyterhub_aws.config.errors import dotted

FORMAT = "jupyterhub-aws/conversion/1"
_SAYS_NOTHING = ("says nothing", "is the chart's own default")
_MOST = 6


def show(found: Converted, file: str) -> None:
    """Print it: first of all what kept users out of something and does not any more."""
    from jupyterhub_aws.adopt.show import Lines
    from jupyterhub_aws.cli.console import Terminal

    lines = Lines(Terminal())
    lines.head(file, "written: the cluster is used in place, and secrets were not copied")
    rest = [item for item in found.dropped if not item.access]
    sections = {
        "Access: rules of who may what that the new hub does not have": [
            ("‼", "bold red", _from(found, item.path), item.why) for item in found.access
        ],
        "Yours to fill in": [("!", "yellow", path, note) for path, note in found.to_fill_in],
        "Secrets to set, and where the old values have them": [
            (
                "$",
                "cyan",
                _set(found, secret.key),
                f"the value of {_from(found, secret.path)}",
            )
            for secret in found.secrets
        ],
        "To know": [("·", "yellow", note, "") for note in found.notes],
        "Not carried over": (
            [("–", "red", _from(found, item.path), item.why) for item in rest]
            + [("–", "red", dotted(path), why) for path, why in found.beside]
        ),
        "Settled: the stack decides it": [
            ("–", "dim", ", ".join(paths), why) for why, paths in _settled(found)
        ],
        "`jhub plan` says": [
            ("✗", "red", f"{problem.path}: {problem.what}", problem.fix)
            for problem in found.problems
        ],
    }
    for title, items in sections.items():
        if items:
            lines.title(title)
        for item in items:
            lines.line(*item)
    lines.end(f"Next: fill in, then jhub plan {found.stack}")


def _from(found: Converted, path: str) -> str:
    """A path with the file that it is from, where several were given."""
    names = {
        name
        for end, name in found.sources.items()
        if dotted(end) == path or dotted(end).startswith((f"{path}.", f"{path}["))
    }
    return f"{path} ({', '.join(sorted(names))})" if names else path


def _settled(found: Converted) -> Iterator[tuple[str, list[str]]]:
    """By reason, those paths that the stack decides by itself; of what says nothing, or is the
    chart's own default, no word.
    """
    by_reason: dict[str, list[str]] = {}
    for path, entry in found.ledger.items():
        if entry.status is LedgerStatus.SETTLED and entry.why not in _SAYS_NOTHING:
            by_reason.setdefault(entry.why, []).append(dotted(path))
    for why, paths in by_reason.items():
        more = [f"and {len(paths) - _MOST} more"] if len(paths) > _MOST else []
        yield why, paths[:_MOST] + more


def as_json(found: Converted, file: str) -> dict[str, Any]:
    """Everything by its path: what became of it, and why. No value."""
    return {
        "format": FORMAT,
        "stack": found.stack,
        "file": file,
        "finished": found.finished,
        "lost_access_rules": [{"path": item.path, "why": item.why} for item in found.access],
        "to_fill_in": [{"path": path, "what": note} for path, note in found.to_fill_in],
        "secrets": [
            {"key": secret.key, "path": secret.path, "run": _set(found, secret.key)}
            for secret in found.secrets
        ],
        "values": [
            {
                "path": dotted(path),
                "status": entry.status.value,
                "why": entry.why,
                "file": found.sources.get(path),
            }
            for path, entry in sorted(found.ledger.items(), key=lambda item: dotted(item[0]))
        ],
        "other_charts": [{"path": dotted(path), "why": why} for path, why in found.beside],
        "notes": found.notes,
        "problems": [problem.as_json() for problem in found.problems],
    }


def _set(found: Converted, key: str) -> str:
    """The command that sets a secret; it asks for the value."""
    return f"pulumi config set --secret {key} -s {found.stack}"
