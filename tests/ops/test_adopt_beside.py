"""What stands beside a cluster that is adopted: keys, backups, and what watches it; each by its
own place.
"""

from __future__ import annotations

import json
import os
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from unittest import mock

import pytest

from jupyterhub_aws.adopt.adopt import adopted
from jupyterhub_aws.adopt.match import Outcome, matched
from jupyterhub_aws.adopt.queries import Live
from jupyterhub_aws.adopt.scan import scan
from jupyterhub_aws.operate.live.account import connect
from tests.support.adopt_accounts import own
from tests.support.adopt_lacking import Lacking, RefusingLacking, watched
from tests.support.cloud import Cloud, cloud
from tests.support.in_process import in_process
from tests.support.live import environment
from tests.support.stacks import record

pytestmark = pytest.mark.real

FILE = Path("Pulumi.taken.yaml")
KEY, ALIAS, VAULT = (
    "aws:kms/key:Key",
    "aws:kms/alias:Alias",
    "aws:backup/vault:Vault::backups-main-vault",
)
CLUSTER = "aws:eks/cluster:Cluster::cluster-control-plane-eksCluster"
_OF_BACKUP = (
    ("vaultPolicy:VaultPolicy", "main-policy"),
    ("plan:Plan", "plan"),
    ("selection:Selection", "selection"),
)
BACKUPS = ("vaults", "vault_policies", "plans", "plan_rules", "selections", "selected")
WATCH = (
    "topics",
    "subscriptions",
    "alarms",
    "log_filters",
    "log_policies",
    "event_rules",
    "event_targets",
)


@dataclass(frozen=True)
class Account:
    """The stack dev as `up` made it, with what a scan saw of it and how often it asked what."""

    cloud: Cloud
    lacking: Lacking
    live: Live
    calls: Counter[str]


def _environment(url: str) -> dict[str, str]:
    return {key: value for key, value in environment(url).items() if value}


@pytest.fixture(scope="module")
def account() -> Iterator[Account]:
    with cloud() as made:
        made.reset()
        lacking, _ = own(made)
        with watched(made, lacking) as url, mock.patch.dict(os.environ, _environment(url)):
            live = scan(connect("test", "us-east-1", expected=None, changes=False), "jhub-dev")
        yield Account(made, lacking, live, Counter(made.calls))


def _with(live: Live, **topics: list[Any]) -> Live:
    return replace(live, found={**live.found, **topics})


def _empty(live: Live, *topics: str) -> Live:
    return _with(live, **{topic: [] for topic in topics})


def _changed(live: Live, topic: str, **values: Any) -> Live:
    return _with(live, **{topic: [{**item, **values} for item in live.of(topic)]})


def _dev(live: Live, *settings: str) -> Outcome:
    return matched(record(*settings).resources, live)


def test_each_resource_uses_its_own_key(account: Account) -> None:
    live, found = account.live, _dev(account.live).imports
    (vault,), (topic,) = live.of("vaults"), live.of("topics")
    used = {
        "cluster-key": live.key_arn,
        "backups-main-key": vault["EncryptionKeyArn"],
        "watch-alarms-key": topic["KmsMasterKeyId"],
    }
    assert {name: found[f"{KEY}::{name}"] for name in used} == {
        name: arn.rpartition("/")[2] for name, arn in used.items()
    }
    assert len(set(used.values())) == 3


def test_of_what_is_gone_the_alias_still_finds_the_key(account: Account) -> None:
    whole = _dev(account.live).imports
    gone = _dev(_empty(account.live, *BACKUPS))
    assert (
        gone.imports[f"{KEY}::backups-main-key"] == whole[f"{KEY}::backups-main-key"]
        and VAULT not in gone.imports
    )
    unmarked = _dev(_empty(account.live, *BACKUPS, "aliases"))
    assert (
        f"{KEY}::backups-main-key" not in unmarked.imports
        and unmarked.imports[f"{KEY}::cluster-key"] == whole[f"{KEY}::cluster-key"]
    )


def test_an_alias_on_another_key_is_pointed_anew_and_nothing_follows_it(account: Account) -> None:
    found = _dev(
        _changed(account.live, "aliases", TargetKeyId="11111111-2222-3333-4444-555555555555")
    )
    assert {item.subject for item in found.differences if item.where == "targetKeyId"} == {
        f"{ALIAS}::backups-main-key-alias",
        f"{ALIAS}::cluster-key-alias",
    }
    assert (
        found.imports[f"{KEY}::backups-main-key"]
        == _dev(account.live).imports[f"{KEY}::backups-main-key"]
        and found.refused == []
    )


@pytest.mark.parametrize("change", [{"KeyManager": "AWS"}, {"AWSAccountId": "999999999999"}])
def test_a_vault_under_a_key_that_is_not_ours_cannot_be_it_and_the_cluster_goes_on(
    account: Account, change: dict[str, str]
) -> None:
    vault = account.live.of("vaults")[0]["EncryptionKeyArn"]
    keys = [
        {**item, **(change if item["Arn"] == vault else {})} for item in account.live.of("keys")
    ]
    found = adopted(_with(account.live, keys=keys), FILE)
    assert found.kind == "eks" and CLUSTER in found.outcome.imports
    assert [item.subject for item in found.outcome.refused] == [
        VAULT
    ] and "kmsKeyArn" in found.outcome.refused[0].because[0]


