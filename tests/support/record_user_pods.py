"""Record the pods that the real chart and KubeSpawner make of our values, for tests that run where
neither is at hand.

JHUB_CHART=<folder of the chart> .venv/bin/python -m tests.support.record_user_pods
"""

from __future__ import annotations

import json
import sys
import tempfile
from pathlib import Path
from typing import Any

from jupyterhub_aws.config.chart import chart_version
from tests.support.chart import missing_for_the_chart
from tests.support.hub_cases import (
    CASES,
    PEOPLE,
    RECORDED,
    choices_of,
    groups_of,
    release,
    what_makes_pods,
)
from tests.support.spawner import spawned_pods


def recording(case: str) -> dict[str, Any]:
    """What makes the pods of a case, and the pods: the first person with each choice (and every
    group), everybody else with none.
    """
    values = release(case).inputs["values"]
    choices, groups = choices_of(values), groups_of(values)
    cases: list[dict[str, Any]] = [
        {"user": PEOPLE[0], "options": options, "groups": groups} for options in choices.values()
    ]
    cases += [{"user": person} for person in PEOPLE[1:]]
    with tempfile.TemporaryDirectory() as folder:
        pods = spawned_pods(values, cases, Path(folder))
    names = [*choices, *(None for _ in PEOPLE[1:])]
    found = [
        {"person": asked["user"], "profile": name, "pod": pod}
        for asked, name, pod in zip(cases, names, pods, strict=True)
    ]
    return {"values": what_makes_pods(values), "pods": found}


def main() -> int:
    missing = missing_for_the_chart()
    if missing:
        print(missing, file=sys.stderr)
        return 2
    recorded = {"chart": chart_version(), "cases": {case: recording(case) for case in CASES}}
    RECORDED.parent.mkdir(exist_ok=True)
    RECORDED.write_text(json.dumps(recorded, indent=1, sort_keys=True) + "\n", encoding="utf-8")
    print(
        f"wrote {sum(len(case['pods']) for case in recorded['cases'].values())} pods to {RECORDED}"
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
