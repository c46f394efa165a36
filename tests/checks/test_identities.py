"""The proof that identities may do what their software asks: quiet on every correct stack, and
each way to break one is found, with statement and cure.
"""

from __future__ import annotations

import copy
import json
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cache
from typing import Any

import pytest

from jupyterhub_aws.checks.finding import Finding
from jupyterhub_aws.checks.identities.all import IdentityProof, identity_findings
from jupyterhub_aws.checks.identities.targets import TARGETS
from jupyterhub_aws.checks.resources import Resource, Resources
from jupyterhub_aws.config.aws_calls import api_calls, calling_software
from jupyterhub_aws.config.endpoints import software
from jupyterhub_aws.config.managed_policies import managed_policy, managed_policy_exists
from jupyterhub_aws.config.stack import StackConfig
from tests.checks.test_airgap import evaluated
from tests.support.stacks import ALL_STACKS, CLOSED, FULL, INSTEAD

DEV, WHOLE = ("stack=dev",), ("stack=airgap", "parts=all")
FULL_DEV, VOLUMES, ALL_CLOSED = (
    ("stack=dev", *FULL),
    ("stack=dev", *INSTEAD),
    (*CLOSED, "parts=all"),
)
ROLE, ATTACHMENT, INLINE, POLICY = (
    "aws:iam/role:Role",
    "aws:iam/rolePolicyAttachment:RolePolicyAttachment",
    "aws:iam/rolePolicy:RolePolicy",
    "aws:iam/policy:Policy",
)
ADDON, ENDPOINT, KEY, VOLUME = (
    "aws:eks/addon:Addon",
    "aws:ec2/vpcEndpoint:VpcEndpoint",
    "aws:kms/key:Key",
    "aws:ebs/volume:Volume",
)
ASSOCIATION, GRANT, GROUP = (
    "aws:eks/podIdentityAssociation:PodIdentityAssociation",
    "aws:kms/grant:Grant",
    "aws:autoscaling/group:Group",
)
#: Charts come from the stack's own repositories.
CHARTS = ("stack=airgap", "parts=all", "registry={kind: ecr, account: '123456789012'}")
Change = Callable[[list[Resource]], list[Resource]]


@cache
def stack_and_resources(*settings: str) -> tuple[StackConfig, Resources]:
    return evaluated(*settings)


def bad(settings: tuple[str, ...], *changes: Change) -> list[Finding]:
    """What is found on a stack after changes, but for what passes."""
    stack, resources = stack_and_resources(*settings)
    found = list(resources)
    for change in changes:
        found = change(found)
    assert [item.inputs for item in found] != [item.inputs for item in resources] or len(
        found
    ) != len(resources), "the change changed nothing"
    return [
        finding
        for finding in identity_findings(stack, Resources(found))
        if finding.status != "pass"
    ]


def inputs(kind: str, name: str, change: Callable[[dict[str, Any]], object]) -> Change:
    """Change the inputs of one resource."""

    def changed(found: list[Resource]) -> list[Resource]:
        (at,) = [
            index for index, item in enumerate(found) if item.type == kind and item.name == name
        ]
        spoilt = copy.deepcopy(dict(found[at].inputs))
        change(spoilt)
        return [*found[:at], replace(found[at], inputs=spoilt), *found[at + 1 :]]

    return changed


def without(kind: str, name: str) -> Change:
    def changed(found: list[Resource]) -> list[Resource]:
        rest = [item for item in found if not (item.type == kind and item.name == name)]
        assert len(rest) == len(found) - 1
        return rest

    return changed


def document(
    kind: str, name: str, change: Callable[[list[dict[str, Any]]], object], key: str = "policy"
) -> Change:
    """Change the statements of a document."""

    def spoil(found: dict[str, Any]) -> None:
        policy = json.loads(found[key])
        change(policy["Statement"])
        found[key] = json.dumps(policy)

    return inputs(kind, name, spoil)


def sid(
    name: str, change: Callable[[dict[str, Any]], object]
) -> Callable[[list[dict[str, Any]]], object]:
    def spoil(statements: list[dict[str, Any]]) -> None:
        (statement,) = [item for item in statements if item["Sid"] == name]
        change(statement)

    return spoil


def no_action(name: str, *actions: str) -> Callable[[list[dict[str, Any]]], object]:
    def spoil(statement: dict[str, Any]) -> None:
        assert set(actions) <= set(statement["Action"])
        statement["Action"] = [action for action in statement["Action"] if action not in actions]

    return sid(name, spoil)


def gone(name: str) -> Callable[[list[dict[str, Any]]], object]:
    def spoil(statements: list[dict[str, Any]]) -> None:
        statements[:] = [item for item in statements if item["Sid"] != name]

    return spoil


def more(statement: dict[str, Any]) -> Callable[[list[dict[str, Any]]], object]:
    return lambda statements: statements.append({"Sid": "More", **statement})


def let(key: str, value: object) -> Callable[[dict[str, Any]], object]:
    return lambda statement: statement.__setitem__(key, value)


