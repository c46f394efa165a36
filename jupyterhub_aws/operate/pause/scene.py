"""What a pause or a resume works on: looked up, tried and refused before anything is changed."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

from jupyterhub_aws.cli.arguments import stack_file, validated_stack
from jupyterhub_aws.config.stack_file import find, read
from jupyterhub_aws.operate.live.account import connect
from jupyterhub_aws.operate.live.cluster import cluster_of
from jupyterhub_aws.operate.pause.machines import TaggedInstances
from jupyterhub_aws.operate.pause.pause import PauseContext
from jupyterhub_aws.operate.pause.remembered import KEY


@contextlib.contextmanager
def scene_of(command: str, stack: str, *, inside: bool) -> Iterator[PauseContext]:
    """The scene of a stack. `inside`: also its cluster, which then has to answer. Raises
    ConfigError with nothing changed.
    """
    file = stack_file(stack)
    found, _ = validated_stack(stack)
    if (
        found.cloud_stack is not None
    ):  # the inner half's configuration is the outer one's, its file too
        file = read(find(found.cloud_stack, file.path.parent))
    in_aws = found.cluster.kind == "eks" or found.pause.instances is not None
    account = (
        connect(command, found.region, expected=next(iter(found.accounts), None), changes=True)
        if in_aws
        else None
    )
    with contextlib.ExitStack() as held:
        cluster = None
        # An API whose machines stand still does not answer; whoever worked there was told before
        # they were stopped.
        rests = (
            account is not None
            and found.pause.instances is not None
            and not TaggedInstances(
                command, account, found.pause.instances, "control_plane"
            ).running()
        )
        if inside and found.parts != "cloud" and not rests:
            cluster = held.enter_context(cluster_of(command, found, account))
            cluster.reached()
        yield PauseContext(stack=found, file=file, account=account, cluster=cluster)


def needs_up(scene: PauseContext) -> bool:
    """Whether something has to be built again before nodes can start."""
    return bool(scene.stack.pause.drop) and KEY in scene.file.values
