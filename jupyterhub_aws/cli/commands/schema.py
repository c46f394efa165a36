"""`jhub schema`: write the JSON schema by which editors complete and check stack files."""

from __future__ import annotations

from jupyterhub_aws.cli.commands.generated import writer


def _render() -> str:
    from jupyterhub_aws.config.schema import render_schema

    return render_schema()


command = writer(
    "schema", "config/stack.schema.json", _render, "Write config/stack.schema.json from the models."
)
