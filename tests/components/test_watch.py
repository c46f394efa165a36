"""What watches a stack: which alarms there are, what they look at, who is told, and that each
has its page.
"""

from __future__ import annotations

import inspect
import json
import re
from typing import Any

import pytest

from jupyterhub_aws.components.homes.efs import EfsHomesOutputs
from jupyterhub_aws.components.monitoring.monitoring import Monitoring, MonitoringArgs
from jupyterhub_aws.config.specs.alarms import MonitoredHub
from jupyterhub_aws.config.specs.monitoring import (
    APPLICATION_FILTERS,
    FAILED_LAUNCHES,
    FAILED_STARTS,
    LOG_KINDS,
)
from jupyterhub_aws.config.specs.network import NetworkSpec
from jupyterhub_aws.config.versions import pin
from tests.support.programs import (
    cluster_by_hand,
    pools_by_hand,
    problems_of_program,
    record_program,
)
from tests.support.stack_files import ROOT
from tests.support.stacks import (
    ALL_STACKS,
    FULL,
    HANDING_OVER,
    IN_AN_OPEN_VPC,
    INNER,
    INSTEAD,
    KUBEADM,
    NO_HUB,
    record,
)

ALARM, FILTER, GROUP = (
    "aws:cloudwatch/metricAlarm:MetricAlarm",
    "aws:cloudwatch/logMetricFilter:LogMetricFilter",
    "aws:cloudwatch/logGroup:LogGroup",
)
RULE = "aws:cloudwatch/eventRule:EventRule"
TOPIC, SUBSCRIPTION, ADDON = (
    "aws:sns/topic:Topic",
    "aws:sns/topicSubscription:TopicSubscription",
    "aws:eks/addon:Addon",
)
RUNBOOKS = ROOT / "docs" / "runbooks"
#: A page for each alarm; the list of them is none.
PAGES = sorted(set(RUNBOOKS.glob("*.md")) - {RUNBOOKS / "README.md"})
#: Stacks that have between them every kind of alarm.
EVERY_KIND = {"full": FULL, "volumes": ("homes={kind: ebs}",), "closed": ALL_STACKS["closed"]}
HEADINGS = ["What it means", "Look first", "Usual causes", "Fix it", "When it is resolved"]


def alarms(*settings: str) -> dict[str, Any]:
    """Inputs of every alarm by its name without the stack's."""
    return {
        item.name.removeprefix("watch-alarms-"): item.inputs
        for item in record(*settings).resources.of(ALARM)
    }


def page_of(inputs: Any) -> str:
    return str(inputs["alarmDescription"]).rpartition("docs/runbooks/")[2].removesuffix(".md")


def test_every_alarm_has_its_page_and_every_page_an_alarm() -> None:
    spoken = {
        page_of(inputs) for settings in EVERY_KIND.values() for inputs in alarms(*settings).values()
    }
    assert spoken == {path.stem for path in PAGES} and len(spoken) >= 15
    listed = set(
        re.findall(
            r"\(runbooks/([a-z-]+)\.md\)",
            (ROOT / "docs" / "monitoring.md").read_text(encoding="utf-8"),
        )
    )
    assert listed == spoken, "docs/monitoring.md lists them"


@pytest.mark.parametrize("page", PAGES, ids=lambda path: path.stem)
def test_a_page_answers_the_five_questions_and_leads_to_pages_that_are_there(page: Any) -> None:
    text = page.read_text(encoding="utf-8")
    assert re.findall(r"^## (.*)$", text, re.MULTILINE) == HEADINGS
    assert text.partition("## Look first")[2].partition("##")[0].count("`") >= 2, (
        "exact commands or places"
    )
    for target in re.findall(r"\]\(([^)]+)\)", text):
        assert (page.parent / target.partition("#")[0]).exists(), target


