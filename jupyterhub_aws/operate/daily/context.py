"""A stack and its running cluster: looked up, tried and refused before anything is asked of it."""

from __future__ import annotations

import contextlib
import os
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass

import click

from jupyterhub_aws.cli.arguments import chosen_hub, validated_stack
from jupyterhub_aws.config.cluster import ExistingCluster
from jupyterhub_aws.config.errors import ConfigError, refused
from jupyterhub_aws.config.specs.names import HubNames
from jupyterhub_aws.config.stack import StackConfig
from jupyterhub_aws.operate.live.account import Account, account_of
from jupyterhub_aws.operate.live.cluster import KubectlCluster, cluster_of
from jupyterhub_aws.operate.live.steps import STANDARD_ERROR


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
    command: str,
    stack: str,
    *,
    hub: str | None = None,
    changes: bool = False,
    resting: bool = False,
) -> Iterator[Inside]:
    """The context of a stack by name or file. `changes`: something will be changed, so the account
    must be named; `resting`: a paused one will do. A `hub` that is named has to be one of the
    stack's.

    Raises ConfigError, with nothing changed, for a cloud stack, another account, a
    paused stack, and a cluster that does not answer.
    """
    found, name = validated_stack(stack)
    refuse_cloud_stack(command, found)
    if hub is not None:
        chosen_hubs(command, found, hub)
    if not resting:
        _refuse_declared_paused(command, found, name)
    eks = found.cluster.kind == "eks"
    account = account_of(command, found, changes=changes) if eks else None
    with cluster_of(command, found, account) as cluster:
        try:
            cluster.reached()
        except ConfigError as error:
            if found.paused:
                why = f"and its cluster does not answer ({error.problems[0].what})"
                raise _paused_error(command, name, why) from error
            raise
        if not resting:
            _refuse_scaled_to_zero(command, found, name, cluster)
        yield Inside(name=name, stack=found, account=account, cluster=cluster)


@contextlib.contextmanager
def release_inside(
    command: str, stack: str, hub: str, *, changes: bool = False, resting: bool = False
) -> Iterator[tuple[Inside, Tools, HubNames]]:
    """As `inside`, with the tools for the cluster and the names of one hub's release."""
    with inside(command, stack, hub=hub, changes=changes, resting=resting) as ctx:
        (name,) = chosen_hubs(command, ctx.stack, hub)
        yield ctx, tools_of(ctx.cluster), HubNames(stack=ctx.stack.name, hub=name)


def release_shown(command: str, stack: str, hub: str) -> tuple[Tools, HubNames]:
    """What `--show` makes its lines of: neither AWS nor the cluster is asked."""
    found, _ = validated_stack(stack)
    (name,) = chosen_hubs(command, found, hub)
    return tools_shown(command, found), HubNames(stack=found.name, hub=name)


def refuse_cloud_stack(command: str, stack: StackConfig) -> None:
    """Raise ConfigError for a cloud stack: hubs and nodes are reached by its cluster stack."""
    if stack.parts == "cloud":
        fix = (
            "name the stack whose file names this one as its cloud_stack, on a machine that reaches"
            " the cluster (the runner)"
        )
        what = "is cloud: this stack makes AWS resources only, no hubs"
        raise refused(command, "split.outer-has-no-hubs", "parts", what, fix)


def chosen_hubs(command: str, stack: StackConfig, hub: str | None) -> list[str]:
    """The hub of that name, or all of them. Raises ConfigError where there is none."""
    refuse_cloud_stack(command, stack)
    there = sorted(stack.hubs_inside)
    if hub is None and there:
        return there
    return [chosen_hub(command, stack.name, there, hub, none="add one, then pulumi up")]


def _refuse_declared_paused(command: str, stack: StackConfig, name: str) -> None:
    if stack.paused:
        raise _paused_error(command, name, "so no user can work now")


def _refuse_scaled_to_zero(
    command: str, stack: StackConfig, name: str, cluster: KubectlCluster
) -> None:
    """A pause that was killed, or whose file was not committed, leaves an autoscaler at zero: no
    server would find a node.
    """
    from jupyterhub_aws.operate.pause.compute import Autoscaler

    if stack.cluster.kind != "eks" or Autoscaler(cluster).running():
        return
    what = (
        "is half paused: its file does not say so, but its autoscaler is scaled to zero, so no node"
        " would come"
    )
    fix = f"bring it back: jhub resume {name}; or finish: jhub pause {name}"
    raise refused(command, "stack.half-paused", name, what, fix)


