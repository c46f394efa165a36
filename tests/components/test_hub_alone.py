"""JupyterHub by itself: three lines make one, wrong arguments are refused with their paths, and
what a program adds to its servers.
"""

from __future__ import annotations

import dataclasses
import json

import pulumi
import pytest

from jupyterhub_aws import (
    ArgumentError,
    JupyterHub,
    JupyterHubArgs,
    NetworkOutputs,
    NodePoolsOutputs,
)
from jupyterhub_aws.components.backups import Backups, BackupsArgs
from jupyterhub_aws.components.homes.efs import EfsHomesOutputs
from jupyterhub_aws.components.monitoring.monitoring import Monitoring, MonitoringArgs
from jupyterhub_aws.config.entry import PortForwardEntry
from jupyterhub_aws.config.homes import EphemeralHomes, NfsHomes
from jupyterhub_aws.config.hub import Hub
from jupyterhub_aws.config.pools import Pools
from jupyterhub_aws.config.sign_in import GitHubSignIn, NativeSignIn
from jupyterhub_aws.config.specs.node_groups import node_pools_spec
from tests.support.programs import cluster_by_hand, problems_of_program, record_program

SECTION = {
    "core": {"instance_types": ["m7i.large"], "size": 2},
    "memory": {
        "capacity": "spot_first",
        "instance_types": ["r5n.2xlarge"],
        "size": {"min": 0, "max": 10},
    },
}
POOLS = node_pools_spec(
    Pools.model_validate_json(json.dumps(SECTION)),
    cluster="theirs",
    version="1.35",
    zones=("us-east-1a", "us-east-1b"),
)
CERTIFICATE = "arn:aws:acm:us-east-1:123456789012:certificate/00000000-0000-0000-0000-000000000000"
RELEASE, SECRET, BALANCER = (
    "kubernetes:helm.sh/v3:Release",
    "kubernetes:core/v1:Secret",
    "aws:lb/loadBalancer:LoadBalancer",
)


def _an_output():
    return pulumi.Output.from_input("x")


def arguments(**more):
    more = {key: value() if value is _an_output else value for key, value in more.items()}
    given = {
        "cluster": cluster_by_hand(),
        "pools": NodePoolsOutputs(spec=POOLS, core_group_name="core"),
        "homes": EphemeralHomes(kind="ephemeral"),
        "sign_in": NativeSignIn(kind="native", administrators=("ada",)),
        "entry": PortForwardEntry(kind="port_forward"),
    }
    return JupyterHubArgs(**{**given, **more})


def hub(name="main", **more):
    return record_program(lambda: JupyterHub(name, arguments(**more)))


def test_three_lines_are_a_hub_with_profiles_of_its_pools():
    recording = hub()
    values = recording.one(RELEASE).inputs["values"]
    assert [profile["slug"] for profile in values["singleuser"]["profileList"]] == ["memory"]
    assert values["singleuser"]["nodeSelector"]["jupyterhub-aws/pool"] == "memory"
    (component,) = recording.resources.of("jupyterhub-aws:index:JupyterHub")
    assert recording.component_outputs[component.urn]["namespace"] == "hub-main"
    provider = recording.one("pulumi:providers:kubernetes")
    assert recording.one(RELEASE).provider == provider.urn


def test_its_options_are_those_of_a_stack_file():
    own = {field.name for field in dataclasses.fields(JupyterHubArgs)}
    assert set(Hub.model_fields) <= own, "`pools` is said by the outputs of NodePools"


def test_homes_in_efs_and_a_load_balancer():
    homes = EfsHomesOutputs(file_system_id="fs-1", volume_handles={"main": "fs-1::fsap-1"})
    tls = {"kind": "acm", "certificate_arn": CERTIFICATE}
    entry = {
        "kind": "load_balancer",
        "hostname": "hub.example.org",
        "allowed_cidrs": ["203.0.113.0/24"],
        "tls": tls,
    }
    subnets = {"us-east-1a": "subnet-0aaaaaaaaaaaaaaaa", "us-east-1b": "subnet-0bbbbbbbbbbbbbbbb"}
    network = NetworkOutputs(
        vpc_id="vpc-0123456789abcdef0",
        cidrs=["10.0.0.0/16"],
        private_subnets=subnets,
        public_subnets=subnets,
    )
    recording = hub(homes=homes, entry=entry, cluster=cluster_by_hand(network=network))
    handles = [
        item.inputs["spec"]["csi"]["volumeHandle"]
        for item in recording.resources.of("kubernetes:core/v1:PersistentVolume")
        if "homes" in item.name
    ]
    assert handles == ["fs-1::fsap-1"]
    assert recording.one(BALANCER).inputs["loadBalancerType"] == "network"