def tag(kind: str, name: str, key: str, value: str | None) -> Change:
    def spoil(found: dict[str, Any]) -> None:
        tags = found["tags"]
        if isinstance(tags, list):
            tags[:] = [item for item in tags if item["key"] != key] + (
                [] if value is None else [{"key": key, "value": value, "propagateAtLaunch": True}]
            )
        elif value is None:
            del tags[key]
        else:
            tags[key] = value

    return inputs(kind, name, spoil)


def attach(name: str, arn: str) -> Change:
    return inputs(ATTACHMENT, name, let("policyArn", arn))


def agent_logs(kind: str) -> Change:
    return inputs(
        "aws:cloudwatch/logGroup:LogGroup", f"watch-logs-{kind}", let("name", f"/somewhere/{kind}")
    )


@dataclass(frozen=True)
class Case:
    """A way to break an identity. `says` are parts of the message, `cure` of what to do,
    `status` what it is.
    """

    settings: tuple[str, ...]
    change: Change
    says: tuple[str, ...]
    cure: str
    status: str = "fail"


EBS, AUTOSCALER = "aws-ebs-csi-driver may not", "cluster-autoscaler may not"
AWS = "arn:aws:iam::aws:policy"
DENY = {"Effect": "Deny", "Resource": "*"}
LATE = {
    "StringEquals": {
        "aws:PrincipalAccount": "${aws.account}",
        "aws:SourceVpc": "vpc-0123456789abcdef0",
    }
}
POOL = "pools-memory-spot-group"
ATTACHED = "pools-addons-aws-ebs-csi-driver"
CASES: dict[str, Case] = {
    # tags
    "the volume's tag is gone (P6)": Case(
        DEV,
        tag(VOLUME, "hub-main-cloud-database-a", "ebs.csi.aws.com/cluster", None),
        (
            EBS,
            "ec2:AttachVolume",
            "hub-main-cloud-database-a",
            "ManageManagedVolumes",
            "does not start",
        ),
        "with ebs.csi.aws.com/cluster=true",
    ),
    "the volume's tag has another value": Case(
        DEV,
        tag(VOLUME, "hub-main-cloud-database-a", "ebs.csi.aws.com/cluster", "True"),
        (EBS, "ManageManagedVolumes"),
        "ebs.csi.aws.com/cluster=true",
    ),
    "in the AWS half of a split stack too": Case(
        ("stack=airgap",),
        tag(VOLUME, "hub-main-cloud-database-a", "ebs.csi.aws.com/cluster", None),
        (EBS, "ec2:AttachVolume"),
        "ebs.csi.aws.com/cluster=true",
    ),
    "a group is not marked for the autoscaler": Case(
        DEV,
        tag(GROUP, POOL, "k8s.io/cluster-autoscaler/enabled", None),
        (AUTOSCALER, "SetDesiredCapacity", POOL, "ChangeOwnGroups"),
        "k8s.io/cluster-autoscaler/enabled=true",
    ),
    "a group belongs to another cluster": Case(
        DEV,
        tag(GROUP, POOL, "k8s.io/cluster-autoscaler/jhub-dev", "shared"),
        (AUTOSCALER, "TerminateInstance", "ChangeOwnGroups"),
        "jhub-dev=owned",
    ),
    # names
    "a group has a name that the policy does not know": Case(
        DEV,
        inputs(GROUP, POOL, let("name", "memory-spot")),
        (AUTOSCALER, POOL, "no statement"),
        "allow autoscaling:SetDesiredCapacity",
    ),
    "a log group has another name than its writer expects": Case(
        DEV,
        agent_logs("application"),
        (
            "amazon-cloudwatch-observability may not logs:CreateLogGroup",
            "which the plan does not make",
        ),
        "logs:CreateLogGroup",
    ),
    "the cluster has another name than the agent's policy": Case(
        DEV,
        inputs(ADDON, "watch-logs-agent", let("clusterName", "other")),
        ("amazon-cloudwatch-observability may not", "/aws/containerinsights/other/"),
        "allow logs:",
    ),
    # policies that are not there
    "a managed policy that AWS does not have (P1)": Case(
        DEV,
        attach(ATTACHED, f"{AWS}/service-role/AmazonEBSCSIDriverPolicyV2"),
        ("AWS has no such policy",),
        f"write {AWS}/AmazonEBSCSIDriverPolicyV2",
    ),
    "a managed policy of no name": Case(
        DEV,
        attach(ATTACHED, f"{AWS}/AmazonEbsDriver"),
        ("AWS has no such policy",),
        "AWS managed policy reference",
    ),
    "another managed policy": Case(
        DEV,
        attach(ATTACHED, f"{AWS}/AmazonEKS_CNI_Policy"),
        (EBS, "no statement of AmazonEKS_CNI_Policy"),
        "of the role jhub-dev-aws-ebs-csi-driver",
    ),
    "the node's policy is gone": Case(
        DEV,
        without(ATTACHMENT, "pools-user-node-AmazonEKSWorkerNodePolicy"),
        ("eks-pod-identity-agent may not eks-auth:AssumeRoleForPodIdentity",),
        "of the role jhub-dev-user-node",
    ),
    "nodes may not pull": Case(
        DEV,
        without(ATTACHMENT, "pools-core-node-AmazonEC2ContainerRegistryPullOnly"),
        ("nodes may not ecr:GetAuthorizationToken", "images are not pulled"),
        "of the role jhub-dev-core-node",
    ),
    "the CNI has no policy": Case(
        DEV,
        without(ATTACHMENT, "cluster-addons-vpc-cni"),
        ("vpc-cni may not", "it has no policy"),
        "of the role jhub-dev-vpc-cni",
    ),
    "the agent's inline policy is gone": Case(
        DEV,
        without(INLINE, "watch-logs-agent-write"),
        ("amazon-cloudwatch-observability may not", "it has no policy"),
        "allow ",
    ),
    "backups may not be taken": Case(
        DEV,
        without(ATTACHMENT, "backups-role-policy"),
        ("aws-backup may not elasticfilesystem:Backup",),
        "of the role jhub-dev-backup",
    ),
    "backups cannot be restored": Case(
        DEV,
        without(ATTACHMENT, "backups-restore-role-policy"),
        ("aws-backup-restore may not elasticfilesystem:Restore",),
        "of the role jhub-dev-backup-restore",
    ),
    "snapshots may not be taken": Case(
        VOLUMES,
        without(ATTACHMENT, "snapshots-role-policy"),
        ("data-lifecycle-manager may not ec2:CreateSnapshot",),
        "of the role jhub-dev-snapshots",
    ),
    # who has the role
    "the driver has no role": Case(
        DEV,
        inputs(ADDON, ATTACHED, lambda found: found.pop("podIdentityAssociations")),
        ("its pods have no role",),
        "ebs-csi-controller-sa",
    ),
    "the role is another account's": Case(
        DEV,
        inputs(
            ADDON,
            ATTACHED,
            lambda found: found["podIdentityAssociations"][0].update(serviceAccount="default"),
        ),
        ("gives its role to the service account default", "run as ebs-csi-controller-sa"),
        "give it to ebs-csi-controller-sa",
    ),
    "the autoscaler has no role": Case(
        DEV,
        without(ASSOCIATION, "autoscaler-identity-association"),
        ("autoscaler-release", "its pods have no role"),
        "cluster-autoscaler",
    ),
    "the autoscaler's role is another pod's": Case(
        DEV,
        inputs(ASSOCIATION, "autoscaler-identity-association", let("serviceAccount", "autoscaler")),
        ("its pods have no role",),
        "cluster-autoscaler",
    ),
    "the CNI has the driver's role": Case(
        DEV,
        inputs(
            ADDON,
            "cluster-addons-vpc-cni",
            lambda found: found["podIdentityAssociations"][0].update(
                roleArn=f"${{{ATTACHED}.arn}}"
            ),
        ),
        ("vpc-cni may not", "ec2:AssignPrivateIpAddresses"),
        "of the role jhub-dev-aws-ebs-csi-driver",
    ),
    # who may take the role
    "pods may not take a role": Case(
        DEV,
        document(
            ROLE,
            ATTACHED,
            sid("Service", let("Principal", {"Service": "ec2.amazonaws.com"})),
            "assumeRolePolicy",
        ),
        (EBS, "sts:AssumeRole, sts:TagSession", "pods.eks.amazonaws.com cannot take the role"),
        "in the policy of",
    ),
    "pods may not tag their session": Case(
        DEV,
        document(
            ROLE,
            "cluster-addons-vpc-cni",
            no_action("Service", "sts:TagSession"),
            "assumeRolePolicy",
        ),
        ("vpc-cni may not sts:TagSession",),
        "allow sts:TagSession",
    ),
    "nodes may not take their role": Case(
        DEV,
        document(
            ROLE, "pools-user-node", sid("Service", let("Effect", "Deny")), "assumeRolePolicy"
        ),
        ("nodes may not sts:AssumeRole", "denied by"),
        "take sts:AssumeRole out",
    ),
    "backups are taken for another account": Case(
        DEV,
        document(
            ROLE,
            "backups-role",
            sid(
                "Service",
                let("Condition", {"StringNotEquals": {"aws:SourceAccount": "${aws.account}"}}),
            ),
            "assumeRolePolicy",
        ),
        ("aws-backup may not sts:AssumeRole", "StringNotEquals aws:SourceAccount"),
        "meet that condition",
    ),
    "a trust policy is no JSON": Case(
        DEV,
        inputs(ROLE, "cluster-role", let("assumeRolePolicy", "{")),
        ("holds a policy that AWS refuses: it is not JSON",),
        "IAM user guide",
    ),
    # identity policies
    "the autoscaler may not set a size": Case(
        DEV,
        document(
            POLICY,
            "autoscaler-policy-document",
            no_action("ChangeOwnGroups", "autoscaling:SetDesiredCapacity"),
        ),
        (AUTOSCALER, "SetDesiredCapacity", "no statement"),
        "SetDesiredCapacity",
    ),
    "the autoscaler may not read types": Case(
        DEV,
        document(
            POLICY,
            "autoscaler-policy-document",
            no_action("ReadGroupsAndTypes", "ec2:DescribeInstanceTypes"),
        ),
        (AUTOSCALER, "ec2:DescribeInstanceTypes"),
        "ec2:DescribeInstanceTypes",
    ),
    "a typing error in an action": Case(
        DEV,
        document(
            INLINE,
            "watch-logs-agent-write",
            sid(
                "WriteLogs",
                let(
                    "Action",
                    ["logs:CreateLogStream", "logs:DescribeLogStreams", "logs:PutLogEvent"],
                ),
            ),
        ),
        ("amazon-cloudwatch-observability may not logs:PutLogEvents",),
        "allow logs:PutLogEvents",
    ),
    "an explicit deny": Case(
        DEV,
        document(
            POLICY, "autoscaler-policy-document", more({**DENY, "Action": "autoscaling:Terminate*"})
        ),
        (AUTOSCALER, "denied by jhub-dev-cluster-autoscaler, statement More"),
        "take autoscaling:TerminateInstanceInAutoScalingGroup out",
    ),
    "a deny of all but": Case(
        DEV,
        document(
            POLICY,
            "autoscaler-policy-document",
            more({**DENY, "NotAction": ["ec2:*", "autoscaling:Describe*"]}),
        ),
        (AUTOSCALER, "denied by"),
        "take ",
    ),
    "another region": Case(
        DEV,
        document(
            INLINE,
            "watch-logs-agent-write",
            sid(
                "WriteLogs",
                let(
                    "Resource",
                    [
                        "arn:aws:logs:eu-west-1:${aws.account}:log-group:/aws/containerinsights/jhub-dev/*:*"
                    ],
                ),
            ),
        ),
        ("amazon-cloudwatch-observability may not", "no statement"),
        "allow logs:",
    ),
    "only from a VPC, without an endpoint": Case(
        DEV,
        document(
            POLICY, "autoscaler-policy-document", sid("ReadGroupsAndTypes", let("Condition", LATE))
        ),
        (AUTOSCALER, "aws:SourceVpc"),
        "meet that condition",
    ),
    "only with a second factor": Case(
        DEV,
        document(
            POLICY,
            "autoscaler-policy-document",
            sid(
                "ReadGroupsAndTypes",
                let("Condition", {"Bool": {"aws:MultiFactorAuthPresent": "true"}}),
            ),
        ),
        (AUTOSCALER, "aws:MultiFactorAuthPresent"),
        "meet that condition",
    ),
    "flow logs do not find their group": Case(
        FULL_DEV,
        document(INLINE, "network-flow-logs-write", gone("FindLogGroup")),
        ("vpc-flow-logs may not logs:DescribeLogGroups",),
        "of the role jhub-dev-flow-logs",
    ),
    "flow logs may not write": Case(
        FULL_DEV,
        document(
            INLINE,
            "network-flow-logs-write",
            sid("WriteFlowLogs", let("Resource", ["${network-flow-logs-records.arn}"])),
        ),
        ("vpc-flow-logs may not logs:CreateLogStream",),
        "allow ",
    ),
    "a permissions boundary": Case(
        DEV,
        inputs(ROLE, ATTACHED, let("permissionsBoundary", f"{AWS}/AmazonEKS_CNI_Policy")),
        (EBS, "ec2:AttachVolume", "no statement of AmazonEKS_CNI_Policy"),
        "allow ",
    ),
    "a policy that is no JSON": Case(
        DEV,
        inputs(POLICY, "autoscaler-policy-document", let("policy", "Allow all")),
        ("holds a policy that AWS refuses", "not JSON"),
        "IAM user guide",
    ),
    "a wildcard for the service": Case(
        DEV,
        document(
            INLINE, "watch-logs-agent-write", sid("WriteLogs", let("Action", ["*:CreateLogStream"]))
        ),
        ("statement WriteLogs", "'*:CreateLogStream'"),
        "IAM user guide",
    ),
    "an operator that IAM does not have": Case(
        DEV,
        document(
            POLICY,
            "autoscaler-policy-document",
            sid(
                "ChangeOwnGroups", let("Condition", {"StringMatches": {"aws:PrincipalTag/a": "b"}})
            ),
        ),
        ("'StringMatches'",),
        "IAM user guide",
    ),
    # keys
    "the key hands over to nobody": Case(
        DEV,
        document(
            KEY,
            "cluster-key",
            sid(
                "AccountDecides",
                let("Principal", {"AWS": "arn:aws:iam::${aws.account}:role/admin"}),
            ),
        ),
        ("eks-control-plane may not kms:DescribeKey", "no statement of cluster-key"),
        "account's root",
    ),
    "the key is for one service": Case(
        DEV,
        document(
            KEY,
            "backups-main-key",
            sid(
                "AccountDecides",
                let(
                    "Condition", {"StringEquals": {"kms:ViaService": "s3.us-east-1.amazonaws.com"}}
                ),
            ),
        ),
        ("aws-backup may not kms:DescribeKey", "kms:ViaService"),
        "meet that condition",
    ),
    "the control plane may not use its key": Case(
        DEV,
        document(INLINE, "cluster-role-key", no_action("EncryptSecrets", "kms:Decrypt")),
        ("eks-control-plane may not kms:Decrypt on cluster-key",),
        "of the role jhub-dev-cluster",
    ),
    "the control plane may use another key": Case(
        DEV,
        document(
            INLINE,
            "cluster-role-key",
            sid("EncryptSecrets", let("Resource", ["${backups-main-key.arn}"])),
        ),
        ("eks-control-plane may not", "kms:Encrypt"),
        "of the role jhub-dev-cluster",
    ),
    "alarms cannot use the topic's key": Case(
        DEV,
        document(KEY, "watch-alarms-key", gone("AlarmsEncrypt")),
        (
            "cloudwatch-alarms may not kms:Decrypt, kms:GenerateDataKey on watch-alarms-key",
            "is notified of an alarm",
        ),
        "hand over",
    ),
    "the key of copies denies": Case(
        FULL_DEV,
        document(
            KEY, "backups-copy-key", more({**DENY, "Principal": "*", "Action": "kms:CreateGrant"})
        ),
        ("aws-backup may not kms:CreateGrant on backups-copy-key", "denied by"),
        "take kms:CreateGrant out",
    ),
    "a grant lacks an operation": Case(
        FULL_DEV,
        inputs(GRANT, "pools-volume-key", lambda found: found["operations"].remove("CreateGrant")),
        ("ec2-auto-scaling may not kms:CreateGrant", "nodes end as soon as they start"),
        "let a grant of the key allow kms:CreateGrant",
    ),
    "there is no grant": Case(
        FULL_DEV,
        without(GRANT, "pools-volume-key"),
        ("ec2-auto-scaling may not", "kms:GenerateDataKeyWithoutPlaintext"),
        "let a grant of the key allow",
    ),
    "the grant is for another key": Case(
        FULL_DEV,
        inputs(
            GRANT, "pools-volume-key", let("keyId", "arn:aws:kms:us-east-1:123456789012:key/0000")
        ),
        ("ec2-auto-scaling may not",),
        "let a grant of the key allow",
    ),
    "the grant is another role's": Case(
        FULL_DEV,
        inputs(
            GRANT,
            "pools-volume-key",
            let("granteePrincipal", "arn:aws:iam::${aws.account}:role/admin"),
        ),
        ("ec2-auto-scaling may not",),
        "AWSServiceRoleForAutoScaling",
    ),
    # resource policies
    "alarms may not publish": Case(
        DEV,
        document(
            "aws:sns/topicPolicy:TopicPolicy",
            "watch-alarms-policy",
            sid("AlarmsSpeak", let("Principal", {"Service": "events.amazonaws.com"})),
        ),
        ("cloudwatch-alarms may not sns:Publish",),
        "allow sns:Publish in the policy of",
    ),
    "alarms of another account publish": Case(
        DEV,
        document(
            "aws:sns/topicPolicy:TopicPolicy",
            "watch-alarms-policy",
            sid(
                "AlarmsSpeak",
                let(
                    "Condition",
                    {
                        "ArnLike": {
                            "aws:SourceArn": "arn:aws:cloudwatch:us-east-1:${aws.account}:rule/*"
                        }
                    },
                ),
            ),
        ),
        ("cloudwatch-alarms may not sns:Publish", "ArnLike aws:SourceArn"),
        "meet that condition",
    ),
    "there is no topic policy": Case(
        DEV,
        without("aws:sns/topicPolicy:TopicPolicy", "watch-alarms-policy"),
        ("cloudwatch-alarms may not sns:Publish",),
        "allow sns:Publish",
    ),
    "events may not write": Case(
        DEV,
        document(
            "aws:cloudwatch/logResourcePolicy:LogResourcePolicy",
            "watch-launches-write",
            sid(
                "WriteEvents",
                let("Condition", {"ArnEquals": {"aws:SourceArn": "${watch-launches-rule.arn}x"}}),
            ),
            "policyDocument",
        ),
        ("eventbridge may not logs:PutLogEvents", "ArnEquals aws:SourceArn"),
        "meet that condition",
    ),
    "events write into another group": Case(
        DEV,
        inputs(
            "aws:cloudwatch/eventTarget:EventTarget",
            "watch-launches-target",
            let("arn", "${watch-logs-host.arn}"),
        ),
        ("eventbridge may not", "watch-logs-host"),
        "in the policy of",
    ),
    "a hub's access point is not in the policy": Case(
        DEV,
        document(
            "aws:efs/fileSystemPolicy:FileSystemPolicy",
            "homes-policy",
            sid(
                "HubsThroughTheirAccessPoints",
                lambda item: item["Condition"].update(
                    StringEquals={
                        "elasticfilesystem:AccessPointArn": ["${homes-restore-access-point.arn}"]
                    }
                ),
            ),
        ),
        (
            "nfs-clients may not elasticfilesystem:ClientMount",
            "homes-access-point-main",
            "are not mounted",
        ),
        "meet that condition",
    ),
    "homes are read only": Case(
        DEV,
        document(
            "aws:efs/fileSystemPolicy:FileSystemPolicy",
            "homes-policy",
            no_action("HubsThroughTheirAccessPoints", "elasticfilesystem:ClientWrite"),
        ),
        ("nfs-clients may not elasticfilesystem:ClientWrite",),
        "elasticfilesystem:ClientWrite",
    ),
    "homes are mounted without encryption": Case(
        DEV,
        inputs(
            "kubernetes:core/v1:PersistentVolume",
            "hub-main-homes-volume",
            lambda found: found["spec"].pop("mountOptions"),
        ),
        ("nfs-clients may not", "denied by homes-policy, statement EncryptedOnly"),
        "take elasticfilesystem:ClientMount",
    ),
    "only identities mount homes": Case(
        DEV,
        document(
            "aws:efs/fileSystemPolicy:FileSystemPolicy",
            "homes-policy",
            sid(
                "HubsThroughTheirAccessPoints", let("Principal", {"AWS": "${pools-user-node.arn}"})
            ),
        ),
        ("nfs-clients may not",),
        "policy",
    ),
    "a restore is not root": Case(
        DEV,
        document(
            "aws:efs/fileSystemPolicy:FileSystemPolicy",
            "homes-policy",
            no_action("RestoreThroughItsAccessPoint", "elasticfilesystem:ClientRootAccess"),
        ),
        ("homes-restore may not elasticfilesystem:ClientRootAccess",),
        "ClientRootAccess",
    ),
    "nobody copies into the vault": Case(
        FULL_DEV,
        document(
            "aws:backup/vaultPolicy:VaultPolicy",
            "backups-copy-policy",
            more({**DENY, "Principal": "*", "Action": "backup:CopyIntoBackupVault"}),
        ),
        (
            "aws-backup may not backup:CopyIntoBackupVault",
            "denied by backups-copy-policy, statement More",
        ),
        "take backup:CopyIntoBackupVault out",
    ),
    "the runner is kept out of its bucket": Case(
        WHOLE,
        document(
            "aws:s3/bucketPolicy:BucketPolicy",
            "bundle-policy",
            more(
                {
                    **DENY,
                    "Principal": "*",
                    "Action": "s3:GetObject",
                    "Condition": {"StringNotEquals": {"aws:SourceVpce": "vpce-other"}},
                }
            ),
        ),
        ("runner may not s3:GetObject on bundle-bucket", "denied by bundle-policy, statement More"),
        "take s3:GetObject out",
    ),
    # endpoint policies
    "an endpoint for another account": Case(
        WHOLE,
        document(
            ENDPOINT,
            "network-endpoints-autoscaling",
            sid(
                "OwnPrincipals",
                let("Condition", {"StringNotEquals": {"aws:PrincipalAccount": "${aws.account}"}}),
            ),
        ),
        (AUTOSCALER, "network-endpoints-autoscaling"),
        "condition",
    ),
    "an endpoint that only lets read": Case(
        WHOLE,
        document(
            ENDPOINT, "network-endpoints-ec2", sid("OwnPrincipals", let("Action", "ec2:Describe*"))
        ),
        ("vpc-cni may not ec2:AssignPrivateIpAddresses", "the endpoint network-endpoints-ec2"),
        "in the policy of network-endpoints-ec2",
    ),
    "no images of EKS's add-ons": Case(
        WHOLE,
        document(
            ENDPOINT,
            "network-endpoints-ecr-dkr",
            sid("Pull", let("Resource", ["arn:aws:ecr:us-east-1:${aws.account}:repository/*"])),
        ),
        ("nodes may not ecr:BatchGetImage", "images of EKS's add-ons"),
        "in the policy of network-endpoints-ecr-dkr",
    ),
    "no signing in to the registry": Case(
        WHOLE,
        document(ENDPOINT, "network-endpoints-ecr-api", gone("SignIn")),
        ("nodes may not ecr:GetAuthorizationToken",),
        "in the policy of network-endpoints-ecr-api",
    ),
    "no layers": Case(
        WHOLE,
        document(
            ENDPOINT,
            "network-endpoints-s3",
            sid(
                "ReadPublished", let("Resource", ["arn:aws:s3:::al2023-repos-us-east-1-de612dc2/*"])
            ),
        ),
        ("nodes may not s3:GetObject", "layers of images"),
        "in the policy of network-endpoints-s3",
    ),
    "layers for identities of the account only": Case(
        WHOLE,
        document(
            ENDPOINT,
            "network-endpoints-s3",
            sid(
                "ReadPublished",
                let("Condition", {"StringEquals": {"aws:PrincipalAccount": "${aws.account}"}}),
            ),
        ),
        ("nodes may not s3:GetObject", "layers of images", "aws:PrincipalAccount"),
        "condition",
    ),
    "no packages for the runner": Case(
        WHOLE,
        document(
            ENDPOINT,
            "network-endpoints-s3",
            sid(
                "ReadPublished",
                let("Resource", ["arn:aws:s3:::prod-us-east-1-starport-layer-bucket/*"]),
            ),
        ),
        ("runner may not s3:GetObject", "Amazon Linux's bucket"),
        "in the policy of network-endpoints-s3",
    ),
    "the bundle does not come through": Case(
        WHOLE,
        document(ENDPOINT, "network-endpoints-s3", gone("OwnBuckets")),
        ("runner may not s3:ListBucket, s3:GetObject on bundle-bucket",),
        "in the policy of network-endpoints-s3",
    ),
    "no sessions through the endpoint": Case(
        WHOLE,
        document(
            ENDPOINT,
            "network-endpoints-ssmmessages",
            more({**DENY, "Principal": "*", "Action": "ssmmessages:Open*"}),
        ),
        ("runner may not ssmmessages:OpenControlChannel", "denied by"),
        "take ssmmessages:OpenControlChannel",
    ),
    "credentials do not come through": Case(
        ALL_CLOSED,
        document(
            ENDPOINT,
            "network-endpoints-eks-auth",
            sid(
                "OwnPrincipals",
                let("Resource", "arn:aws:eks:us-east-1:${aws.account}:cluster/other"),
            ),
        ),
        ("eks-pod-identity-agent may not eks-auth:AssumeRoleForPodIdentity",),
        "network-endpoints-eks-auth",
    ),
    "an endpoint's policy is no JSON": Case(
        WHOLE,
        inputs(ENDPOINT, "network-endpoints-logs", let("policy", "{'Statement': []}")),
        ("network-endpoints-logs", "not JSON"),
        "IAM user guide",
    ),
    # the runner
    "the runner may not read its bundle": Case(
        WHOLE,
        document(INLINE, "runner-policy", gone("ReadBundle")),
        ("runner may not s3:GetObject on bundle-bucket", "no statement of runner"),
        "of the role jhub-airgap-runner",
    ),
    "the runner may find another cluster": Case(
        WHOLE,
        document(
            INLINE,
            "runner-policy",
            sid(
                "FindCluster", let("Resource", "arn:aws:eks:us-east-1:${aws.account}:cluster/other")
            ),
        ),
        ("runner may not eks:DescribeCluster",),
        "of the role jhub-airgap-runner",
    ),
    "the runner has no profile": Case(
        WHOLE,
        document(INLINE, "runner-policy", no_action("Session", "ssm:UpdateInstanceInformation")),
        ("runner may not ssm:UpdateInstanceInformation",),
        "of the role jhub-airgap-runner",
    ),
    "the runner may not read charts": Case(
        CHARTS,
        document(INLINE, "runner-policy", gone("ReadCharts")),
        ("runner may not ecr:BatchGetImage",),
        "of the role jhub-airgap-runner",
    ),
    # volumes of users
    "volumes are not tagged for the snapshots": Case(
        VOLUMES,
        document(
            ROLE,
            "snapshots-role",
            sid("Service", let("Principal", {"Service": "backup.amazonaws.com"})),
            "assumeRolePolicy",
        ),
        ("data-lifecycle-manager may not sts:AssumeRole", "dlm.amazonaws.com cannot take the role"),
        "in the policy of",
    ),
    # what is not known is never taken for allowed
    "only from an address": Case(
        DEV,
        document(
            POLICY,
            "autoscaler-policy-document",
            sid(
                "ReadGroupsAndTypes",
                let("Condition", {"IpAddress": {"aws:SourceIp": "198.51.100.0/24"}}),
            ),
        ),
        ("cluster-autoscaler may or may not", "IpAddress aws:SourceIp"),
        "check whether that holds",
        "warn",
    ),
    "denied outside of an address": Case(
        DEV,
        document(
            POLICY,
            "autoscaler-policy-document",
            more(
                {
                    **DENY,
                    "Action": "*",
                    "Condition": {"NotIpAddress": {"aws:SourceIp": "198.51.100.0/24"}},
                }
            ),
        ),
        ("cluster-autoscaler may or may not", "statement More"),
        "check",
        "warn",
    ),
    "a policy that only AWS answers": Case(
        DEV,
        inputs(INLINE, "watch-logs-agent-write", let("policy", "${found.json}")),
        ("amazon-cloudwatch-observability may or may not", "is not known here"),
        "check that policy",
        "skip",
    ),
    "the policy of a key that only AWS answers": Case(
        DEV,
        inputs(KEY, "cluster-key", let("policy", "${found.json}")),
        (
            "eks-control-plane may or may not kms:DescribeKey",
            "the key's own policy is not known here",
        ),
        "check that policy",
        "skip",
    ),
    "a policy of somebody else's": Case(
        DEV,
        attach(ATTACHED, "arn:aws:iam::123456789012:policy/ours"),
        ("aws-ebs-csi-driver may or may not", "what ours says is not known here"),
        "check that policy",
        "skip",
    ),
    "an account number that may be ours": Case(
        WHOLE,
        document(
            ENDPOINT,
            "network-endpoints-autoscaling",
            sid(
                "OwnPrincipals",
                let("Condition", {"StringEquals": {"aws:PrincipalAccount": "111122223333"}}),
            ),
        ),
        ("cluster-autoscaler may or may not",),
        "check",
        "warn",
    ),
}


