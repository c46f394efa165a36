"""Policies of users' servers, for any access that a stack file may say: IAM would take them, and
they allow what they name and nothing beside it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from types import SimpleNamespace
from typing import Any

from hypothesis import assume, given, settings
from hypothesis import strategies as st
from pydantic import TypeAdapter

from jupyterhub_aws.checks.identities.conditions import RequestContext
from jupyterhub_aws.checks.identities.documents import parse_policy
from jupyterhub_aws.checks.identities.evaluator import (
    AccessRequest,
    PolicySet,
    Principal,
    decide,
)
from jupyterhub_aws.config.access_rules import folders_stay_apart, own_folders_are_private
from jupyterhub_aws.config.aws_access import AwsAccess
from jupyterhub_aws.config.buckets import AnyBucket, Bucket
from jupyterhub_aws.config.errors import Problem
from jupyterhub_aws.config.profiles import Profile
from jupyterhub_aws.config.specs.buckets import BucketSpec, bucket_specs
from jupyterhub_aws.config.specs.names import HubNames
from jupyterhub_aws.config.specs.server_access import (
    POD_FIELD,
    AccessSpec,
    BucketGrant,
    HubServerAccess,
    hub_access,
)

ACCOUNT, OTHER = "123456789012", "987654321098"
_KEY = f"arn:aws:kms:us-east-1:{OTHER}:key/00000000-0000-0000-0000-000000000000"
_GIVEN: Mapping[str, Any] = {
    "ab": {"kind": "shared"},
    "a-b": {"kind": "shared", "bucket_name": "uni-ab"},
    "tmp": {"kind": "scratch"},
    "old": {"kind": "existing", "bucket_name": "uni.old", "account": OTHER, "kms_key": _KEY},
    "goes": {"kind": "public", "bucket_name": "noaa-goes16"},
}
BUCKETS: Mapping[str, AnyBucket] = {
    name: TypeAdapter(Bucket).validate_python(one) for name, one in _GIVEN.items()
}
SPECS = bucket_specs(
    BUCKETS, stack="jhub-dev", account=ACCOUNT, partition="aws", backup_tags={"backup": "yes"}
)


def said(access: Mapping[str, Any]) -> AwsAccess:
    """An access as a stack file says it."""
    return AwsAccess.model_validate_json(json.dumps(access))


_FOLDER = st.from_regex(r"[A-Za-z0-9_.=-]{1,6}", fullmatch=True).filter(
    lambda text: text not in {".", ".."}
)
_PREFIX = st.one_of(
    st.sampled_from(("", "a/", "A/", "a-b/", "aB/", "aB2/", "ab2/", "a/b/", "jupyter-ada/")),
    st.lists(_FOLDER, min_size=1, max_size=3).map(lambda parts: "".join(f"{x}/" for x in parts)),
)


@st.composite
def _bucket_access(draw: st.DrawFn) -> dict[str, Any]:
    name = draw(st.sampled_from(sorted(_GIVEN)))
    write = name != "goes" and draw(st.booleans())
    return {
        "bucket": name,
        "prefix": draw(_PREFIX),
        "write": write,
        "per_user": write and draw(st.booleans()),
    }


_STATEMENT = st.sampled_from(
    (
        {
            "actions": ["athena:StartQuery*"],
            "resources": [f"arn:aws:athena:us-east-1:{ACCOUNT}:w/u"],
        },
        {"actions": ["s3:GetObject"], "resources": ["arn:aws:s3:::uni-x/*"]},
        {
            "actions": ["sts:AssumeRole"],
            "resources": [f"arn:aws:iam::{OTHER}:role/readers"],
            "other_accounts": [OTHER],
        },
    )
)
_POLICY = st.sampled_from(("AmazonAthenaFullAccess", f"arn:aws:iam::{ACCOUNT}:policy/users"))
_SERVER = {
    "buckets": st.lists(_bucket_access(), max_size=5),
    "policies": st.lists(_POLICY, max_size=2, unique=True),
    "statements": st.lists(_STATEMENT, max_size=3),
}
_NAME = st.sampled_from(("staff", "a", "all", "b-c", "a-group-twenty-long1"))
_GROUP = st.fixed_dictionaries(
    {"name": _NAME, "groups": st.lists(st.sampled_from(("x", "y", "z")), min_size=1), **_SERVER}
)
ACCESS = st.fixed_dictionaries(
    {**_SERVER, "by_group": st.lists(_GROUP, max_size=3, unique_by=lambda one: one["name"])}
).map(said)


def resolved(access: AwsAccess | None, **profiles: AwsAccess | None) -> HubServerAccess | None:
    made = {
        name: Profile(pool="memory", cpu=1, memory="1G", aws_access=own)
        for name, own in (profiles or {"small": None}).items()
    }
    names = HubNames(stack="jhub-dev", hub="main")
    return hub_access(access, made, names=names, buckets=SPECS, partition="aws")


def allowed(spec: AccessSpec, action: str, bucket: BucketSpec, key: str, pod: str) -> bool | None:
    """IAM's answer to one call of a pod, of the role's own policy alone."""
    if spec.policy is None:
        return False
    owner = bucket.other_account or ("" if bucket.public else ACCOUNT)
    known = {
        "aws:principalaccount": ACCOUNT,
        "aws:resourceaccount": owner,
        "aws:principaltag/kubernetes-pod-name": pod,
        "s3:prefix": key,
    }
    context = RequestContext({name: (value,) for name, value in known.items()}, ("aws:", "s3:"))
    arn = bucket.arn if action == "s3:ListBucket" else f"{bucket.arn}/{key}"
    caller = Principal("role", f"arn:aws:iam::{ACCOUNT}:role/servers")
    request = AccessRequest(caller=caller, action=action, resource=arn, context=context)
    return decide(request, PolicySet(identity=(parse_policy("access", spec.policy),))).allowed


@given(ACCESS)
def test_every_policy_is_one_that_iam_takes(access: AwsAccess) -> None:
    found = resolved(access)
    for spec in () if found is None else found.accesses:
        if spec.policy is None:
            assert not spec.grants and not spec.statements
            continue
        document = parse_policy(spec.name, spec.policy)
        sids = [statement.label for statement in document.statements]
        assert len(set(sids)) == len(sids)
        assert all(re.fullmatch(r"[A-Za-z0-9]+", sid) for sid in sids)
        assert all(statement.allows and statement.variables for statement in document.statements)


@given(ACCESS, ACCESS)
def test_each_access_has_names_that_aws_and_kubernetes_take(one: AwsAccess, own: AwsAccess) -> None:
    found = resolved(one, small=None, gpu=own)
    assert found is not None
    names = [spec.name for spec in found.accesses]
    assert len(set(names)) == len(names)
    for spec in found.accesses:
        assert re.fullmatch(r"[\w+=,.@-]{1,64}", spec.role_name)
        assert re.fullmatch(r"[a-z0-9]([a-z0-9.-]{0,61}[a-z0-9])?", spec.service_account)
        assert re.fullmatch(r"[a-z0-9]([a-z0-9._-]{0,61}[a-z0-9])?", spec.name)


@given(ACCESS, st.sampled_from(("jupyter-ada", "jupyter-eve---12345678")))
def test_a_grant_allows_its_folder(access: AwsAccess, pod: str) -> None:
    found = resolved(access)
    for spec in () if found is None else found.accesses:
        for grant in spec.grants:
            folder = _folder(grant, pod)
            for action in ("s3:GetObject", "s3:ListBucket"):
                assert allowed(spec, action, grant.bucket, f"{folder}file", pod)
            wanted = grant.options.write
            assert allowed(spec, "s3:PutObject", grant.bucket, f"{folder}file", pod) or not wanted


@given(ACCESS)
@settings(max_examples=40)
def test_no_grant_reaches_beside_its_folder(access: AwsAccess) -> None:
    """Keys that begin alike, the folder above, and another user's own folder."""
    found = resolved(access)
    for spec in () if found is None else found.accesses:
        for grant in spec.grants:
            for key in _beside(grant, "jupyter-ada", "jupyter-eve"):
                ours = [one for one in spec.grants if one.bucket == grant.bucket]
                covering = [one for one in ours if key.startswith(_folder(one, "jupyter-ada"))]
                writing = [one for one in covering if one.options.write]
                for action in ("s3:GetObject", "s3:ListBucket"):
                    answer = allowed(spec, action, grant.bucket, key, "jupyter-ada")
                    assert answer is bool(covering), (action, key)
                for action in ("s3:PutObject", "s3:DeleteObject"):
                    answer = allowed(spec, action, grant.bucket, key, "jupyter-ada")
                    assert answer is bool(writing), (action, key)


