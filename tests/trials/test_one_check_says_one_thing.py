"""One check says one thing: no id passes and warns in one plan, and no two checks speak of one
fact.
"""

from __future__ import annotations

import copy
import datetime
import json
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import cache
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from jupyterhub_aws.checks.all import run_checks
from jupyterhub_aws.checks.finding import Finding
from jupyterhub_aws.checks.resources import Resources
from jupyterhub_aws.config.stack import StackConfig
from jupyterhub_aws.config.stack_file import read
from tests.support.stack_files import CERTIFICATE, ROOT
from tests.support.stacks import ALL_STACKS, FULL, plan_once

TRIALS = ROOT / "tests" / "trials" / "cases"
DAY = datetime.date(2026, 11, 29)
#: What each check is about: one fact for one id. A check that is new names its own here.
FACTS = {
    "support": "how long the Kubernetes minor is supported",
    "certificate": "certificates that hubs bring",
    "paused": "that the stack is paused",
    "open-ingress": "who may come in through security groups and the API's endpoint",
    "encryption": "encryption at rest",
    "instance-metadata": "the nodes' answers about themselves",
    "secrets": "secrets in clear text",
    "secrets-given": "secrets that are missing in the stack file",
    "protected": "what cannot be deleted",
    "backups": "what is backed up",
    "restore-drill": "whether a restore was rehearsed",
    "tags": "tags",
    "documentation-values": "values of documentation that were left",
    "identities": "what identities may do",
    "server-access": "what users' servers may do in AWS",
    "instance-types": "types of a pool",
    "autoscaler-priorities": "priorities of groups",
    "addresses": "addresses of subnets",
    "quota-standard-on-demand": "vCPUs on demand",
    "quota-standard-spot": "vCPUs of spot",
    "quota-g-on-demand": "vCPUs of GPU types on demand",
    "quota-g-spot": "vCPUs of GPU types on the spot market",
    "hub-values": "what the chart takes, and protections among values",
    "hub-config": "sections of hub.config that no class reads",
    "network-policies": "whom pods of hubs reach",
    "servers-fit": "guarantees of servers against nodes",
    "limits-fit": "limits of servers against nodes",
    "core-nodes-fit": "core pods against core nodes",
    "database-zone": "zones of databases",
    "hubs": "what a hub says on purpose",
    "trial-sign-in": "a shared password",
    "plain-text-directory": "passwords on the way to a directory",
    "plain-text": "passwords on the way to a hub",
    "sessions": "sessions in memory",
    "no-network-allowed": "an entry that no network may use",
    "homes-ownership": "homes that root wrote",
    "homes-owner": "what a server of homes does with owners",
    "log-retention": "how long logs are kept",
    "monitoring": "who is told when a hub is down",
    "verified-versions": "versions that nobody has seen together",
    "security-releases": "security releases",
    "inner-half": "what another plan judges",
    "zones": "zones in which EKS has a control plane",
    "service-roles": "roles that AWS makes at first use",
    "spot-price": "prices that a pool offers for spot nodes",
    "region-types": "instance types that the region has",
    "images": "images of servers",
    "sample-image": "the chart's sample image",
    "docker-hub": "images from a registry with pull limits",
    "accelerators": "plugins for accelerators",
    "storage": "volumes that can be made",
}  # fmt: skip


def mixed(findings: Sequence[Finding]) -> dict[str, set[str]]:
    """Ids that pass and do not, by their marks."""
    marks: dict[str, set[str]] = defaultdict(set)
    for finding in findings:
        marks[finding.id].add(finding.status)
    return {
        check: found
        for check, found in marks.items()
        if "pass" in found and found & {"warn", "fail"}
    }


def split(given: tuple[str, ...]) -> tuple[str, tuple[str, ...]]:
    return (
        (given[0].removeprefix("stack="), given[1:])
        if given and given[0].startswith("stack=")
        else ("dev", given)
    )


@cache
def planned(stack: str) -> tuple[StackConfig, Resources, tuple[Finding, ...]]:
    name, given = split(ALL_STACKS[stack])
    made = plan_once(
        read(ROOT / name if name.endswith(".yaml") else ROOT / f"Pulumi.{name}.yaml", given), DAY
    )
    return made.stack, made.recording.everything, made.findings


@pytest.mark.real
@pytest.mark.parametrize("stack", ALL_STACKS)
def test_no_check_passes_and_warns(stack: str) -> None:
    assert mixed(planned(stack)[2]) == {}


@pytest.mark.parametrize("stack", ALL_STACKS)
def test_each_check_has_its_own_fact(stack: str) -> None:
    ids = {finding.id for finding in planned(stack)[2] if not finding.id.startswith("airgap-")}
    assert ids <= set(FACTS), "name the fact that the new check is about"
    assert len(set(FACTS.values())) == len(FACTS)


def test_no_two_findings_of_a_plan_are_the_same() -> None:
    for stack in ALL_STACKS:
        said = [
            (finding.id, finding.status, finding.message, finding.path)
            for finding in planned(stack)[2]
        ]
        assert len(set(said)) == len(said), stack


HUBS = {
    "one that is public, one that is not": {"kind": "load_balancer", "hostname": "b.uni-hub.org", "allowed_cidrs": ["0.0.0.0/0"], "public": True},
    "one with a certificate that is no good": {
        "kind": "load_balancer", "hostname": "b.uni-hub.org", "allowed_cidrs": ["10.9.0.0/16"], "tls": {"kind": "certificate", "certificate": CERTIFICATE},
    },
    "one at a documentation address": {"kind": "load_balancer", "hostname": "b.example.org", "allowed_cidrs": ["10.9.0.0/16"]},
    "one for a first try": {"kind": "port_forward", "local_port": 8111},
}  # fmt: skip


