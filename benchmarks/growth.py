"""The time that each further resource takes, in one process that has the SDKs loaded."""

from __future__ import annotations

import gc
import json
import statistics
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from ops.plan.evaluate import PROGRAM, Recording
from ops.plan.plan import recorded
from ops.plan.stack_file import read


@dataclass(frozen=True, kw_only=True)
class Size:
    """A stack of some size: its resources, the median seconds of its evaluation, and ms for each resource more than the size before."""

    pools: int
    resources: int
    seconds: float
    further_ms: float | None


def growth(pools: Sequence[int], runs: int) -> list[Size]:
    """Evaluate stacks of growing size in turn. Garbage is collected between the evaluations and not during them, as in `jhub`."""
    evaluated(pools[0])  # warms up
    found: dict[int, list[float]] = {count: [] for count in pools}
    resources: dict[int, int] = {}
    gc.disable()
    try:
        for _ in range(runs):
            for count in pools:
                gc.collect()
                recording, seconds = evaluated(count)
                found[count].append(seconds)
                resources[count] = len(recording.resources)
    finally:
        gc.enable()
    sizes: list[Size] = []
    for count in pools:
        seconds = statistics.median(found[count])
        further = 1000 * (seconds - sizes[-1].seconds) / (resources[count] - sizes[-1].resources) if sizes else None
        sizes.append(Size(pools=count, resources=resources[count], seconds=seconds, further_ms=further))
    return sizes


def evaluated(pools: int) -> tuple[Recording, float]:
    """`dev` with this many user pools (it has two), and how long its evaluation took."""
    pool = json.dumps({"capacity": "spot_first", "instance_types": ["r5n.2xlarge"], "size": {"max": 3}})
    file = read(Path(PROGRAM) / "Pulumi.dev.yaml", [f"pools.extra{index}={pool}" for index in range(pools - 2)])
    start = time.perf_counter()
    _, recording = recorded(file)
    return recording, time.perf_counter() - start