@pytest.mark.real
@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_each_way_to_break_an_identity_is_found(case: Case) -> None:
    found = bad(case.settings, case.change)
    assert [
        finding
        for finding in found
        if finding.status == case.status
        and all(part in finding.message for part in case.says)
        and case.cure in str(finding.fix)
    ], [(finding.status, finding.message, finding.fix) for finding in found]
    assert all(finding.subjects and finding.id == "identities" for finding in found)


def test_there_are_as_many_cases_as_promised():
    assert len(CASES) >= 40


_STACKS = {
    **ALL_STACKS,
    "charts": CHARTS,
    **{
        f"{name}, whole": (*settings, "parts=all")
        for name, settings in ALL_STACKS.items()
        if settings[:1] == ("stack=airgap",)
    },
}


@pytest.mark.real
@pytest.mark.parametrize("settings", _STACKS.values(), ids=_STACKS)
def test_nothing_is_found_on_a_correct_stack(settings: tuple[str, ...]) -> None:
    named = bool(settings) and settings[0].startswith("stack=")
    found = identity_findings(*stack_and_resources(*(settings if named else (*DEV, *settings))))
    assert [finding for finding in found if finding.status != "pass"] == []
    assert len(found) == (0 if "kubeadm" in str(settings) else 1), (
        "a stack in AWS says what was judged"
    )


