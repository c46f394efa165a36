"""So many people fill a node exactly: all of them fit, and no one more; whatever the type, and
whoever shares.
"""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jupyterhub_aws.config.instance_types import instance_type, instance_types
from jupyterhub_aws.config.node_size import server_room
from jupyterhub_aws.config.profiles import Profile, default_image, default_size, shares

TYPES = sorted(name for name in instance_types() if instance_type(name).memory_mib >= 8 * 1024)


@pytest.mark.real
@given(st.sampled_from(TYPES), st.integers(1, 30), st.floats(0.05, 1), st.integers(8, 110))
@settings(max_examples=400, deadline=None)
def test_a_node_is_divided_by_users(
    name: str, people: int, guarantee: float, max_pods: int
) -> None:
    kinds = [instance_type(name)]
    room = server_room(kinds, max_pods)
    profile = Profile(pool="x", users_per_node=people, guarantee=guarantee)
    (share,) = shares(profile, kinds, max_pods).values()
    assert people * share.memory_guarantee_mib <= max(room.memory_mib, 0)
    assert people * share.cpu_guarantee * 1000 <= room.cpu_millicores + 1e-6
    if share.memory_guarantee_mib >= people:
        assert (people + 1) * share.memory_guarantee_mib > room.memory_mib, "one more does not fit"
    assert share.memory_guarantee_mib <= share.memory_mib <= max(room.memory_mib, 0)
    assert share.cpu_guarantee <= share.cpu <= max(room.cpu_millicores / 1000, share.cpu_guarantee)


def test_the_guides_node_for_three() -> None:
    (share,) = shares(
        Profile(pool="memory", users_per_node=3), [instance_type("r5n.2xlarge")], 40
    ).values()
    assert (share.cpu_guarantee, share.cpu, share.memory_guarantee_mib, share.memory_mib) == (
        2.54,
        5.0,
        19755.0,
        39510.0,
    )


def test_sizes_are_listed_from_small_to_large_and_the_default_is_the_smallest_unless_said() -> None:
    sizes = {
        "b": {"cpu": 4.0, "memory": "8G"},
        "a": {"cpu": 8.0, "memory": "16G"},
        "g": {"cpu": 1.0, "memory": "1G", "gpus": 1},
    }
    profile = Profile.model_validate({"pool": "x", "sizes": sizes})
    found = shares(profile, [instance_type("r5n.2xlarge")], 40)
    assert list(found) == ["b", "a", "g"] and default_size(profile, found) == "b"
    chosen = Profile.model_validate(
        {"pool": "x", "sizes": {**sizes, "a": {**sizes["a"], "default": True}}}
    )
    assert default_size(chosen, found) == "a"


@pytest.mark.parametrize(
    ("images", "chosen"), [({}, None), ({"r": {"image": "a/r:1"}, "py": {"image": "a/py:1"}}, "py")]
)
def test_the_first_image_by_name_is_the_default(
    images: dict[str, dict[str, str]], chosen: str | None
) -> None:
    profile = Profile.model_validate({"pool": "x", "cpu": 1.0, "memory": "1G", "images": images})
    assert default_image(profile.images) == chosen
