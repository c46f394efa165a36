"""A group of user nodes: safe nodes, a size that only the autoscaler changes, and no change of
the program that ends somebody's server.
"""

from __future__ import annotations

import pytest

from tests.support.stacks import FULL, NO_HUB, SOME_KEY, node_config, record

GROUP, TEMPLATE = "aws:autoscaling/group:Group", "aws:ec2/launchTemplate:LaunchTemplate"
GRANT, NODE_GROUP = "aws:kms/grant:Grant", "aws:eks/nodeGroup:NodeGroup"
TYPES = "pools.memory.instance_types"


def _groups(*settings):
    return {
        group.name.removeprefix("pools-").removesuffix("-group"): group
        for group in record(*settings).resources.of(GROUP)
    }


def _names(*settings):
    return {suffix: group.inputs["name"] for suffix, group in _groups(*settings).items()}


@pytest.mark.parametrize(
    "settings", [(), FULL, ("homes={kind: ebs}",)], ids=["dev", "full", "a volume per person"]
)
def test_every_template_core_included_has_imdsv2_out_of_reach_of_pods_and_an_encrypted_root(
    settings,
):
    templates = record(*settings).resources.of(TEMPLATE)
    assert len(templates) == len(_groups(*settings)) + 1
    for template in templates:
        metadata = template.inputs["metadataOptions"]
        assert (metadata["httpTokens"], metadata["httpPutResponseHopLimit"]) == ("required", 1)
        for volume in template.inputs["blockDeviceMappings"]:
            assert (
                volume["ebs"]["encrypted"] == "true"
                and volume["ebs"]["deleteOnTermination"] == "true"
                and volume["ebs"]["volumeType"] == "gp3"
            )
        kinds = [spec["resourceType"] for spec in template.inputs["tagSpecifications"]]
        assert sorted(kinds) == [
            "instance",
            "network-interface",
            "volume",
        ], "default tags of the provider do not reach what a template launches"
        assert all(
            spec["tags"]["owner"] == "platform-team"
            for spec in template.inputs["tagSpecifications"]
        )


def test_the_program_neither_sets_the_size_nor_ends_a_node():
    for group in _groups().values():
        assert "desiredCapacity" not in group.inputs, "each `up` would undo what the autoscaler did"
        assert "instanceRefresh" not in group.inputs and "forceDelete" not in group.inputs
        assert (
            group.inputs["suspendedProcesses"] == ["AZRebalance"]
            and group.inputs["capacityRebalance"] is False
        )
        assert group.inputs["waitForCapacityTimeout"] == "0", (
            "without spot capacity `up` would hang"
        )
        assert "maxInstanceLifetime" not in group.inputs


@pytest.mark.real
def test_sizes_are_those_of_the_stack():
    groups = _groups("pools.memory.size={min: 2, max: 7}")
    assert {
        suffix: (group.inputs["minSize"], group.inputs["maxSize"])
        for suffix, group in groups.items()
        if "memory" in suffix
    } == {
        "memory-spot": (2, 7),
        "memory-on-demand": (2, 7),
    }


def test_each_group_buys_in_one_market_and_only_spot_has_the_maximum_price():
    for suffix, group in _groups().items():
        distribution = group.inputs["mixedInstancesPolicy"]["instancesDistribution"]
        spot = suffix.endswith("-spot")
        assert (
            distribution["onDemandBaseCapacity"],
            distribution["onDemandPercentageAboveBaseCapacity"],
        ) == (0, 0 if spot else 100)
        assert distribution.get("spotMaxPrice") == ("0.40" if suffix == "memory-spot" else None)
        assert distribution.get("spotAllocationStrategy") == (
            "price-capacity-optimized" if spot else None
        )


@pytest.mark.real
@pytest.mark.parametrize(
    ("capacity", "markets"),
    [("spot", {"memory-spot"}), ("spot_first", {"memory-spot", "memory-on-demand"})],
)
def test_a_pool_has_a_group_for_each_market_that_it_buys_in(capacity, markets):
    assert {
        suffix for suffix in _groups(f"pools.memory.capacity={capacity}") if "memory" in suffix
    } == markets


@pytest.mark.real
def test_a_type_of_the_same_shape_changes_the_group_in_place():
    before, after = _names(f"{TYPES}=[r5n.2xlarge]"), _names(f"{TYPES}=[r5n.2xlarge, r6i.2xlarge]")
    assert before == after == _names(f"{TYPES}=[r6i.2xlarge]")
    overrides = _groups(f"{TYPES}=[r5n.2xlarge, r6i.2xlarge]")["memory-spot"].inputs[
        "mixedInstancesPolicy"
    ]["launchTemplate"]["overrides"]
    assert overrides == [
        {"instanceType": "r5n.2xlarge"},
        {"instanceType": "r6i.2xlarge"},
    ], "in the order of the stack file"


@pytest.mark.real
@pytest.mark.parametrize(
    "types",
    ["[r5n.4xlarge]", "[r6g.2xlarge]", "[g4dn.2xlarge]", "[m5.2xlarge]"],
    ids=["vCPUs", "architecture", "GPUs", "memory"],
)
def test_another_shape_is_another_group_so_that_the_new_one_comes_before_the_old_one_goes(types):
    before, after = _names(NO_HUB), _names(f"{TYPES}={types}", NO_HUB)
    assert (
        before["memory-spot"] != after["memory-spot"]
        and before["memory-on-demand"] != after["memory-on-demand"]
    )
    assert before["gpu-spot"] == after["gpu-spot"], "another pool's group has nothing to do with it"


