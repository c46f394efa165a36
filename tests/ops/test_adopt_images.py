"""Images that users wrote in an old hub, in a stack file: where the old expression names a registry
and a path, and listed where it does not.
"""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import pytest
import yaml

from jupyterhub_aws.adopt.z2jh.convert import Converted, convert
from jupyterhub_aws.adopt.z2jh.read import parsed
from jupyterhub_aws.config.stack_file import read
from jupyterhub_aws.plan.plan import recorded

FIXTURE = Path(__file__).parents[1] / "fixtures" / "z2jh" / "chart-4.yaml"
PLACE = "singleuser.profileList[0].profile_options.image.unlisted_choice"


def converted(free: dict[str, Any] | None, **more: Any) -> Converted:
    values = yaml.safe_load(FIXTURE.read_text(encoding="utf-8"))
    option = values["singleuser"]["profileList"][0]["profile_options"]["image"]
    if free is not None:
        option["unlisted_choice"] = copy.deepcopy(free)
    text = yaml.safe_dump({**values, **more})
    return convert(parsed(text, FIXTURE), hub="main", stack="old", source="chart-4.yaml")


def free(expression: str | None, **more: Any) -> dict[str, Any]:
    found = {"enabled": True, "display_name": "Other", "kubespawner_override": {"image": "{value}"}}
    return found | ({} if expression is None else {"validation_regex": expression}) | more


@pytest.mark.real
@pytest.mark.parametrize(
    ("expression", "allowed"),
    [
        (r"^quay\.io/pangeo/.*$", "quay.io/pangeo"),
        ("^quay.io/pangeo/.+:.+$", "quay.io/pangeo"),
        (r"ghcr\.io/a/b/(.*)", "ghcr.io/a/b"),
        ("^pangeo/.*$", "docker.io/pangeo"),
    ],
)
def test_an_expression_of_one_registry_and_path_is_carried_over(
    expression: str, allowed: str, tmp_path: Path
) -> None:
    found = converted(free(expression))
    path = tmp_path / "Pulumi.old.yaml"
    path.write_text(found.text, encoding="utf-8")
    profile = recorded(read(path))[0].hubs["main"].profiles["choose"]
    assert profile.unlisted_image is not None
    assert profile.unlisted_image.allowed == (allowed,)
    assert profile.unlisted_image.display_name == "Other"
    assert any("a tag other than latest" in note for note in found.notes)
    assert not [item for item in found.dropped if item.path.startswith(PLACE)]


@pytest.mark.parametrize(
    "given",
    [
        free("^.+:.+$"),
        free(".*"),
        free(None),
        free("^quay.io/(a|b)/.*$"),
        free(r"^quay\.io/pan.*$"),
        free(r"^quay\.io/Pangeo/.*$"),
        free(r"^quay\.io/a/.*$", kubespawner_override={"image": "quay.io/b/{value}"}),
        free(r"^quay\.io/a/.*$", kubespawner_override={"cmd": "{value}"}),
        free(r"^quay\.io/a/.*$", kubespawner_override={"image": "{value}", "uid": 0}),
    ],
)
def test_what_allows_more_or_something_else_is_listed(given: dict[str, Any]) -> None:
    found = converted(given)
    assert "unlisted_image:" not in found.text
    listed = [item for item in found.dropped if item.path.startswith(PLACE)]
    assert listed and all("unlisted_image.allowed" in item.why for item in listed)


def test_what_was_switched_off_is_none() -> None:
    assert "unlisted_image:" not in converted(free(r"^quay\.io/a/.*$", enabled=False)).text
    assert "unlisted_image:" not in converted(None).text


def test_the_old_puller_is_said_to_be_an_option_now() -> None:
    found = converted(None, prePuller={"continuous": {"enabled": True}, "hook": {"enabled": False}})
    lines = {".".join(map(str, path)): entry for path, entry in found.ledger.items()}
    assert any("pre_pull_pools" in entry.why for key, entry in lines.items() if "prePuller" in key)


@pytest.mark.parametrize(("page", "kept"), [("/rstudio", True), ("/{username}", False)])
def test_the_page_of_a_choice_is_carried_over(page: str, kept: bool) -> None:
    values = yaml.safe_load(FIXTURE.read_text(encoding="utf-8"))
    choices = values["singleuser"]["profileList"][0]["profile_options"]["image"]["choices"]
    choices["r"]["kubespawner_override"]["default_url"] = page
    text = yaml.safe_dump(values)
    found = convert(parsed(text, FIXTURE), hub="main", stack="old", source="chart-4.yaml")
    assert (f"default_url: {page}" in found.text) is kept
    assert any("default_url" in item.path for item in found.dropped) is not kept