def test_dev_has_these_alarms() -> None:
    groups = [
        f"group-stuck-{pool}-{market}"
        for pool in ("gpu", "memory")
        for market in ("on-demand", "spot")
    ]
    of_hub = [
        "certificate-ending",
        "database-volume-full",
        "database-volume-slow",
        "hub-down",
        "hub-unreachable",
        "starts-failing",
    ]
    others = ["autoscaler-errors", "homes-slow", "launches-failing", "spot-interruptions"]
    assert sorted(alarms()) == sorted([*groups, *(f"{page}-main" for page in of_hub), *others])
    assert all(inputs["name"] == f"jhub-dev-{key}" for key, inputs in alarms().items())


def test_each_hub_is_watched_by_what_it_has() -> None:
    found = alarms(*FULL)
    kinds = {
        hub: {page_of(inputs) for key, inputs in found.items() if key.endswith(f"-{hub}")}
        for hub in ("main", "ldap", "port")
    }
    always = {"hub-down", "starts-failing", "certificate-ending"}
    assert kinds["main"] == always | {
        "hub-unreachable",
        "database-volume-full",
        "database-volume-slow",
    }
    assert kinds["ldap"] == always | {
        "hub-unreachable",
        "database-storage",
        "database-cpu",
        "database-connections",
    }
    assert kinds["port"] == always, "no balancer, no volume, and a certificate of its own"
    assert "EPOCH(days)" in str(found["certificate-ending-port"]["metricQueries"])
    assert found["database-storage-ldap"]["dimensions"] == {
        "DBInstanceIdentifier": "jhub-dev-ldap-database"
    }
    assert {key for key in alarms(NO_HUB) if "main" in key} == set() and "homes-slow" in alarms(
        NO_HUB
    )
    assert {key for key in alarms(*HANDING_OVER) if "main" in key} == set(), (
        "no hub yet, so none is missed"
    )


def test_every_metric_of_lines_that_an_alarm_looks_at_is_made_and_the_other_way_round() -> None:
    recording = record(*FULL)
    made = {
        (
            item.inputs["metricTransformation"]["namespace"],
            item.inputs["metricTransformation"]["name"],
        )
        for item in recording.resources.of(FILTER)
    }
    looked_at = set()
    for inputs in alarms(*FULL).values():
        metrics = [
            inputs,
            *(query["metric"] for query in inputs.get("metricQueries", []) if "metric" in query),
        ]
        looked_at |= {
            (metric["namespace"], metric["metricName"])
            for metric in metrics
            if metric.get("namespace", "").startswith("jupyterhub-aws/")
        }
    assert (
        made
        == looked_at
        == {
            ("jupyterhub-aws/jhub-dev", spec.metric)
            for spec in (*APPLICATION_FILTERS, FAILED_LAUNCHES)
        }
    )


def test_an_expression_names_the_metrics_that_it_reckons_with_and_one_value_counts() -> None:
    for key, inputs in alarms(*FULL).items():
        queries = inputs.get("metricQueries")
        if queries is None:
            assert (
                inputs["period"] >= 60
                and inputs["evaluationPeriods"] * inputs["period"] <= 24 * 3600
            ), key
            continue
        (value,) = [query for query in queries if query["returnData"] is True]
        names = {query["id"] for query in queries if query is not value}
        assert set(re.findall(r"\b[a-z]+\b", value["expression"])) == names, key
        assert all(re.fullmatch(r"[a-z][A-Za-z0-9_]*", name) for name in names)


@pytest.mark.parametrize(
    "spec", [*APPLICATION_FILTERS, FAILED_LAUNCHES], ids=lambda spec: spec.metric
)
def test_patterns_are_whole_and_not_too_long(spec: Any) -> None:
    assert len(spec.pattern) <= 1024, "PutMetricFilter's limit"
    assert (
        spec.pattern.startswith("{ ")
        and spec.pattern.endswith(" }")
        and spec.pattern.count("(") == spec.pattern.count(")")
    )


