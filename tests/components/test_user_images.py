"""Images that users choose or write: what KubeSpawner gets, what the hub's own files do with it,
and which nodes pull in advance.
"""

from __future__ import annotations

import asyncio
import types
from typing import Any

import pytest

from jupyterhub_aws.components.hub.values.hub import hub_values
from jupyterhub_aws.components.hub.values.problems import UNKNOWN
from jupyterhub_aws.components.needed import needed_images
from jupyterhub_aws.config.images import images_in
from jupyterhub_aws.config.load import load
from jupyterhub_aws.config.specs import resolve
from jupyterhub_aws.config.stack_file import read
from tests.components.test_hub_files import imported, spawner
from tests.support.stack_files import ROOT
from tests.support.user_images import CHOICES, CUDA, SCIPY, R, hub_with

FREE = {"allowed": ["quay.io/jupyter"]}


def values_of(*settings: str, stack: str = "dev") -> dict[str, Any]:
    file = read(ROOT / f"Pulumi.{stack}.yaml", settings)
    specs = resolve(load(file.values, secret=file.secret, source=file.source))
    return hub_values(specs.hubs["main"], UNKNOWN, specs.images)


def profile(values: dict[str, Any], slug: str) -> dict[str, Any]:
    (found,) = [item for item in values["singleuser"]["profileList"] if item["slug"] == slug]
    return dict(found)


def test_each_profile_without_an_image_offers_those_of_the_hub() -> None:
    values = values_of(hub_with())
    for slug in ("small", "large"):
        choices = profile(values, slug)["profile_options"]["image"]["choices"]
        assert {key: item["kubespawner_override"]["image"] for key, item in choices.items()} == {
            "sci": SCIPY,
            "r": R,
        }
        assert [key for key, item in choices.items() if item.get("default")] == ["sci"]
        assert choices["sci"]["display_name"] == "sci – NumPy and more"
        assert choices["r"]["display_name"] == "R"
    gpu = profile(values, "gpu")
    assert "profile_options" not in gpu and gpu["kubespawner_override"]["image"] == CUDA


def test_a_choice_may_open_a_page_of_its_own() -> None:
    rstudio = {"rs": {"image": R, "default_url": "/rstudio"}, "sci": {"image": SCIPY}}
    choices = profile(values_of(hub_with(image_choices=rstudio)), "small")["profile_options"][
        "image"
    ]["choices"]
    assert choices["rs"]["kubespawner_override"] == {"image": R, "default_url": "/rstudio"}
    assert choices["sci"]["kubespawner_override"] == {"image": SCIPY}


def test_texts_are_html_on_a_page_that_escapes_none() -> None:
    choices = {"r": {"image": R, "description": "R & <b>more</b>"}}
    free = {**FREE, "display_name": "<i>Own</i>"}
    option = profile(values_of(hub_with(image_choices=choices, unlisted_image=free)), "small")[
        "profile_options"
    ]["image"]
    assert option["choices"]["r"]["display_name"] == "r – R &amp; &lt;b&gt;more&lt;/b&gt;"
    assert option["unlisted_choice"]["display_name"] == "&lt;i&gt;Own&lt;/i&gt;"


def test_who_chooses_nothing_gets_the_default_one_everywhere() -> None:
    assert values_of(hub_with())["singleuser"]["image"] == {
        "name": SCIPY.partition(":")[0],
        "tag": "2026-08-03",
    }
    without_default = {"sci": {"image": SCIPY}, "r": {"image": R}}
    image = values_of(hub_with(image_choices=without_default))["singleuser"]["image"]
    assert image["name"] == R.partition(":")[0], "the first by name"


def test_a_profile_with_images_of_its_own_keeps_them() -> None:
    own = {"x": {"pool": "memory", "cpu": 2, "memory": "8G", "images": {"own": {"image": CUDA}}}}
    values = values_of(hub_with(profiles=own | {"y": {"pool": "memory", "cpu": 2, "memory": "8G"}}))
    assert list(profile(values, "x")["profile_options"]["image"]["choices"]) == ["own"]
    assert list(profile(values, "y")["profile_options"]["image"]["choices"]) == ["r", "sci"]