@given(ACCESS)
def test_a_bucket_that_is_not_named_is_not_reached(access: AwsAccess) -> None:
    found = resolved(access)
    for spec in () if found is None else found.accesses:
        for name in set(SPECS) - {grant.bucket.name for grant in spec.grants}:
            for action in ("s3:GetObject", "s3:PutObject", "s3:ListBucket"):
                assert allowed(spec, action, SPECS[name], "a/file", "jupyter-ada") is False


@given(ACCESS)
def test_a_bucket_of_that_name_in_another_account_is_not_reached(access: AwsAccess) -> None:
    """A name that was freed can be another account's the next day; public data are any account's."""
    found = resolved(access)
    assume(found is not None and found.accesses)
    assert found is not None
    for spec in found.accesses:
        for statement in (spec.policy or {"Statement": ()})["Statement"]:
            bucket = str(statement["Resource"])
            if not bucket.startswith("arn:aws:s3:::") or "noaa-goes16" in bucket:
                continue
            owner = statement["Condition"]["StringEquals"]["aws:ResourceAccount"]
            own = "${aws:PrincipalAccount}"
            assert owner in ((OTHER,) if "uni.old" in bucket else (own, [own]))


def test_sids_are_numbered_until_they_are_free() -> None:
    prefixes = ("a-b/", "aB/", "aB2/", "a.b/")
    access = said({"buckets": [{"bucket": "ab", "prefix": prefix} for prefix in prefixes]})
    found = resolved(access)
    assert found is not None and found.accesses[0].policy is not None
    sids = [item["Sid"] for item in found.accesses[0].policy["Statement"]]
    assert len(set(sids)) == len(sids) == 12


