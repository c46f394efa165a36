"""Two large plans compared, and the comment written: the time of what a pull request waits for
besides the two plans.
"""

from __future__ import annotations

import copy
import json
import statistics
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from jupyterhub_aws.changes.difference import difference
from jupyterhub_aws.changes.side import side_of
from jupyterhub_aws.diff.markdown import markdown

_JHUB = str(Path(sys.prefix) / "bin" / "jhub")


def compared(count: int, runs: int) -> float:
    """Seconds for two plans of so many resources, of which every third changes. Median of so
    many runs.
    """
    plan = json.loads(
        subprocess.run([_JHUB, "plan", "dev", "--json"], capture_output=True, check=True).stdout
    )
    found = plan["resources"]
    plan["resources"] = [
        _copy(item, number) for number in range(count // len(found) + 1) for item in found
    ][:count]
    other = copy.deepcopy(plan)
    for item in other["resources"][::3]:
        item["inputs"]["description"] = "another"
    return statistics.median(_once(plan, other) for _ in range(runs))


def _copy(item: dict[str, Any], number: int) -> dict[str, Any]:
    return {**item, "urn": f"{item['urn']}-{number}", "name": f"{item['name']}-{number}"}


def _once(old: dict[str, Any], new: dict[str, Any]) -> float:
    start = time.perf_counter()
    markdown(difference(side_of(old, "old"), side_of(new, "new")))
    return time.perf_counter() - start
