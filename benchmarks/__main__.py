"""Measure and print, in one run.


- `jhub plan dev --json` against a process that only imports the SDK classes which the stack registers (at most 1.0), and
  against the same with the command's own tricks (at most 1.25);
- commands that register nothing, and the answer to a wrong stack file (under half a second);
- the time for each further resource, from 2 to 40 pools (flat);
- the longest chain of resources that wait for each other against the unavoidable one.
"""

from __future__ import annotations

import compileall
import json
import time
from pathlib import Path

from rich.console import Console
from rich.table import Table

from benchmarks.chain import longest_chain, total, unavoidable
from benchmarks.processes import JHUB, RUNS, Timed, floor, ordinary, together
from config.load import PROJECT
from ops.plan.evaluate import PROGRAM, Recording, evaluate
from ops.plan.stack_file import read

_POOLS = (2, 10, 20, 40)


def main() -> None:
    """Run every benchmark and print the tables."""
    console = Console(width=80)
    for folder in ("config", "checks", "components", "ops"):  # "bytecode compiled in both", whatever the environment says
        compileall.compile_dir(PROGRAM / folder, quiet=1)
    recording, _ = _recorded(2)
    tokens = sorted({resource.type for resource in recording.resources if not resource.type.startswith("jhub:")})
    commands = [
        [JHUB, "plan", "dev", "--json"],
        ordinary(tokens),
        floor(tokens),
        [JHUB, "schema", "--output", "-"],
        [JHUB, "docs", "--output", "-"],
        [JHUB, "plan", "dev", "--set", "pools.core.size=no"],
    ]
    with console.status(f"{RUNS} runs of {len(commands)} commands …"):
        timed = together(commands)
    console.print(_times(timed))
    console.print(_growth())
    chain = longest_chain(recording.resources)
    console.print(f"Longest chain: about {total(chain)} s; unavoidable: {unavoidable()} s")
    console.print("  " + "\n  → ".join(resource.name for resource in chain))


def _times(timed: list[Timed]) -> Table:
    plan, imports, bottom, schema, docs, wrong = timed
    table = Table(title=f"median of {RUNS} fresh processes", title_justify="left")
    for head in ("what", "seconds", "ratio", "target"):
        table.add_column(head, justify="left" if head == "what" else "right")
    rows = (
        ("jhub plan dev --json", plan, "", ""),
        ("… / imports only, ordinary process", imports, plan.seconds / imports.seconds, "≤ 1.0"),
        ("… / imports only, same tricks", bottom, plan.seconds / bottom.seconds, "≤ 1.25"),
        ("jhub schema", schema, "", "< 0.5 s"),
        ("jhub docs", docs, "", "< 0.5 s"),
        ("a wrong stack file", wrong, "", "< 0.5 s"),
    )
    for what, found, ratio, target in rows:
        table.add_row(what, f"{found.seconds:.2f}", f"{ratio:.2f}" if isinstance(ratio, float) else "", target)
    return table


def _growth() -> Table:
    """Milliseconds for each further resource, in one warm process."""
    table = Table(title="time for each further resource (warm)", title_justify="left")
    for head in ("pools", "resources", "seconds", "ms per further resource"):
        table.add_column(head, justify="right")
    before: tuple[int, float] | None = None
    for pools in _POOLS:
        best = min((_recorded(pools) for _ in range(3)), key=lambda found: found[1])
        count, seconds = len(best[0].resources), best[1]
        step = "" if before is None else f"{1000 * (seconds - before[1]) / (count - before[0]):.2f}"
        table.add_row(str(pools), str(count), f"{seconds:.2f}", step)
        before = (count, seconds)
    return table


def _recorded(pools: int) -> tuple[Recording, float]:
    """The program with this many user pools, and how long its evaluation took."""
    pool = json.dumps({"capacity": "spot_first", "instance_types": ["r5n.2xlarge"], "size": {"max": 3}})
    file = read(Path(PROGRAM) / "Pulumi.dev.yaml", [f"pools.extra{index}={pool}" for index in range(pools - 2)])
    start = time.perf_counter()
    recording = evaluate(file.values, secret=file.secret, project=PROJECT, stack=file.stack)
    return recording, time.perf_counter() - start


if __name__ == "__main__":
    main()