def test_the_text_field_is_where_the_hubs_images_are_and_not_elsewhere() -> None:
    values = values_of(hub_with(unlisted_image=FREE))
    option = profile(values, "small")["profile_options"]["image"]
    assert option["unlisted_choice"]["enabled"] is True
    assert option["unlisted_choice"]["kubespawner_override"] == {"image": "{value}"}
    assert "quay.io/jupyter" in option["unlisted_choice"]["validation_message"]
    assert "profile_options" not in profile(values, "gpu")
    assert "unlistedImageGroups" not in values["custom"]["jupyterhubAws"]


def test_what_users_write_is_no_image_of_the_stack() -> None:
    file = read(ROOT / "Pulumi.dev.yaml", (hub_with(unlisted_image=FREE),))
    specs = resolve(load(file.values, secret=file.secret, source=file.source))
    assert {item.reference for item in needed_images(specs)} >= {SCIPY, R, CUDA}
    assert not [item for item in needed_images(specs) if "{" in item.reference]
    assert not list(images_in({"kubespawner_override": {"image": "{value}"}}))


def test_in_a_registry_of_its_own_the_text_stays_what_the_user_writes() -> None:
    own = "123456789012.dkr.ecr.us-east-1.amazonaws.com/jhub-airgap"
    free = {"allowed": [f"{own}/images"]}
    values = values_of(hub_with("airgap", unlisted_image=free), "parts=all", stack="airgap")
    option = values["singleuser"]["profileList"][0]["profile_options"]["image"]
    assert option["unlisted_choice"]["kubespawner_override"] == {"image": "{value}"}
    images = [item["kubespawner_override"]["image"] for item in option["choices"].values()]
    assert all(image.startswith(f"{own}/quay.io/") for image in images)


def test_only_members_of_the_groups_have_the_text_field() -> None:
    free = {**FREE, "groups": ["example-org:staff"]}
    values = values_of(hub_with(unlisted_image=free))
    groups = values["custom"]["jupyterhubAws"]["unlistedImageGroups"]
    assert groups == {"small": ["example-org:staff"], "large": ["example-org:staff"]}
    gate = imported("jupyterhub_aws_people").ProfilesByGroup(
        values["singleuser"]["profileList"], {}, groups
    )
    for who, has in (
        (spawner("example-org:staff"), True),
        (spawner(admin=True), True),
        (spawner("example-org:students"), False),
        (spawner(), False),
    ):
        option = {item["slug"]: item for item in gate(who)}["small"]["profile_options"]["image"]
        assert ("unlisted_choice" in option) is has
        assert set(option["choices"]) == set(CHOICES)
    offered = gate(spawner())
    assert {item["slug"] for item in offered} == {"small", "large", "gpu"}


class Started:
    """KubeSpawner as far as options of a user go; the rest of it needs a cluster."""

    def __init__(self, profiles: Any, options: dict[str, Any]) -> None:
        base = imported("jupyterhub_aws_spawner").KubeSpawner
        kind = imported("jupyterhub_aws_spawner").NoticingKubeSpawner
        self.spawner = kind.__new__(kind)
        assert isinstance(self.spawner, base)
        object.__setattr__(self.spawner, "user", None)
        self.spawner.profile_list = profiles
        self.spawner.user_options = options
        self.spawner.image = "none"

    def image(self) -> str:
        asyncio.run(self.spawner.load_user_options())
        return str(self.spawner.image)


def started(options: dict[str, Any], **free: Any) -> str:
    values = values_of(hub_with(unlisted_image={**FREE, **free}))
    return Started(values["singleuser"]["profileList"], options).image()


FIELD = "image--unlisted-choice"


def test_the_real_kubespawner_takes_what_is_allowed_and_refuses_the_rest() -> None:
    assert started({}) == SCIPY
    assert started({"profile": "small", "image": "r"}) == R
    assert started({"profile": "small", FIELD: "quay.io/jupyter/x:1"}) == "quay.io/jupyter/x:1"
    for image in ("evil.org/x:1", "quay.io/jupyter/x:latest", "quay.io.evil.org/jupyter/x:1"):
        with pytest.raises(ValueError, match="failed validation regex"):
            started({"profile": "small", FIELD: image})
    with pytest.raises(ValueError, match="without being enabled"):
        allowed = values_of(hub_with())["singleuser"]["profileList"]
        Started(allowed, {"profile": "small", FIELD: "quay.io/jupyter/x:1"}).image()


