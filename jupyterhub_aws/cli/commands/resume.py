"""`jhub resume STACK`: everything that `jhub pause` stopped, as the stack file says it."""

from __future__ import annotations

import click


@click.command("resume")
@click.argument("stack")
@click.option(
    "--no-up",
    is_flag=True,
    help=(
        "Do not run `pulumi up`: for a stack that drops nothing while paused, or after an `up` of"
        " your own."
    ),
)
@click.option("--yes", is_flag=True, help="Let `pulumi up` go on without asking.")
def command(stack: str, no_up: bool, yes: bool) -> int:
    """Bring STACK back exactly as its file says: databases, network, nodes, autoscaler, hubs.
    Run it again after anything that went wrong.
    """
    from jupyterhub_aws.operate.live import steps
    from jupyterhub_aws.operate.live.cluster import cluster_of
    from jupyterhub_aws.operate.live.hub_api import hub_apis
    from jupyterhub_aws.operate.live.steps import run
    from jupyterhub_aws.operate.pause.pause import needs_up, scene_of
    from jupyterhub_aws.operate.pause.resume import (
        COMMAND,
        answers,
        before_up,
        inside,
        nodes,
        opened,
    )

    with scene_of(COMMAND, stack, inside=False) as scene:
        run(COMMAND, before_up(scene))
        if scene.stack.pause.instances is not None:
            with cluster_of(COMMAND, scene.stack, scene.account) as cluster:
                run(COMMAND, answers(scene, cluster))
        if no_up or not steps.there():
            if needs_up(scene):
                click.echo(
                    f"What was dropped comes back by: pulumi up -s {scene.file.stack}; then run"
                    " this again with --no-up"
                )
                return 0
        else:
            steps.up(COMMAND, scene.file, yes=yes)
        run(COMMAND, nodes(scene))
        if scene.stack.parts == "cloud":
            click.echo(
                "The AWS half is back. Now, inside: jhub resume the stack that names this one as"
                " its cloud_stack"
            )
            return 0
        with cluster_of(COMMAND, scene.stack, scene.account) as cluster:
            run(COMMAND, inside(scene, cluster))
            with hub_apis(scene.stack, cluster) as hubs:
                run(COMMAND, opened(hubs))
    click.echo(
        f"{scene.file.stack} is back. Commit {scene.file.source}. Whether people can work: jhub"
        f" health {scene.file.stack}"
    )
    return 0