def _paused_error(command: str, name: str, consequence: str) -> ConfigError:
    fix = f"bring it back: jhub resume {name}"
    return refused(command, "stack.paused", name, f"is paused, {consequence}", fix)


# --- kubectl and helm, called with the stack's context, and every call shown as the operator would
# type it.


_WHERE = {
    "helm": "https://helm.sh/docs/intro/install/",
    "kubectl": "https://kubernetes.io/docs/tasks/tools/",
}


@dataclass(frozen=True, kw_only=True)
class Tools:
    """The two programs for one cluster. `context` is the kubeconfig's; empty: the current one."""

    command: str
    context: str
    environment: dict[str, str]

    def kubectl(self, *arguments: str) -> list[str]:
        """A line of kubectl."""
        return ["kubectl", *(["--context", self.context] if self.context else []), *arguments]

    def helm(self, *arguments: str) -> list[str]:
        """A line of helm."""
        return ["helm", *arguments, *(["--kube-context", self.context] if self.context else [])]

    def run(self, line: list[str]) -> int:
        """Show a line and run it in this terminal; its exit code as ours: 0, or 2 where it
        failed and has said why.
        """
        return 0 if self._shown(line, out=None) == 0 else 2

    def run_aside(self, line: list[str]) -> None:
        """The same where standard output belongs to data: it prints on standard error. Raises
        ConfigError where it failed.
        """
        if code := self._shown(line, out=STANDARD_ERROR):
            what = f"ended with {code}, and said why on standard error"
            fix = f"fix that; to try it yourself: {shlex.join(line)}"
            raise refused(self.command, "tool.failed", line[0], what, fix)

    def _shown(self, line: list[str], *, out: int | None) -> int:
        self._there(line[0])
        print(f"  $ {shlex.join(line)}", file=sys.stderr, flush=True)
        done = subprocess.run(line, env=self.environment, stdout=out, check=False)  # noqa: S603 -- one of two programs, with names of ours
        return done.returncode

    def read(self, line: list[str]) -> str:
        """What a line prints. Raises ConfigError with what it said instead."""
        self._there(line[0])
        done = subprocess.run(  # noqa: S603
            line, env=self.environment, capture_output=True, text=True, timeout=120, check=False
        )
        if done.returncode != 0:
            said = [text.strip() for text in done.stderr.splitlines() if text.strip()]
            fix = f"try it yourself: {shlex.join(line)}"
            what = (said[-1] if said else "gave no reason")[:300]
            raise refused(self.command, "tool.failed", line[0], what, fix)
        return done.stdout

    def _there(self, program: str) -> None:
        if shutil.which(program, path=self.environment.get("PATH")) is None:
            fix = f"install it: {_WHERE[program]}"
            raise refused(self.command, "tool.missing", program, "is not on PATH", fix)


def tools_of(cluster: KubectlCluster) -> Tools:
    """The tools for a cluster that answers."""
    return Tools(command=cluster.command, context=cluster.context, environment=cluster.environment)


def tools_shown(command: str, stack: StackConfig) -> Tools:
    """The tools for showing lines only: no cluster and no account is asked. The context is the
    one that `jhub kubeconfig` writes.
    """
    context = (
        (stack.cluster.context or "") if isinstance(stack.cluster, ExistingCluster) else stack.name
    )
    return Tools(command=command, context=context, environment=dict(os.environ))


def show_lines(*lines: list[str]) -> int:
    """Print lines on standard output, to be copied. Returns the exit code 0."""
    for line in lines:
        print(shlex.join(line), flush=True)
    return 0


# --- A question that daily commands share.


def agreed(
    command: str, question: str, *, yes: bool, look: str = "look at what --show prints"
) -> None:
    """Ask, unless --yes was given. Raises ConfigError where there is no terminal to ask on,
    click's Abort for a no.
    """
    if yes:
        return
    if not sys.stdin.isatty():
        what = "is needed where there is no terminal to ask on"
        raise refused(command, "command.needs-yes", "--yes", what, f"{look}, then add --yes")
    click.confirm(question, abort=True, err=True)