@pytest.mark.real
@pytest.mark.parametrize(
    "api", ["198.51.100.0/24", "131.220.0.0/16"], ids=["documentation", "their own"]
)
@pytest.mark.parametrize("hub", HUBS)
def test_hubs_of_different_kinds_beside_each_other(hub: str, api: str) -> None:
    """The kind of G8: one hub is right and another is not; or the API's networks are and a hub's
    are not.
    """
    sign_in = (
        {"kind": "shared_password"}
        if hub == "one for a first try"
        else {"kind": "github", "client_id": "Iv1.exampleexample", "allowed_users": ["ada"]}
    )
    entry = {
        "tls": {
            "kind": "acm",
            "certificate_arn": (
                "arn:aws:acm:us-east-1:123456789012:certificate/11111111-2222-4333-8444-555555555555"
            ),
        },
        **HUBS[hub],
    }
    if entry["kind"] == "port_forward":
        del entry["tls"]
    settings = (
        f"cluster.api.public_access_cidrs=[{api}]",
        "hubs.main.entry.hostname=hub.uni-hub.org",
        "hubs.main.entry.allowed_cidrs=[10.8.0.0/16]",
        f"hubs.second={json.dumps({'sign_in': sign_in, 'entry': entry})}",
    )
    findings = plan_once(read(TRIALS / "plan-base.yaml", settings), DAY).findings
    assert mixed(findings) == {}
    passing = " ".join(finding.message for finding in findings if finding.status == "pass")
    warned = {finding.id for finding in findings if finding.status in ("warn", "fail")}
    if hub == "one that is public, one that is not":
        assert "open-ingress" in warned
        assert "open to the world" not in passing
        assert "open to the whole internet" not in passing
    if "documentation-values" in warned:
        assert "documentation" not in passing


@pytest.mark.real
def test_a_certificate_that_is_right_beside_one_that_is_not() -> None:
    sign_in = {"kind": "github", "client_id": "Iv1.exampleexample", "allowed_users": ["ada"]}
    tls = {"kind": "certificate", "certificate": CERTIFICATE}
    hubs = [
        f"hubs.{name}={json.dumps({'sign_in': sign_in, 'entry': {'kind': 'load_balancer', 'hostname': host, 'allowed_cidrs': ['10.9.0.0/16'], 'tls': tls}})}"
        for name, host in (("right", "c.example.org"), ("wrong", "b.uni-hub.org"))
    ]
    day = datetime.date(2026, 11, 24)
    one = [
        item.status
        for item in plan_once(read(TRIALS / "plan-base.yaml", hubs[:1]), day).findings
        if item.id == "certificate"
    ]
    both = plan_once(read(TRIALS / "plan-base.yaml", hubs), day).findings
    assert one == ["pass"]
    assert mixed(both) == {} and any(
        item.id == "certificate" and item.status != "pass" for item in both
    )


@pytest.mark.parametrize("case", sorted(path.stem for path in TRIALS.glob("ok-*.yaml")))
def test_the_cases_that_were_right(case: str) -> None:
    from jupyterhub_aws.config.errors import ConfigError

    try:
        findings = plan_once(read(TRIALS / f"{case}.yaml", ()), DAY).findings
    except ConfigError:
        return  # refused: no check has spoken
    assert mixed(findings) == {}


def spoilt(resources: Resources, index: int, change: Sequence[int]) -> Resources:
    """Resources with some inputs of one of them taken away or turned round."""
    found = list(resources)
    victim = found[index % len(found)]
    inputs = copy.deepcopy(dict(victim.inputs))
    for step in change:
        places = list(_places(inputs))
        if places:
            _turn(inputs, places[step % len(places)], step)
    found[index % len(found)] = replace(
        victim, inputs=inputs, protect=victim.protect and change[0] % 2 == 0
    )
    return Resources(found)


def _places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    for key, inner in value.items() if isinstance(value, dict) else ():
        yield (*path, key)
        yield from _places(inner, (*path, key))


def _turn(inputs: dict[str, Any], place: tuple[Any, ...], step: int) -> None:
    here = inputs
    for key in place[:-1]:
        here = here[key]
    old = here[place[-1]]
    if isinstance(old, bool):
        here[place[-1]] = not old
    elif isinstance(old, list) and all(isinstance(item, str) for item in old):
        here[place[-1]] = ["0.0.0.0/0"] if step % 3 == 0 and "idr" in str(place[-1]) else old
    elif isinstance(old, str) and "idr" in str(place[-1]):
        here[place[-1]] = "0.0.0.0/0"


@pytest.mark.real
@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    st.sampled_from(["dev", "full", "closed", "kubeadm"]),
    st.integers(0, 400),
    st.lists(st.integers(0, 60), min_size=1, max_size=3),
)
def test_no_check_passes_and_warns_when_something_is_spoilt(
    stack: str, index: int, change: list[int]
) -> None:
    config, resources, _ = planned(stack)
    assert mixed(run_checks(config, spoilt(resources, index, change), DAY)) == {}


@pytest.mark.real
def test_spoiling_changes_verdicts() -> None:
    """The property above is about something: among what it spoils are checks that fail."""
    config, resources, _ = planned("full")
    assert FULL
    failing = set()
    for index in range(0, len(resources.all), 2):
        found = run_checks(config, spoilt(resources, index, list(range(1, 60))), DAY)
        failing |= {finding.id for finding in found if finding.status == "fail"}
    assert len(failing) >= 3, failing
