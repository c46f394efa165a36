"""Record the pods that the real chart and KubeSpawner make of our values, for tests that run where neither is at hand.

JHUB_CHART=<folder of the chart> .venv/bin/python -m tests.support.record_user_pods
"""

from __future__ import annotations

import json
import sys
import tempfile
from pathlib import Path
from typing import Any

from config.chart import chart_version
from tests.support.chart import missing_for_the_chart
from tests.support.hub_cases import CASES, PEOPLE, RECORDED, profiles_of, release, what_makes_pods
from tests.support.spawner import spawned_pods


def recording(case: str) -> dict[str, Any]:
    """What makes the pods of a case, and the pods: the first person with each profile, everybody else with the default one."""
    values = release(case).inputs["values"]
    cases: list[tuple[str, str | None]] = [(PEOPLE[0], slug) for slug in profiles_of(values)]
    cases += [(person, None) for person in PEOPLE[1:]]
    with tempfile.TemporaryDirectory() as folder:
        pods = spawned_pods(values, cases, Path(folder))
    found = [{"person": person, "profile": slug, "pod": pod} for (person, slug), pod in zip(cases, pods, strict=True)]
    return {"values": what_makes_pods(values), "pods": found}


def main() -> int:
    missing = missing_for_the_chart()
    if missing:
        print(missing, file=sys.stderr)
        return 2
    recorded = {"chart": chart_version(), "cases": {case: recording(case) for case in CASES}}
    RECORDED.parent.mkdir(exist_ok=True)
    RECORDED.write_text(json.dumps(recorded, indent=1, sort_keys=True) + "\n", encoding="utf-8")
    print(f"wrote {sum(len(case['pods']) for case in recorded['cases'].values())} pods to {RECORDED}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
