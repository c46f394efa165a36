"""The time that each further resource takes, in one process that has the SDKs loaded."""

from __future__ import annotations

import gc
import json
import statistics
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from benchmarks.processes import ROOT
from jupyterhub_aws.config.stack_file import read
from jupyterhub_aws.plan.evaluate import Recording
from jupyterhub_aws.plan.plan import recorded


@dataclass(frozen=True, kw_only=True)
class Size:
    """A stack of some size: its resources, the median seconds of its evaluation, and ms for each
    resource more than the size before.
    """

    count: int
    resources: int
    seconds: float
    further_ms: float | None


def growth(what: str, counts: Sequence[int], runs: int) -> list[Size]:
    """Evaluate stacks with more and more pools or hubs in turn. Garbage is collected between the
    evaluations and not during them, as in `jhub`.
    """
    evaluated(what, counts[0])  # warms up
    found: dict[int, list[float]] = {count: [] for count in counts}
    resources: dict[int, int] = {}
    gc.disable()
    try:
        for _ in range(runs):
            for count in counts:
                gc.collect()
                recording, seconds = evaluated(what, count)
                found[count].append(seconds)
                resources[count] = len(recording.resources)
    finally:
        gc.enable()
    sizes: list[Size] = []
    for count in counts:
        seconds = statistics.median(found[count])
        further = (
            1000 * (seconds - sizes[-1].seconds) / (resources[count] - sizes[-1].resources)
            if sizes
            else None
        )
        sizes.append(
            Size(count=count, resources=resources[count], seconds=seconds, further_ms=further)
        )
    return sizes


def evaluated(what: str, count: int) -> tuple[Recording, float]:
    """`dev` with this many user pools (it has two) or hubs (it has one), and how long validation
    and evaluation took.
    """
    file = read(ROOT / "Pulumi.dev.yaml", _settings(what, count))
    start = time.perf_counter()
    _, recording = recorded(file)
    return recording, time.perf_counter() - start


def _settings(what: str, count: int) -> list[str]:
    if what == "pools":
        pool = json.dumps(
            {"capacity": "spot_first", "instance_types": ["r5n.2xlarge"], "size": {"max": 3}}
        )
        return [f"pools.extra{index}={pool}" for index in range(count - 2)]
    return [f"hubs.extra{index}={json.dumps(_hub(index))}" for index in range(count - 1)]


def _hub(index: int) -> dict[str, Any]:
    certificate = (
        f"arn:aws:acm:us-east-1:123456789012:certificate/00000000-0000-0000-0000-{index:012d}"
    )
    entry = {
        "kind": "load_balancer",
        "hostname": f"hub{index}.example.org",
        "allowed_cidrs": ["203.0.113.0/24"],
        "node_port": 32000 + index,
    }
    sign_in = {
        "kind": "github",
        "client_id": f"client-{index}",
        "allowed_organizations": ["example-org"],
    }
    return {
        "sign_in": sign_in,
        "entry": {**entry, "tls": {"kind": "acm", "certificate_arn": certificate}},
    }
