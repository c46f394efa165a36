"""A stack and its running cluster: looked up, tried and refused before anything is asked of it."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass

from jupyterhub_aws.cli.arguments import validated_stack
from jupyterhub_aws.config.errors import ConfigError, Problem, closest
from jupyterhub_aws.config.stack import StackConfig
from jupyterhub_aws.operate.live.account import Account, connect
from jupyterhub_aws.operate.live.cluster import KubectlCluster, cluster_of


@dataclass(frozen=True, kw_only=True)
class Inside:
    """A stack, its name for the engine, and its cluster, which answers. `account` only where the
    stack made the cluster.
    """

    name: str
    stack: StackConfig
    account: Account | None
    cluster: KubectlCluster


@contextlib.contextmanager
def inside(
    command: str, stack: str, *, changes: bool = False, resting: bool = False
) -> Iterator[Inside]:
    """The scene of a stack by name or file. `changes`: something will be changed, so the account
    must be named; `resting`: a paused one will do.

    Raises ConfigError, with nothing changed, for a stack without an inside, another account, a
    paused stack, and a cluster that does not answer.
    """
    found, name = validated_stack(stack)
    refuse_outer(command, found)
    if not resting:
        _said_to_rest(command, found, name)
    account = (
        connect(command, found.region, expected=next(iter(found.accounts), None), changes=changes)
        if found.cluster.kind == "eks"
        else None
    )
    with cluster_of(command, found, account) as cluster:
        try:
            cluster.reached()
        except ConfigError as error:
            if found.paused:
                raise _rests(
                    command, name, f"and its cluster does not answer ({error.problems[0].what})"
                ) from error
            raise
        if not resting:
            _found_to_rest(command, found, name, cluster)
        yield Inside(name=name, stack=found, account=account, cluster=cluster)


def refuse_outer(command: str, stack: StackConfig) -> None:
    """Raise ConfigError for the AWS half of a stack: hubs and nodes are asked inside."""
    if stack.parts == "cloud":
        fix = (
            "name the stack whose file names this one as its cloud_stack, on a machine that reaches"
            " the cluster (the runner)"
        )
        raise ConfigError(
            command,
            [
                Problem(
                    path="parts",
                    what="is cloud: this stack is the half that AWS makes, without an inside",
                    fix=fix,
                )
            ],
        )


def chosen_hubs(command: str, stack: StackConfig, hub: str | None) -> list[str]:
    """The hub of that name, or all of them. Raises ConfigError where there is none."""
    refuse_outer(command, stack)
    there = sorted(stack.hubs_inside)
    if not there:
        raise ConfigError(
            command,
            [
                Problem(
                    path="hubs",
                    what="is empty: there is no hub to ask",
                    fix="add one, then pulumi up",
                )
            ],
        )
    if hub is None:
        return there
    if hub not in there:
        guess = closest(hub, there)
        fix = f"did you mean {guess}?" if guess else f"choose from {', '.join(there)}"
        raise ConfigError(
            command, [Problem(path="hub", what=f"this stack has no hub {hub!r}", fix=fix)]
        )
    return [hub]


def _said_to_rest(command: str, stack: StackConfig, name: str) -> None:
    if stack.paused:
        raise _rests(command, name, "so nobody can work now")


def _found_to_rest(command: str, stack: StackConfig, name: str, cluster: KubectlCluster) -> None:
    """A pause that was killed, or whose file was not committed, leaves an autoscaler at zero: no
    server would find a node.
    """
    from jupyterhub_aws.operate.pause.autoscaler import Autoscaler

    if stack.cluster.kind != "eks" or Autoscaler(cluster).running():
        return
    what = (
        "is half paused: its file does not say so, but its autoscaler stands at zero, so no node"
        " would come"
    )
    raise ConfigError(
        command,
        [
            Problem(
                path=name,
                what=what,
                fix=f"bring it back: jhub resume {name}; or finish: jhub pause {name}",
            )
        ],
    )


def _rests(command: str, name: str, consequence: str) -> ConfigError:
    return ConfigError(
        command,
        [
            Problem(
                path=name,
                what=f"is paused, {consequence}",
                fix=f"bring it back: jhub resume {name}",
            )
        ],
    )
