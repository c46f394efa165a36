"""Buckets, roles of servers and mounted buckets on the real engine: made, seen unchanged, changed
without replacing what servers use, and what of them `destroy` leaves.
"""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.engine.harness import Engine
from tests.engine.runs import Step
from tests.engine.test_hubs import SECRETS

pytestmark = pytest.mark.real

_ROLE, _POLICY, _BUCKET = (
    "aws:iam/role:Role",
    "aws:iam/rolePolicy:RolePolicy",
    "aws:s3/bucket:Bucket",
)
_ACCOUNT = "kubernetes:core/v1:ServiceAccount"
_WORK = {"bucket": "work", "write": True, "per_user": True}


@pytest.fixture(scope="module")
def engine(new_engine: Callable[..., Engine]) -> Engine:
    engine = new_engine()
    key = "hub-main-client-secret"
    engine.run("config", "set", "--secret", key, SECRETS[key])
    engine.put(
        buckets={
            "scratch": {"kind": "scratch"},
            "work": {"kind": "shared"},
            "lectures": {"kind": "existing", "bucket_name": "uni-lectures"},
        }
    )
    engine.put(
        hubs__main__aws_access={
            "buckets": [{"bucket": "lectures"}, _WORK, {"bucket": "scratch", "write": True}],
            "by_group": [
                {
                    "name": "staff",
                    "groups": ["jupyter:staff"],
                    "buckets": [{"bucket": "work", "overlap": True}],
                    "policies": ["AmazonAthenaFullAccess"],
                }
            ],
        }
    )
    engine.put(
        hubs__main__volumes={
            "lectures": {"kind": "bucket", "bucket": "lectures", "mount_path": "/lectures"}
        }
    )
    engine.up()
    return engine


def test_a_second_preview_finds_no_change(engine: Engine) -> None:
    assert engine.preview("--expect-no-changes").changes == {}


def test_further_rights_change_the_policy_and_nothing_that_servers_run_under(
    engine: Engine,
) -> None:
    engine.put(
        hubs__main__aws_access={
            "buckets": [
                {"bucket": "lectures"},
                _WORK,
                {"bucket": "scratch", "write": True, "prefix": "all/"},
            ],
            "by_group": [
                {
                    "name": "staff",
                    "groups": ["jupyter:staff"],
                    "buckets": [{"bucket": "work", "overlap": True}],
                    "policies": ["AmazonAthenaFullAccess"],
                }
            ],
        }
    )
    step = Step(preview=engine.preview(), up=engine.up())
    assert [call.name for call in step.up.finished("Update", _POLICY)] == [
        "hub-main-cloud-servers-all-policy"
    ]
    for method in ("Create", "Delete"):
        for kind in (_ROLE, _ACCOUNT, _BUCKET):
            assert not step.up.finished(method, kind), (method, kind)


def test_a_group_without_an_entry_loses_its_role(engine: Engine) -> None:
    engine.put(hubs__main__aws_access={"buckets": [{"bucket": "lectures"}, _WORK]})
    step = Step(preview=engine.preview(), up=engine.up())
    assert [call.name for call in step.up.finished("Delete", _ROLE)] == [
        "hub-main-cloud-servers-group-staff-role"
    ]
    assert engine.preview("--expect-no-changes").changes == {}


def test_a_scratch_bucket_goes_with_its_option_and_a_shared_one_stays(engine: Engine) -> None:
    kept = {
        "lectures": {"kind": "existing", "bucket_name": "uni-lectures"},
        "work": {"kind": "shared"},
    }
    engine.put(buckets=kept)
    up = engine.up()
    assert [call.name for call in up.finished("Delete", _BUCKET)] == ["buckets-scratch"]
    buckets = [item["urn"] for item in engine.resources() if item["type"] == _BUCKET]
    assert [urn.rpartition("::")[2] for urn in buckets] == ["buckets-work"]
