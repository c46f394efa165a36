"""Fresh processes, timed: the command itself, a process that only imports, and one that imports with the same tricks."""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

RUNS = int(os.environ.get("BENCH_RUNS", "7"))
JHUB = str(Path(sys.prefix) / "bin" / "jhub")


@dataclass(frozen=True)
class Timed:
    """Median seconds."""

    seconds: float


def together(commands: Sequence[Sequence[str]]) -> list[Timed]:
    """Run each command RUNS times in turn, so that all of them see the same machine; medians."""
    times: list[list[float]] = [[] for _ in commands]
    for _ in range(RUNS):
        for index, command in enumerate(commands):
            start = time.perf_counter()
            subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False)
            times[index].append(time.perf_counter() - start)
    return [Timed(statistics.median(found)) for found in times]


def imports_of(tokens: Sequence[str]) -> str:
    """The import statements of the SDK classes behind type tokens."""
    lines = {"import pulumi"}
    for token in tokens:
        package, module, name = token.split(":")
        if token.startswith("pulumi:providers:"):
            lines.add(f"from pulumi_{name} import Provider")
        elif package == "aws":
            lines.add(f"from pulumi_aws.{module.partition('/')[0]} import {name}")
        elif package == "kubernetes":
            lines.add(f"from pulumi_kubernetes.{module.replace('.sh', '').replace('.k8s.io', '').replace('/', '.')} import {name}")
        elif package == "eks":
            lines.add(f"from pulumi_eks import {name}")
    return "\n".join(sorted(lines))


def ordinary(tokens: Sequence[str]) -> list[str]:
    """A process that imports the classes as any program would."""
    return [sys.executable, "-c", imports_of(tokens)]


def floor(tokens: Sequence[str]) -> list[str]:
    """A process that imports them with the tricks of `ops/main.py` and does nothing else."""
    return [sys.executable, "-c", f"import gc; gc.disable()\n{imports_of(tokens)}\nimport os; os._exit(0)"]
