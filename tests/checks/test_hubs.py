"""Checks of hubs: each finds what it names when one recorded resource is spoilt, and is quiet
about `dev`.
"""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from jupyterhub_aws.checks import hubs, security
from jupyterhub_aws.checks.resources import Resources
from jupyterhub_aws.config.sign_in_entra import DOCUMENTATION_CLIENT, DOCUMENTATION_TENANT
from tests.checks.doctored import dev, doctored, stack_of
from tests.support.stacks import FULL, IN_AN_OPEN_VPC, record

RELEASE, GROUP = "kubernetes:helm.sh/v3:Release", "aws:autoscaling/group:Group"


def with_values(change: Callable[[dict[str, Any]], object]) -> Resources:
    """`dev` with changed values of its hub's release."""
    _, resources = dev()
    release = next(found for found in resources.of(RELEASE) if found.name == "hub-main-release")
    values = copy.deepcopy(dict(release.inputs["values"]))
    change(values)
    spoilt = replace(release, inputs={**release.inputs, "values": values})
    return Resources([spoilt if found is release else found for found in resources])


def statuses(findings: list) -> list[str]:
    return [finding.status for finding in findings]


@pytest.mark.parametrize("check", [hubs.values, hubs.servers_find_nodes, hubs.database_is_near])
@pytest.mark.parametrize("settings", [(), ("hubs={}",)], ids=["dev", "no hub"])
def test_what_is_right_passes(check, settings) -> None:
    assert statuses(check(*dev(*settings))) == ["pass"]


def test_a_value_that_the_chart_refuses_fails() -> None:
    (finding,) = hubs.values(
        dev()[0], with_values(lambda values: values["singleuser"].update(uid="root"))
    )
    assert (finding.status, finding.path) == ("fail", "hubs.main.helm_values")
    assert finding.message.startswith("singleuser.uid ")


def test_a_value_that_undoes_a_protection_fails() -> None:
    findings = hubs.values(
        dev()[0],
        with_values(lambda values: values["hub"]["config"]["KubeSpawner"].update(delete_pvc=True)),
    )
    assert [(finding.status, "delete_pvc" in finding.message) for finding in findings] == [
        ("fail", True)
    ]


@pytest.mark.parametrize(
    ("override", "says"),
    [
        (
            {"node_selector": {"jupyterhub-aws/pool": "nothing"}},
            "its node selector and affinity match no pool",
        ),
        ({"tolerations": []}, "does not tolerate hub.jupyter.org/dedicated"),
        ({"mem_guarantee": "60G"}, "MiB of memory, and a node of"),
        ({"cpu_guarantee": 8}, "needs 8 cores"),
        (
            {
                "extra_resource_guarantees": {"nvidia.com/gpu": "1"},
                "extra_resource_limits": {"nvidia.com/gpu": "1"},
            },
            "needs 1 GPUs",
        ),
    ],
)
def test_a_server_that_finds_no_node_fails(override: dict[str, Any], says: str) -> None:
    def change(values: dict[str, Any]) -> None:
        values["singleuser"]["profileList"][0]["kubespawner_override"].update(override)

    findings = hubs.servers_find_nodes(dev()[0], with_values(change))
    assert findings
    assert set(statuses(findings)) == {"fail"}
    assert all(
        says in finding.message and "profile small of hub main" in finding.message
        for finding in findings
    )


def test_a_group_with_a_taint_that_no_pod_tolerates_fails() -> None:
    stack, resources = dev()
    tag = {
        "key": "k8s.io/cluster-autoscaler/node-template/taint/example.org/own",
        "value": "x:NoSchedule",
        "propagateAtLaunch": True,
    }
    _, spoilt = doctored(resources, GROUP, lambda inputs: inputs["tags"].append(tag))
    assert {finding.status for finding in hubs.servers_find_nodes(stack, spoilt)} == {"fail"}


def test_a_database_away_from_the_core_nodes_fails() -> None:
    stack, resources = dev()
    _, spoilt = doctored(
        resources,
        "aws:ebs/volume:Volume",
        lambda inputs: inputs.update(availabilityZone="us-east-1b"),
    )
    (finding,) = hubs.database_is_near(stack, spoilt)
    assert (finding.status, finding.path) == ("fail", "pools.core.zones")
    assert "is in us-east-1b, but core nodes may start in us-east-1a" in finding.message


@pytest.mark.real
@pytest.mark.parametrize(
    ("setting", "path", "says"),
    [
        ('hubs.main.sign_in={"kind": "shared_password"}', "hubs.main.sign_in.kind", "one password"),
        (
            'hubs.main.database={"kind": "sqlite_memory"}',
            "hubs.main.database.kind",
            "loses every session",
        ),
        (
            'hubs.main.entry.tls={"kind": "none", "trial": true}',
            "hubs.main.entry.tls",
            "clear text",
        ),
        (
            (
                'hubs.main.entry={"kind": "node_port", "hostname": "hub.uni.edu", "tls": {"kind":'
                ' "none", "trial": true}}'
            ),
            "hubs.main.entry.allowed_cidrs",
            "no network is allowed in",
        ),
    ],
)
def test_what_is_said_on_purpose_is_shown_in_every_plan(setting: str, path: str, says: str) -> None:
    found = {finding.path: finding for finding in hubs.worth_knowing(*dev(setting))}
    assert found[path].status == "warn"
    assert says in found[path].message


