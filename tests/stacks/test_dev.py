"""The stack `dev` as a whole: what it is made of, in which order, what outlives it, and that it
is the same every time.
"""

from __future__ import annotations

from collections import Counter
from unittest import mock

import pytest

from jupyterhub_aws.config.specs.names import HubNames
from tests.support.stacks import FULL, INSTEAD, record, record_anew

#: Change it together with what the program makes: the difference is what a reviewer wants to see.
INVENTORY = {
    "aws:autoscaling/group:Group": 4,
    "aws:backup/plan:Plan": 1,
    "aws:backup/selection:Selection": 1,
    "aws:backup/vault:Vault": 1,
    "aws:backup/vaultPolicy:VaultPolicy": 1,
    "aws:cloudwatch/eventRule:EventRule": 1,
    "aws:cloudwatch/eventTarget:EventTarget": 1,
    "aws:cloudwatch/logGroup:LogGroup": 6,
    "aws:cloudwatch/logMetricFilter:LogMetricFilter": 6,
    "aws:cloudwatch/logResourcePolicy:LogResourcePolicy": 1,
    "aws:cloudwatch/metricAlarm:MetricAlarm": 14,
    "aws:ec2/defaultSecurityGroup:DefaultSecurityGroup": 1,
    "aws:ec2/eip:Eip": 1,
    "aws:ec2/internetGateway:InternetGateway": 1,
    "aws:ec2/launchTemplate:LaunchTemplate": 5,
    "aws:ec2/natGateway:NatGateway": 1,
    "aws:ec2/route:Route": 4,
    "aws:ec2/routeTable:RouteTable": 4,
    "aws:ec2/routeTableAssociation:RouteTableAssociation": 6,
    "aws:ec2/subnet:Subnet": 6,
    "aws:ec2/subnetCidrReservation:SubnetCidrReservation": 3,
    "aws:ec2/vpc:Vpc": 1,
    "aws:ec2/vpcEndpoint:VpcEndpoint": 1,
    "aws:eks/accessEntry:AccessEntry": 1,
    "aws:eks/addon:Addon": 8,
    "aws:eks/cluster:Cluster": 1,
    "aws:eks/nodeGroup:NodeGroup": 1,
    "aws:eks/podIdentityAssociation:PodIdentityAssociation": 1,
    "aws:iam/instanceProfile:InstanceProfile": 1,
    "aws:iam/policy:Policy": 1,
    "aws:iam/role:Role": 11,
    "aws:iam/rolePolicy:RolePolicy": 2,
    "aws:iam/rolePolicyAttachment:RolePolicyAttachment": 11,
    "aws:kms/alias:Alias": 2,
    "aws:kms/key:Key": 3,
    "aws:sns/topic:Topic": 1,
    "aws:sns/topicPolicy:TopicPolicy": 1,
    "eks:index:Cluster": 1,
    "jupyterhub-aws:addons:ControllerAddons": 1,
    "jupyterhub-aws:addons:NodeAddons": 1,
    "jupyterhub-aws:index:ClusterAutoscaler": 1,
    "jupyterhub-aws:autoscaler:AutoscalerIdentity": 1,
    "jupyterhub-aws:index:AutoscalerPolicy": 1,
    "jupyterhub-aws:index:Backups": 1,
    "jupyterhub-aws:backups:BackupVault": 1,
    "jupyterhub-aws:index:Cluster": 1,
    "jupyterhub-aws:entry:Balancer": 1,
    "jupyterhub-aws:entry:HubEntry": 1,
    "jupyterhub-aws:entry:EntryService": 1,
    "jupyterhub-aws:index:EfsHomes": 1,
    "jupyterhub-aws:hub:DatabasePlace": 1,
    "jupyterhub-aws:hub:DatabaseVolume": 1,
    "jupyterhub-aws:hub:HomesVolume": 1,
    "jupyterhub-aws:hub:HubCloud": 1,
    "jupyterhub-aws:hub:HubSecrets": 1,
    "jupyterhub-aws:index:Network": 1,
    "jupyterhub-aws:index:JupyterHub": 1,
    "kubernetes:core/v1:ServiceAccount": 1,
    "jupyterhub-aws:index:JupyterHubPlatform": 1,
    "jupyterhub-aws:index:NodeAgents": 1,
    "jupyterhub-aws:pools:CorePool": 1,
    "jupyterhub-aws:index:NodePools": 1,
    "jupyterhub-aws:pools:UserGroup": 4,
    "jupyterhub-aws:monitoring:Alarms": 1,
    "jupyterhub-aws:monitoring:Launches": 1,
    "jupyterhub-aws:monitoring:Logs": 1,
    "jupyterhub-aws:index:Monitoring": 1,
    "kubernetes:core/v1:Namespace": 1,
    "kubernetes:core/v1:PersistentVolume": 2,
    "kubernetes:core/v1:PersistentVolumeClaim": 1,
    "kubernetes:core/v1:Secret": 1,
    "kubernetes:core/v1:Service": 1,
    "kubernetes:networking.k8s.io/v1:NetworkPolicy": 1,
    "kubernetes:helm.sh/v3:Release": 4,
    "pulumi:providers:kubernetes": 2,
    "random:index/randomBytes:RandomBytes": 4,
    # the hub's file system, database and entry
    "aws:autoscaling/attachment:Attachment": 1,
    "aws:ebs/volume:Volume": 1,
    "aws:ec2/securityGroup:SecurityGroup": 2,
    "aws:efs/accessPoint:AccessPoint": 2,
    "aws:efs/backupPolicy:BackupPolicy": 1,
    "aws:efs/fileSystem:FileSystem": 1,
    "aws:efs/fileSystemPolicy:FileSystemPolicy": 1,
    "aws:efs/mountTarget:MountTarget": 3,
    "aws:lb/listener:Listener": 1,
    "aws:lb/loadBalancer:LoadBalancer": 1,
    "aws:lb/targetGroup:TargetGroup": 1,
    "aws:vpc/securityGroupEgressRule:SecurityGroupEgressRule": 1,
    "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule": 3,
}
#: What people would cry over. A type that joins the program and is one of these has to be kept.
KEPT = {
    "aws:kms/key:Key",
    "aws:efs/fileSystem:FileSystem",
    "aws:backup/vault:Vault",
    "aws:rds/instance:Instance",
    "aws:s3/bucket:Bucket",
    "aws:ebs/volume:Volume",
}
#: Inside the cluster: they outlive their hub, and are as protected as the cluster.
IN_CLUSTER = (
    "kubernetes:core/v1:Namespace",
    "kubernetes:core/v1:PersistentVolume",
    "kubernetes:core/v1:PersistentVolumeClaim",
)
#: AWS refuses to delete what a kept database still uses.
LEFT_TO_A_DATABASE = {"hub-ldap-cloud-database-security-group", "hub-ldap-cloud-database-subnets"}
#: Nothing that is kept was encrypted with it: alarms on their way.
KEY_OF_ALARMS = "watch-alarms-key"
#: Nothing that users keep is lost with these.
MAY_GO = (KEY_OF_ALARMS, "buckets-scratch")
ADDON, NODE_GROUP, GROUP = (
    "aws:eks/addon:Addon",
    "aws:eks/nodeGroup:NodeGroup",
    "aws:autoscaling/group:Group",
)
ATTACHMENT, ROUTE, RELEASE = (
    "aws:iam/rolePolicyAttachment:RolePolicyAttachment",
    "aws:ec2/route:Route",
    "kubernetes:helm.sh/v3:Release",
)