def test_an_account_without_backups_and_alarms_gets_both_and_is_told(account: Account) -> None:
    watching = [
        item
        for item in account.live.of("log_groups")
        if item["logGroupName"].startswith("/aws/eks/")
    ]
    bare = _with(_empty(account.live, *BACKUPS, *WATCH), log_groups=watching, aliases=[])
    found = adopted(bare, FILE)
    assert (found.kind, found.problems, found.outcome.refused) == (
        "eks",
        (),
        [],
    ), "the drafted file is one that the program takes"
    made = {item.subject for item in found.outcome.missing if not item.is_unreadable}
    kinds = Counter(subject.partition("::")[0] for subject in made)
    assert (
        VAULT in made
        and kinds[KEY] == 2
        and kinds["aws:cloudwatch/metricAlarm:MetricAlarm"] == 14
        and kinds["aws:cloudwatch/logGroup:LogGroup"] == 5
    )
    assert "backup" not in found.text.partition("imports")[0], (
        "the default is meant, and homes.backup is nobody's line any more"
    )


def test_what_is_kept_otherwise_is_said(account: Account) -> None:
    plan = [
        {
            **item,
            "BackupPlan": {
                **item["BackupPlan"],
                "Rules": _kept_for(item["BackupPlan"]["Rules"], 400),
            },
        }
        for item in account.live.of("plan_rules")
    ]
    found = _dev(_changed(_with(account.live, plan_rules=plan), "alarms", Threshold=7.5))
    days = [item for item in found.differences if item.subject.startswith("aws:backup/plan:")]
    assert days and all(
        item.live == 400 and item.how == "in place" and "keep the day" in item.effect
        for item in days
    ), days
    assert sum(item.where == "threshold" for item in found.differences) == 14


def _kept_for(rules: list[dict[str, Any]], days: int) -> list[dict[str, Any]]:
    return [{**rule, "Lifecycle": {"DeleteAfterDays": days}} for rule in rules]


def test_a_selection_of_other_things_is_not_taken_for_ours(account: Account) -> None:
    others = [
        {**item, "BackupSelection": {**item["BackupSelection"], "ListOfTags": []}}
        for item in account.live.of("selected")
    ]
    found = _dev(_with(account.live, selected=others))
    assert [item.subject for item in found.refused] == [
        "aws:backup/selection:Selection::backups-selection"
    ]


def test_a_lock_and_copies_elsewhere(account: Account) -> None:
    live = _changed(account.live, "vaults", Locked=True, MinRetentionDays=7, MaxRetentionDays=365)
    copied = (
        'backups={"kind": "aws_backup", "vault_lock": {}, "copy_to_region": {"region":'
        ' "us-west-2"}}'
    )
    found = _dev(live, copied)
    assert (
        found.imports["aws:backup/vaultLockConfiguration:VaultLockConfiguration::backups-main-lock"]
        == "jhub-dev-backups"
    )
    elsewhere = {
        item.subject.rpartition("::")[2]
        for item in found.missing
        if "us-west-2" in item.why and item.is_unreadable
    }
    assert elsewhere == {
        f"backups-copy-{end}" for end in ("key", "key-alias", "vault", "policy", "lock")
    }
    closing = _dev(live, copied.replace("{}", '{"grace_days": 5}'))
    assert any(
        "changeableForDays" in because for item in closing.refused for because in item.because
    )


def test_who_is_told_already_is_not_asked_again(account: Account) -> None:
    receivers = (
        'monitoring={"kind": "cloudwatch", "notify": ["ops@example.org", "new@example.org"]}'
    )
    topic = account.live.of("topics")[0]["TopicArn"]
    common = {"TopicArn": topic, "Protocol": "email"}
    listed = [
        {**common, "Endpoint": "ops@example.org", "SubscriptionArn": f"{topic}:8a21d249"},
        {**common, "Endpoint": "new@example.org", "SubscriptionArn": "PendingConfirmation"},
    ]
    found = _dev(_with(account.live, subscriptions=listed), receivers)
    kind = "aws:sns/topicSubscription:TopicSubscription"
    assert [value for key, value in found.imports.items() if key.startswith(kind)] == [
        f"{topic}:8a21d249"
    ]
    assert sum(item.subject.startswith(kind) for item in found.missing) == 1


def test_a_service_that_refuses_leaves_a_gap_of_its_own(account: Account, tmp_path: Path) -> None:
    with watched(
        account.cloud, RefusingLacking(account.lacking, "/backup", "AccessDeniedException")
    ) as url:
        done = in_process(
            [
                "adopt",
                "scan",
                "--region",
                "us-east-1",
                "--name",
                "taken",
                "--json",
                "found.json",
                "--cluster",
                "jhub-dev",
            ],
            tmp_path,
            _environment(url),
        )
    found = json.loads((tmp_path / "found.json").read_text())
    assert {item["topic"] for item in found["unreadable"]} == {
        "vaults",
        "plans",
    } and done.returncode == 1
    is_unreadable = {item["subject"] for item in found["missing"] if item["unreadable"]}
    assert is_unreadable == {
        VAULT,
        *(f"aws:backup/{kind}::backups-{name}" for kind, name in _OF_BACKUP),
    }
    assert (
        found["imports"][f"{KEY}::backups-main-key"]
        and CLUSTER in found["imports"]
        and found["refused"] == []
    )


def test_questions_do_not_grow_with_alarms_and_filters(account: Account) -> None:
    asked = account.calls
    once = (
        "ListAliases",
        "GetTopicAttributes",
        "ListSubscriptionsByTopic",
        "DescribeAlarms",
        "DescribeResourcePolicies",
        "ListRules",
        "ListTargetsByRule",
    )
    assert {name: asked[name] for name in once} == dict.fromkeys(once, 1)
    assert (asked["DescribeKey"], asked["DescribeMetricFilters"], asked["DescribeLogGroups"]) == (
        3,
        2,
        4,
    )
    assert sum(count for name, count in asked.items() if name.startswith("GET /backup")) == 6