def test_every_row_of_the_table_is_asked_by_some_stack():
    asked = {
        (call.identity.software.name, call.action)
        for settings in _STACKS.values()
        for call in _calls(settings)
        if call.action.partition(":")[0] != "sts"
    }
    rows = {
        (row.software, action)
        for row in api_calls()
        for action in row.actions
        if row.on not in _ON_OTHER_STACKS
    }
    assert rows - {("runner", "sts:GetCallerIdentity")} == asked


#: What no stack of the program has: volumes that the EFS driver makes, a key of the bundle's own, a
#: log group that nobody makes.
_ON_OTHER_STACKS = ("new-access-points", "bundle-keys", "agent-log-groups-that-are-not-made")


def _calls(settings: tuple[str, ...]):
    named = bool(settings) and settings[0].startswith("stack=")
    return IdentityProof(*stack_and_resources(*(settings if named else (*DEV, *settings)))).calls


def test_the_tables_of_calls_and_of_endpoints_agree():
    """What software calls from inside has an endpoint in closed networks, and an endpoint has a
    call for which it is there.
    """
    inside = {
        name
        for name, item in calling_software().items()
        if item.identity in ("pod", "node", "instance")
    }
    for name in inside:
        called = {
            call.endpoint(action)
            for call in api_calls()
            if call.software == name
            for action in call.actions
        }
        assert called == set(software(name).apis), name


