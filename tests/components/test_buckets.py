"""Buckets by themselves, and a hub of a program whose servers use them: what is made, what is
refused, and that another language makes the same.
"""

from __future__ import annotations

import json
from typing import Any

import pulumi
import pytest

from jupyterhub_aws import (
    ArgumentError,
    AwsAccess,
    BucketAccess,
    Buckets,
    BucketsArgs,
    BucketsOutputs,
    ClusterOutputs,
    ExistingBucket,
    GroupAccess,
    JupyterHub,
    NetworkOutputs,
    PublicBucket,
    ScratchBucket,
    SharedBucket,
    Statement,
)
from jupyterhub_aws.components.arguments import Arguments
from jupyterhub_aws.components.backups import Backups, BackupsArgs
from jupyterhub_aws.components.buckets import bucket_policy, lifecycle_rules
from jupyterhub_aws.components.hub.values.access import access_files
from jupyterhub_aws.config.egress import NoEgress
from jupyterhub_aws.provider.package import Package
from tests.components.test_hub_alone import RELEASE, arguments
from tests.provider.test_wrong_arguments import HUB
from tests.support.other_languages import OtherLanguage
from tests.support.programs import cluster_by_hand, problems_of_program, record_program
from tests.support.stacks import StackRecording

ACCOUNT, OTHER = "123456789012", "987654321098"
BUCKET = "aws:s3/bucket:Bucket"
OF_EACH_KIND: dict[str, Any] = {
    "tmp": ScratchBucket(kind="scratch", expire_days=3),
    "work": SharedBucket(
        kind="shared",
        bucket_name="uni-work",
        old_versions_days=30,
        readers=(f"arn:aws:iam::{OTHER}:role/readers",),
    ),
    "old": ExistingBucket(kind="existing", bucket_name="uni-old"),
    "goes": PublicBucket(kind="public", bucket_name="noaa-goes16"),
}


def given(**more: Any) -> BucketsArgs:
    return BucketsArgs(
        **{"region": "us-east-1", "account": ACCOUNT, "buckets": OF_EACH_KIND, **more}
    )


@pytest.fixture(scope="module")
def alone() -> StackRecording:
    def program() -> None:
        backups = Backups("lab", BackupsArgs(region="us-east-1", kind="aws_backup"))
        Buckets("data", given(backups=backups.outputs, tags={"owner": "lab"}))

    return record_program(program)


def inputs(found: StackRecording, kind: str, name: str) -> Any:
    return found.one(f"aws:s3/{kind[:1].lower()}{kind[1:]}:{kind}", name).inputs


def test_only_what_is_to_be_made_is_made(alone: StackRecording) -> None:
    assert [item.name for item in alone.resources.of(BUCKET)] == ["data-tmp", "data-work"]
    names = {"tmp": f"data-tmp-{ACCOUNT}", "work": "uni-work"}
    for name, physical in names.items():
        bucket = inputs(alone, "Bucket", f"data-{name}")
        assert bucket["bucket"] == physical
        assert bucket["tags"]["owner"] == "lab"
    (component,) = alone.resources.of("jupyterhub-aws:index:Buckets")
    assert alone.component_outputs[component.urn]["buckets"] == {
        **names,
        "old": "uni-old",
        "goes": "noaa-goes16",
    }


