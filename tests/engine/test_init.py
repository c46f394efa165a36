"""What `jhub init` writes, on the real engine: `pulumi stack init` keeps its comments, and a
preview shows what the plan showed.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.engine.harness import Engine
from tests.engine.plan_and_state import own
from tests.support.in_process import in_process
from tests.support.stacks import quiet_sdks

pytestmark = pytest.mark.real


def test_a_new_project_previews_as_it_was_planned(
    new_engine: Callable[..., Engine], tmp_path: Path
) -> None:
    with quiet_sdks():
        assert (
            in_process(["init", "our-hub", "--yes", "--set", "users=10"], tmp_path).returncode == 0
        )
        planned = json.loads(in_process(["plan", "dev", "--json"], tmp_path / "our-hub").stdout)[
            "resources"
        ]
    engine = new_engine(program=tmp_path / "our-hub")
    text = engine.stack_file.read_text(encoding="utf-8")
    assert (
        "# FILL IN: Networks that reach the Kubernetes API" in text and "encryptionsalt" in text
    ), "its prefix keeps comments where they are"
    steps = engine.preview().steps
    assert {step["op"] for step in steps} == {"create"}
    assert set(own([step["newState"] for step in steps])) == {item["urn"] for item in planned}
    assert all("::our-hub::" in item["urn"] for item in planned)
