"""The closed stack on the real engine: its AWS half, then what is inside through the reference;
quiet, compared, and clear where it is not reached.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable

import pytest

from tests.engine.harness import Engine
from tests.engine.plan_and_state import differences, own
from tests.engine.runs import Run
from tests.support.certificates import self_signed
from tests.support.stack_files import ROOT

pytestmark = pytest.mark.real

INNER = {"PULUMI_STACK": "airgap-hub"}


@pytest.fixture(scope="module")
def engine(new_engine: Callable[..., Engine]) -> Engine:
    return new_engine(stack="airgap")


@pytest.fixture(scope="module")
def too_early(engine: Engine) -> str:
    engine.run("stack", "init", "airgap-hub", **INNER)
    return engine.refused("preview", **INNER)


@pytest.fixture(scope="module")
def cloud(engine: Engine, too_early: str) -> Run:
    return engine.up()


@pytest.fixture(scope="module")
def inside(engine: Engine, cloud: Run) -> Run:
    return engine.up(**INNER)


def state(engine: Engine, stack: str) -> list[dict]:
    return json.loads(engine.run("stack", "export", PULUMI_STACK=stack).stdout)["deployment"][
        "resources"
    ]


def test_the_inner_half_before_the_outer_one_says_what_to_run_first(too_early: str) -> None:
    assert "airgap" in too_early and "Traceback" not in too_early


def test_the_outer_half_is_aws_only_and_has_no_way_out(cloud: Run) -> None:
    made = {call.type for call in cloud.finished("Create")}
    assert not [kind for kind in made if kind.startswith("kubernetes:")]
    assert not made & {
        "aws:ec2/internetGateway:InternetGateway",
        "aws:ec2/natGateway:NatGateway",
        "aws:ec2/eip:Eip",
    }
    assert {
        "aws:ec2/vpcEndpoint:VpcEndpoint",
        "aws:ecr/repository:Repository",
        "aws:ec2/instance:Instance",
        "aws:lb/loadBalancer:LoadBalancer",
    } <= made


def test_the_inner_half_is_kubernetes_only(inside: Run) -> None:
    made = {call.type.partition(":")[0] for call in inside.finished("Create")}
    assert made <= {"kubernetes", "random", "pulumi"} and "kubernetes" in made


def test_a_second_preview_of_both_is_quiet(engine: Engine, inside: Run) -> None:
    assert engine.preview("--expect-no-changes").changes == {}
    assert engine.preview("--expect-no-changes", **INNER).changes == {}


@pytest.mark.parametrize(
    ("option", "value", "usual", "wanted"),
    [
        ("disk_gib", 80, 40, {"runner-template": "update"}),
        ("instance_type", "t3.large", "t3.medium", {"runner-instance": "update"}),
        ("generation", 2, 1, {"runner-instance": "delete", "runner-instance-2": "create"}),
    ],
)
def test_the_runner_outlives_every_edit_but_another_generation(
    engine: Engine, inside: Run, option: str, value: object, usual: object, wanted: dict[str, str]
) -> None:
    """The stand-in replaces an instance whose template has another version, as the provider
    does.
    """
    engine.put(**{f"runner__{option}": value})
    try:
        found = {
            subject.rpartition("::")[2]: done for subject, done in engine.preview().changes.items()
        }
        assert {
            name: done for name, done in found.items() if name.startswith("runner-")
        } == wanted, found
        if option == "disk_gib":
            engine.up()
            assert engine.preview("--expect-no-changes").changes == {}
    finally:
        engine.put(**{f"runner__{option}": usual})
    if option == "disk_gib":
        engine.up()


@pytest.mark.parametrize("stack", ["airgap", "airgap-hub"])
def test_the_plan_has_what_the_engine_has(engine: Engine, inside: Run, stack: str) -> None:
    command = [
        sys.executable,
        "-m",
        "jupyterhub_aws.cli.main",
        "plan",
        str(engine.project / f"Pulumi.{stack}.yaml"),
        "--json",
    ]
    planned = json.loads(
        subprocess.run(
            command, cwd=engine.project, capture_output=True, text=True, check=True, timeout=60
        ).stdout
    )["resources"]
    stored = [
        item for item in state(engine, stack) if item["type"] != "pulumi:pulumi:StackReference"
    ]
    assert {item["urn"] for item in planned} == set(own(stored))
    # The engine knows the address of the API, of which the plan only knows whence it comes.
    unlike = [line for line in differences(planned, stored) if "kubeconfig" not in line]
    assert unlike == []


def test_what_the_inner_half_names_is_what_the_outer_one_made(engine: Engine, inside: Run) -> None:
    outer, inner = state(engine, "airgap"), state(engine, "airgap-hub")
    volume = next(item["id"] for item in outer if item["type"] == "aws:ebs/volume:Volume")
    files = next(item["id"] for item in outer if item["type"] == "aws:efs/fileSystem:FileSystem")
    handles = [
        item["inputs"]["spec"]["csi"]["volumeHandle"]
        for item in inner
        if item["type"] == "kubernetes:core/v1:PersistentVolume"
    ]
    assert volume in handles and any(handle.startswith(f"{files}::fsap-") for handle in handles)


def test_a_configuration_that_moved_on_stops_the_inner_half(engine: Engine, inside: Run) -> None:
    engine.put(pools__memory__size__max=11)
    try:
        refusal = engine.refused("preview", **INNER)
    finally:
        engine.put(pools__memory__size__max=10)
    assert (
        "cloud_stack: airgap was built from another configuration than Pulumi.airgap.yaml is now;"
        " run first: pulumi up --stack airgap" in refusal
    )


def test_an_api_that_is_not_reached_gives_one_clear_line_quickly(
    engine: Engine, inside: Run
) -> None:
    engine.api.close()
    run = engine.run("preview", check=False, **INNER)
    assert run.code != 0
    lines = [
        line.strip() for line in run.errors.splitlines() if "does not answer from here" in line
    ]
    assert len(set(lines)) == 1, run.text[-3000:]
    assert lines[0].startswith(
        "error: the Kubernetes API at 127.0.0.1 does not answer from here (connection refused): run"
        " this stack inside the network"
    )
    assert "Traceback" not in run.text
    assert run.seconds < 30


def test_a_cluster_that_is_there_already_needs_no_aws(new_engine: Callable[..., Engine]) -> None:
    """The kubeadm example: no call to AWS, no credentials, quiet the second time."""
    engine = new_engine(stack="dev")
    engine.stack = "kubeadm"
    (engine.project / "Pulumi.kubeadm.yaml").write_bytes(
        (ROOT / "examples" / "kubeadm" / "Pulumi.kubeadm.yaml").read_bytes()
    )
    certificate = self_signed("hub.corp.example")
    engine.put(hubs__main__entry__tls__certificate=certificate.pem)
    there = {"PULUMI_STACK": "kubeadm", "AWS_ACCESS_KEY_ID": "", "AWS_SECRET_ACCESS_KEY": ""}
    engine.run("stack", "init", "kubeadm", **there)
    engine.set_secret("hub-main-tls-key", certificate.key_pem, **there)
    up = engine.up(**there)
    assert not [call for call in up.calls if call.type.startswith("aws:")]
    assert engine.preview("--expect-no-changes", **there).changes == {}
    state = engine.run("stack", "export", **there).stdout
    assert not [line for line in certificate.key_pem.splitlines()[1:-1] if line in state]


def test_a_vpc_of_theirs_is_judged_by_what_aws_answers(new_engine: Callable[..., Engine]) -> None:
    """Everything that it lacks at once, with its path; and when it is right, nothing is made in
    it but endpoints.
    """
    engine = new_engine(stack="airgap")
    vpc = engine.seed(
        "aws:ec2/vpc:Vpc",
        {"cidrBlock": "10.64.0.0/16", "enableDnsSupport": True, "enableDnsHostnames": True},
    )
    subnets = {
        zone: engine.seed(
            "aws:ec2/subnet:Subnet",
            {
                "vpcId": vpc,
                "availabilityZone": zone,
                "cidrBlock": cidr,
                "availableIpAddressCount": 16000,
            },
        )
        for zone, cidr in (("us-east-1a", "10.64.0.0/18"), ("us-east-1b", "10.64.64.0/18"))
    }
    table = engine.seed("aws:ec2/routeTable:RouteTable", {"vpcId": vpc})
    network = {
        "mode": "existing",
        "vpc_id": vpc,
        "cidr": "10.64.0.0/16",
        "private_subnets": {
            "us-east-1a": {"id": subnets["us-east-1b"], "cidr": "10.64.0.0/18"},
            "us-east-1b": {"id": subnets["us-east-1a"], "cidr": "10.64.64.0/18"},
        },
        "egress": {"kind": "none"},
        "route_tables": [table],
        "internal_hosts": ["*.corp.example"],
    }
    engine.put(network=network)
    refusal = engine.refused("preview")
    assert "the network is not what the stack file says" in refusal
    assert "network.private_subnets.us-east-1a: is in us-east-1b; put it under that zone" in refusal
    assert (
        "network.private_subnets.us-east-1b.cidr: is 10.64.0.0/18 (the file says 10.64.64.0/18);"
        " correct it" in refusal
    )
    network["private_subnets"] = {
        "us-east-1a": {"id": subnets["us-east-1a"], "cidr": "10.64.0.0/18"},
        "us-east-1b": {"id": subnets["us-east-1b"], "cidr": "10.64.64.0/18"},
    }
    engine.put(network=network)
    made = {call.type for call in engine.up().finished("Create")}
    assert "aws:ec2/vpcEndpoint:VpcEndpoint" in made
    assert not made & {
        "aws:ec2/vpc:Vpc",
        "aws:ec2/subnet:Subnet",
        "aws:ec2/routeTable:RouteTable",
        "aws:ec2/route:Route",
    }
    assert engine.preview("--expect-no-changes").changes == {}
