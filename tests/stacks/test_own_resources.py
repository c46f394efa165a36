"""A program with resources of its own below `from_stack_file()`: shown everywhere under their own
heading, judged where that makes sense, never in the way.

tests/fixtures/own_resources has them: AWS, Kubernetes, random, packages that are not installed
here, components, dynamic and remote resources, another stack, look-ups, reads, transforms, and
secrets in every place.
"""

from __future__ import annotations

import copy
import datetime
import functools
import json
import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from jupyterhub_aws.adopt.check import judged as adoption_judged
from jupyterhub_aws.changes.difference import difference
from jupyterhub_aws.changes.gate import judged
from jupyterhub_aws.changes.side import side_of
from jupyterhub_aws.checks.all import CHECKS, run_checks
from jupyterhub_aws.checks.cost import cost
from jupyterhub_aws.checks.resources import Resource, Resources, made_here
from jupyterhub_aws.checks.scope import ADDED, judge
from jupyterhub_aws.checks.sites import sites
from jupyterhub_aws.config.stack_file import read
from jupyterhub_aws.diff.show import of_plan
from jupyterhub_aws.operate.teardown.orphans import verdicts
from jupyterhub_aws.operate.teardown.plan import destroy_outcome
from jupyterhub_aws.plan.evaluate import Recording
from jupyterhub_aws.plan.page.page import page
from jupyterhub_aws.plan.plan import Plan, make_plan
from jupyterhub_aws.plan.render import render
from jupyterhub_aws.policy.pack import ENFORCED, violations
from jupyterhub_aws.policy.resources import translated
from tests.support.in_process import Done, in_process
from tests.support.own_programs import own_resources
from tests.support.page_urns import Urns
from tests.support.stack_files import ROOT
from tests.support.stacks import (
    ALL_STACKS,
    CLOSED,
    FULL,
    plan_once,
    quiet_sdks,
    record,
    recorded_once,
    without_gc,
)

DAY = datetime.date(2026, 11, 30)
AS_OF = ("--as-of", DAY.isoformat())


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return own_resources(tmp_path_factory.mktemp("lab"))


def jhub(folder: Path, *arguments: str, code: int = 0) -> Done:
    with quiet_sdks():
        done = in_process(arguments, folder)
    assert done.returncode == code, done.stderr
    assert "hunter2" not in done.stdout + done.stderr, "a secret of the program's is shown"
    assert "AKIAIOSFODNN7EXAMPLE" not in done.stdout
    return done


@functools.cache
def _plan(folder: Path) -> Plan:
    with quiet_sdks(), without_gc():
        return make_plan(read(folder / "Pulumi.dev.yaml"), DAY)


@pytest.fixture(scope="module")
def plan(folder: Path) -> Plan:
    return _plan(folder)


