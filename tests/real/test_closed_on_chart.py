"""Closed hubs in the real chart: every image of every pod is inside, by digest; policies name
nobody outside; the inventory is what Helm renders.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from jupyterhub_aws.components.needed import needed_images
from jupyterhub_aws.config.bundle import normalized
from jupyterhub_aws.config.specs import resolve
from tests.checks.test_airgap import evaluated
from tests.support.chart import missing_for_the_chart, pod_templates, rendered

pytestmark = [
    pytest.mark.real,
    pytest.mark.skipif(bool(missing_for_the_chart()), reason=missing_for_the_chart()),
]

CLOSED = ("stack=airgap", "parts=all", "registry.lock=tests/fixtures/airgap.lock.json")
KUBEADM = ("stack=examples/kubeadm/Pulumi.kubeadm.yaml",)
REGISTRY = "123456789012.dkr.ecr.us-east-1.amazonaws.com/jhub-airgap/"


def objects(*settings: str) -> list[dict[str, Any]]:
    _, resources = evaluated(*settings)
    (release,) = [
        item
        for item in resources.of("kubernetes:helm.sh/v3:Release")
        if item.name == "hub-main-release"
    ]
    return rendered(
        json.loads(
            json.dumps(release.inputs["values"]).replace('"[secret]"', json.dumps("0" * 64))
        ),
        release="hub-main",
    )


def containers(found: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    for _, template in pod_templates(found):
        yield from (*template["spec"].get("initContainers", []), *template["spec"]["containers"])


def user_image(found: list[dict[str, Any]]) -> list[str]:
    (secret,) = [
        item for item in found if item["kind"] == "Secret" and item["metadata"]["name"] == "hub"
    ]
    import base64

    import yaml

    values = yaml.safe_load(base64.b64decode(secret["data"]["values.yaml"]))
    single = values["singleuser"]
    choices = [item["kubespawner_override"].get("image") for item in single.get("profileList", [])]
    return [f"{single['image']['name']}:{single['image']['tag']}", *filter(None, choices)]


def test_every_image_of_a_closed_hub_is_inside_and_named_by_its_digest() -> None:
    found = objects(*CLOSED)
    images = [container["image"] for container in containers(found)] + user_image(found)
    assert len(images) >= 3
    for image in images:
        assert (
            image.startswith(REGISTRY)
            and "@sha256:" in image
            and len(image.rpartition("@sha256:")[2]) == 64
        )


@pytest.mark.parametrize(
    "settings",
    [
        ("stack=dev",),
        ("stack=dev", "hubs.main.helm_values={scheduling: {userPlaceholder: {enabled: false}}}"),
    ],
)
def test_the_inventory_is_what_the_chart_renders(settings: tuple[str, ...]) -> None:
    stack, _ = evaluated(*settings)
    found = objects(*settings)
    pulled = {normalized(container["image"]) for container in containers(found)} | {
        normalized(image) for image in user_image(found)
    }
    ours = {
        normalized(item.reference)
        for item in needed_images(resolve(stack))
        if any(who.startswith("hub ") for who in item.needed_by)
    }
    assert pulled == ours


def test_images_on_nodes_are_never_asked_for() -> None:
    found = objects(*KUBEADM)
    policies = {container.get("imagePullPolicy") for container in containers(found)}
    assert policies == {"Never"}


def test_no_policy_of_a_closed_hub_names_an_address_outside() -> None:
    policies = [item for item in objects(*CLOSED) if item["kind"] == "NetworkPolicy"]
    assert {item["metadata"]["name"] for item in policies} >= {"hub", "proxy", "singleuser"}
    for policy in policies:
        assert "Egress" in policy["spec"]["policyTypes"]
        for rule in policy["spec"].get("egress", []):
            for peer in rule.get("to", []):
                block = peer.get("ipBlock", {})
                assert block.get("cidr") != "0.0.0.0/0", policy["metadata"]["name"]
    (servers,) = [item for item in policies if item["metadata"]["name"] == "singleuser"]
    ranges = {
        peer["ipBlock"]["cidr"]
        for rule in servers["spec"]["egress"]
        for peer in rule.get("to", [])
        if "ipBlock" in peer and not _is_dns(rule)
    }
    assert ranges == {"10.200.0.0/16"}, (
        "the peer network that the stack opens to servers, and nobody else"
    )


def _is_dns(rule: dict[str, Any]) -> bool:
    return {port.get("port") for port in rule.get("ports", [])} == {53}


def test_an_open_hub_names_the_world_so_that_the_rule_above_is_awake() -> None:
    policies = [item for item in objects("stack=dev") if item["kind"] == "NetworkPolicy"]
    assert "0.0.0.0/0" in json.dumps(policies)
