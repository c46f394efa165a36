"""The stack's cluster by `kubectl`: with the right kubeconfig and context, and every command
shown that changes something.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import select
import shlex
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from jupyterhub_aws.config.cluster import ExistingCluster
from jupyterhub_aws.config.errors import ConfigError, Problem, refused
from jupyterhub_aws.config.stack import StackConfig
from jupyterhub_aws.operate.live.account import Account, translate_aws_errors
from jupyterhub_aws.operate.open import require

#: kubectl's own limit for one request; a cluster that is away is said to be so after it.
_REQUEST_SECONDS = 10
_COMMAND_SECONDS = 120
#: kubectl says its port as soon as the API has answered once.
_FORWARD_SECONDS = 30.0
_FORWARDED = re.compile(r"Forwarding from 127\.0\.0\.1:(\d+)")


@dataclass(frozen=True, kw_only=True)
class KubectlCluster:
    """How the cluster is reached: a kubeconfig (empty: the caller's own) and a context (empty:
    the current one).
    """

    command: str
    kubeconfig: str
    context: str

    def shown(self, *arguments: str) -> str:
        """The command that `kubectl` calls, as the operator would type it."""
        return shlex.join(["kubectl", *self._where, *arguments])

    def ask(self, *arguments: str) -> str:
        """What a kubectl command prints. Raises ConfigError with what it said instead."""
        line = ["kubectl", *self._where, f"--request-timeout={_REQUEST_SECONDS}s", *arguments]
        try:
            done = subprocess.run(  # noqa: S603
                line,
                env=self.environment,
                capture_output=True,
                text=True,
                timeout=_COMMAND_SECONDS,
                check=False,
            )
        except subprocess.TimeoutExpired:
            raise self._unreached(f"no answer in {_COMMAND_SECONDS} seconds") from None
        if done.returncode != 0:
            raise self._refused(done.stderr, arguments)
        return done.stdout

    def data(self, *arguments: str) -> Any:
        """The same as data."""
        return json.loads(self.ask(*arguments, "-o", "json"))

    def change(self, *arguments: str) -> str:
        """A command that changes something: shown first."""
        print(f"  $ {self.shown(*arguments)}", file=sys.stderr, flush=True)
        return self.ask(*arguments)

    def reached(self) -> None:
        """Raise ConfigError, quickly, where its API does not answer or does not know the caller."""
        self.ask("get", "--raw", "/readyz")

    @contextlib.contextmanager
    def forwarded(self, namespace: str, target: str, port: int) -> Iterator[int]:
        """A port of this machine that leads to a port of a service or pod, while the block runs."""
        arguments = (
            "port-forward",
            "--namespace",
            namespace,
            target,
            f":{port}",
            "--address",
            "127.0.0.1",
        )
        line = ["kubectl", *self._where, *arguments]
        # A group of its own: Ctrl+C is this command's to hear, and what it then puts away needs the
        # tunnel.
        process = subprocess.Popen(  # noqa: S603
            line,
            env=self.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            process_group=0,
        )
        try:
            stdout: Any = process.stdout
            ready, _, _ = select.select([stdout], [], [], _FORWARD_SECONDS)
            match = _FORWARDED.search(stdout.readline() if ready else "")
            if match is None:
                process.terminate()
                raise self._refused(process.communicate(timeout=10)[1], arguments)
            yield int(match[1])
        finally:
            process.terminate()
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(timeout=5)
            for stream in (process.stdout, process.stderr):
                if stream is not None:
                    stream.close()

    @property
    def environment(self) -> dict[str, str]:
        """The environment in which kubectl and helm find the cluster."""
        return {**os.environ, **({"KUBECONFIG": self.kubeconfig} if self.kubeconfig else {})}

    @property
    def _where(self) -> list[str]:
        return ["--context", self.context] if self.context else []

    def _refused(self, said: str, arguments: tuple[str, ...]) -> ConfigError:
        lines = [line for line in said.strip().splitlines() if line.strip()]
        last = lines[-1].strip() if lines else "kubectl gave no reason"
        if any(
            word in last.lower()
            for word in (
                "refused",
                "timed out",
                "timeout",
                "no such host",
                "deadline",
                "unreachable",
                "no route",
                "eof",
                "was forgotten",
            )
        ):
            return self._unreached(last)
        if (
            "unauthorized" in last.lower()
            or "logged in" in last.lower()
            or "getting credentials" in last.lower()
        ):
            fix = "sign in again; does your role have an access entry? See cluster.administrators"
            what = f"does not know you ({last[:200]})"
            return refused(self.command, "cluster.not-allowed", "cluster", what, fix)
        problem = Problem(
            id="cluster.refused",
            path=f"kubectl {' '.join(arguments[:4])}",
            what=last[:300],
            fix=f"try it yourself: {self.shown(*arguments)}",
        )
        return ConfigError(self.command, [problem])

    def _unreached(self, why: str) -> ConfigError:
        fix = (
            "are you in a network that may (cluster.api.public_access_cidrs, VPN, runner)? Is the"
            " cluster paused, or its control plane stopped?"
        )
        what = f"its API does not answer from here ({why[:200]})"
        return refused(self.command, "cluster.unreachable", "cluster", what, fix)


@contextlib.contextmanager
def cluster_of(
    command: str, stack: StackConfig, account: Account | None
) -> Iterator[KubectlCluster]:
    """The stack's cluster; `account` is needed where the stack made it. Raises ConfigError
    without kubectl, or without such a cluster.
    """
    if isinstance(stack.cluster, ExistingCluster):
        require("kubectl")
        file = (
            "" if stack.cluster.kubeconfig is None else str(stack.folder / stack.cluster.kubeconfig)
        )
        yield KubectlCluster(command=command, kubeconfig=file, context=stack.cluster.context or "")
        return
    assert account is not None  # noqa: S101 -- commands connect first where the stack makes the cluster
    require("kubectl", "aws")
    with tempfile.TemporaryDirectory(prefix="jhub-") as folder:
        written = Path(folder) / "kubeconfig"
        written.touch(mode=0o600)
        written.write_text(json.dumps(kubeconfig(command, stack, account)), encoding="utf-8")
        yield KubectlCluster(command=command, kubeconfig=str(written), context=stack.name)


def kubeconfig(command: str, stack: StackConfig, account: Account) -> dict[str, Any]:
    """A kubeconfig without credentials: the aws CLI is asked for a token at each call. Raises
    ConfigError where there is no such cluster.
    """
    from botocore.exceptions import ClientError

    try:
        with translate_aws_errors(command):
            found = account.client("eks").describe_cluster(name=stack.name)["cluster"]
    except ConfigError as error:
        if (
            isinstance(error.__cause__, ClientError)
            and error.__cause__.response["Error"]["Code"] == "ResourceNotFoundException"
        ):
            what = f"there is no EKS cluster {stack.name} in {account.id}, {account.region}"
            fix = "build it first: pulumi up; or choose the stack's region and account"
            raise refused(command, "cluster.none", "cluster", what, fix) from None
        raise
    token = {
        "apiVersion": "client.authentication.k8s.io/v1beta1",
        "command": "aws",
        "interactiveMode": "Never",
    }
    arguments = ["eks", "get-token", "--cluster-name", stack.name, "--region", account.region]
    return {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [
            {
                "name": stack.name,
                "cluster": {
                    "server": found["endpoint"],
                    "certificate-authority-data": found["certificateAuthority"]["data"],
                },
            }
        ],
        "users": [{"name": stack.name, "user": {"exec": {**token, "args": arguments}}}],
        "contexts": [{"name": stack.name, "context": {"cluster": stack.name, "user": stack.name}}],
        "current-context": stack.name,
    }
