"""Every IAM document of the program: judged by parliament, or by rules of our own where a
document says who instead of what.
"""

from __future__ import annotations

import fnmatch
import json
import re

import pytest

from jupyterhub_aws.components.autoscaler import autoscaler_document
from tests.support.policies import concrete, documents, findings
from tests.support.stacks import FULL, NO_HUB, record, tags_of

STACKS = {
    "dev": (),
    "full": FULL,
    "a volume per person": ("homes={kind: ebs}", "network.flow_logs={}"),
    "no hub": (NO_HUB,),
}
#: Statement and parliament's issue: why it stays.
ACCEPTED: dict[tuple[str, str], str] = {}
#: Key policies: the account itself, so that IAM decides, and a key cannot become one that nobody
#: administers.
ACCOUNT_ROOT = "arn:aws:iam::123456789012:root"
FULL_ACCESS = ("AdministratorAccess", "PowerUserAccess", "*FullAccess")


def _all():
    return [
        (name, where, document)
        for name, settings in STACKS.items()
        for where, document in documents(record(*settings))
    ]


def _listed(value):
    return [value] if isinstance(value, str) else value


def _speaks_of_principals(document):
    return any(
        "Principal" in statement or "NotPrincipal" in statement
        for statement in document["Statement"]
    )


def test_the_documents_are_found():
    found = {where for _, where, _ in _all()}
    assert len([where for where in found if "assumeRolePolicy" in where]) >= 7
    assert {where.partition(" ")[0] for where in found if "assumeRolePolicy" not in where} == {
        "autoscaler-policy-document",
        "backups-copy-key",
        "backups-copy-policy",
        "backups-main-key",
        "backups-main-policy",
        "buckets-scratch-policy",
        "buckets-work-policy",
        "cluster-key",
        "cluster-role-key",
        "homes-policy",
        "hub-main-cloud-servers-all-policy",
        "hub-main-cloud-servers-group-staff-policy",
        "hub-main-cloud-servers-profile-gpu-policy",
        "mountpoint-policy",
        "network-flow-logs-write",
        "watch-alarms-key",
        "watch-alarms-policy",
        "watch-launches-write",
        "watch-logs-agent-write",
    }, "a new document: look at it, then name it here"


def test_parliament_finds_nothing_but_what_is_accepted_with_a_reason():
    judged, found = 0, set()
    for _, where, document in _all():
        if not _speaks_of_principals(document):
            judged += 1
            found |= {(where, statement, issue) for statement, issue in findings(document)}
    assert judged > 0
    assert {
        (where, statement, issue)
        for where, statement, issue in found
        if (statement, issue) not in ACCEPTED
    } == set()
    assert {(statement, issue) for _, statement, issue in found} == set(ACCEPTED), (
        "an accepted finding that is gone leaves the list"
    )