def test_the_inventory_is_this():
    assert Counter(resource.type for resource in record().resources) == INVENTORY


@pytest.mark.real
def test_two_evaluations_in_one_process_are_identical():
    first, second = record_anew(), record_anew()
    assert first.resources.all == second.resources.all and first.outputs == second.outputs
    assert first.component_outputs == second.component_outputs


@pytest.mark.real
def test_an_evaluation_after_one_that_failed_is_not_disturbed_by_it():
    for broken in ("cluster.version=1", 'imports={"aws:ec2/vpc:Vpc::nothing": vpc-1}'):
        with pytest.raises(Exception, match=r"cluster\.version|imports"):
            record_anew(broken)
        assert record_anew().resources.all == record().resources.all
    with (
        mock.patch.object(HubNames, "target_group", side_effect=ValueError("while registering")),
        pytest.raises(Exception, match="while registering"),
    ):
        record_anew()
    assert record_anew().resources.all == record().resources.all


@pytest.mark.parametrize("settings", [(), FULL, INSTEAD], ids=["dev", "full", "instead"])
def test_urns_tell_the_whole_chain_of_parents(settings):
    resources = record(*settings).resources
    assert len(resources.by_urn) == len(resources)
    for resource in resources:
        chain, parent = [resource.type], resource.parent
        while parent is not None:
            chain.append(resources.by_urn[parent].type)
            parent = resources.by_urn[parent].parent
        assert (
            resource.urn
            == f"urn:pulumi:dev::jupyterhub-aws::{'$'.join(reversed(chain))}::{resource.name}"
        )