def test_every_row_names_software_and_resources_that_there_are():
    for row in api_calls():
        assert row.software in calling_software() and row.on in TARGETS and row.source and row.stops
    assert {row.on for row in api_calls()} == set(TARGETS)
    assert {row.software for row in api_calls()} == set(calling_software())


def test_every_managed_policy_that_a_plan_attaches_is_known_with_its_document():
    arns = {
        str(item.inputs["policyArn"])
        for settings in _STACKS.values()
        for item in _resources(settings).of(ATTACHMENT)
        if ":ServerRole$" not in item.urn  # those of a stack file are not judged
    }
    own = [arn for arn in arns if ":iam::aws:policy/" in arn]
    assert len(own) > 5 and all(managed_policy(arn) is not None for arn in own)
    assert not managed_policy_exists("service-role/AmazonEBSCSIDriverPolicyV2")


def _resources(settings: tuple[str, ...]) -> Resources:
    named = bool(settings) and settings[0].startswith("stack=")
    return stack_and_resources(*(settings if named else (*DEV, *settings)))[1]


def test_a_policy_of_another_partition_speaks_of_that_partition():
    known = managed_policy("arn:aws-us-gov:iam::aws:policy/AmazonEBSCSIDriverPolicyV2")
    assert (
        known is not None
        and "arn:aws-us-gov:ec2:*:*:volume/*" in known.document
        and "arn:aws:" not in known.document
    )


def test_it_takes_little_time():
    stack, resources = stack_and_resources(*WHOLE)
    identity_findings(stack, resources)
    before = time.process_time()
    identity_findings(stack, resources)
    assert time.process_time() - before < 0.15