@pytest.fixture(scope="module")
def without(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Plan:
    """The plan of the same project before anything was added."""
    before = tmp_path_factory.mktemp("before")
    (before / "Pulumi.yaml").write_text((folder / "Pulumi.yaml").read_text())
    (before / "Pulumi.dev.yaml").write_text((ROOT / "Pulumi.dev.yaml").read_text())
    (before / "__main__.py").write_text(
        "from jupyterhub_aws import from_stack_file\n\nfrom_stack_file()\n"
    )
    with quiet_sdks(), without_gc():
        return make_plan(read(before / "Pulumi.dev.yaml"), DAY)


@pytest.mark.real
def test_it_has_thirty_types_that_no_stack_of_this_repository_registers(plan: Plan) -> None:
    known = {item.type for settings_ in ((), FULL, CLOSED) for item in record(*settings_).resources}
    added = {item.type for item in plan.recording.resources.added}
    assert len(added - known) >= 30, sorted(added - known)


@pytest.mark.real
def test_what_the_library_makes_is_what_it_was(plan: Plan, without: Plan) -> None:
    def own(found: Plan) -> list[Resource]:
        return [
            item
            for item in found.recording.resources
            if not found.recording.resources.is_added(item)
        ]

    assert own(plan) == own(without)
    assert not without.recording.resources.added.all
    assert [item for item in plan.findings if item.status == "fail"] == []


def test_each_has_the_line_that_makes_it(plan: Plan) -> None:
    lines = (ROOT / "tests" / "fixtures" / "own_resources" / "__main__.py").read_text().splitlines()
    for item in plan.recording.resources.added:
        assert item.source is not None
        file, _, number = item.source.partition(":")
        if file == "__main__.py" and item.name in (
            "data",
            "jobs",
            "below",
            "site",
            "token",
            "second",
            "net",
        ):
            assert f'"{item.name}"' in lines[int(number) - 1]
    below = next(item for item in plan.recording.resources if item.name == "below")
    assert plan.recording.resources.is_added(below) and below.parent is not None, (
        "the program's own, although the platform is its parent"
    )


def _after_heading(text: str, end: str) -> str:
    return text.split("Added by your program", 1)[1].split(end, 1)[0]


@pytest.mark.real
def test_the_plan_shows_all_of_them_under_a_heading_of_their_own(folder: Path, plan: Plan) -> None:
    added = plan.recording.resources.added
    short = jhub(folder, "plan", "dev", *AS_OF).stdout
    assert (
        f"{len(plan.recording.resources)} resources, {len(added)} of them added by your program"
        in " ".join(short.split())
    )
    assert re.search(
        r"Not priced: \d+ resources of your program \(5 Bucket, 3 Subnet", " ".join(short.split())
    )
    whole = jhub(folder, "plan", "dev", "--resources", *AS_OF).stdout
    own, shown = whole.split("Added by your program")[0], _after_heading(whole, "\n\n")
    for item in added:
        parent = plan.recording.resources.by_urn.get(item.parent or "")
        short_name = (
            item.name.removeprefix(
                parent.name if parent is not None and parent in added.all else ""
            ).lstrip("-")
            or item.name
        )
        assert f"{short_name} {item.type.rpartition(':')[2]}" in " ".join(shown.split()), item.label
    assert "exists already: vpc-0123456789abcdef0" in shown and "__main__.py:" in shown
    assert "__main__.py" not in own


@pytest.mark.real
def test_the_data_say_which_they_are(folder: Path, plan: Plan) -> None:
    data = json.loads(jhub(folder, "plan", "dev", "--json", *AS_OF).stdout)
    marked = {item["urn"] for item in data["resources"] if "source" in item}
    assert marked == {item.urn for item in plan.recording.resources.added}
    assert {item["name"] for item in data["resources"] if item.get("external")} == {
        "theirs",
        "lab/network/prod",
    }
    assert [item["aliases"] for item in data["resources"] if item["name"] == "renamed"] == [
        ["urn:pulumi:dev::lab::aws:s3/bucket:Bucket::old-name"]
    ]
    assert data["cost"]["not_priced"]["aws:s3/bucket:Bucket"] == 5
    side = side_of(data, "plan")
    assert side.resources.added.all == tuple(
        replace(item, taggable=False) for item in side_of(plan.as_json(), "plan").resources.added
    )


@pytest.mark.real
def test_the_page_has_them_apart_and_its_picture_without_them(
    folder: Path, plan: Plan, without: Plan
) -> None:
    target = folder / "plan.html"
    jhub(folder, "plan", "dev", "--html", str(target), *AS_OF)
    text = target.read_text()
    assert "hunter2" not in text
    own, _ = text.split('<h3 id="added">Added by your program</h3>')
    said = Urns(text, '<h3 id="added">').found
    assert sorted(said) == sorted(item.urn for item in plan.recording.resources.added)
    assert "lab:web:Site" not in own.split('id="resources"')[1]

    def picture(found: str) -> str:
        section = re.search(r'<section id="topology".*?</section>', found, re.DOTALL)[0]
        return re.sub(r'#r-[\w.-]+|<div id="world">.*?</div>', "", section, flags=re.DOTALL)

    assert "ingress of tcp 443</b> from 0.0.0.0/0" in text, (
        "the list has what it opens to the world"
    )
    assert picture(text) == picture(page(without))


def test_below_a_platform_there_are_components_and_a_provider_only() -> None:
    """By that a resource whose parent is the platform is known to be the caller's own, also in
    an engine's preview, which names no line.
    """
    for settings_ in ALL_STACKS.values():
        for item in record(*settings_).resources:
            assert made_here(item.urn) and item.source is None


def test_what_cannot_be_known_is_said_with_its_lines(plan: Plan) -> None:
    said = {
        finding.message.partition(" of your program")[0]: finding
        for finding in plan.findings
        if finding.id == "program-unknowns"
    }
    assert set(said) >= {"5 components", "1 computed value", "1 setting", "2 look-ups"}
    (clear,) = [
        finding for finding in plan.findings if finding.id == "secrets" and finding.status == "warn"
    ]
    assert "thumb (aws:lambda/function:Function) at __main__.py:" in clear.message


def test_the_gate_asks_for_each_unknown_and_a_stack_may_name_them(
    plan: Plan, without: Plan
) -> None:
    old, new = of_plan(without), of_plan(plan)
    found = difference(old, new)
    assert {effect.topic for effect in found.effects if effect.added} == {"your program"}
    unknown = {effect.subject for effect in found.effects if effect.class_ == "unknown"}
    assert {
        "aws:sqs/queue:Queue::jobs",
        "tls:index/privateKey:PrivateKey::tls",
        "pulumi-python:dynamic/lab:Token::token",
    } <= unknown
    widens = {effect.says for effect in found.effects if effect.class_ == "widens access"}
    assert {
        "opens from the whole internet to web on tcp 443",
        "reader gains: s3:GetObject on ${data.arn}/*",
    } <= widens
    shut = judged(found)
    asked = {needed.subject for needed in shut.missing if needed.class_ == "unknown"}
    assert asked == unknown and not shut.passes
    assert (
        "added:aws:sqs/queue:Queue" in shut.nameable
        and "added:aws:ec2/securityGroup:SecurityGroup" not in shut.nameable
    )
    allow = ["routine", "interrupts", "costs more", "widens access"]
    for names, left in (
        (["added:*"], set()),
        (
            ["added:aws:*", "added:tls:index/privateKey:PrivateKey"],
            {item for item in unknown if not item.startswith(("aws:", "tls:"))},
        ),
        (["added:aws:sqs/queue:Queue::jobs"], unknown - {"aws:sqs/queue:Queue::jobs"}),
        (["added:aws:sqs/queue:Queue::other"], unknown),
        (["added:"], unknown),
    ):
        verdict = judged(difference(replace(old, gate={"allow": [*allow, *names]}), new))
        assert {
            needed.subject for needed in verdict.missing if needed.class_ == "unknown"
        } == left, names
    assert judged(difference(replace(old, gate={"allow": [*allow, "added:*"]}), new)).passes


def test_a_name_in_the_gate_lets_nothing_of_the_librarys_through(without: Plan) -> None:
    old = of_plan(without)
    cluster = next(item for item in old.resources if item.type == "aws:eks/cluster:Cluster")
    forged = replace(cluster, inputs={**cluster.inputs, "unheardOf": 1}, source="__main__.py:1")
    spoilt = [forged if item is cluster else item for item in old.resources]
    found = difference(
        replace(old, gate={"allow": ["added:*"]}), replace(old, resources=Resources(spoilt))
    )
    assert [needed.class_ for needed in judged(found).missing] == ["unknown"], (
        "what the older side knows as the library's is not somebody's own"
    )


def test_taking_them_out_again_endangers_what_holds_data(plan: Plan, without: Plan) -> None:
    found = difference(of_plan(plan), of_plan(without))
    assert not judged(found).passes
    said = {
        effect.says
        for effect in found.effects
        if effect.class_ == "endangers data" and effect.added
    }
    assert "deletes data (Bucket)" in said and any(
        text.startswith("deletes renamed (Bucket) (it is protected") for text in said
    )


def test_a_renamed_resource_with_an_alias_is_the_same_one(plan: Plan) -> None:
    new = of_plan(plan)
    former = next(item for item in new.resources if item.name == "renamed")
    old = replace(
        new,
        resources=Resources(
            replace(item, urn=item.aliases[0], name="old-name") if item is former else item
            for item in new.resources
        ),
    )
    assert [change.name for change in difference(old, new).changes] == []
    bare = replace(new, resources=Resources(replace(item, aliases=()) for item in new.resources))
    assert {change.op for change in difference(old, bare).changes} == {"create", "delete"}


def test_the_policy_pack_warns_about_them_and_stops_nothing(plan: Plan) -> None:
    def shown(item: Resource) -> SimpleNamespace:
        provider = SimpleNamespace() if item.custom else None
        options = SimpleNamespace(protect=item.protect, ignore_changes=[])
        return SimpleNamespace(
            resource_type=item.type,
            props=dict(item.inputs),
            urn=item.urn,
            name=item.name,
            opts=options,
            parent=None,
            provider=provider,
        )

    resources = translated(shown(item) for item in plan.recording.resources)
    assert {
        item.custom
        for item in resources.of("lab:web:Site", "awsx:ec2:Vpc", "two:parts", "eks:index:Cluster")
    } == {False}
    assert {
        item.custom
        for item in resources.of("pulumi:providers:aws", "tls:index/privateKey:PrivateKey")
    } == {True}
    for enforced in ENFORCED.values():
        assert violations(enforced, "fail", plan.stack, resources) == []
    (open_,) = violations(ENFORCED["no-open-door"], "warn", plan.stack, resources)
    assert (
        "web (aws:ec2/securityGroup:SecurityGroup) is open to the whole internet" in open_.message
    )


@pytest.mark.real
def test_leaving_counts_them_apart(folder: Path, plan: Plan) -> None:
    text = jhub(folder, "destroy", "plan", "dev").stdout
    assert "that your program added, each before what it needs: 4 Bucket" in " ".join(text.split())
    assert (
        "renamed: Bucket, added by your program" in text and "bucket, with its objects" not in text
    )
    data = json.loads(jhub(folder, "destroy", "plan", "dev", "--json").stdout)
    (step,) = data["steps"]
    parts = {item["part"] for item in step["order"]}
    assert parts == {item.name for item in plan.recording.resources.parts()} & parts, (
        "only the library's parts have an order"
    )
    names = {item["name"] for item in step["added_by_the_program"]}
    assert {"jobs", "tls", "token", "web"} <= names and not {
        "theirs",
        "renamed",
        "west",
        "lab/network/prod",
    } & names
    assert (
        step["goes"]
        == len(plan.recording.resources)
        - len(step["stays"])
        - len(step["ends_with_the_cluster"])
        - 2
    ), "what is only read does not go"


def test_an_adoption_is_judged_with_them_beside_it(folder: Path, plan: Plan) -> None:
    def step(item: Resource, op: str, **more: Any) -> dict[str, Any]:
        state = {
            "type": item.type,
            "urn": item.urn,
            "custom": item.custom,
            "inputs": {},
            **({"importID": "x"} if op == "import" else {}),
        }
        return {"op": op, "urn": item.urn, "newState": state, "oldState": state, **more}

    file = read(folder / "Pulumi.dev.yaml")
    added = [item for item in plan.recording.resources.added if item.custom and not item.external]
    steps = (
        [step(item, "same") for item in plan.recording.resources.own]
        + [step(item, "create") for item in added[1:]]
        + [step(added[0], "import")]
    )
    preview = {"steps": steps, "changeSummary": {}}
    verdict = adoption_judged(file, side_of(preview, "preview"))
    assert (verdict.stage, verdict.faults, len(verdict.added)) == ("nothing", [], len(added))
    steps[-1] = step(added[0], "replace", replaceReasons=["name"])
    (fault,) = adoption_judged(file, side_of(preview, "preview")).faults
    assert fault.what == "would be replaced, because of name" and fault.fix.startswith(
        "it is your program's own"
    )


@pytest.mark.real
def test_hosts_that_they_talk_to_are_listed(folder: Path) -> None:
    text = jhub(folder, "sites", "dev").stdout
    assert (
        "grafana.github.io\n    chart grafana (dashboards)" in text
        and "lambda.us-east-1.amazonaws.com" in text
    )


# Checks, by check.

#: A resource of the caller's that a check of its own type has to speak about, and the check that
#: does.
SPOILT: dict[str, tuple[str, dict[str, Any], str]] = {
    "open_ingress": (
        "aws:ec2/securityGroup:SecurityGroup",
        {"ingress": [{"cidrBlocks": ["0.0.0.0/0"], "protocol": "-1"}]},
        "is open to the whole internet",
    ),
    "encryption": ("aws:efs/fileSystem:FileSystem", {}, "is not encrypted"),
    "metadata": (
        "aws:ec2/launchTemplate:LaunchTemplate",
        {"blockDeviceMappings": [{"ebs": {"encrypted": "true"}}]},
        "lets pods read the node's credentials",
    ),
    "protected": ("aws:s3/bucket:Bucket", {}, "can be deleted"),
    "tags": ("aws:sqs/queue:Queue", {"tags": {"a": "b"}}, "lacks"),
    "secrets": (
        "custom:index/thing:Thing",
        {"pem": "-----BEGIN PRIVATE KEY-----"},
        "is in clear text",
    ),
    "covered": ("aws:ebs/volume:Volume", {"encrypted": True}, "is in no backup"),
    "logs_end": ("aws:cloudwatch/logGroup:LogGroup", {"name": "x"}, "keeps its logs for ever"),
    "proof": (
        "aws:ec2/internetGateway:InternetGateway",
        {"vpcId": "${network-vpc.id}"},
        "is a path to the internet",
    ),
}


def added_to(resources: Resources, *added: Resource) -> Resources:
    return Resources([*resources, *added])


def theirs(type_: str, inputs: dict[str, Any], name: str = "spoilt") -> Resource:
    base = record().resources.all[0]
    urn = f"urn:pulumi:dev::jupyterhub-aws::{type_}::{name}"
    more = {
        "protect": False,
        "retain_on_delete": False,
        "parent": None,
        "provider": None,
        "depends_on": (),
        "import_id": None,
        "ignore_changes": (),
    }
    return replace(
        base,
        urn=urn,
        type=type_,
        name=name,
        inputs=inputs,
        custom=True,
        taggable=type_.startswith("aws:"),
        source="__main__.py:7",
        **more,
    )


@pytest.mark.real
@pytest.mark.parametrize(
    "check", CHECKS, ids=lambda check: f"{check.__module__.rpartition('.')[2]}.{check.__name__}"
)
def test_each_check_speaks_about_what_was_added_or_does_not_see_it(check) -> None:
    """The table is checks/scope.py: a check of the structure of a stack says the same with
    anything beside it.
    """
    recording = record(*CLOSED) if check.__name__ == "proof" else record()
    stack = _stack_of(CLOSED if check.__name__ == "proof" else ())
    spoilt = [theirs(type_, inputs, name) for name, (type_, inputs, _) in SPOILT.items()]
    alike = [
        theirs(item.type, {}, f"{item.name}-2") for item in recording.resources.own if item.custom
    ]
    alone = judge(check, stack, recording.everything)
    if check not in ADDED:
        assert judge(check, stack, added_to(recording.everything, *spoilt, *alike)) == alone
        return
    type_, inputs, said = SPOILT[check.__name__]
    found = judge(check, stack, added_to(recording.everything, theirs(type_, inputs)))
    new = [item for item in found if item not in alone and item.status != "pass"]
    assert new and all(said in item.message and item.fix == ADDED[check].fix for item in new)
    assert {item.status for item in new} == {"fail" if check.__name__ == "proof" else "warn"}
    assert {item.path for item in new} == {"__main__.py:7"}
    assert [item for item in found if item.status != "pass" and item not in new] == [
        item for item in alone if item.status != "pass"
    ]
    many = judge(
        check,
        stack,
        added_to(recording.everything, *(theirs(type_, inputs, f"x{index}") for index in range(9))),
    )
    if check.__name__ != "proof":
        (one,) = [item for item in many if item not in alone and item.status == "warn"]
        assert one.message.startswith("9 resources of your program") and "and 6 more" in one.message


@functools.cache
def _stack_of(settings_: tuple[str, ...]):

    name = settings_[0].removeprefix("stack=") if settings_ else "dev"
    with quiet_sdks(), without_gc():
        return recorded_once(read(ROOT / f"Pulumi.{name}.yaml", settings_[1:]))[0]


def test_a_shape_that_a_check_cannot_read_is_said_and_hides_nothing() -> None:
    stack, resources = _stack_of(()), record().resources
    odd = theirs(
        "aws:ec2/launchTemplate:LaunchTemplate",
        {"blockDeviceMappings": "[unknown]", "metadataOptions": 7},
        "odd",
    )
    bare = theirs("aws:efs/fileSystem:FileSystem", {}, "bare")
    found = run_checks(stack, added_to(resources, odd, bare), DAY)
    assert any(
        item.status == "warn"
        and "bare (aws:efs/fileSystem:FileSystem): is not encrypted" in item.message
        for item in found
    )
    assert any(
        item.id == "program-unknowns"
        and "odd (aws:ec2/launchTemplate:LaunchTemplate)" in item.message
        for item in found
    )


def test_orphans_know_names_that_pulumi_generates() -> None:
    stack = _stack_of(())
    kept = theirs("aws:s3/bucket:Bucket", {"tags": "[unknown]"}, "data")
    names = ("data-0a1b2c3", "data-other")
    there = [
        SimpleNamespace(
            kind="s3:bucket",
            name=name,
            id=name,
            arn=f"arn:aws:s3:::{name}",
            tags={},
            region="us-east-1",
        )
        for name in names
    ]
    assert [bool(item.kept) for item in verdicts(stack, there, [kept])] == [True, False]


def test_order_of_leaving_goes_through_what_was_added() -> None:
    resources = record().resources
    homes, hub = (
        next(item for item in resources if item.name == name)
        for name in ("homes-file-system", "hub-main-release")
    )
    between = replace(theirs("aws:s3/bucket:Bucket", {}, "between"), depends_on=(homes.urn,))
    later = replace(
        theirs("kubernetes:core/v1:ConfigMap", {}, "later"),
        retain_on_delete=True,
        provider="urn:pulumi:dev::x::pulumi:providers:kubernetes::mine",
    )
    found = destroy_outcome(
        Resources(
            [
                *(
                    replace(item, depends_on=(between.urn,)) if item is hub else item
                    for item in resources
                ),
                between,
                later,
            ]
        ),
        cluster_goes=True,
    )
    names = [name for name, _ in found.order]
    assert names.index("hub-main") < names.index("homes")
    assert later in found.forgotten, "it is in another cluster than the one that goes"


def test_the_bill_prices_what_it_knows_and_counts_the_rest() -> None:
    stack, resources = _stack_of(()), record().resources
    before = cost(stack, resources).as_json()
    added = [
        theirs("aws:ec2/natGateway:NatGateway", {}, "nat"),
        theirs("aws:ebs/volume:Volume", {"size": 100, "type": "gp3"}, "disk"),
        theirs("aws:ebs/volume:Volume", {"size": "[unknown]", "type": "gp3"}, "unknown"),
        theirs("aws:ebs/volume:Volume", {"size": 100}, "gp2"),
        theirs(
            "aws:rds/instance:Instance",
            {"engine": "postgres", "instanceClass": "db.t4g.micro", "multiAz": True},
            "db",
        ),
        theirs(
            "aws:autoscaling/group:Group",
            {"minSize": 1, "maxSize": 4, "launchTemplate": {"id": "${mine.id}"}},
            "group",
        ),
        theirs("aws:ec2/launchTemplate:LaunchTemplate", {"instanceType": "m7i.large"}, "mine"),
        replace(theirs("aws:ec2/natGateway:NatGateway", {}, "read"), external=True),
    ]
    after = cost(stack, added_to(resources, *added)).as_json()
    lines = {line["what"]: line for line in after["lines"] if line not in before["lines"]}
    assert lines["NatGateway of your program"]["idle_monthly"] == 32.85
    assert lines["Volume of your program"]["idle_monthly"] == 8.0
    assert lines["Instance db.t4g.micro of your program"]["idle_monthly"] == round(
        2 * 0.016 * 730, 2
    )
    group = lines["Group of your program"]
    assert (
        group["maximum_monthly"] == pytest.approx(4 * group["idle_monthly"], abs=0.02)
        and group["paused_monthly"] == group["idle_monthly"]
    )
    assert after["not_priced"] == {
        "aws:ebs/volume:Volume": 2,
        "aws:ec2/launchTemplate:LaunchTemplate": 1,
    }
    assert [line for line in after["lines"] if "of your program" not in line["what"]] == before[
        "lines"
    ]


# Anything at all, beside a stack.

_WORDS = [
    "[unknown]",
    "[secret]",
    "${x.id}",
    "{",
    '{"Statement": [7, {"Action": "*"}]}',
    "0.0.0.0/0",
    "urn:pulumi:x",
]
_NUMBERS = st.integers(-10, 2**40) | st.floats(allow_nan=False, allow_infinity=False)
_JSON = st.recursive(
    st.none() | st.booleans() | _NUMBERS | st.text(max_size=6) | st.sampled_from(_WORDS),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3)
    ),
    max_leaves=6,
)