@pytest.mark.real
@pytest.mark.parametrize(
    "change", ["disk.size_gib=300", "max_pods=60", "size.max=3", "labels={team: astro}"]
)
def test_what_new_nodes_get_does_not_rename_the_group_of_the_running_ones(change):
    assert _names(f"pools.memory.{change}") == _names()


def test_with_a_volume_per_person_each_group_has_one_zone():
    recording = record("homes={kind: ebs}")
    groups = _groups("homes={kind: ebs}")
    assert set(groups) == {
        f"{pool}-{market}-{zone}"
        for pool in ("memory", "gpu")
        for market in ("spot", "on-demand")
        for zone in "abc"
    }
    for suffix, group in groups.items():
        (subnet,) = recording.resources.referred(
            group.inputs["vpcZoneIdentifiers"], "aws:ec2/subnet:Subnet"
        )
        assert (
            subnet.name == f"network-private-{suffix[-1]}"
            and len(group.inputs["vpcZoneIdentifiers"]) == 1
        )
    assert all(len(group.inputs["vpcZoneIdentifiers"]) == 3 for group in _groups().values())


def test_nodes_know_their_cluster_without_asking_an_api():
    for template in record().resources.of(TEMPLATE):
        if template.name == "pools-core-template":
            assert "userData" not in template.inputs and "imageId" not in template.inputs, (
                "EKS adds both to a managed group"
            )
            continue
        config = node_config(template)
        assert config["apiVersion"] == "node.eks.aws/v1alpha1" and config["kind"] == "NodeConfig"
        assert config["spec"]["cluster"] == {
            "name": "jhub-dev",
            "apiServerEndpoint": "${cluster-control-plane-eksCluster.endpoint}",
            "certificateAuthority": "${cluster-control-plane-eksCluster.certificateAuthority.data}",
            "cidr": "172.20.0.0/16",
        }
        assert config["spec"]["kubelet"]["config"] == {"maxPods": 40}


@pytest.mark.real
def test_images_are_one_pinned_release_by_architecture_and_gpu():
    images = {
        template.name: template.inputs.get("imageId", "")
        for template in record(f"{TYPES}=[r6g.2xlarge]").resources.of(TEMPLATE)
    }
    assert (
        "/arm64/standard/" in images["pools-memory-spot-template"]
        and "/x86_64/nvidia/" in images["pools-gpu-spot-template"]
    )
    assert not [image for image in images.values() if "recommended" in image or "latest" in image]
    assert all(
        image.startswith("resolve:ssm:/aws/service/eks/optimized-ami/1.35/")
        for image in images.values()
        if image
    )


@pytest.mark.real
def test_a_key_of_ones_own_is_granted_to_auto_scaling_before_any_node_starts():
    recording = record(f"cluster.volume_key={SOME_KEY}")
    grant = recording.one(GRANT)
    assert grant.inputs["keyId"] == SOME_KEY and {
        "CreateGrant",
        "Decrypt",
        "GenerateDataKeyWithoutPlaintext",
    } <= set(grant.inputs["operations"])
    assert grant.inputs["granteePrincipal"].endswith(
        ":role/aws-service-role/autoscaling.amazonaws.com/AWSServiceRoleForAutoScaling"
    )
    for template in recording.resources.of(TEMPLATE):
        assert [volume["ebs"]["kmsKeyId"] for volume in template.inputs["blockDeviceMappings"]] == [
            SOME_KEY
        ]
    for group in recording.resources.of(GROUP, NODE_GROUP):
        assert (GRANT, grant.name) in recording.needs(group), (
            f"{group.name} could not start an instance without the grant"
        )


def test_without_a_key_of_ones_own_nothing_is_granted():
    recording = record()
    assert recording.resources.of(GRANT) == []
    assert all(
        "kmsKeyId" not in volume["ebs"]
        for template in recording.resources.of(TEMPLATE)
        for volume in template.inputs["blockDeviceMappings"]
    )


def test_user_nodes_join_by_an_entry_of_their_own_role():
    """EKS makes the entry of a managed group's role by itself; nobody makes that of ours, and
    without it no node joins.
    """
    resources = record().resources
    (entry,) = resources.of("aws:eks/accessEntry:AccessEntry")
    assert (entry.inputs["type"], entry.inputs["principalArn"]) == (
        "EC2_LINUX",
        "${pools-user-node.arn}",
    )
    (core,) = resources.of(NODE_GROUP)
    assert core.inputs["nodeRoleArn"] != entry.inputs["principalArn"], (
        "EKS refuses a second entry of one role"
    )
    for group in resources.of(GROUP):
        assert entry.urn in group.depends_on


def test_nodes_may_join_and_pull_images_and_no_more():
    attached = {
        item.inputs["policyArn"]
        for item in record().resources.of("aws:iam/rolePolicyAttachment:RolePolicyAttachment")
        if "-node-" in item.name
    }
    assert attached == {
        "arn:aws:iam::aws:policy/AmazonEKSWorkerNodePolicy",
        "arn:aws:iam::aws:policy/AmazonEC2ContainerRegistryPullOnly",
    }