def test_two_hubs_in_one_program_share_the_provider_and_nothing_else():
    args = arguments()

    def program():
        JupyterHub("main", args)
        JupyterHub("second", args)

    recording = record_program(program)
    assert {item.inputs["namespace"] for item in recording.resources.of(RELEASE)} == {
        "hub-main",
        "hub-second",
    }
    assert len(recording.resources.of("pulumi:providers:kubernetes")) == 1


def test_a_secret_is_handed_on_and_never_shown():
    given = {
        "sign_in": GitHubSignIn(
            kind="github", client_id="Ov23li", allowed_organizations=("example-org",)
        ),
        "secrets": {"client-secret": "planted-77aa"},
    }
    recording = hub(**given)
    assert "planted-77aa" not in json.dumps([dict(item.inputs) for item in recording.resources])
    (secret,) = [
        item
        for item in recording.resources.of(SECRET)
        if item.inputs["metadata"]["name"] == "hub-secrets"
    ]
    assert secret.inputs["stringData"] in ("[secret]", {"values.yaml": "[secret]"})


@pytest.mark.parametrize(
    ("more", "said"),
    [
        (
            {"sign_in": {"kind": "github", "client_id": "x"}, "named_servers": 99},
            ["sign_in: allows no user", "[sign-in.no-user]", "named_servers: "],
        ),
        (
            {"sign_in": {"kind": "github", "client_id": "x", "allowed_users": ["ada"]}},
            ["secrets.client-secret: ", "[secret.missing]"],
        ),
        (
            {"cluster": "main", "pools": 3},
            [
                "cluster: must be ClusterOutputs (got str)",
                "pools: must be NodePoolsOutputs (got int)",
                "[argument.kind]",
            ],
        ),
        (
            {"profiles": {"big": {"pool": "nowhere", "cpu": 2, "memory": "8G"}}},
            ["profiles.big.pool: ", "[profile.pool]"],
        ),
        (
            {"profiles": {"big": {"pool": "memory", "cpu": 2, "memory": "800G"}}},
            ["profiles.big.memory: guarantees"],
        ),
        ({"entry": _an_output}, ["entry"]),
        (
            {"homes": EfsHomesOutputs(file_system_id="fs-1", volume_handles={"other": "x"})},
            [
                "homes: has no access point for the hub main (it has: other)",
                "[homes.no-access-point]",
            ],
        ),
        ({"secrets": {"client_secret": "x"}}, ["secrets.client_secret: ", "[secret.unknown]"]),
        (
            {"helm_values": {"singleuser": {"storage": {"type": "dynamick"}}}},
            ["helm_values.singleuser.storage.type"],
        ),
        ({"named_servers": "3"}, ["named_servers", "[option.kind]"]),
        ({"secrets": ["x"]}, ["secrets: ", "[argument.not-a-map]"]),
        (
            {
                "entry": {
                    "kind": "load_balancer",
                    "hostname": "hub.example.org",
                    "allowed_cidrs": ["203.0.113.0/24"],
                    "tls": {"kind": "acm", "certificate_arn": CERTIFICATE},
                },
                "pools": NodePoolsOutputs(spec=POOLS),
            },
            ["pools.core_group_name: ", "[pools.core-group-missing]"],
        ),
    ],
    ids=[
        "sign-in",
        "its secret",
        "no handles",
        "no such pool",
        "too large",
        "an output",
        "no access point",
        "no such secret",
        "chart",
        "wrong type",
        "no map of secrets",
        "no core group",
    ],
)
def test_wrong_arguments_are_all_said_at_once_before_anything_is_registered(more, said):
    lines = problems_of_program(lambda: JupyterHub("main", arguments(**more)))
    assert all(line.startswith("JupyterHub 'main': ") for line in lines)
    for part in said:
        assert any(part in line for line in lines), (part, lines)


def test_homes_of_another_kind_and_a_name_that_is_none():
    nfs = NfsHomes(kind="nfs", server="nfs.example.org", path="/ifs/homes")
    assert hub(homes=nfs).resources.of("kubernetes:core/v1:PersistentVolume")
    lines = problems_of_program(lambda: JupyterHub("Main Hub", arguments()))
    assert any(": name: " in line for line in lines), lines


