"""What a built stack says of its hubs: asked of the engine, because only its state knows."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from jupyterhub_aws.config.errors import ConfigError, Problem, closest

_SECONDS = 120


@dataclass(frozen=True, kw_only=True)
class BuiltHub:
    """A hub as it was built: where it answers, and by which passwords one comes in (empty unless
    everybody shares one).

    `kubeconfig` is the text of one that runs the aws CLI; empty where the cluster was there
    already: then `kubeconfig_file` and `context` are the stack's, and empty ones mean the caller's
    own.
    """

    name: str
    url: str
    namespace: str
    passwords: Mapping[str, str]
    kubeconfig: str
    kubeconfig_file: str = ""
    context: str = ""

    @property
    def needs_tunnel(self) -> bool:
        """Whether it answers on this machine only."""
        return self.url.startswith("http://localhost:")

    @property
    def local_port(self) -> int:
        """The port of this machine that leads to it."""
        return int(self.url.rstrip("/").rpartition(":")[2])


def require(*programs: str) -> None:
    """Raise ConfigError naming every program that is not on PATH, and where to get it."""
    where = {
        "pulumi": "https://www.pulumi.com/docs/install/",
        "kubectl": "https://kubernetes.io/docs/tasks/tools/",
        "aws": (
            "https://docs.aws.amazon.com/cli/latest/userguide/getting-started-install.html (the"
            " cluster's kubeconfig runs it)"
        ),
    }
    missing = [
        Problem(path=program, what="is not on PATH", fix=f"install it: {where[program]}")
        for program in programs
        if shutil.which(program) is None
    ]
    if missing:
        raise ConfigError("jhub open", missing)


def built_hub(stack: str, hub: str | None, project: Path) -> BuiltHub:
    """A hub of a stack that was built; `hub` may be None where there is one only. Raises
    ConfigError with what to do.
    """
    command = [
        "pulumi",
        "stack",
        "output",
        "--json",
        "--show-secrets",
        "--stack",
        stack,
        "--non-interactive",
    ]
    done = subprocess.run(  # noqa: S603
        command, cwd=project, capture_output=True, text=True, timeout=_SECONDS, check=False
    )
    if done.returncode != 0:
        said = next(
            (line for line in done.stderr.splitlines() if line.startswith("error:")),
            "error: pulumi gave no reason",
        )
        fix = f"log in to the stack's backend, and build it first: pulumi up -s {stack}"
        raise ConfigError(
            "jhub open", [Problem(path=stack, what=said.removeprefix("error: "), fix=fix)]
        )
    outputs: dict[str, Any] = json.loads(done.stdout or "{}")
    hubs: dict[str, Any] = outputs.get("hubs") or {}
    return _chosen(stack, hubs, hub, outputs)


def _chosen(
    stack: str, hubs: Mapping[str, Any], hub: str | None, outputs: Mapping[str, Any]
) -> BuiltHub:
    def refused(what: str, fix: str) -> ConfigError:
        return ConfigError("jhub open", [Problem(path=stack, what=what, fix=fix)])

    if not hubs:
        raise refused(
            "has no hub that was built", f"add one under hubs, and run: pulumi up -s {stack}"
        )
    if hub is None and len(hubs) > 1:
        raise refused(f"has several hubs: {', '.join(sorted(hubs))}", "name one with --hub")
    name = hub if hub is not None else next(iter(hubs))
    if name not in hubs:
        guess = closest(name, hubs)
        raise refused(
            f"has no hub {name!r}",
            f"did you mean {guess}?" if guess else f"choose from {', '.join(sorted(hubs))}",
        )
    found = hubs[name]
    access = outputs.get("cluster_access") or {}
    return BuiltHub(
        name=name,
        url=found["url"],
        namespace=found["namespace"],
        passwords=found.get("passwords") or {},
        kubeconfig=str(outputs.get("kubeconfig", "")),
        kubeconfig_file=str(access.get("file", "")),
        context=str(access.get("context", "")),
    )
