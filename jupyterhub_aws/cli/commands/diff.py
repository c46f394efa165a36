"""`jhub diff A B`: what changes between two plans, or what an engine's preview would do, in
plain words.
"""

from __future__ import annotations

import click


@click.command("diff")
@click.argument("old")
@click.argument("new", required=False)
@click.option(
    "--preview",
    metavar="FILE",
    help="What `pulumi preview --json` printed for the new side: where it has spoken, it is right.",
)
@click.option(
    "--json",
    "json_file",
    is_flag=False,
    flag_value="-",
    metavar="[FILE]",
    help="The difference as data.",
)
@click.option("--html", "html_file", metavar="FILE", help="As one page for a browser.")
@click.option(
    "--markdown",
    "markdown_file",
    is_flag=False,
    flag_value="-",
    metavar="[FILE]",
    help="As one comment for a pull request.",
)
def command(old: str, new: str | None, preview: str | None, **files: str | None) -> int:
    """Compare OLD with NEW: plans (`jhub plan STACK --json FILE`), or what `pulumi preview --json`
    printed.

    One preview alone is compared with the state that it saw. Needs no credentials. Exit code 0, or
    2 for a file that is neither.
    """
    from jupyterhub_aws.changes.difference import difference, of_preview
    from jupyterhub_aws.changes.side import read_side
    from jupyterhub_aws.diff.show import engine_spoken, show

    first = read_side(old)
    second = None if new is None else read_side(new)
    if preview is not None:
        second = engine_spoken(second or first, read_side(preview))
    found = of_preview(first) if second is None else difference(first, second)
    show(found, None, {key.removesuffix("_file"): target for key, target in files.items()})
    return 0
