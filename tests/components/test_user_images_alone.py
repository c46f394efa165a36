"""A hub in a program of its own has the options about images, under the rules of a stack file."""

from __future__ import annotations

from typing import Any

import pytest

from jupyterhub_aws import Images, UnlistedImage
from jupyterhub_aws.components.base import ArgumentError
from tests.components.test_hub_alone import RELEASE, arguments, hub

CHOICES = {"a": {"image": "quay.io/a/a:1"}, "b": {"image": "quay.io/a/b:1", "default": True}}


def test_choices_a_text_field_and_nodes_that_pull() -> None:
    recording = hub(
        image_choices=CHOICES,
        unlisted_image=UnlistedImage(allowed=("quay.io/a",)),
        pre_pull_pools=["memory"],
    )
    values = recording.one(RELEASE).inputs["values"]
    (profile,) = values["singleuser"]["profileList"]
    option = profile["profile_options"]["image"]
    assert set(option["choices"]) == {"a", "b"} and option["unlisted_choice"]["enabled"] is True
    assert values["prePuller"]["continuous"]["enabled"] is True


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({"image": "quay.io/a/a:1"}, "image: is beside image_choices"),
        ({"pre_pull_pools": ["gpu"]}, "pre_pull_pools[0]: is not a user pool"),
        (
            {"unlisted_image": {"allowed": ["quay.io/a"]}, "images": Images(on_nodes=True)},
            "unlisted_image: cannot be pulled",
        ),
        (
            {"unlisted_image": {"allowed": ["quay.io/a"], "groups": ["x"]}},
            "unlisted_image.groups: is for groups, but sign_in.kind native knows of none",
        ),
        ({"unlisted_image": {"allowed": ["a"]}}, "unlisted_image.allowed[0]: does not begin"),
    ],
)
def test_a_wrong_one_is_refused_at_its_path(more: dict[str, Any], said: str) -> None:
    with pytest.raises(ArgumentError) as caught:
        arguments(**{"image_choices": CHOICES, **more}).parts("main")
    assert said in str(caught.value)
