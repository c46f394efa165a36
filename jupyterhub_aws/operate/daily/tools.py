"""kubectl and helm, called with the stack's context, and every call shown as somebody would type
it.
"""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
import sys
from dataclasses import dataclass

from jupyterhub_aws.config.cluster import ExistingCluster
from jupyterhub_aws.config.errors import ConfigError, Problem
from jupyterhub_aws.config.stack import StackConfig
from jupyterhub_aws.operate.live.cluster import KubectlCluster

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
        self._there(line[0])
        print(f"  $ {shlex.join(line)}", file=sys.stderr, flush=True)
        done = subprocess.run(line, env=self.environment, check=False)  # noqa: S603 -- one of two programs, with names of ours
        return 0 if done.returncode == 0 else 2

    def read(self, line: list[str]) -> str:
        """What a line prints. Raises ConfigError with what it said instead."""
        self._there(line[0])
        done = subprocess.run(  # noqa: S603
            line, env=self.environment, capture_output=True, text=True, timeout=120, check=False
        )
        if done.returncode != 0:
            said = [text.strip() for text in done.stderr.splitlines() if text.strip()]
            fix = f"try it yourself: {shlex.join(line)}"
            raise ConfigError(
                self.command,
                [
                    Problem(
                        path=line[0], what=(said[-1] if said else "gave no reason")[:300], fix=fix
                    )
                ],
            )
        return done.stdout

    def _there(self, program: str) -> None:
        if shutil.which(program, path=self.environment.get("PATH")) is None:
            raise ConfigError(
                self.command,
                [
                    Problem(
                        path=program, what="is not on PATH", fix=f"install it: {_WHERE[program]}"
                    )
                ],
            )


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


def show(*lines: list[str]) -> None:
    """Print lines on standard output, to be copied."""
    for line in lines:
        print(shlex.join(line), flush=True)