@functools.cache
def _models() -> tuple[Resource, ...]:
    """One resource of each type that stacks here have: their shapes are what the readers know."""
    found = {
        item.type: item
        for settings_ in ((), FULL, CLOSED)
        for item in record(*settings_).resources
        if item.custom
    }
    return tuple(found[key] for key in sorted(found))


def _leaves(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    if path:
        yield path
    items = (
        value.items()
        if isinstance(value, dict)
        else enumerate(value)
        if isinstance(value, list)
        else ()
    )
    for key, item in items:
        yield from _leaves(item, (*path, key))


@st.composite
def someones(draw: st.DrawFn, index: int) -> Resource:
    """A resource that the readers may take for one that they know: such a shape, with anything
    in some of its places.
    """
    model = draw(st.sampled_from(_models()))
    inputs = copy.deepcopy(dict(model.inputs))
    for path in draw(st.lists(st.sampled_from(list(_leaves(inputs)) or [("x",)]), max_size=4)):
        here: Any = inputs
        try:
            for key in path[:-1]:
                here = here[key]
            if isinstance(here, dict) and not isinstance(path[-1], str):
                continue  # a list was there; keys of maps are text
            if draw(st.booleans()):
                here[path[-1]] = draw(_JSON)
            else:
                del here[path[-1]]
        except (KeyError, IndexError, TypeError):
            continue  # what was there is something else by now
    name = draw(st.sampled_from([model.name, f"theirs-{index}", "a.b", "${x}", "é ü"]))
    urn = f"urn:pulumi:dev::jupyterhub-aws::{model.type}::{name}-{index}"
    source = draw(st.sampled_from([f"__main__.py:{index}", None]))
    return replace(
        model,
        urn=urn,
        name=f"{name}-{index}",
        inputs=inputs,
        parent=None,
        depends_on=(),
        source=source,
        protect=draw(st.booleans()),
    )


@pytest.mark.real
@given(data=st.data())
@settings(
    max_examples=6,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
def test_no_reader_stumbles_over_anything_beside_a_stack(data: st.DataObject) -> None:
    stack, base = _stack_of(()), record().resources
    found = [
        data.draw(someones(index), label=f"resource {index}")
        for index in range(data.draw(st.integers(4, 12)))
    ]
    everything = added_to(base, *found)
    findings = run_checks(stack, everything, DAY)
    own = [item for item in run_checks(stack, base, DAY) if item.status != "pass"]
    assert all(item in findings for item in own), (
        "what is said of the library's is said with anything beside it"
    )
    assert not [item for item in findings if item.status == "fail"]
    recording = Recording(resources=everything, outputs={})
    plan = replace(_bare_plan(), recording=recording, findings=tuple(findings))
    text = page(plan)
    assert {item.urn for item in found} <= set(Urns(text).found)
    render(plan, whole=True)
    before, after = (side_of(json.loads(side.as_text()), "x") for side in (_bare_plan(), plan))
    for one, other in ((before, after), (after, before), (after, after)):
        judged(difference(one, other)).as_json()
    destroy_outcome(everything, cluster_goes=True)
    sites(stack, everything)
    verdicts(stack, [], [item for item in everything if item.protect])
    for enforced in ENFORCED.values():
        assert violations(enforced, "fail", stack, everything) == violations(
            enforced, "fail", stack, base
        )


@functools.cache
def _bare_plan() -> Plan:
    with quiet_sdks(), without_gc():
        return plan_once(read(ROOT / "Pulumi.dev.yaml"), DAY)
