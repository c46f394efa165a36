"""What the plan says of images that nodes pull in advance, and of images by what the lock knows."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from jupyterhub_aws.checks.finding import Finding
from jupyterhub_aws.checks.images import images
from jupyterhub_aws.checks.pulled_images import image_sizes, pulled_images
from jupyterhub_aws.config.bundle import Lock, Locked, parse_lock
from jupyterhub_aws.config.load import load
from jupyterhub_aws.config.stack_file import read
from jupyterhub_aws.config.timeouts import pull_seconds
from tests.support.stack_files import ROOT
from tests.support.stacks import record
from tests.support.user_images import CUDA, SCIPY, R, hub_with

GIB = 1024**3
#: What the chart's puller ends with.
PAUSE = "registry.k8s.io/pause:3.10.1"
LOCK = ROOT / "tests" / "fixtures" / "airgap.lock.json"


def judged(*settings: str, stack: str = "dev") -> list[Finding]:
    file = read(ROOT / f"Pulumi.{stack}.yaml", settings)
    loaded = load(file.values, secret=file.secret, source=file.source)
    return pulled_images(loaded, record(*settings, stack=stack).resources)


def locked(folder: Path, **details: dict[str, Any]) -> str:
    """The setting of a lock like the committed one, with more known of some images."""
    text = json.loads(LOCK.read_text(encoding="utf-8"))
    digest = f"sha256:{'1' * 64}"
    for image in (SCIPY, R, CUDA, PAUSE):
        text["items"]["image"].setdefault(image, {"digest": digest, "size": 1})
    for name, more in details.items():
        image = {"sci": SCIPY, "r": R, "cuda": CUDA}[name]
        text["items"]["image"][image]["details"] = more
    path = folder / "lock.json"
    path.write_text(json.dumps(text), encoding="utf-8")
    return f"registry.lock={path}"


def sizes(gib: float, *platforms: str) -> dict[str, Any]:
    names = platforms or ("linux/amd64", "linux/arm64")
    return {"platforms": list(names), "platform_sizes": {name: int(gib * GIB) for name in names}}


def test_a_stack_that_pulls_nothing_in_advance_has_no_such_line() -> None:
    assert judged() == [] and judged(hub_with()) == []


def test_without_a_lock_the_time_is_that_of_the_start_timeout() -> None:
    (found,) = judged(hub_with(pre_pull_pools=["memory"]))
    assert found.status == "pass"
    assert found.message.startswith(
        "hub main, pool memory: 2 images pulled as soon as a node joins"
    )
    assert "starts up to 4 min 0 s earlier" in found.message and pull_seconds() == 240
    assert "none is kept ready (size.min: 0)" in found.message
    (found,) = judged(hub_with(pre_pull_pools=["memory"]), "pools.memory.size.min=1")
    assert "kept ready" not in found.message


def test_with_a_lock_time_and_disk_follow_from_the_sizes(tmp_path: Path) -> None:
    lock = locked(tmp_path, sci=sizes(2), r=sizes(1))
    hub = hub_with("airgap", pre_pull_pools=["memory"])
    (found,) = judged(hub, lock, "parts=all", stack="airgap")
    assert found.status == "pass"
    assert "3.0 GiB to pull, about 9.0 GiB of 100 GiB on the disk" in found.message
    assert "up to 2 min 24 s earlier" in found.message, "6 GiB of 10 in 240 s"


def test_the_plan_lists_the_sizes_that_the_lock_has(tmp_path: Path) -> None:
    lock = locked(tmp_path, sci=sizes(2), r=sizes(0.5))
    settings = (hub_with("airgap"), lock, "parts=all")
    file = read(ROOT / "Pulumi.airgap.yaml", settings)
    loaded = load(file.values, secret=file.secret, source=file.source)
    (found,) = image_sizes(loaded, record(*settings, stack="airgap").resources)
    assert (found.id, found.status) == ("image-sizes", "pass")
    assert found.message == f"nodes pull, compressed: {R} 512.0 MiB, {SCIPY} 2.0 GiB"
    unlocked = read(ROOT / "Pulumi.dev.yaml")
    loaded = load(unlocked.values, secret=unlocked.secret, source=unlocked.source)
    assert image_sizes(loaded, record().resources) == []


def test_images_that_a_disk_cannot_hold_fail(tmp_path: Path) -> None:
    lock = locked(tmp_path, sci=sizes(20), r=sizes(12))
    hub = hub_with("airgap", pre_pull_pools=["memory"])
    (found,) = judged(hub, lock, "parts=all", stack="airgap")
    assert (found.id, found.status) == ("pre-pull", "fail")
    assert "take about 96.0 GiB" in found.message and found.path == "hubs.main.pre_pull_pools"


def test_many_images_of_unknown_size_are_a_warning() -> None:
    choices = {f"i{number}": {"image": f"quay.io/a/i{number}:1"} for number in range(9)}
    (found,) = judged(hub_with(image_choices=choices, pre_pull_pools=["memory"]))
    assert found.status == "warn" and "9 images may not fit" in found.message
    choices.popitem()
    (found,) = judged(hub_with(image_choices=choices, pre_pull_pools=["memory"]))
    assert found.status == "pass", "8 of 10 GiB are below 85 of 100"


ARM = 'pools.memory.instance_types=["r7g.2xlarge"]'


def of_platform(*settings: str) -> list[Finding]:
    file = read(ROOT / "Pulumi.airgap.yaml", settings)
    loaded = load(file.values, secret=file.secret, source=file.source)
    found = images(loaded, record(*settings, stack="airgap").resources)
    return [item for item in found if item.id == "image-platform"]


@pytest.mark.parametrize(
    ("platforms", "settings", "faults"),
    [
        (("linux/amd64",), (ARM,), 2),
        (("linux/arm64",), (), 2),
        (("linux/amd64", "linux/arm64"), (ARM,), 0),
        (("linux/amd64",), (), 0),
    ],
)
def test_an_image_that_the_lock_knows_not_to_fit_the_nodes_fails(
    platforms: tuple[str, ...], settings: tuple[str, ...], faults: int, tmp_path: Path
) -> None:
    lock = locked(tmp_path, sci=sizes(1, *platforms), cuda=sizes(1))
    hub = hub_with("airgap", image_choices={"sci": {"image": SCIPY}})
    found = of_platform(hub, lock, "parts=all", *settings)
    assert len(found) == faults
    for item in found:
        assert item.status == "fail" and item.path == "hubs.main.image_choices"
        assert f"is built for {platforms[0]}" in item.message


def test_an_older_lock_is_read_and_knows_neither() -> None:
    lock = parse_lock(LOCK.read_text(encoding="utf-8"))
    item = lock.image(SCIPY)
    assert item is not None and item.platforms is None
    assert item.pulled_bytes("linux/amd64") is None


def test_an_image_is_found_by_its_digest_too() -> None:
    digest = f"sha256:{'ab' * 32}"
    lock = Lock(stack="x", items={"image": {"quay.io/a/b:1": Locked(digest=digest, size=1)}})
    assert lock.image("quay.io/a/b:1") is lock.image(f"quay.io/a/b@{digest}") is not None
    assert lock.image("quay.io/a/b:2") is lock.image(f"quay.io/a/c@{digest}") is None
