"""Fresh processes, timed and weighed: the command itself, one that only imports, and ones that
import with its tricks.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
RUNS = int(os.environ.get("BENCH_RUNS", "7"))
JHUB = str(Path(sys.prefix) / "bin" / "jhub")
#: Starts a command from a small process of its own. What the kernel reports as a child's largest
#: memory begins with that
#: of the process which it was started from, and the one that runs the benchmarks has the SDKs in
#: it.
_LAUNCHER = """
import json, os, sys, time
command = sys.argv[1:]
quiet = [(os.POSIX_SPAWN_OPEN, stream, os.devnull, os.O_RDWR, 0) for stream in (0, 1, 2)]
start = time.perf_counter()
_, status, usage = os.wait4(os.posix_spawn(command[0], command, os.environ, file_actions=quiet), 0)
print(json.dumps([time.perf_counter() - start, usage.ru_maxrss / 1024, os.waitstatus_to_exitcode(status)]))
"""


class UnexpectedExitError(Exception):
    """A command did not end as it should: its time would be that of something else."""


@dataclass(frozen=True, kw_only=True)
class Command:
    """What is run, and the exit code that says it did its work."""

    words: tuple[str, ...]
    code: int = 0


@dataclass(frozen=True, kw_only=True)
class Measured:
    """Medians: seconds, and the largest resident memory in MiB."""

    seconds: float
    mebibytes: float


def together(commands: Sequence[Command]) -> list[Measured]:
    """Run each command RUNS times in turn, so that all of them see the same machine; medians."""
    found: list[list[tuple[float, float]]] = [[] for _ in commands]
    for _ in range(RUNS):
        for index, command in enumerate(commands):
            found[index].append(_once(command))
    return [
        Measured(
            seconds=statistics.median(run[0] for run in runs),
            mebibytes=statistics.median(run[1] for run in runs),
        )
        for runs in found
    ]


def _once(command: Command) -> tuple[float, float]:
    launched = subprocess.run(
        [sys.executable, "-I", "-S", "-c", _LAUNCHER, *command.words],
        capture_output=True,
        text=True,
        check=True,
        cwd=ROOT,
    )
    seconds, mebibytes, code = json.loads(launched.stdout)
    if code != command.code:
        raise UnexpectedExitError(
            f"{' '.join(command.words)[:200]} ended with {code}, expected {command.code}"
        )
    return float(seconds), float(mebibytes)


def new_project() -> Command:
    """`jhub init --yes` into a new folder, which goes again."""
    return Command(
        words=(
            "/bin/sh",
            "-c",
            (
                f'folder=$(mktemp -d) && "{JHUB}" init "$folder/lab" --yes; code=$?; rm -rf'
                ' "$folder"; exit $code'
            ),
        )
    )


def jhub(*words: str, code: int = 0) -> Command:
    """The command itself."""
    return Command(words=(JHUB, *words), code=code)


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
            lines.add(
                "from"
                f" pulumi_kubernetes.{module.replace('.sh', '').replace('.k8s.io', '').replace('/', '.')}"
                f" import {name}"
            )
        elif package == "eks":
            lines.add(f"from pulumi_eks import {name}")
    return "\n".join(sorted(lines))


def ordinary(tokens: Sequence[str]) -> Command:
    """A process that imports the classes as any program would."""
    return _python(imports_of(tokens))


def floor(tokens: Sequence[str]) -> Command:
    """A process that imports them with the tricks of `jupyterhub_aws/cli/main.py` and does
    nothing else.
    """
    return _python(f"import gc; gc.disable()\n{imports_of(tokens)}\nimport os; os._exit(0)")


def lazy_floor(tokens: Sequence[str]) -> Command:
    """The same, and with the SDK loaded class by class as `jupyterhub_aws/plan/sdk.py` does
    it.
    """
    return _python(
        "import gc; gc.disable()\nfrom jupyterhub_aws.plan import sdk;"
        f" sdk.install()\n{imports_of(tokens)}\nimport os; os._exit(0)"
    )


def _python(code: str) -> Command:
    return Command(words=(sys.executable, "-c", code))
