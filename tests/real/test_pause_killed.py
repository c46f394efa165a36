"""`jhub pause` and `jhub resume` ended by SIGKILL at each call in turn, to AWS, the cluster and
hubs: the next run goes on, and ends in the same state.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.cloud import Cloud, cloud, counted
from tests.support.in_process import in_process
from tests.support.inside import Inside
from tests.support.live import environment, killed_at, preload
from tests.support.pause_shapes import SHAPES, Shape

pytestmark = pytest.mark.real


@pytest.fixture(scope="module")
def account() -> Iterator[Cloud]:
    preload()
    with cloud() as found:
        yield found


def begin(account: Cloud, shape: Shape, folder: Path) -> Inside:
    """The shape as it is before a pause: people work."""
    account.reset()
    shape.build(account)
    shape.into(folder)
    inside = Inside(servers={"main": ["ada", "bob"], "second": ["cleo"]})

    def stands() -> bool:
        """Whether hubs and the API have something to run on."""
        there = shape.state(account)
        ours = [sizes for name, sizes in there["groups"].items() if "master" in name]
        machines = [
            now for name, now in there["machines"].items() if name.startswith("control-plane")
        ]
        if shape.stack == "kubeadm":
            return any(sizes[3] for sizes in ours) or "running" in machines
        return any(item["desiredSize"] for item in there["managed"].values())

    inside.nodes = stands
    inside.machines = stands if shape.stack == "kubeadm" else lambda: True
    inside.on(account, folder / "tools")
    return inside


def run(account: Cloud, folder: Path, *arguments: str) -> str:
    with counted(account) as url:
        account.calls.clear()
        done = in_process(arguments, folder, environment(url, folder / "tools"))
    assert done.returncode == 0, done.stderr
    return done.stderr


def moments(calls: list[str], *, done: bool) -> list[int]:
    """The calls to be ended at. One that only reads changes nothing, so it does not matter
    whether it was answered.
    """
    reads = ("Describe", "List", "Get", "GET ")
    found = [
        number
        for number, name in enumerate(calls, 1)
        if not done or not (name.startswith(reads) or " GET " in name or '"get"' in name)
    ]
    assert found, calls
    return found


@pytest.mark.parametrize("done", [False, True], ids=["not heard", "not answered"])
@pytest.mark.parametrize("shape", SHAPES.values(), ids=SHAPES)
def test_a_killed_pause_goes_on(account: Cloud, tmp_path: Path, shape: Shape, done: bool) -> None:
    pause = ["pause", shape.stack, "--notice", "0m", "--no-up"]
    begin(account, shape, tmp_path)
    run(account, tmp_path, *pause)
    for number in moments(list(account.calls), done=done):
        inside = begin(account, shape, tmp_path)
        before = shape.state(account)
        operation = killed_at(account, number, pause, tmp_path, done=done)
        assert operation, f"call {number} never came"
        run(account, tmp_path, *pause)
        assert shape.state(account) == shape.rested(before), operation
        assert not inside.servers["main"] and (
            shape.stack == "kubeadm" or not inside.servers["second"]
        ), operation
        assert inside.autoscaler == (0 if shape.stack == "dev" else 1), operation
        assert "  paused: true" in shape.file(tmp_path).read_text(), operation


@pytest.mark.parametrize("done", [False, True], ids=["not heard", "not answered"])
@pytest.mark.parametrize("shape", SHAPES.values(), ids=SHAPES)
def test_a_killed_resume_goes_on(account: Cloud, tmp_path: Path, shape: Shape, done: bool) -> None:
    pause, resume = ["pause", shape.stack, "--now", "--no-up"], ["resume", shape.stack, "--no-up"]

    def asleep() -> tuple[Inside, dict[str, Any], str]:
        inside = begin(account, shape, tmp_path)
        before, text = shape.state(account), shape.file(tmp_path).read_text()
        run(account, tmp_path, *pause)
        inside.autoscaler = 0 if shape.stack == "dev" else 1
        return inside, before, text

    asleep()
    run(account, tmp_path, *resume)
    for number in moments(list(account.calls), done=done):
        inside, before, text = asleep()
        operation = killed_at(account, number, resume, tmp_path, done=done)
        assert operation, f"call {number} never came"
        run(account, tmp_path, *resume)
        assert shape.state(account) == shape.resumed(before), operation
        assert inside.autoscaler == 1 and shape.file(tmp_path).read_text() == text, operation