@pytest.mark.parametrize(
    ("statement", "issue"),
    [
        ({"Action": "s3:GetObject", "Resource": "*"}, "RESOURCE_STAR"),
        ({"Action": "ec2:DescribeInstnaces", "Resource": "*"}, "UNKNOWN_ACTION"),
        ({"Action": "iam:PassRole", "Resource": "*"}, "RESOURCE_STAR"),
        (
            {"Action": "iam:PutRolePolicy", "Resource": "arn:aws:iam::123456789012:role/x"},
            "PERMISSIONS_MANAGEMENT_ACTIONS",
        ),
    ],
)
def test_parliament_is_awake(statement, issue):
    found = findings({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", **statement}]})
    assert issue in {name for _, name in found}


def test_every_document_is_of_the_current_version_and_each_statement_is_named_and_allows_unless_it_encrypts():
    for _, where, document in _all():
        assert document["Version"] == "2012-10-17", (
            f"{where}: in the old one variables are plain text"
        )
        sids = [statement["Sid"] for statement in document["Statement"]]
        assert len(set(sids)) == len(sids) and all(sid.isalnum() for sid in sids)
        refusals = [
            sid
            for sid, statement in zip(sids, document["Statement"], strict=True)
            if statement["Effect"] != "Allow"
        ]
        assert refusals in ([], ["EncryptedOnly"], ["NobodyTakesBackupsAway"]), where
        assert not [
            statement
            for statement in document["Statement"]
            if {"NotAction", "NotResource", "NotPrincipal"} & set(statement)
        ], where


FILE_SYSTEM, ACCESS_POINT = "aws:efs/fileSystem:FileSystem", "aws:efs/accessPoint:AccessPoint"
MOUNT_AND_WRITE = ["elasticfilesystem:ClientMount", "elasticfilesystem:ClientWrite"]
EVERYBODY = {"AWS": "*"}
#: `buckets.work.readers` of FULL.
READER = "arn:aws:iam::210987654321:root"
BY_MOUNT_TARGET = {"Bool": {"elasticfilesystem:AccessedViaMountTarget": "true"}}
BY_DOOR = "elasticfilesystem:AccessPointArn"


def _arn(recording, resource):
    return concrete(recording, f"${{{resource.name}.arn}}")


def _denies_everybody_in_clear(statement):
    """Whoever comes without TLS, and whatever they want."""
    return (
        statement["Effect"] == "Deny"
        and (statement["Principal"], statement["Condition"])
        == (EVERYBODY, {"Bool": {"aws:SecureTransport": "false"}})
        and statement["Action"] in ("*", "s3:*")
    )


def _lets_named_readers_read(statement):
    """A shared bucket's readers outside the stack, whom the stack file of FULL names."""
    return statement["Principal"] == {"AWS": [READER]} and set(_listed(statement["Action"])) <= {
        "s3:GetBucketLocation",
        "s3:ListBucket",
        "s3:GetObject",
        "s3:GetObjectTagging",
    }


def _denies_everybody_to_take_backups_away(statement):
    """Whoever comes. AWS Backup takes no wildcard in an action of a vault's policy."""
    taking = [
        "backup:DeleteRecoveryPoint",
        "backup:DisassociateRecoveryPoint",
        "backup:UpdateRecoveryPointLifecycle",
    ]
    return statement == {
        "Sid": "NobodyTakesBackupsAway",
        "Effect": "Deny",
        "Principal": EVERYBODY,
        "Action": taking,
        "Resource": "*",
    }


def _of_the_file_system(recording, statement, points, actions):
    """Allows nothing but these actions, on this file system, from inside the VPC, and only
    through some of these access points.
    """
    condition = statement.get("Condition", {})
    doors = condition.get("StringEquals", {})
    named = set(_listed(doors.get(BY_DOOR, [])))
    (file_system,) = recording.resources.of(FILE_SYSTEM)
    return (
        (statement["Effect"], statement["Action"], statement["Resource"])
        == ("Allow", actions, _arn(recording, file_system))
        and {**condition, "StringEquals": {}} == {**BY_MOUNT_TARGET, "StringEquals": {}}
        and set(doors) == {BY_DOOR}
        and bool(named)
        and named <= set(points)
    )


def _pins_a_person_to_a_directory(point):
    """Whoever comes through it is not root, whoever they say they are, and sees a directory of
    its own.
    """
    user, path = point.inputs["posixUser"], point.inputs["rootDirectory"]["path"]
    return user["uid"] > 0 and user["gid"] > 0 and path.strip("/") != ""


def _may_stand(recording, statement):
    """Whether a statement hands out nothing to the world. A file system is mounted by nodes, which
    come without a name of their own: `*` is allowed there, but only through access points that pin
    who one is and what one sees. The one that shows everything to root is a role's, and no pod has
    that role.
    """
    if statement["Effect"] == "Deny":
        return _denies_everybody_to_take_backups_away(statement) or _denies_everybody_in_clear(
            statement
        )
    if "Principal" not in statement or _lets_named_readers_read(statement):
        return True  # a role's own policy is parliament's matter
    who = statement["Principal"]
    points = recording.resources.of(ACCESS_POINT)
    pinned = [_arn(recording, point) for point in points if _pins_a_person_to_a_directory(point)]
    rooted = [
        _arn(recording, point) for point in points if not _pins_a_person_to_a_directory(point)
    ]
    if who == EVERYBODY:
        return _of_the_file_system(recording, statement, pinned, MOUNT_AND_WRITE)
    if who == {"AWS": concrete(recording, "${homes-restore.arn}") if points else None}:
        return _of_the_file_system(
            recording, statement, rooted, [*MOUNT_AND_WRITE, "elasticfilesystem:ClientRootAccess"]
        )
    if isinstance(who, str) or any(
        action.startswith("elasticfilesystem:") for action in _listed(statement["Action"])
    ):
        return False
    named = [(kind, name) for kind, names in who.items() for name in _listed(names)]
    service = re.compile(r"[a-z0-9.-]+\.amazonaws\.com")
    return bool(named) and all(
        service.fullmatch(name) if kind == "Service" else (kind, name) == ("AWS", ACCOUNT_ROOT)
        for kind, name in named
    )


def test_no_role_or_resource_is_open_to_the_world():
    for settings in STACKS.values():
        recording = record(*settings)
        for where, document in documents(recording):
            for statement in document["Statement"]:
                assert _may_stand(recording, statement), f"{where}: {statement}"


def test_no_pod_has_the_role_that_sees_all_homes():
    roles = [
        item.inputs["roleArn"]
        for item in record(*FULL).resources.of(
            "aws:eks/podIdentityAssociation:PodIdentityAssociation"
        )
    ]
    assert roles
    assert not [role for role in roles if "homes-restore" in role]


def _doors(statement, doors=None):
    found = statement["Condition"]["StringEquals"]
    found[BY_DOOR] = doors or found[BY_DOOR]
    return found[BY_DOOR]


def _statements_of_the_file_system(recording):
    (document,) = (
        document for where, document in documents(recording) if where.startswith("homes-policy")
    )
    return {statement["Sid"]: statement for statement in document["Statement"]}


def test_the_file_system_is_reached_encrypted_and_by_each_hub_through_its_access_point():
    recording = record(*FULL)
    statements = _statements_of_the_file_system(recording)
    assert statements["EncryptedOnly"]["Resource"] == _arn(
        recording, recording.one(FILE_SYSTEM)
    ) and _denies_everybody_in_clear(statements["EncryptedOnly"])
    doors = [
        _arn(recording, recording.one(ACCESS_POINT, f"homes-access-point-{hub}"))
        for hub in ("ldap", "main", "port")
    ]
    assert _doors(statements["HubsThroughTheirAccessPoints"]) == doors
    assert len(set(doors)) == 3


ROOT_DOOR = "homes-restore-access-point"
HUBS, RESTORE, ENCRYPTED = (
    "HubsThroughTheirAccessPoints",
    "RestoreThroughItsAccessPoint",
    "EncryptedOnly",
)
SPOILED = {
    "everybody, from wherever": (HUBS, lambda known, _: known["Condition"].pop("Bool")),
    "everybody, through no door": (HUBS, lambda known, _: known.update(Condition=BY_MOUNT_TARGET)),
    "everybody, on no condition": (HUBS, lambda known, _: known.pop("Condition")),
    "everybody, through an empty list": (
        HUBS,
        lambda known, _: known["Condition"].update(StringEquals={}),
    ),
    "everybody, through any door": (HUBS, lambda known, _: _doors(known, ["*"])),
    "everybody, through the door of root": (
        HUBS,
        lambda known, root: _doors(known, [*_doors(known), root]),
    ),
    "everybody, by a laxer operator": (
        HUBS,
        lambda known, _: known["Condition"].update(
            StringLike=known["Condition"].pop("StringEquals")
        ),
    ),
    "everybody, as root": (
        HUBS,
        lambda known, _: known["Action"].append("elasticfilesystem:ClientRootAccess"),
    ),
    "everybody, to another file system": (HUBS, lambda known, _: known.update(Resource="*")),
    "everybody who is called otherwise": (RESTORE, lambda known, _: known.update(Principal="*")),
    "the root of everybody": (RESTORE, lambda known, _: known.update(Principal=EVERYBODY)),
    "another role": (
        RESTORE,
        lambda known, _: known.update(Principal={"AWS": "arn:aws:iam::123456789012:role/node"}),
    ),
    "nobody": (RESTORE, lambda known, _: known.update(Principal={"AWS": []})),
    "the whole account": (RESTORE, lambda known, _: known.update(Principal={"AWS": ACCOUNT_ROOT})),
    "the account of somebody else": (
        RESTORE,
        lambda known, _: known.update(Principal={"AWS": "arn:aws:iam::210987654321:root"}),
    ),
    "a restore that changes the file system": (
        RESTORE,
        lambda known, _: known["Action"].append("elasticfilesystem:DeleteFileSystem"),
    ),
    "a refusal that spares some": (
        ENCRYPTED,
        lambda known, _: known.update(Action=MOUNT_AND_WRITE),
    ),
    "a refusal of nobody": (
        ENCRYPTED,
        lambda known, _: known["Condition"].update(Bool={"aws:SecureTransport": "true"}),
    ),
    "a refusal that allows": (ENCRYPTED, lambda known, _: known.update(Effect="Allow")),
}


@pytest.mark.parametrize(("sid", "change"), SPOILED.values(), ids=SPOILED)
def test_the_rule_about_the_world_is_awake(sid, change):
    recording = record(*FULL)
    statement = _statements_of_the_file_system(recording)[sid]
    assert _may_stand(recording, statement)
    change(statement, _arn(recording, recording.one(ACCESS_POINT, ROOT_DOOR)))
    assert not _may_stand(recording, statement)


def test_no_action_is_a_wildcard_but_the_accounts_own_right_to_its_key():
    for _, where, document in _all():
        for statement in document["Statement"]:
            wild = [action for action in _listed(statement["Action"]) if "*" in action]
            own_key = statement.get("Principal") == {"AWS": ACCOUNT_ROOT} and wild == ["kms:*"]
            assert not wild or own_key or _denies_everybody_in_clear(statement), f"{where}: {wild}"


def test_trust_policies_hand_out_roles_and_nothing_else():
    for _, where, document in _all():
        if "assumeRolePolicy" in where:
            (statement,) = document["Statement"]
            actions = set(_listed(statement["Action"]))
            service = statement["Principal"]["Service"]
            assert actions == (
                {"sts:AssumeRole", "sts:TagSession"} if "eks" in service else {"sts:AssumeRole"}
            ), "Pod Identity needs TagSession, others do not"


def test_no_managed_policy_gives_full_access_and_node_roles_have_no_more_than_joining_and_pulling():
    attachments = record(*FULL).resources.of("aws:iam/rolePolicyAttachment:RolePolicyAttachment")
    names = [
        item.inputs["policyArn"].rpartition("/")[2]
        for item in attachments
        if "-cloud-servers-" not in item.name  # what the stack file gives users' servers
    ]
    assert not [name for name in names for bad in FULL_ACCESS if fnmatch.fnmatch(name, bad)]
    on_nodes = {
        item.inputs["policyArn"].rpartition("/")[2]
        for item in attachments
        if item.inputs["role"].endswith("-node")
    }
    assert on_nodes == {
        "AmazonEKSWorkerNodePolicy",
        "AmazonEC2ContainerRegistryPullOnly",
    }, "what a node may do, every pod on it that reaches IMDS may"
    assert not [
        role
        for role in record(*FULL).resources.of("aws:iam/role:Role")
        if {"managedPolicyArns", "inlinePolicies"} & set(role.inputs)
    ]


def _autoscaler_statements():
    text = record().one("aws:iam/policy:Policy", "autoscaler-policy-document").inputs["policy"]
    return json.loads(text)["Statement"]


def test_whatever_the_autoscaler_changes_is_one_of_its_own_clusters_groups_by_tag_and_by_name():
    changing = [
        item
        for item in _autoscaler_statements()
        if any(
            not action.split(":")[1].startswith("Describe") for action in _listed(item["Action"])
        )
    ]
    assert changing
    for statement in changing:
        conditions = statement["Condition"]["StringEquals"]
        wanted = {
            key.removeprefix("aws:ResourceTag/"): value
            for key, value in conditions.items()
            if key.startswith("aws:ResourceTag/")
        }
        assert (
            wanted
            == {
                "k8s.io/cluster-autoscaler/enabled": "true",
                "k8s.io/cluster-autoscaler/jhub-dev": "owned",
            }
            and len(conditions) == 2
        )
        for group in record().resources.of("aws:autoscaling/group:Group"):
            assert wanted.items() <= tags_of(group).items(), "it could not scale its own group"
            arn = f"arn:aws:autoscaling:us-east-1:${{aws.account}}:autoScalingGroup:0123-4567:autoScalingGroupName/{group.inputs['name']}"
            assert fnmatch.fnmatchcase(arn, statement["Resource"])


def test_the_core_group_is_not_the_autoscalers_to_change():
    (core,) = record().resources.of("aws:eks/nodeGroup:NodeGroup")
    assert not [key for key in core.inputs["tags"] if key.startswith("k8s.io/cluster-autoscaler")]


def test_read_actions_are_apart_and_change_nothing():
    for statement in _autoscaler_statements():
        if statement["Resource"] == "*":
            assert all(
                action.split(":")[1].startswith("Describe") for action in statement["Action"]
            )


def test_the_document_of_another_cluster_is_about_that_cluster_only():
    text = autoscaler_document("other", "cn-north-1", "210987654321")
    assert (
        "jhub-dev" not in text
        and "arn:aws-cn:autoscaling:cn-north-1:210987654321:" in text
        and "cluster-autoscaler/other" in text
    )