@pytest.mark.parametrize("settings", [(), FULL], ids=["dev", "full"])
def test_stateful_resources_are_protected_and_retained_with_what_they_need(settings):
    recording = record(*settings)
    protected_cluster = bool(settings)
    for resource in recording.resources:
        assert resource.retain_on_delete or not resource.protect, (
            f"{resource.label}: a protected one can be unprotected by a change of the program"
        )
        assert resource.protect or resource.type not in KEPT or resource.name in MAY_GO, (
            f"{resource.label} would go with the stack"
        )
        if resource.type in IN_CLUSTER and ":MountedBucketVolume$" not in resource.urn:
            assert resource.retain_on_delete, f"{resource.label} would go with its hub"
            assert resource.protect == protected_cluster, (
                f"{resource.label} keeps a cluster alive that is meant to go, or goes before one"
                " that is not"
            )
    half_kept = {
        resource.name
        for resource in recording.resources
        if resource.retain_on_delete and not resource.protect and resource.type not in IN_CLUSTER
    }
    assert half_kept == (LEFT_TO_A_DATABASE if settings else set())
    kept = {
        resource.name
        for resource in recording.resources
        if resource.protect and resource.type not in IN_CLUSTER
    }
    expected = {
        "cluster-key",
        "homes-file-system",
        "homes-access-point-main",
        "hub-main-cloud-database-a",
    }
    expected |= {"backups-main-key", "backups-main-vault", "backups-main-policy"}
    more = {"backups-copy-key", "backups-copy-vault", "backups-copy-policy"}
    more |= {
        "cluster-control-plane-eksCluster",
        "homes-access-point-ldap",
        "homes-access-point-port",
        "hub-ldap-cloud-database-instance",
        "images-physics",
        "images-r",
    }
    parts = ("", "-private", "-ownership", "-versions", "-encryption", "-lifecycle", "-policy")
    more |= {f"buckets-work{part}" for part in parts}
    assert kept == expected | (more if settings else set())


def _groups():
    return record().resources.of(NODE_GROUP, GROUP)


def test_every_node_waits_for_the_cni_its_rights_and_a_way_to_the_internet():
    recording = record()
    routes = {(ROUTE, f"network-private-{letter}-nat") for letter in "abc"}
    for group in _groups():
        needs = recording.needs(group)
        assert {
            (ADDON, f"cluster-addons-{name}")
            for name in ("vpc-cni", "kube-proxy", "eks-pod-identity-agent")
        } <= needs, group.name
        assert routes <= needs, group.name
        assert {kind for kind, name in needs if "AmazonEKSWorkerNodePolicy" in name} == {
            ATTACHMENT
        }, group.name
        assert {
            ("aws:ec2/routeTableAssociation:RouteTableAssociation", f"network-private-{letter}")
            for letter in "abc"
        } <= needs, group.name


def test_user_nodes_wait_for_the_entry_by_which_the_api_server_knows_them():
    for group in record().resources.of(GROUP):
        assert ("aws:eks/accessEntry:AccessEntry", "pools-user-node") in record().needs(group)


def test_the_control_plane_waits_for_its_log_group_its_key_and_its_rights():
    needs = record().needs(record().one("aws:eks/cluster:Cluster"))
    assert {
        ("aws:cloudwatch/logGroup:LogGroup", "cluster-logs"),
        ("aws:kms/key:Key", "cluster-key"),
        (ATTACHMENT, "cluster-role-eks"),
        ("aws:iam/rolePolicy:RolePolicy", "cluster-role-key"),
    } <= needs


def test_coredns_waits_for_a_node_and_the_autoscaler_for_its_identity():
    recording = record()
    assert (NODE_GROUP, "pools-core-group") in recording.needs(
        recording.one(ADDON, "pools-addons-coredns")
    )
    assert (
        "aws:eks/podIdentityAssociation:PodIdentityAssociation",
        "autoscaler-identity-association",
    ) in recording.needs(recording.one(RELEASE, "autoscaler-release"))


def test_nothing_waits_for_itself():
    recording = record(*FULL)
    for resource in recording.resources:
        assert (resource.type, resource.name) not in recording.needs(resource)


def test_every_taggable_resource_carries_the_stacks_tags():
    tags = {
        "owner": "platform-team",
        "environment": "dev",
        "stack": "jhub-dev",
        "managed-by": "jupyterhub-aws",
        "cost-center": "research-computing",
    }
    for resource in record(*FULL).resources:
        if resource.taggable and resource.type != GROUP:
            assert tags.items() <= resource.inputs.get("tags", {}).items(), resource.label


def test_exports_are_what_users_and_the_hub_need():
    outputs = record().outputs
    assert set(outputs) == {
        "cluster_name",
        "kubeconfig",
        "vpc_id",
        "scheduling",
        "alarms_topic",
        "hubs",
        "imported",
    }
    assert (
        outputs["cluster_name"] == "jhub-dev"
        and outputs["vpc_id"] == "${network-vpc.id}"
        and set(outputs["scheduling"]) == {"memory", "gpu"}
    )
    assert outputs["hubs"] == {
        "main": {
            "url": "https://hub.example.org/",
            "namespace": "hub-main",
            "release": "hub-main",
            "passwords": {},
        }
    }
