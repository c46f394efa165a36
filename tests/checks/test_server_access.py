"""What users' servers may do in AWS: right on a stack that says so, and each way to break it is
found.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from jupyterhub_aws.checks.airgap.pods import registered_policies
from jupyterhub_aws.checks.airgap.view import view_of
from jupyterhub_aws.checks.identities.servers import ServerRights, server_access
from jupyterhub_aws.checks.resources import Resources
from jupyterhub_aws.config.stack import StackConfig
from jupyterhub_aws.config.usernames import pod_name
from tests.checks.doctored import dev
from tests.support.stacks import SERVERS_IN_AWS, SERVERS_IN_CLOSED_AWS, recorded_once

POLICY, ASSOCIATION = (
    "aws:iam/rolePolicy:RolePolicy",
    "aws:eks/podIdentityAssociation:PodIdentityAssociation",
)
ACCOUNT, NETWORK_POLICY, RELEASE = (
    "kubernetes:core/v1:ServiceAccount",
    "kubernetes:networking.k8s.io/v1:NetworkPolicy",
    "kubernetes:helm.sh/v3:Release",
)
WORK = "arn:aws:s3:::jhub-dev-work-111122223333"
LECTURES = "arn:aws:s3:::uni-lectures"
STAFF = ("jupyter:staff",)


def recorded() -> tuple[StackConfig, Resources]:
    return dev(*SERVERS_IN_AWS)


def spoilt(
    resources: Resources, kind: str, name: str, change: Callable[[dict[str, Any]], object]
) -> Resources:
    """All resources, of which the one of this type and name has changed inputs."""
    (original,) = [item for item in resources.of(kind) if item.name == name]
    inputs = json.loads(json.dumps(dict(original.inputs)))
    change(inputs)
    changed = replace(original, inputs=inputs)
    return Resources(changed if item is original else item for item in resources)


def without(resources: Resources, kind: str, name: str) -> Resources:
    return Resources(item for item in resources if not (item.type == kind and item.name == name))


def messages(stack: StackConfig, resources: Resources) -> list[str]:
    return [
        f"{item.status}: {item.message}"
        for item in server_access(stack, resources)
        if item.status in ("fail", "warn")
    ]


def test_the_stack_file_holds_and_nothing_is_asked_where_it_says_nothing() -> None:
    found = server_access(*recorded())
    assert [item.status for item in found if item.status != "skip"] == ["pass"]
    assert found[0].id == "server-access"
    assert server_access(*dev()) == []


def widened(inputs: dict[str, Any], **elements: Any) -> None:
    document = json.loads(inputs["policy"])
    extra = {"Sid": "Extra", "Effect": "Allow", "Action": "s3:GetObject", "Resource": f"{WORK}/*"}
    document["Statement"].append({**extra, **elements})
    inputs["policy"] = json.dumps(document)


ALL_POLICY = "hub-main-cloud-servers-all-policy"
BREAKS: dict[str, tuple[str, str, Callable[[dict[str, Any]], object], str]] = {
    "another user's folder can be read": (
        POLICY, ALL_POLICY, widened, f"servers may s3:GetObject {WORK}/home/jupyter-eve/file",
    ),
    "a tag in the place of the pod's name": (
        POLICY,
        ALL_POLICY,
        lambda inputs: inputs.update(
            policy=inputs["policy"].replace("kubernetes-pod-name", "kubernetes-namespace")
        ),
        "servers may not s3:GetObject",
    ),
    "no slash behind the pod's name": (
        POLICY,
        ALL_POLICY,
        lambda inputs: inputs.update(
            policy=inputs["policy"].replace("kubernetes-pod-name}/*", "kubernetes-pod-name}*")
        ),
        f"servers may s3:GetObject {WORK}/home/jupyter-adax/file",
    ),
    "writing where only reading is meant": (
        POLICY,
        ALL_POLICY,
        lambda inputs: widened(inputs, Action="s3:PutObject", Resource=f"{LECTURES}/*"),
        f"servers may s3:PutObject {LECTURES}/",
    ),
    "a call that no server ever makes": (
        POLICY,
        ALL_POLICY,
        lambda inputs: widened(inputs, Action="elasticfilesystem:ClientRootAccess", Resource="*"),
        "servers may elasticfilesystem:ClientRootAccess on *",
    ),
    "the owner's account is not asked for": (
        POLICY,
        ALL_POLICY,
        lambda inputs: inputs.update(
            policy=inputs["policy"].replace("${aws:PrincipalAccount}", "210987654321")
        ),
        "servers may not s3:GetObject",
    ),
    "the role of another account": (
        ASSOCIATION,
        "hub-main-cloud-servers-all-association",
        lambda inputs: inputs.update(serviceAccount="servers"),
        "servers with the access all get no role",
    ),
    "the wrong role": (
        ASSOCIATION,
        "hub-main-cloud-servers-all-association",
        lambda inputs: inputs.update(roleArn="${hub-main-cloud-servers-group-staff-role.arn}"),
        f"servers may s3:PutObject {LECTURES}/",
    ),
    "a token of the cluster": (
        ACCOUNT,
        "hub-main-servers-all",
        lambda inputs: inputs.pop("automountServiceAccountToken"),
        "hands a token of the cluster to users' servers",
    ),
    "credentials for all servers": (
        NETWORK_POLICY,
        "hub-main-servers-to-aws",
        lambda inputs: inputs["spec"]["podSelector"].pop("matchExpressions"),
        "servers without an access reach 169.254.170.23",
    ),
    "credentials for none": (
        NETWORK_POLICY,
        "hub-main-servers-to-aws",
        lambda inputs: inputs["spec"].update(egress=[]),
        "servers with an access cannot reach 169.254.170.23",
    ),
    "a profile without its choice": (
        RELEASE,
        "hub-main-release",
        lambda inputs: inputs["values"]["singleuser"]["profileList"][0]["kubespawner_override"].pop(
            "extra_labels"
        ),
        "would get the access ''",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", BREAKS)
def test_each_way_to_break_it_is_found(name: str) -> None:
    kind, resource, change, says = BREAKS[name]
    stack, resources = recorded()
    found = messages(stack, spoilt(resources, kind, resource, change))
    assert any(says in message for message in found), found[:5]


def test_a_role_or_an_account_that_is_missing_is_found() -> None:
    stack, resources = recorded()
    association = "hub-main-cloud-servers-all-association"
    gone = messages(stack, without(resources, ASSOCIATION, association))
    assert any("get no role" in message for message in gone)
    gone = messages(stack, without(resources, ACCOUNT, "hub-main-servers-all"))
    assert gone == ["fail: hub main: there is no service account servers-all"]


def test_what_a_managed_policy_allows_is_said_to_be_unknown() -> None:
    skipped = [item for item in server_access(*recorded()) if item.status == "skip"]
    assert skipped and all("AmazonAthenaFullAccess" in item.message for item in skipped)


def rights() -> ServerRights:
    return ServerRights(*recorded())


def may(action: str, arn: str, key: str = "", *, user: str = "ada", **named: Any) -> bool | None:
    asked = {"profile": "small", "groups": (), **named}
    return rights().may("main", action=action, resource=arn, key=key, user=user, **asked).allowed


@pytest.mark.parametrize(
    "user",
    ["ada", "ada@example.org", "Ada", "ada--x", "ärger", "1ada", "a" * 60, "ada-", "..", "*"],
)
def test_every_user_has_a_folder_and_reaches_no_other(user: str) -> None:
    own, other = f"home/{pod_name(user.lower())}/f", f"home/{pod_name('eve')}/f"
    assert may("s3:PutObject", WORK, own, user=user) is True
    assert may("s3:GetObject", WORK, own, user="eve") is False
    assert may("s3:GetObject", WORK, other, user=user) is False
    assert may("s3:ListBucket", WORK, "", user=user) is False
    assert may("s3:ListBucket", WORK, own[:-1], user=user) is True


def test_groups_and_profiles_have_their_own_access() -> None:
    assert may("s3:PutObject", LECTURES, "week1") is False
    assert may("s3:PutObject", LECTURES, "week1", groups=STAFF) is True
    assert may("s3:GetObject", WORK, "home/jupyter-eve/f", groups=STAFF) is True
    assert may("s3:GetObject", LECTURES, "week1", profile="gpu") is False
    assert may("s3:GetObject", LECTURES, "week1", profile="gpu", groups=STAFF) is False
    athena = "arn:aws:athena:us-east-1:111122223333:workgroup/users"
    assert may("athena:StartQueryExecution", athena, groups=STAFF) is True


def test_a_bucket_of_another_account_needs_its_owner_too() -> None:
    answer = rights().may(
        "main", profile="small", groups=STAFF, action="s3:GetObject",
        resource="arn:aws:s3:::their-data", key="shared/x",
    )  # fmt: skip
    assert answer.allowed is True
    assert answer.elsewhere == "the policy of their-data in account 210987654321"


def test_the_outer_one_of_two_split_stacks_answers_alike() -> None:
    from jupyterhub_aws.config.load import load
    from jupyterhub_aws.config.stack_file import read
    from tests.support.stack_files import ROOT

    settings = ("network.additional_endpoints=[athena]", *SERVERS_IN_CLOSED_AWS)
    file = read(ROOT / "Pulumi.airgap.yaml", settings)
    stack = load(file.values, secret=file.secret, source=file.source)
    resources = recorded_once(file)[1].resources
    assert stack.parts == "cloud"
    assert [item.status for item in server_access(stack, resources)] == ["pass"]
    endpoint = next(
        item
        for item in resources.of("aws:ec2/vpcEndpoint:VpcEndpoint")
        if item.name.endswith("-s3")
    )
    assert "jhub-airgap-work-111122223333" in endpoint.inputs["policy"]
    # Without the endpoint's consent a server reaches nothing, and both say so.
    closed = json.dumps(json.loads(endpoint.inputs["policy"])).replace("jhub-airgap-work", "other")
    narrowed = replace(endpoint, inputs={**endpoint.inputs, "policy": closed})
    changed = Resources(narrowed if item is endpoint else item for item in resources)
    assert any(item.status == "fail" for item in server_access(stack, changed))


def test_in_an_isolated_network_servers_reach_s3_and_no_further() -> None:
    from jupyterhub_aws.config.load import load
    from jupyterhub_aws.config.stack_file import read
    from tests.support.stack_files import ROOT

    settings = (
        "parts=all",
        "network.additional_endpoints=[athena]",
        *SERVERS_IN_CLOSED_AWS,
    )
    file = read(ROOT / "Pulumi.airgap.yaml", settings)
    stack = load(file.values, secret=file.secret, source=file.source)
    resources = recorded_once(file)[1].resources
    view = view_of(stack, resources)
    assert view is not None
    assert list(registered_policies(view)) == []

    def judged(change: Callable[[dict[str, Any]], object]) -> list[str]:
        changed = spoilt(resources, NETWORK_POLICY, "hub-main-servers-to-aws", change)
        found = view_of(stack, changed)
        assert found is not None
        return [item.message for item in registered_policies(found)]

    def anywhere(inputs: dict[str, Any]) -> None:
        inputs["spec"]["egress"].append({"to": [{"ipBlock": {"cidr": "0.0.0.0/0"}}]})

    def all_servers(inputs: dict[str, Any]) -> None:
        inputs["spec"]["podSelector"].pop("matchExpressions")

    assert any("lets pods reach" in message for message in judged(anywhere))
    assert any("lets pods reach" in message for message in judged(all_servers))


def test_every_access_has_its_role_and_nothing_else_has_one() -> None:
    stack, resources = recorded()
    assert stack.hubs["main"].aws_access is not None
    namespaces = [
        item for item in resources.of(ASSOCIATION) if item.inputs["namespace"] == "hub-main"
    ]
    accounts = {str(item.inputs["serviceAccount"]): item for item in namespaces}
    assert set(accounts) == {"servers-all", "servers-group-staff", "servers-profile-gpu"}
    made: set[str] = {
        str(item.inputs["metadata"]["name"])
        for item in resources.of(ACCOUNT)
        if item.name.startswith("hub-main-servers")
    }
    assert made == {"servers", *accounts}
