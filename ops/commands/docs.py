"""`jhub docs`: write the reference pages from the models."""

from __future__ import annotations

from ops.commands.generated import writer


def _render() -> str:
    from config.reference import reference_page

    return reference_page()


command = writer("docs", "docs/reference.md", _render, "Write docs/reference.md from the models.")
