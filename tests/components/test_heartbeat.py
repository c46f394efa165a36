"""The line by which a hub says that it lives: what stands in it, when it is written, and when it
is not.
"""

from __future__ import annotations

import asyncio
import importlib.util
import json
from pathlib import Path
from typing import Any

from jupyterhub_aws.components.hub.values.hub_files import FOLDER


def heartbeat() -> Any:
    """The module, new: it remembers that it beats."""
    spec = importlib.util.spec_from_file_location(
        "jupyterhub_aws_heartbeat", FOLDER / "jupyterhub_aws_heartbeat.py"
    )
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def said(module: Any, folder: Any, beats: int = 2) -> list[dict[str, Any]]:
    lines: list[str] = []

    async def some() -> None:
        task = asyncio.create_task(
            module.beat(folder, 0.001, lambda text, flush: lines.append(text))
        )
        while len(lines) < beats:
            await asyncio.sleep(0.001)
        task.cancel()

    asyncio.run(asyncio.wait_for(some(), 10))
    return [json.loads(line) for line in lines]


def test_it_says_that_the_hub_lives_and_how_full_its_volume_is(tmp_path: Path) -> None:
    for line in said(heartbeat(), str(tmp_path)):
        assert line["jupyterhub_aws"] == "alive" and 0 <= line["database_used_percent"] <= 100
        assert isinstance(line["database_used_percent"], float), "CloudWatch takes numbers only"


def test_a_hub_without_a_volume_and_one_whose_volume_cannot_be_looked_at_live_too(
    tmp_path: Path,
) -> None:
    assert (
        said(heartbeat(), None)[0]
        == said(heartbeat(), str(tmp_path / "gone"))[0]
        == {"jupyterhub_aws": "alive"}
    )


def test_it_beats_in_the_hubs_own_loop_once_and_only_where_it_is_watched() -> None:
    module = heartbeat()

    async def a_hub() -> int:
        before = len(asyncio.all_tasks())
        module.configure(None)
        assert len(asyncio.all_tasks()) == before, "not watched"
        module.configure({})
        module.configure({})
        (task,) = module._BEATING
        count = len(asyncio.all_tasks()) - before
        task.cancel()
        return count

    assert asyncio.run(a_hub()) == 1
    other = heartbeat()
    other.configure({})  # a command without a loop, such as `jupyterhub token`
    assert other._BEATING == []
