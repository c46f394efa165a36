"""`jhub pause STACK`: tell people, stop their servers, then everything that costs money and
nobody misses.
"""

from __future__ import annotations

import contextlib

import click

from jupyterhub_aws.operate.pause.pause import UserNotice


@click.command("pause")
@click.argument("stack")
@click.option(
    "--notice",
    type=UserNotice(),
    default="15m",
    show_default=True,
    help="How long people have, from 0m to 12h. Shorter if nobody works.",
)
@click.option(
    "--now",
    is_flag=True,
    help=(
        "Neither tell people nor ask the cluster: for a hub that does not answer. Servers end with"
        " their nodes."
    ),
)
@click.option(
    "--no-up",
    is_flag=True,
    help="Do not run `pulumi up` at the end: somebody merges the changed stack file.",
)
@click.option("--yes", is_flag=True, help="Let `pulumi up` go on without asking.")
def command(stack: str, notice: int, now: bool, no_up: bool, yes: bool) -> int:
    """Put STACK to rest: no servers, no nodes, no autoscaler; homes, databases, secrets and
    addresses stay, and sizes stay in its file.

    Run it again after anything that went wrong: it goes on where it stopped. `jhub resume` brings
    everything back.
    """
    from jupyterhub_aws.operate.live import steps
    from jupyterhub_aws.operate.live.hub_api import hub_apis
    from jupyterhub_aws.operate.live.steps import run
    from jupyterhub_aws.operate.pause.pause import (
        COMMAND,
        hubs_to_tell,
        nobody_is_there,
        pause_steps,
        people_steps,
        remember_step,
        scene_of,
    )

    with scene_of(COMMAND, stack, inside=not now) as scene, contextlib.ExitStack() as open_now:
        if not now:
            nobody_is_there(scene)
        hubs = (
            []
            if scene.cluster is None
            else open_now.enter_context(hub_apis(scene.stack, scene.cluster, hubs_to_tell(scene)))
        )
        remembered = remember_step(scene)
        run(
            COMMAND,
            [
                *people_steps(scene, hubs, notice),
                *pause_steps(scene),
                *([] if remembered is None else [remembered]),
            ],
        )
        outer = scene.stack.cloud_stack
        if outer is not None:
            click.echo(
                f"The inside rests. Now, from where you run the AWS half: jhub pause {outer}"
            )
            return 0
        if not scene.own_nodes:
            click.echo(
                f"{scene.file.stack} rests. Commit {scene.file.source}."
                f" {_MACHINES_REST if scene.stack.pause.instances else _SERVERS_REST}"
            )
            return 0
        if no_up or not steps.there():
            click.echo(
                f"{scene.file.stack} rests. Commit {scene.file.source}; the next `pulumi up` makes"
                " it the stack's state."
            )
            return 0
        steps.up(COMMAND, scene.file, yes=yes)
    click.echo(
        f"{scene.file.stack} rests. Commit {scene.file.source}. To bring it back: jhub resume"
        f" {scene.file.stack}"
    )
    return 0


_MACHINES_REST = (
    "Until its machines run again the cluster's API does not answer, and nothing in it can be"
    " changed."
)
_SERVERS_REST = (
    "Its machines are not this stack's: name them under pause.instances to stop them too."
)
