"""What another choice of images means, in words: who may newly write one, and who no longer."""

from __future__ import annotations

from typing import Any

import pytest

from jupyterhub_aws.changes.difference import difference
from jupyterhub_aws.changes.effects.user_images import free_choices
from jupyterhub_aws.changes.side import side_of
from jupyterhub_aws.config.unlisted_image import image_pattern
from tests.support.differences import plan, told
from tests.support.user_images import CHOICES, hub_with


def values(*allowed: str, groups: tuple[str, ...] = (), slug: str = "small") -> dict[str, Any]:
    option: dict[str, Any] = {"choices": {}}
    if allowed:
        option["unlisted_choice"] = {"enabled": True, "validation_regex": image_pattern(allowed)}
    limited = {"unlistedImageGroups": {slug: list(groups)}} if groups else {}
    return {
        "singleuser": {
            "profileList": [
                {"slug": slug, "display_name": "Small", "profile_options": {"image": option}}
            ]
        },
        "custom": {"jupyterhubAws": limited},
    }


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        (
            values(),
            values("quay.io/jupyter"),
            [
                (
                    "widens access",
                    "all its users may write an image of their own, from quay.io/jupyter",
                )
            ],
        ),
        (
            values("quay.io/jupyter"),
            values(),
            [
                (
                    "interrupts",
                    "all its users can no longer write an image of their own; running servers stay",
                )
            ],
        ),
        (
            values("quay.io/jupyter"),
            values("ghcr.io", "quay.io/jupyter"),
            [("widens access", "all its users may write images from ghcr.io too")],
        ),
        (
            values("ghcr.io", groups=("a",)),
            values("quay.io/x", groups=("a",)),
            [
                ("widens access", "members of a may write images from quay.io/x too"),
                (
                    "interrupts",
                    "images from ghcr.io can no longer be written; running servers stay",
                ),
            ],
        ),
        (
            values("ghcr.io", groups=("a",)),
            values("ghcr.io", groups=("a", "b")),
            [("widens access", "members of b may write an image of their own")],
        ),
        (
            values("ghcr.io", groups=("a", "b")),
            values("ghcr.io", groups=("b",)),
            [
                (
                    "interrupts",
                    "members of a can no longer write an image of their own; running servers stay",
                )
            ],
        ),
        (
            values("ghcr.io"),
            values("ghcr.io", groups=("a",)),
            [
                (
                    "interrupts",
                    "users outside of a can no longer write an image of their own; running servers"
                    " stay",
                )
            ],
        ),
        (
            values("ghcr.io", groups=("a",)),
            values("ghcr.io"),
            [("widens access", "all its users may write an image of their own")],
        ),
        (values("ghcr.io"), values("ghcr.io"), []),
    ],
)
def test_who_gains_and_who_loses(
    old: dict[str, Any], new: dict[str, Any], says: list[tuple[str, str]]
) -> None:
    found = list(free_choices(old, new))
    assert [(kind, text) for kind, _, text in found] == [
        (kind, f"Small: {text}") for kind, text in says
    ]
    assert {topic for _, topic, _ in found} <= {"images"}


def told_between(before: tuple[str, ...], after: tuple[str, ...]) -> str:
    return told(difference(side_of(plan(*before), "before"), side_of(plan(*after), "after")))


def test_pulling_in_advance_moves_no_server() -> None:
    text = told_between((hub_with(),), (hub_with(pre_pull_pools=["memory"]),))
    assert "which images are pulled to nodes in advance" in text
    assert "other nodes" not in text and "on which nodes" not in text, text
    assert "not measured" not in text and "unknown" not in text.lower(), text


def test_a_hub_with_one_more_image_says_which_choice_is_new_and_widens_nothing() -> None:
    one = {"sci": CHOICES["sci"]}
    text = told_between((hub_with(image_choices=one),), (hub_with(),))
    assert "a new choice: Small, r" in text and "a new choice: Large, r" in text
    assert "wider" not in text and "unknown" not in text.lower(), text


def test_a_free_choice_widens_access_with_the_registry_and_the_groups() -> None:
    free = {"allowed": ["quay.io/jupyter"], "groups": ["example-org:staff"]}
    text = told_between((hub_with(),), (hub_with(unlisted_image=free),))
    says = "Small: members of example-org:staff may write an image of their own"
    assert f"{says}, from quay.io/jupyter" in text and "wider than before" in text
    assert "unknown" not in text.lower(), text


def test_a_repository_that_is_removed_endangers_data() -> None:
    made = ('image_repositories={"physics": {}}',)
    assert "unknown" not in told_between((), made).lower()
    assert "images-physics" in told_between(made, ())