def test_the_sentences_are_those_of_the_jupyterhub_that_the_chart_brings() -> None:
    import jupyterhub
    from jupyterhub.handlers import base

    assert jupyterhub.__version__ == "5.5.0", "another JupyterHub: read its log sentences again"
    from jupyterhub import user

    texts = inspect.getsource(user) + inspect.getsource(base)
    plain = re.sub(r'"\s*\n\s*f?"', "", texts)
    assert [
        sentence for sentence in FAILED_STARTS if sentence.removeprefix("] ") not in plain
    ] == []
    assert "Error starting {self.name}" in plain


def test_log_groups_come_before_the_addon_that_would_make_them_without_an_end() -> None:
    recording = record()
    addon = recording.one(ADDON, "watch-logs-agent")
    groups = {item.inputs["name"]: item for item in recording.resources.of(GROUP)}
    kinds = {
        f"/aws/containerinsights/jhub-dev/{kind}"
        for kind in ("application", "dataplane", "host", "performance")
    }
    assert kinds <= set(groups)
    for name in kinds:
        assert groups[name].inputs["retentionInDays"] == 30 and (
            GROUP,
            groups[name].name,
        ) in recording.needs(addon)
    document = recording.one("aws:iam/rolePolicy:RolePolicy", "watch-logs-agent-write").inputs[
        "policy"
    ]
    assert "CreateLogGroup" not in document and "/aws/containerinsights/jhub-dev/*:*" in document
    assert ("aws:iam/rolePolicy:RolePolicy", "watch-logs-agent-write") in recording.needs(addon)


@pytest.mark.parametrize(("settings", "insights"), [((), False), (FULL, True)], ids=["dev", "full"])
def test_the_addon_does_what_we_need_and_nothing_else(
    settings: tuple[str, ...], insights: bool
) -> None:
    values = json.loads(
        record(*settings).one(ADDON, "watch-logs-agent").inputs["configurationValues"]
    )
    on = {
        name
        for name, section in values.items()
        if isinstance(section, dict) and section.get("enabled")
    }
    assert on == {"containerLogs", *(["containerInsights"] if insights else [])}
    assert values["manager"] == {
        "applicationSignals": {"autoMonitor": {"monitorAllServices": False}}
    }
    assert "tolerations" not in json.dumps(values), "the chart's own tolerate every taint"


def test_receivers_are_subscribed_by_their_kind() -> None:
    recording = record(*FULL)
    topic = recording.one(TOPIC)
    told = {
        item.inputs["endpoint"]: item.inputs["protocol"]
        for item in recording.resources.of(SUBSCRIPTION)
    }
    assert told == {"hub-alarms@example.org": "email", "https://pager.example.org/alarms": "https"}
    for inputs in alarms(*FULL).values():
        assert (
            inputs["alarmActions"] == inputs["okActions"] == [f"${{{topic.name}.arn}}"]
            and inputs["actionsEnabled"] is True
        )
    assert topic.inputs["kmsMasterKeyId"] == "${watch-alarms-key.arn}"
    assert recording.outputs["alarms_topic"] == f"${{{topic.name}.arn}}"


@pytest.mark.real
def test_paused_no_alarm_is_raised_and_missing_data_is_fine() -> None:
    resting = alarms("paused=true")
    assert all(inputs["actionsEnabled"] is False for inputs in resting.values())
    assert {inputs["treatMissingData"] for inputs in resting.values()} == {"ignore", "notBreaching"}
    breaching = {
        key for key, inputs in alarms().items() if inputs["treatMissingData"] == "breaching"
    }
    assert (
        breaching
        == {key for key, inputs in resting.items() if inputs["treatMissingData"] == "ignore"}
        == {"hub-down-main", "hub-unreachable-main"}
    )
    assert set(record("paused=true").one(ADDON, "watch-logs-agent").ignore_changes) == {
        "addonVersion",
        "configurationValues",
    }
    dropped = alarms(
        "paused=true",
        "pause.drop=[balancers]",
        "hubs.main.entry.route53_zone=Z0123456789ABCDEFGHIJ",
    )
    assert "hub-unreachable-main" not in dropped, "there is no balancer to look at"


