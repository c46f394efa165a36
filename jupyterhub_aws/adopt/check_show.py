"""The verdict on a preview, in a terminal of 80 columns."""

from __future__ import annotations

from jupyterhub_aws.adopt.check import PreviewVerdict

_MOST = 6


def show(found: PreviewVerdict, stack: str) -> None:
    """Print it: what is wrong first; success only where it is one."""
    from jupyterhub_aws.adopt.lines import Lines
    from jupyterhub_aws.cli.console import Terminal

    lines = Lines(Terminal())
    lines.head(stack, _SAID[found.stage])
    for fault in found.faults:
        lines.line("✗", "red", f"{fault.subject} {fault.what}", fault.fix)
    for title, subjects, mark in (
        ("imported, protected", found.imported, "✓"),
        ("in the state already", found.there, "✓"),
        ("made", found.created, "+"),
        ("changed in place", found.updated, "~"),
        ("made, imported or changed that your program added", found.added, "~"),
    ):
        if subjects:
            names = ", ".join(subject.partition("::")[2] for subject in subjects[:_MOST])
            more = f" and {len(subjects) - _MOST} more" if len(subjects) > _MOST else ""
            lines.line(
                mark,
                "green" if mark == "✓" else "yellow",
                f"{len(subjects)} {title}: {names}{more}",
            )
    lines.end(_NEXT[found.stage].format(stack=stack))


_SAID = {
    "adopts": "would be adopted: nothing is replaced, nothing is deleted",
    "done": "is adopted: a preview has no change at all",
    "nothing": "has nothing to adopt, and nothing is replaced or deleted",
    "more": "is adopted, and the preview still changes something",
    "wrong": "would NOT be adopted as it is",
}
_NEXT = {
    "adopts": "Next: pulumi up -s {stack}, then jhub adopt check {stack} again",
    "done": "Next: the entries of imports may go; data, keys and the cluster stay protected",
    "nothing": "Next: pulumi up -s {stack}",
    "more": "Next: pulumi up -s {stack}, then jhub adopt check {stack} again",
    "wrong": "Do not run pulumi up. Change what is said above, then jhub adopt check {stack} again",
}