def test_what_a_program_adds_to_the_servers_of_a_hub():
    def program():
        made = JupyterHub("main", arguments())
        made.add_environment({"BUCKET": "some-bucket"})
        made.add_secrets({"API_TOKEN": "planted-88bb"})
        made.add_role("arn:aws:iam::123456789012:role/reads")

    recording = record_program(program)
    values = recording.one(RELEASE).inputs["values"]
    (environment,) = [
        item
        for item in recording.resources.of("kubernetes:core/v1:ConfigMap")
        if item.inputs["metadata"]["name"] == "server-environment"
    ]
    assert (
        environment.inputs["data"] == {"BUCKET": "some-bucket"}
        and environment.inputs["metadata"]["namespace"] == "hub-main"
    )
    sources = values["hub"]["config"]["KubeSpawner"]["extra_container_config"]["envFrom"]
    assert sources == [
        {"configMapRef": {"name": "server-environment", "optional": True}},
        {"secretRef": {"name": "server-secrets", "optional": True}},
    ]
    association = recording.one("aws:eks/podIdentityAssociation:PodIdentityAssociation")
    assert (
        association.inputs["serviceAccount"]
        == values["singleuser"]["serviceAccountName"]
        == "servers"
    )
    assert (
        association.inputs["clusterName"] == "theirs"
        and association.inputs["namespace"] == "hub-main"
    )
    (policy,) = [
        item
        for item in recording.resources.of("kubernetes:networking.k8s.io/v1:NetworkPolicy")
        if item.name.endswith("servers-to-aws")
    ]
    assert policy.inputs["spec"]["egress"] == [
        {
            "to": [{"ipBlock": {"cidr": "169.254.170.23/32"}}],
            "ports": [{"protocol": "TCP", "port": 80}],
        }
    ]
    assert "planted-88bb" not in json.dumps([dict(item.inputs) for item in recording.resources])


def test_what_cannot_be_added_is_refused():
    with pytest.raises(ArgumentError, match=r"add_environment\['1 x'\]: .* \[environment.name\]$"):
        record_program(lambda: JupyterHub("main", arguments()).add_environment({"1 x": "y"}))


def test_what_a_program_cannot_add_where_the_hub_is_not_made_or_the_cluster_is_not_in_eks():
    def outside():
        parts = dataclasses.replace(arguments().parts("main"), in_cluster=None)
        JupyterHub("main", parts).add_environment({"A": "b"})

    def elsewhere():
        parts = arguments().parts("main")
        in_cluster = dataclasses.replace(parts.in_cluster, cluster_name=None)
        made = JupyterHub("main", dataclasses.replace(parts, in_cluster=in_cluster))
        made.add_role("arn:aws:iam::123456789012:role/reads")

    for program, path, which in (
        (outside, "add_environment", "hub.no-inner-stack"),
        (elsewhere, "add_role", "hub.role-without-pod-identity"),
    ):
        with pytest.raises(ArgumentError, match=rf"'main': {path}: .* \[{which}\]$"):
            record_program(program)


VOLUME, ALARM = "aws:ebs/volume:Volume", "aws:cloudwatch/metricAlarm:MetricAlarm"


def test_backups_and_monitoring_know_a_stand_alone_hub():
    def program():
        cluster, backups = (
            cluster_by_hand(),
            Backups("kept", BackupsArgs(region="us-east-1", rds=True)),
        )
        small = JupyterHub(
            "small",
            arguments(cluster=cluster, database={"kind": "sqlite"}, backups=backups.outputs),
        )
        large = JupyterHub(
            "large",
            arguments(
                cluster=cluster,
                database={"kind": "postgres", "size_gib": 40},
                backups=backups.outputs,
            ),
        )
        Monitoring("m", MonitoringArgs(cluster=cluster, hubs=[small.monitored, large.monitored]))

    recording = record_program(program)
    tag = {"jupyterhub-aws/backup": "kept"}
    assert (
        tag.items() <= recording.one(VOLUME).inputs["tags"].items()
        and tag.items() <= recording.one("aws:rds/instance:Instance").inputs["tags"].items()
    )
    found = {
        item.name.removeprefix("m-alarms-"): item.inputs for item in recording.resources.of(ALARM)
    }
    assert {
        "hub-down-small",
        "database-volume-full-small",
        "hub-down-large",
        "database-storage-large",
    } <= found.keys()
    assert (
        found["database-storage-large"]["threshold"] == 2 * 2**30
        and "database-volume-full-large" not in found
    )
    told = recording.one(RELEASE, "small-release").inputs["values"]["custom"]["jupyterhubAws"]
    assert "heartbeat" in told, "the hub writes the line that its alarm waits for"


def test_without_backups_nothing_has_their_tag_and_wrong_ones_are_refused():
    assert (
        "jupyterhub-aws/backup" not in hub(database={"kind": "sqlite"}).one(VOLUME).inputs["tags"]
    )
    (line,) = problems_of_program(lambda: JupyterHub("main", arguments(backups="daily")))
    assert line.startswith("JupyterHub 'main': backups: must be BackupsOutputs (got str)")
