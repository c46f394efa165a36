"""Images that users can work with, and accelerators that reach them: what a plan says of both."""

from __future__ import annotations

import datetime
import gzip
import json
from typing import Any

import pytest

from jupyterhub_aws.checks.images import ACCELERATORS, CUDA_IMAGE, SCIPY_IMAGE, accelerators, images
from jupyterhub_aws.config.instance_types import instance_types
from jupyterhub_aws.config.stack_file import read
from tests.checks.doctored import dev
from tests.support.moto_data import moto_file
from tests.support.stack_files import ROOT, read_yaml
from tests.support.stacks import plan_once
from tests.trials.test_traits import CASES


def of_case(case: str) -> list[Any]:
    """Findings of a case about images and accelerators."""
    made = plan_once(read(CASES / f"{case}.yaml"), datetime.date(2026, 11, 29))
    return [
        *images(made.stack, made.recording.everything),
        *accelerators(made.stack, made.recording.everything),
    ]


def said(*settings: str) -> dict[str, str]:
    """Id to message of what is not in order in `dev` with other settings; each may be said once."""
    found = [
        finding
        for check in (images, accelerators)
        for finding in check(*dev(*settings))
        if finding.status != "pass"
    ]
    assert len({(finding.id, finding.message) for finding in found}) == len(found)
    return {finding.id: f"{finding.path}: {finding.message}; {finding.fix}" for finding in found}


@pytest.mark.real
@pytest.mark.parametrize(
    ("case", "which", "path", "says"),
    [
        ("plan-base", "sample-image", "hubs.main.image", "chart's sample image"),
        (
            "plan-inferentia-pool",
            "accelerators",
            "pools.neuron.instance_types",
            "AWS Inferentia2) that no server gets",
        ),
        (
            "plan-docker-hub-image",
            "docker-hub",
            "hubs.main.profiles.small.image",
            "limits anonymous pulls by address",
        ),
    ],
)
def test_the_cases_are_warned_of(case: str, which: str, path: str, says: str) -> None:
    found = [finding for finding in of_case(case) if finding.id == which]
    assert [(finding.status, finding.path) for finding in found] == [("warn", path)]
    assert says in found[0].message and found[0].fix


@pytest.mark.parametrize(
    "name",
    [
        "Pulumi.dev.yaml",
        "Pulumi.airgap.yaml",
        "examples/kubeadm/Pulumi.kubeadm.yaml",
        "examples/first-try/Pulumi.first-try.yaml",
    ],
)
def test_every_sample_names_maintained_images_by_a_date(name: str) -> None:
    config = read_yaml(ROOT / name)["config"]
    (hubs,) = (value for key, value in config.items() if key.rpartition(":")[2] == "hubs")
    for hub in hubs.values():
        assert hub["image"] == SCIPY_IMAGE
        for profile in hub.get("profiles", {}).values():
            assert profile.get("image") == (CUDA_IMAGE if profile.get("gpus") else None)


def test_what_is_committed_is_in_order() -> None:
    assert said() == {}


@pytest.mark.real
def test_a_gpu_profile_without_cuda_is_named() -> None:
    assert (
        "has a GPU, but quay.io/jupyter/scipy-notebook:2026-08-03 has no CUDA"
        in said(f"hubs.main.profiles.gpu.image={SCIPY_IMAGE}")["image-without-cuda"]
    )
    assert (
        said(f"hubs.main.profiles.gpu.image={SCIPY_IMAGE.partition(':')[0]}@sha256:{'a' * 64}")
        == {}
    ), "a digest does not say"
    assert "image-without-cuda" not in said(
        "hubs.main.profiles.gpu.image=registry.example.org/lab/torch:1"
    )


@pytest.mark.real
@pytest.mark.parametrize(
    "image",
    ["jupyter/scipy-notebook:2023-10-20", "docker.io/rocker/binder:4.4", "rocker/binder:4.4"],
)
def test_images_of_docker_hub_are_named_where_nodes_pull_without_an_account(image: str) -> None:
    assert "limits anonymous pulls" in said(f"hubs.main.profiles.small.image={image}")["docker-hub"]
    assert ("2023-10-20" in said(f"hubs.main.image={image}")["docker-hub"]) == image.startswith(
        "jupyter/"
    )
    account = 'hubs.main.helm_values={"imagePullSecrets": ["docker-hub"]}'
    assert "docker-hub" not in said(f"hubs.main.image={image}", account)
    mirrored = 'registry={"kind": "private", "host": "registry.example.org"}'
    assert "docker-hub" not in said(f"hubs.main.image={image}", mirrored)
    beside = {"hub": {"initContainers": [{"name": "wait", "image": "busybox:1.37"}]}}
    assert (
        "busybox:1.37 comes from Docker Hub"
        in said(f"hubs.main.helm_values={json.dumps(beside)}")["docker-hub"]
    )


@pytest.mark.real
def test_images_for_arm64_nodes_are_looked_at() -> None:
    arm = "pools.memory.instance_types=[r7g.2xlarge, r6g.2xlarge]"
    assert "image-architecture" not in said(arm), "Jupyter's images are built for both"
    assert (
        "may be built for x86_64 alone"
        in said(arm, "hubs.main.profiles.small.image=registry.example.org/lab/py:1")[
            "image-architecture"
        ]
    )
    assert (
        "may be built for x86_64 alone"
        in said(arm, f"hubs.main.profiles.small.image={CUDA_IMAGE}")["image-architecture"]
    )
    assert said("hubs.main.profiles.small.image=registry.example.org/lab/py:1") == {}


def test_the_families_with_accelerators_are_those_of_aws() -> None:
    """moto carries DescribeInstanceTypes whole: every type that this program knows, with
    accelerators that are no NVIDIA GPUs.
    """
    packed = moto_file("ec2", "resources", "instance_types.json.gz").read_bytes()
    described = json.loads(gzip.decompress(packed))
    keys = {"InferenceAcceleratorInfo", "NeuronInfo", "FpgaInfo", "MediaAcceleratorInfo"}
    families = {
        name.partition(".")[0]
        for name, row in described.items()
        if keys & set(row) and name in instance_types()
    }
    assert families <= set(ACCELERATORS)
    assert set(ACCELERATORS) <= {
        name.partition(".")[0] for name, row in described.items() if keys & set(row)
    }