def test_documentation_values_are_named_until_they_are_replaced() -> None:
    own = (
        "aws:allowedAccountIds=['998877665544']",
        "cluster.api.public_access_cidrs=[131.107.0.0/16]",
    )
    found = security.placeholders(*dev(*own))
    assert [finding.path for finding in found] == [
        "hubs.main.entry.hostname",
        "hubs.main.entry.allowed_cidrs",
    ]
    real = (
        *own,
        "hubs.main.entry.hostname=hub.uni.edu",
        "hubs.main.entry.allowed_cidrs=[131.107.0.0/16]",
    )
    assert statuses(security.placeholders(*dev(*real))) == ["pass"]


@pytest.mark.parametrize(
    ("option", "value"), [("tenant_id", DOCUMENTATION_TENANT), ("client_id", DOCUMENTATION_CLIENT)]
)
def test_the_ids_of_entra_that_init_writes_are_placeholders(option: str, value: str) -> None:
    real = {
        "kind": "entra",
        "tenant_id": "3c1d0f8e-6a4b-4c2d-9e7f-5b6a7c8d9e0f",
        "client_id": "9e8d7c6b-5a4f-4e3d-8c2b-1a0f9e8d7c6b",
        "allowed_groups": ["1a2b3c4d-5e6f-4a1b-8c2d-3e4f5a6b7c8d"],
    }

    def found(sign_in: dict[str, object]) -> list[str]:
        setting = f"hubs.main.sign_in={json.dumps(sign_in)}"
        listed = security.placeholders(*dev(setting))
        return [item.path for item in listed if item.path and ".sign_in." in item.path]

    assert found(real) == []
    assert found({**real, option: value}) == [f"hubs.main.sign_in.{option}"]


def test_the_owner_of_an_nfs_export_cannot_be_known() -> None:
    found = hubs.worth_knowing(
        *dev('homes={"kind": "nfs", "server": "nfs.uni.edu", "path": "/homes"}')
    )
    assert ("homes-owner", "skip") in [(finding.id, finding.status) for finding in found]


def test_an_entry_open_to_the_world_is_a_warning_where_the_stack_says_so() -> None:
    stack, resources = dev(
        "hubs.main.entry.public=true", "hubs.main.entry.allowed_cidrs=[0.0.0.0/0]"
    )
    (finding,) = security.open_ingress(stack, resources)
    assert (finding.status, finding.path) == ("warn", "hubs.main.entry.allowed_cidrs")


def test_a_missing_secret_is_a_warning_with_the_command() -> None:
    (finding,) = security.missing(stack_of(), (), "dev")
    assert (finding.status, finding.path, finding.fix) == (
        "warn",
        "hubs.main",
        "run: pulumi config set --secret --stack dev hub-main-client-secret",
    )
    (elsewhere,) = security.missing(stack_of(), (), "dev", " --config-file ../dev.yaml")
    assert elsewhere.fix == f"{finding.fix} --config-file ../dev.yaml"
    assert statuses(
        security.missing(stack_of(), ["jupyterhub-aws:hub-main-client-secret"], "dev")
    ) == ["pass"]


@pytest.mark.parametrize(
    "kind",
    [
        "kubernetes:core/v1:Namespace",
        "kubernetes:core/v1:PersistentVolume",
        "kubernetes:core/v1:PersistentVolumeClaim",
    ],
)
def test_what_leads_to_data_stays_with_every_cluster_and_is_protected_with_a_protected_one(
    kind: str,
) -> None:
    for settings, option in (((), {"retain_on_delete": False}), (FULL, {"protect": False})):
        stack, resources = stack_of(*settings), record(*settings).resources
        spoilt = next(
            item for item in resources.of(kind) if ":MountedBucketVolume$" not in item.urn
        )
        findings = security.protected(
            stack,
            Resources(
                [replace(found, **option) if found is spoilt else found for found in resources]
            ),
        )
        assert [finding.subjects for finding in findings if finding.status == "fail"] == [
            (spoilt.urn,)
        ]


@pytest.mark.parametrize("zones", [["us-east-1a"], ["us-east-1b"]])
def test_a_database_is_in_the_zone_of_the_hub_in_an_existing_vpc_too(zones: list[str]) -> None:
    """The subnets there are no resources of the plan."""
    settings = (IN_AN_OPEN_VPC, f"pools.core.zones={zones}")
    stack, resources = dev(*settings)
    assert statuses(hubs.database_is_near(stack, resources)) == ["pass"]
    _, spoilt = doctored(
        resources,
        "aws:ebs/volume:Volume",
        lambda inputs: inputs.update(availabilityZone="us-east-1f"),
    )
    (finding,) = hubs.database_is_near(stack, spoilt)
    assert f"is in us-east-1f, but core nodes may start in {zones[0]}" in finding.message