def test_a_request_without_a_profile_does_not_go_around_the_expression() -> None:
    """KubeSpawner 7.0.0 validates nothing then, and the default profile would take the text."""
    for options in ({FIELD: "evil.org/x:latest"}, {"profile": "", FIELD: "evil.org/x:latest"}):
        assert started(options) == SCIPY


def pulled(values: dict[str, Any]) -> set[str]:
    found = values["prePuller"]["extraImages"].values()
    return {f"{image['name']}:{image['tag']}" for image in found}


def test_nothing_is_pulled_in_advance_unless_a_pool_is_named() -> None:
    values = values_of(hub_with())
    assert values["prePuller"]["continuous"] == {"enabled": False}
    assert "extraImages" not in values["prePuller"]
    assert values["singleuser"]["nodeSelector"] and "extraNodeAffinity" not in values["singleuser"]


def test_nodes_of_a_pool_pull_the_images_of_its_profiles() -> None:
    values = values_of(hub_with(pre_pull_pools=["memory"]))
    assert values["prePuller"]["continuous"] == {"enabled": True}
    assert values["prePuller"]["hook"]["enabled"] is False
    assert values["prePuller"]["pullProfileListImages"] is False
    assert pulled(values) == {R}, "besides singleuser.image, which the chart always pulls"
    single = values["singleuser"]
    assert single["nodeSelector"] == {}
    (term,) = single["extraNodeAffinity"]["required"]
    assert {item["key"]: item["values"] for item in term["matchExpressions"]} == {
        "hub.jupyter.org/node-purpose": ["user"],
        "jupyterhub-aws/pool": ["memory"],
    }
    assert values["scheduling"]["userPods"]["nodeAffinity"]["matchNodePurpose"] == "prefer"
    for item in single["profileList"]:
        assert item["kubespawner_override"]["node_selector"]["jupyterhub-aws/pool"]
        assert item["kubespawner_override"]["node_affinity_required"]
    requests = values["prePuller"]["resources"]["requests"]
    assert requests == {"cpu": "0", "memory": "0"}, "users_per_node fills a node exactly"


def test_nodes_with_gpus_are_tolerated_where_they_are_named() -> None:
    values = values_of(hub_with(pre_pull_pools=["gpu"]))
    keys = [item["key"] for item in values["prePuller"]["extraTolerations"]]
    assert keys == ["nvidia.com/gpu"] and pulled(values) == {CUDA}
    both = values_of(hub_with(pre_pull_pools=["memory", "gpu"]))
    assert pulled(both) == {R, CUDA}
    assert len(both["singleuser"]["extraNodeAffinity"]["required"]) == 2


def test_names_of_containers_fit_for_the_longest_names() -> None:
    long = "x" * 20
    profiles = {
        long: {
            "pool": "memory",
            "cpu": 2,
            "memory": "8G",
            "images": {"y" * 20: {"image": R}, "a": {"image": SCIPY}},
        }
    }
    values = values_of(hub_with(profiles=profiles, image_choices={}, pre_pull_pools=["memory"]))
    for key in values["prePuller"]["extraImages"]:
        assert len(f"image-pull-{key}") <= 63


def test_a_hubs_files_take_the_new_setting(monkeypatch: pytest.MonkeyPatch) -> None:
    people = imported("jupyterhub_aws_people")
    config: Any = types.SimpleNamespace(
        Authenticator=types.SimpleNamespace(),
        KubeSpawner=types.SimpleNamespace(profile_list=[{"slug": "small"}]),
    )
    people.configure(config, {"unlistedImageGroups": {"small": ["a"]}})
    assert isinstance(config.KubeSpawner.profile_list, people.ProfilesByGroup)
    config.KubeSpawner.profile_list = [{"slug": "small"}]
    people.configure(config, {})
    assert config.KubeSpawner.profile_list == [{"slug": "small"}]