def test_the_key_of_a_bucket_is_used_through_s3_only() -> None:
    found = resolved(said({"buckets": [{"bucket": "old", "write": True}]}))
    assert found is not None and found.accesses[0].policy is not None
    key = found.accesses[0].policy["Statement"][-1]
    assert key["Resource"] == _KEY
    assert key["Action"] == ["kms:Decrypt", "kms:GenerateDataKey"]
    assert key["Condition"] == {"StringEquals": {"kms:ViaService": "s3.us-east-1.amazonaws.com"}}


def test_the_address_of_a_folder_is_in_the_environment() -> None:
    access = {
        "buckets": [
            {"bucket": "tmp", "write": True, "per_user": True},
            {"bucket": "ab", "prefix": "x/", "variable": "LECTURES"},
            {"bucket": "a-b"},
        ]
    }
    found = resolved(said(access))
    assert found is not None
    assert found.accesses[0].environment == {
        "LECTURES": f"s3://jhub-dev-ab-{ACCOUNT}/x",
        "SCRATCH_BUCKET": f"s3://jhub-dev-tmp-{ACCOUNT}/{POD_FIELD}",
    }
    assert found.accesses[0].per_user


def test_an_access_of_nothing_is_none_and_equal_ones_share_a_role() -> None:
    read = said({"buckets": [{"bucket": "ab"}]})
    found = resolved(read, small=None, large=read, gpu=AwsAccess())
    assert found is not None
    assert [spec.name for spec in found.accesses] == ["all"]
    assert found.of("small", ()) is found.of("large", ()) is found.accesses[0]
    assert found.of("gpu", ()) is None and found.of("unknown", ()) is None
    assert resolved(None) is None