@pytest.mark.parametrize("name", ["tmp", "work"])
def test_no_bucket_is_public_plain_or_without_tls(alone: StackRecording, name: str) -> None:
    block = inputs(alone, "BucketPublicAccessBlock", f"data-{name}-private")
    assert {key: value for key, value in block.items() if key.startswith(("block", "ign", "res"))}
    assert [value for value in block.values() if isinstance(value, bool)] == [True] * 4
    encryption = inputs(alone, "BucketServerSideEncryptionConfiguration", f"data-{name}-encryption")
    (rule,) = encryption["rules"]
    assert rule["applyServerSideEncryptionByDefault"]["sseAlgorithm"] == "AES256"
    owner = inputs(alone, "BucketOwnershipControls", f"data-{name}-ownership")
    assert owner["rule"] == {"objectOwnership": "BucketOwnerEnforced"}
    policy = json.loads(inputs(alone, "BucketPolicy", f"data-{name}-policy")["policy"])
    first = policy["Statement"][0]
    assert (first["Effect"], first["Principal"]) == ("Deny", {"AWS": "*"})
    assert first["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}
    assert all(item["Principal"] != {"AWS": "*"} for item in policy["Statement"][1:])


def test_scratch_goes_and_shared_data_stay(alone: StackRecording) -> None:
    tmp, work = (alone.one(BUCKET, f"data-{name}") for name in ("tmp", "work"))
    assert tmp.inputs["forceDestroy"] is True and not work.inputs["forceDestroy"]
    assert (work.protect, work.retain_on_delete) == (True, True)
    assert (bool(tmp.protect), bool(tmp.retain_on_delete)) == (False, False)
    settings = [item for item in alone.resources if item.name.startswith("data-work-")]
    assert len(settings) == 6, "what keeps a bucket closed stays with it"
    assert all(item.protect and item.retain_on_delete for item in settings)
    assert [
        item.name for item in alone.resources.of("aws:s3/bucketVersioning:BucketVersioning")
    ] == ["data-work-versions"]
    (expire,) = lifecycle_rules(OF_EACH_KIND["tmp"])
    assert expire["expiration"] == {"days": 3}
    (old,) = lifecycle_rules(OF_EACH_KIND["work"])
    assert "expiration" not in old, "a shared bucket loses no object by itself"
    assert old["noncurrent_version_expiration"] == {"noncurrent_days": 30}


def test_only_shared_buckets_have_the_tag_of_backups(alone: StackRecording) -> None:
    tag = "jupyterhub-aws/backup"
    tagged = [item.name for item in alone.resources.of(BUCKET) if tag in item.inputs["tags"]]
    assert tagged == ["data-work"]
    without = record_program(lambda: Buckets("data", given()))
    assert not any(tag in item.inputs["tags"] for item in without.resources.of(BUCKET))


def test_readers_of_another_account_read_and_no_more() -> None:
    specs = given().resolved("data")
    statements = json.loads(bucket_policy(specs["work"]))["Statement"]
    assert {item["Sid"] for item in statements} == {"EncryptedOnly", "ReadersList", "ReadersRead"}
    assert all(
        not action.startswith(("s3:Put", "s3:Delete"))
        for item in statements[1:]
        for action in item["Action"]
    )


WRONG: dict[str, tuple[dict[str, Any], str]] = {
    "no account": ({"account": None}, "buckets.tmp: has a name in AWS that ends with the account"),
    "an account in digits": ({"account": 1}, "account: must be a quoted string"),
    "no region": ({"region": "mars"}, "region: "),
    "a kind that is none": ({"buckets": {"a": {"kind": "sharde"}}}, "did you mean shared?"),
    "a list": ({"buckets": []}, "buckets: must be a map"),
    "a component": ({"backups": object()}, "backups: must be BackupsOutputs"),
    "one bucket twice": (
        {"buckets": {"a": OF_EACH_KIND["old"], "b": OF_EACH_KIND["old"]}},
        "buckets.b: is the same bucket in AWS as buckets.a",
    ),
    "capitals": ({"buckets": {"Data": {"kind": "shared"}}}, "buckets.Data: "),
    "a long prefix": ({"physical_name": "a" * 25}, "physical_name: "),
    "no tags": ({"tags": {"aws:x": "1"}}, "tags"),
}


@pytest.mark.parametrize("case", WRONG)
def test_wrong_arguments_are_refused_with_their_paths(case: str) -> None:
    change, told = WRONG[case]
    lines = problems_of_program(lambda: Buckets("data", given(**change)))
    assert any(line.startswith("Buckets 'data': ") and told in line for line in lines), lines


def test_an_account_is_asked_for_in_the_words_of_a_program() -> None:
    (line,) = problems_of_program(lambda: Buckets("data", given(account=None)))
    assert "write account, or a bucket_name [bucket.no-account]" in line


# --- a hub whose servers use them ---

ACCESS = AwsAccess(
    buckets=(
        BucketAccess(bucket="work", prefix="home/", write=True, per_user=True),
        BucketAccess(bucket="goes"),
    ),
    by_group=(
        GroupAccess(
            name="staff",
            groups=("example-org:staff",),
            buckets=(BucketAccess(bucket="old", write=True),),
            policies=("AmazonAthenaFullAccess",),
            statements=(
                Statement(
                    actions=("athena:StartQueryExecution",),
                    resources=(f"arn:aws:athena:us-east-1:{ACCOUNT}:workgroup/users",),
                ),
            ),
        ),
    ),
)
GITHUB: dict[str, Any] = {
    "kind": "github",
    "client_id": "Ov23liDocumentation0",
    "allowed_organizations": ["example-org"],
}
SIGN_IN: dict[str, Any] = {"sign_in": GITHUB, "secrets": {"client-secret": "a secret of the test"}}


def with_buckets() -> None:
    made = Buckets("data", given())
    JupyterHub("main", arguments(**SIGN_IN, aws_access=ACCESS, buckets=made.outputs))


@pytest.fixture(scope="module")
def hub() -> StackRecording:
    return record_program(with_buckets)


def test_each_access_is_a_role_a_service_account_and_an_association(hub: StackRecording) -> None:
    roles = {item.inputs["name"] for item in hub.resources.of("aws:iam/role:Role")}
    assert roles == {"theirs-main-servers-all", "theirs-main-servers-group-staff"}
    associations = hub.resources.of("aws:eks/podIdentityAssociation:PodIdentityAssociation")
    assert {
        (item.inputs["clusterName"], item.inputs["namespace"], item.inputs["serviceAccount"])
        for item in associations
    } == {("theirs", "hub-main", "servers-all"), ("theirs", "hub-main", "servers-group-staff")}
    accounts = {
        item.inputs["metadata"]["name"]: item.inputs["automountServiceAccountToken"]
        for item in hub.resources.of("kubernetes:core/v1:ServiceAccount")
    }
    assert accounts == {"servers": False, "servers-all": False, "servers-group-staff": False}
    (attached,) = hub.resources.of("aws:iam/rolePolicyAttachment:RolePolicyAttachment")
    assert attached.inputs["policyArn"] == "arn:aws:iam::aws:policy/AmazonAthenaFullAccess"


def test_the_hub_knows_who_gets_which(hub: StackRecording) -> None:
    values = hub.one(RELEASE).inputs["values"]
    settings = values["custom"]["jupyterhubAws"]["awsAccess"]
    assert settings["choices"] == {
        "all": {"otherwise": "all", "byGroup": [[["example-org:staff"], "group-staff"]]}
    }
    assert set(settings["accesses"]) == {"all", "group-staff"}
    (profile,) = values["singleuser"]["profileList"]
    labels = profile["kubespawner_override"]["extra_labels"]
    assert labels == {"jupyterhub-aws/aws-access": "all"}
    assert set(access_files()) <= set(values["hub"]["extraFiles"])


def test_a_hub_that_says_nothing_gets_nothing_of_it() -> None:
    def program() -> None:
        made = Buckets("data", given())
        JupyterHub("main", arguments(**SIGN_IN, buckets=made.outputs))

    found = record_program(program)
    assert not found.resources.of("aws:iam/role:Role")
    values = found.one(RELEASE).inputs["values"]
    assert "awsAccess" not in values["custom"].get("jupyterhubAws", {})
    assert not set(access_files()) & set(values["hub"]["extraFiles"])


def _arguments_with(**more: Any) -> Any:
    outputs = BucketsOutputs(specs=given().resolved("data"))
    return arguments(**{**SIGN_IN, "buckets": outputs, **more})


def _isolated() -> ClusterOutputs:
    network = NetworkOutputs(
        vpc_id="vpc-0123456789abcdef0",
        cidrs=["10.0.0.0/16"],
        private_subnets={"us-east-1a": "subnet-0aaaaaaaaaaaaaaaa"},
        egress=NoEgress(kind="none"),
    )
    return cluster_by_hand(network=network)


WRONG_HUBS: dict[str, tuple[dict[str, Any], str]] = {
    "no buckets": (
        {"buckets": None, "aws_access": ACCESS},
        "aws_access.buckets[0].bucket: is no bucket of this stack (got 'work')",
    ),
    "the component": ({"buckets": object()}, "buckets: must be BucketsOutputs (got object)"),
    "public data in an isolated network": (
        {"aws_access": ACCESS, "cluster": _isolated},
        "buckets.goes: is not of the stack's account",
    ),
    "another name": (
        {"aws_access": {"buckets": [{"bucket": "wrk"}]}},
        "aws_access.buckets[0].bucket: is no bucket of this stack (got 'wrk'); did you mean work?",
    ),
    "a group that is no team": (
        {"aws_access": {"by_group": [{"name": "a", "groups": ["x"]}]}},
        "aws_access.by_group[0].groups[0]: is not a team",
    ),
    "writing public data": (
        {"aws_access": {"buckets": [{"bucket": "goes", "write": True}]}},
        "aws_access.buckets[0]: writes to goes",
    ),
    "a profile's": (
        {
            "profiles": {
                "small": {
                    "pool": "memory",
                    "cpu": 2,
                    "memory": "16G",
                    "aws_access": {"buckets": [{"bucket": "none"}]},
                }
            }
        },
        "profiles.small.aws_access.buckets[0].bucket: is no bucket of this stack",
    ),
}


@pytest.mark.parametrize("case", WRONG_HUBS)
def test_a_hub_with_a_wrong_access_is_refused(case: str) -> None:
    change, told = WRONG_HUBS[case]
    change = {key: one() if one is _isolated else one for key, one in change.items()}
    lines = problems_of_program(lambda: JupyterHub("main", _arguments_with(**change)))
    assert any(line.startswith("JupyterHub 'main': ") and told in line for line in lines), lines


def test_a_role_for_all_servers_is_refused_beside_an_access() -> None:
    def program() -> None:
        hub = JupyterHub("main", _arguments_with(aws_access=ACCESS))
        hub.add_role("arn:aws:iam::123456789012:role/all")

    with pytest.raises(ArgumentError) as caught:
        record_program(program)
    assert "[hub.role-beside-access]" in str(caught.value)


def with_buckets_elsewhere() -> None:
    """The same as a program in another language says it."""
    there = OtherLanguage()
    buckets = {
        "tmp": {"kind": "scratch", "expireDays": 3},
        "work": {
            "kind": "shared",
            "bucketName": "uni-work",
            "oldVersionsDays": 30,
            "readers": [f"arn:aws:iam::{OTHER}:role/readers"],
        },
        "old": {"kind": "existing", "bucketName": "uni-old"},
        "goes": {"kind": "public", "bucketName": "noaa-goes16"},
    }
    made = there.make(
        "Buckets", "data", {"region": "us-east-1", "account": ACCOUNT, "buckets": buckets}
    )
    work = {"bucket": "work", "prefix": "home/", "write": True, "perUser": True}
    staff = {
        "name": "staff",
        "groups": ["example-org:staff"],
        "buckets": [{"bucket": "old", "write": True}],
        "policies": ["AmazonAthenaFullAccess"],
        "statements": [
            {
                "actions": ["athena:StartQueryExecution"],
                "resources": [f"arn:aws:athena:us-east-1:{ACCOUNT}:workgroup/users"],
            }
        ],
    }
    github = {
        "kind": "github",
        "clientId": "Ov23liDocumentation0",
        "allowedOrganizations": ["example-org"],
    }
    hub = {
        **HUB,
        "signIn": github,
        "secrets": {"client-secret": pulumi.Output.secret("a secret of the test")},
        "buckets": made["handle"],
        "awsAccess": {"buckets": [work, {"bucket": "goes"}], "byGroup": [staff]},
    }
    there.make("JupyterHub", "main", hub)


def test_a_handle_by_hand_says_the_names_in_aws() -> None:
    arguments_: Any = Arguments("JupyterHub", "main")
    receive = Package().handles.buckets.receive
    values = {"buckets": {"tmp": {"kind": "scratch"}, "old": {"kind": "public"}}}
    assert receive(arguments_, "buckets", values, {"ready": ()}) is None
    without = {"buckets": {"tmp": {"kind": "scratch"}}}
    assert receive(arguments_, "buckets", without, {"ready": ()}) is None
    assert [(item.id, item.path) for item in arguments_.problems] == [
        ("option.missing", "buckets.buckets.old.bucket_name"),
        ("argument.bucket-name", "buckets.buckets.tmp"),
    ]


def test_another_language_makes_the_same_buckets_and_roles() -> None:
    def made(found: StackRecording) -> dict[tuple[str, str], Any]:
        return {
            (item.type, item.name): item.inputs
            for item in found.resources
            if item.type.startswith(("aws:s3/", "aws:iam/", "aws:eks/"))
        }

    here, there = made(record_program(with_buckets)), made(record_program(with_buckets_elsewhere))
    assert len(here) >= 20 and there == here
