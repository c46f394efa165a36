"""examples/existing-vpc on the real engine: a hub in a VPC and a cluster that plain `pulumi_aws`
made in the same program.
"""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.engine.harness import ROOT, Engine
from tests.engine.runs import Run
from tests.stacks.test_existing_vpc import recorded_example

pytestmark = pytest.mark.real


@pytest.fixture(scope="module")
def engine(new_engine: Callable[..., Engine]) -> Engine:
    engine = new_engine(stack="research", program=ROOT / "examples" / "existing-vpc")
    (engine.project / "theirs.py").write_bytes(
        (ROOT / "examples" / "existing-vpc" / "theirs.py").read_bytes()
    )
    engine.run("config", "set", "aws:region", "us-east-1")
    engine.set_secret("client-secret", "s3cr3t-of-a-test")
    return engine


@pytest.fixture(scope="module")
def first_preview(engine: Engine) -> dict[str, str]:
    return engine.preview().changes


@pytest.fixture(scope="module")
def built(engine: Engine, first_preview: dict[str, str]) -> Run:
    return engine.up()


def test_the_first_preview_creates_all_of_it(first_preview: dict[str, str]) -> None:
    assert set(first_preview.values()) == {"create"}


def test_it_is_what_the_recording_shows(engine: Engine, built: Run) -> None:
    known = {f"{resource.type}::{resource.name}" for resource in recorded_example().resources}
    made = {
        "::".join(resource["urn"].split("::")[2:]).rpartition("$")[2]
        for resource in engine.resources()
    }
    assert known == {
        item
        for item in made
        if not item.startswith(
            ("pulumi:pulumi:Stack", "pulumi:providers:aws::default", "pulumi:providers:random")
        )
    }


def test_nodes_wait_for_their_addons_and_their_way_to_the_internet(built: Run) -> None:
    ended = {call.subject: call.position for call in built.finished("Create")}
    begun = {call.subject: call.position for call in built.begun("Create")}
    node = begun["aws:eks/nodeGroup:NodeGroup::pools-core-group"]
    for first in (
        "aws:eks/addon:Addon::vpc-cni",
        "aws:ec2/routeTableAssociation:RouteTableAssociation::private-us-east-1a",
    ):
        assert ended[first] < node, first


def test_a_second_run_changes_nothing(engine: Engine, built: Run) -> None:
    assert engine.preview("--expect-no-changes").changes == {}


def test_destroy_leaves_the_homes(engine: Engine, built: Run) -> None:
    engine.destroy("--exclude-protected")
    left = {resource["type"] for resource in engine.resources()}
    assert (
        "aws:efs/fileSystem:FileSystem" in left
        and "aws:autoscaling/group:Group" not in left
        and "aws:eks/nodeGroup:NodeGroup" not in left
    )