def _folder(grant: BucketGrant, pod: str) -> str:
    return grant.options.prefix + (f"{pod}/" if grant.options.per_user else "")


def _beside(grant: BucketGrant, mine: str, other: str) -> tuple[str, ...]:
    folder, prefix = _folder(grant, mine), grant.options.prefix
    return (
        f"{folder.rstrip('/')}x/file",
        f"{folder.rstrip('/')}",
        f"{folder.upper()}x",
        f"{prefix}{other}/file",
        f"{prefix}{mine}-2/file",
        f"other/{folder}file",
        "file",
    )


# --- what the rules of a stack file promise ---

_CLOSE = st.sampled_from(
    ("", "a/", "a/b/", "a/jupyter-ada/", "a/jupyter-eve/", "jupyter-eve/x/", "a/jupyter/", "b/")
)
_FOLDER_ACCESS = st.one_of(
    st.fixed_dictionaries(
        {
            "bucket": st.just("ab"),
            "prefix": _CLOSE,
            "write": st.just(True),
            "per_user": st.just(True),
        }
    ),
    st.fixed_dictionaries({"bucket": st.just("ab"), "prefix": _CLOSE, "write": st.booleans()}),
)
_FEW = st.lists(_FOLDER_ACCESS, max_size=2)
_SMALL = st.fixed_dictionaries(
    {
        "buckets": _FEW,
        "by_group": st.lists(
            st.fixed_dictionaries(
                {"name": st.just("g"), "groups": st.just(["x"]), "buckets": _FEW}
            ),
            max_size=1,
        ),
    }
).map(said)


def hub_of(access: AwsAccess | None, gpu: AwsAccess | None) -> Any:
    """As much of a hub as the rules of folders read."""
    profiles = {"small": None, "gpu": gpu}
    return SimpleNamespace(
        aws_access=access,
        profiles={name: SimpleNamespace(aws_access=own) for name, own in profiles.items()},
    )


def refusals(hubs: Any) -> list[Problem]:
    return [*folders_stay_apart(hubs), *own_folders_are_private(hubs)]


@given(st.lists(st.tuples(_SMALL, st.none() | _SMALL), min_size=1, max_size=2))
@settings(max_examples=200)
def test_what_the_rules_accept_keeps_every_user_out_of_the_others_folders(
    given_: list[tuple[AwsAccess, AwsAccess | None]],
) -> None:
    hubs = {f"hub{index}": hub_of(*one) for index, one in enumerate(given_)}
    if refusals(hubs):
        return
    specs = [
        spec
        for access, gpu in given_
        if (found := resolved(access, small=None, gpu=gpu)) is not None
        for spec in found.accesses
    ]
    own = {
        f"{grant.options.prefix}jupyter-eve/file"
        for spec in specs
        for grant in spec.grants
        if grant.options.per_user
    }
    for spec in specs:
        for key in own:
            for action in ("s3:GetObject", "s3:PutObject", "s3:ListBucket"):
                assert not allowed(spec, action, SPECS["ab"], key, "jupyter-ada"), (action, key)


@given(_SMALL, _SMALL)
@settings(max_examples=200)
def test_folders_beside_each_other_are_accepted(one: AwsAccess, other: AwsAccess) -> None:
    """The rules refuse only what reaches another folder: two buckets never do."""
    apart = AwsAccess.model_validate_json(other.model_dump_json().replace('"ab"', '"a-b"'))
    alone = [*refusals({"main": hub_of(one, None)}), *refusals({"main": hub_of(None, apart)})]
    both = refusals({"main": hub_of(one, apart)})
    assert len(both) == len(alone)


def test_two_hubs_with_one_folder_for_equal_names_are_told_apart() -> None:
    own = said({"buckets": [{"bucket": "ab", "prefix": "a/", "write": True, "per_user": True}]})
    ids = [item.id for item in refusals({"one": hub_of(own, None), "two": hub_of(own, None)})]
    assert ids == ["aws-access.own-of-two-hubs"]
    assert refusals({"one": hub_of(own, own)}) == []
