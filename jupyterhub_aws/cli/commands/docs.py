"""`jhub docs`: write the reference pages from the models."""

from __future__ import annotations

from jupyterhub_aws.cli.commands.generated import writer


def _render() -> str:
    from jupyterhub_aws.config.reference import reference_page

    return reference_page()


command = writer("docs", "docs/reference.md", _render, "Write docs/reference.md from the models.")