@pytest.mark.parametrize(
    "settings", [INSTEAD, KUBEADM, INNER], ids=["none", "kubeadm", "inner half"]
)
def test_nothing_is_made_where_nothing_is_asked_for_or_aws_knows_nothing(
    settings: tuple[str, ...],
) -> None:
    kinds = {item.type for item in record(*settings).resources}
    assert not [
        kind
        for kind in kinds
        if "cloudwatch/metricAlarm" in kind
        or kind.startswith(("jupyterhub-aws:index:Monitoring", "aws:sns"))
    ]


@pytest.mark.parametrize(
    ("settings", "hub", "told"),
    [
        ((), "main", {"databaseFolder": "/srv/jupyterhub"}),
        (FULL, "ldap", {}),
        (INSTEAD, "main", None),
    ],
)
def test_a_hub_writes_its_line_where_it_is_watched(
    settings: tuple[str, ...], hub: str, told: Any
) -> None:
    release = record(*settings).one("kubernetes:helm.sh/v3:Release", f"hub-{hub}-release")
    assert release.inputs["values"]["custom"]["jupyterhubAws"].get("heartbeat") == told


def test_launches_of_this_stacks_groups_are_counted_and_of_no_other() -> None:
    recording = record()
    detail = json.loads(recording.one("aws:cloudwatch/eventRule:EventRule").inputs["eventPattern"])[
        "detail"
    ]["AutoScalingGroupName"]
    prefixes = tuple(item["prefix"] for item in detail)
    for group in recording.resources.of("aws:autoscaling/group:Group"):
        assert group.inputs["name"].startswith(prefixes)
        assert set(group.inputs["enabledMetrics"]) == {
            "GroupDesiredCapacity",
            "GroupInServiceInstances",
        }
    core = recording.one("aws:eks/nodeGroup:NodeGroup").inputs["nodeGroupName"]
    assert f"eks-{core}-1234".startswith(prefixes), "EKS names the group after its node group"
    assert not "eks-other-core-1".startswith(prefixes) and not "jhub-dev2-memory-spot-1".startswith(
        prefixes
    )
    assert alarms(IN_AN_OPEN_VPC).keys() == alarms().keys()


@pytest.mark.real
def test_a_retiring_group_raises_no_alarm() -> None:
    found = record(
        "pools.memory.generation=2", 'pools.memory.retiring=[{"generation": 1}]'
    ).resources.of("aws:cloudwatch/metricAlarm:MetricAlarm")
    stuck = {
        alarm.name.removeprefix("watch-alarms-group-stuck-")
        for alarm in found
        if "group-stuck" in alarm.name
    }
    assert stuck == {"memory-spot-g2", "memory-on-demand-g2", "gpu-spot", "gpu-on-demand"}


def test_monitoring_works_alone_in_one_line() -> None:
    recording = record_program(lambda: Monitoring("m", MonitoringArgs(cluster=cluster_by_hand())))
    assert {item.inputs["name"] for item in recording.resources.of(ALARM)} == {
        "m-autoscaler-errors"
    }
    groups = {item.inputs["name"] for item in recording.resources.of(GROUP)}
    assert groups == {f"/aws/containerinsights/theirs/{kind}" for kind in LOG_KINDS}, (
        "by the cluster's own name"
    )
    assert recording.resources.of(RULE) == [], "of which groups it would be is not known"
    addon = recording.one(ADDON)
    assert (
        addon.inputs["clusterName"] == "theirs"
        and addon.inputs["addonVersion"] == pin("addon", addon.inputs["addonName"], "1.35").version
    )
    (made,) = recording.resources.of("jupyterhub-aws:index:Monitoring")
    assert recording.component_outputs[made.urn] == {
        "topic_arn": f"${{{recording.one(TOPIC).name}.arn}}"
    }


def test_two_of_them_watch_what_each_was_given() -> None:
    def program() -> None:
        hub = MonitoredHub(
            name="main",
            namespace="jupyter",
            balancer="net/main/1",
            target_group="targetgroup/main/2",
            database_instance="db",
            database_gib=40,
        )
        pools = pools_by_hand("r5n.2xlarge", cluster="east", prefix="nodes")
        Monitoring(
            "one",
            MonitoringArgs(
                cluster=cluster_by_hand("east"),
                pools=pools,
                hubs=[hub],
                failed_starts=9,
                paused=True,
            ),
        )
        homes = EfsHomesOutputs(file_system_id="fs-0123456789abcdef0", volume_handles={})
        Monitoring(
            "two",
            MonitoringArgs(
                cluster=cluster_by_hand("west"),
                homes=homes,
                homes_gib=7,
                notify=["ops@example.org"],
                physical_name="other",
            ),
        )

    recording = record_program(program)
    found = {item.inputs["name"]: item.inputs for item in recording.resources.of(ALARM)}
    of_hub = [
        "hub-down",
        "hub-unreachable",
        "starts-failing",
        "database-storage",
        "database-cpu",
        "database-connections",
    ]
    of_groups = [
        "autoscaler-errors",
        "launches-failing",
        "spot-interruptions",
        "group-stuck-p0-spot",
        "group-stuck-p0-on-demand",
    ]
    mine = {f"one-{page}-main" for page in of_hub} | {f"one-{page}" for page in of_groups}
    assert set(found) == mine | {"other-homes-slow", "other-homes-size", "other-autoscaler-errors"}
    names = json.loads(recording.one(RULE).inputs["eventPattern"])["detail"]["AutoScalingGroupName"]
    assert [name["prefix"] for name in names] == [
        "eks-nodes-core-",
        "nodes-p0-spot-",
        "nodes-p0-on-demand-",
    ], "by the pools' own prefix"
    assert (
        found["one-hub-down-main"]["dimensions"] == {"Hub": "jupyter"}
        and found["one-hub-down-main"]["namespace"] == "jupyterhub-aws/one"
    )
    assert (
        found["one-starts-failing-main"]["threshold"] == 9
        and found["one-database-storage-main"]["threshold"] == 2 * 2**30
    )
    assert {name: inputs["actionsEnabled"] for name, inputs in found.items()} == {
        name: name.startswith("other") for name in found
    }
    assert found["other-homes-size"]["dimensions"] == {
        "FileSystemId": "fs-0123456789abcdef0",
        "StorageClass": "Total",
    }


_LACKING = ("endpoint", "network.region", "version")


@pytest.mark.parametrize(
    ("arguments", "paths"),
    [
        ({"cluster": "eks"}, ["cluster"]),
        (
            {
                "cluster": cluster_by_hand(
                    version="1.05", endpoint=None, network=NetworkSpec(region="", ranges=())
                )
            },
            [f"cluster.{name}" for name in _LACKING],
        ),
        (
            {"pools": {}, "homes": 1, "hubs": [MonitoredHub(name="a"), 7]},
            ["homes", "hubs[1]", "pools"],
        ),
        ({"hubs": [MonitoredHub(name="a"), MonitoredHub(name="a")]}, ["hubs[1].name"]),
        ({"hubs": 7}, ["hubs"]),
        ({"notify": ["http://x.example.org", "a@example.org", "a@example.org"]}, ["notify[0]"]),
        ({"notify": "a@example.org", "log_retention_days": 2}, ["log_retention_days", "notify"]),
        ({"homes_gib": 5}, ["homes_gib"]),
        (
            {"failed_starts": 0, "certificate_days": True, "container_insights": "yes"},
            ["certificate_days", "container_insights", "failed_starts"],
        ),
        ({"physical_name": "m" * 25, "tags": {"aws:x": "y"}}, ["physical_name", "tags.aws:x"]),
    ],
    ids=lambda value: ",".join(value) if isinstance(value, list) else "",
)
def test_wrong_arguments_are_told_with_their_paths_all_at_once(
    arguments: dict[str, Any], paths: list[str]
) -> None:
    lines = problems_of_program(
        lambda: Monitoring("m", MonitoringArgs(**{"cluster": cluster_by_hand(), **arguments}))
    )
    assert [line.split(": ")[1] for line in lines] == paths, lines
