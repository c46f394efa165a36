"""Network policies judged by what they let through: the reader, the chart's policies, and what
values open or take away.
"""

from __future__ import annotations

import copy
import datetime
import ipaddress
import itertools
import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jupyterhub_aws.changes.difference import difference
from jupyterhub_aws.changes.side import side_of
from jupyterhub_aws.checks import hubs
from jupyterhub_aws.checks.hub_values.policies import (
    HUB,
    PROXY,
    SERVERS,
    ReleaseLocation,
    chart_policies,
    closed_by_default,
    pod,
)
from jupyterhub_aws.checks.hub_values.reach import reach
from jupyterhub_aws.checks.network_policies import (
    EVERYWHERE,
    NAMESPACE_LABEL,
    PolicyPod,
    Ranges,
    beyond,
    connects,
    enters,
    leaves,
    policy,
)
from jupyterhub_aws.checks.resources import Resources
from jupyterhub_aws.config.chart import effective
from jupyterhub_aws.config.errors import ConfigError
from jupyterhub_aws.config.stack_file import read
from tests.support import differences
from tests.support.golden_values import GOLDEN
from tests.support.network_policies import CASES, RECORDED
from tests.support.stack_files import ROOT
from tests.support.stacks import ALL_STACKS, plan_once, record, recorded_once

TRIALS = ROOT / "tests" / "trials" / "cases"
RELEASE = "kubernetes:helm.sh/v3:Release"
PLACE = ReleaseLocation(release="hub-main", namespace="hub-main")


def plan(case: str, *settings: str) -> list:
    """Findings of a case of the trials with settings on top."""
    return list(
        plan_once(read(TRIALS / f"{case}.yaml", settings), datetime.date(2026, 11, 29)).findings
    )


def about(findings: list, check: str) -> list[tuple[str, str]]:
    return [(item.status, item.message) for item in findings if item.id == check]


def with_values(path: tuple[str, ...], value: Any) -> str:
    return f"hubs.main.helm_values={json.dumps(nested(path, value))}"


def nested(path: tuple[str, ...], value: Any) -> Any:
    for key in reversed(path):
        value = {key: value}
    return value


# The reader, against an evaluator that knows no sets and no ranges.

LABELS = st.dictionaries(st.sampled_from(["a", "b"]), st.sampled_from(["1", "2"]), max_size=2)
SELECTORS = st.one_of(
    st.just({}),
    LABELS.map(lambda labels: {"matchLabels": labels}),
    st.builds(
        lambda key, operator, values: {
            "matchExpressions": [
                {
                    "key": key,
                    "operator": operator,
                    **({"values": values} if operator in ("In", "NotIn") else {}),
                }
            ]
        },
        st.sampled_from(["a", "b", NAMESPACE_LABEL]),
        st.sampled_from(["In", "NotIn", "Exists", "DoesNotExist"]),
        st.lists(st.sampled_from(["1", "2", "one", "two"]), min_size=1, max_size=2),
    ),
)
BLOCKS = st.sampled_from(
    [
        {"cidr": "10.0.0.0/30"},
        {"cidr": "10.0.0.0/29", "except": ["10.0.0.2/31"]},
        {"cidr": "0.0.0.0/0", "except": ["10.0.0.0/30"]},
        {"cidr": "10.0.0.5/32"},
        {"cidr": "2001:db8::/32"},
    ]
)
PEERS = st.one_of(
    BLOCKS.map(lambda block: {"ipBlock": block}),
    SELECTORS.map(lambda one: {"podSelector": one}),
    SELECTORS.map(lambda one: {"namespaceSelector": one}),
    st.builds(
        lambda one, other: {"podSelector": one, "namespaceSelector": other}, SELECTORS, SELECTORS
    ),
)
PORTS = st.one_of(
    st.just({}),
    st.just({"protocol": "UDP"}),
    st.integers(1, 4).map(lambda number: {"port": number}),
    st.builds(
        lambda first, more: {"port": first, "endPort": first + more, "protocol": "TCP"},
        st.integers(1, 3),
        st.integers(0, 2),
    ),
    st.sampled_from(["web", "api"]).map(lambda name: {"port": name}),
)


def rules(key: str) -> st.SearchStrategy:
    peers, ports = st.lists(PEERS, max_size=2), st.lists(PORTS, max_size=2)
    return st.lists(
        st.builds(
            lambda one, other: {
                **({key: one} if one else {}),
                **({"ports": other} if other else {}),
            },
            peers,
            ports,
        ),
        max_size=3,
    )


SPECS = st.builds(
    lambda selector, types, egress, ingress: {
        "podSelector": selector,
        **({} if types is None else {"policyTypes": types}),
        "egress": egress,
        "ingress": ingress,
    },
    SELECTORS,
    st.sampled_from([None, ["Ingress"], ["Egress"], ["Ingress", "Egress"]]),
    rules("to"),
    rules("from"),
)
PODS = st.builds(
    lambda namespace, labels, last, ports: PolicyPod(
        namespace=namespace, labels=labels, address=f"10.0.0.{last}", ports=ports
    ),
    st.sampled_from(["one", "two"]),
    LABELS,
    st.integers(0, 8),
    st.sampled_from([{}, {"web": 1}, {"api": 2, "web": 3}]),
)


def naive_selects(selector: dict, labels: dict) -> bool:
    for key, value in selector.get("matchLabels", {}).items():
        if key not in labels or labels[key] != value:
            return False
    for item in selector.get("matchExpressions", []):
        has = item["key"] in labels
        good = {"In": has and labels.get(item["key"]) in item.get("values", []), "NotIn": not has or labels[item["key"]] not in item.get("values", []),
                "Exists": has, "DoesNotExist": not has}[item["operator"]]  # fmt: skip
        if not good:
            return False
    return True


def naive_peer(peer: dict, who: PolicyPod | str, namespace: str) -> bool:
    if "ipBlock" in peer:
        address = ipaddress.ip_address(who if isinstance(who, str) else who.address)
        inside = [
            address in ipaddress.ip_network(cidr)
            for cidr in (peer["ipBlock"]["cidr"], *peer["ipBlock"].get("except", []))
        ]
        return inside[0] and not any(inside[1:])
    if isinstance(who, str):
        return False
    if "namespaceSelector" in peer:
        if not naive_selects(peer["namespaceSelector"], {NAMESPACE_LABEL: who.namespace}):
            return False
    elif who.namespace != namespace:
        return False
    return naive_selects(peer.get("podSelector", {}), who.labels)


def naive_port(port: dict, number: int, protocol: str, target: PolicyPod | str) -> bool:
    if port.get("protocol", "TCP") != protocol and port:
        return False
    wanted = port.get("port")
    if wanted is None:
        return True
    if isinstance(wanted, str):
        return isinstance(target, PolicyPod) and target.ports.get(wanted) == number
    return number in range(wanted, port.get("endPort", wanted) + 1)


def naive(
    specs: list[tuple[str, dict]],
    source: PolicyPod,
    target: PolicyPod | str,
    number: int,
    protocol: str,
) -> bool:
    """Written from the API reference alone, one connection at a time."""
    for kind, key, subject, other in (
        ("Egress", "to", source, target),
        ("Ingress", "from", target, source),
    ):
        if isinstance(subject, str):
            continue
        restricted = allowed = False
        for namespace, spec in specs:
            types = spec.get(
                "policyTypes", ["Ingress", "Egress"] if spec["egress"] else ["Ingress"]
            )
            if (
                kind not in types
                or subject.namespace != namespace
                or not naive_selects(spec["podSelector"], subject.labels)
            ):
                continue
            restricted = True
            for rule in spec[kind.lower()]:
                ports = not rule.get("ports") or any(
                    naive_port(port, number, protocol, target)
                    for port in rule["ports"]
                    if port or protocol
                )
                peers = not rule.get(key) or any(
                    naive_peer(peer, other, namespace) for peer in rule[key]
                )
                allowed = allowed or (ports and peers)
        if restricted and not allowed:
            return False
    return True


@pytest.mark.real
@settings(max_examples=400, deadline=None)
@given(
    st.lists(st.tuples(st.sampled_from(["one", "two"]), SPECS), max_size=3),
    PODS,
    st.one_of(PODS, st.sampled_from(["10.0.0.1", "10.0.0.3", "8.8.8.8"])),
)
def test_the_reader_reads_as_kubernetes_does(specs, source, target) -> None:
    policies = [policy(spec, namespace) for namespace, spec in specs]
    for number, protocol in itertools.product(range(1, 5), ("TCP", "UDP")):
        assert connects(policies, source, target, number, protocol) is naive(
            specs, source, target, number, protocol
        ), (number, protocol)


@pytest.mark.real
@settings(max_examples=300, deadline=None)
@given(rules("to"), rules("to"), st.lists(PODS, min_size=3, max_size=6))
def test_what_opens_nothing_opens_nothing_and_what_opens_a_range_opens_each_of_its_addresses(
    old, new, others
) -> None:
    before, after = (
        policy({"podSelector": {}, "policyTypes": ["Egress"], "egress": one}, "one")
        for one in (old, new)
    )
    me = PolicyPod(namespace="one", labels={"a": "1"}, address="10.9.9.9")
    further = [way for way in after.ways if beyond(way, before.ways)]
    targets = [*others, *(f"10.0.0.{last}" for last in range(8)), "8.8.8.8"]
    for target, number, protocol in itertools.product(targets, range(1, 5), ("TCP", "UDP")):
        gained = leaves([after], me, target, number, protocol) and not leaves(
            [before], me, target, number, protocol
        )
        assert not gained or further
    for way in after.ways:
        more = beyond(way, before.ways)
        if isinstance(more, Ranges) and more and way.named is None:
            first = str(ipaddress.IPv4Address(more.intervals[0][0]))
            protocols = ("TCP", "UDP") if way.protocol is None else (way.protocol,)
            some = {way.first or 1, min(way.last, 9)}
            assert all(
                leaves([after], me, first, number, protocol)
                for number in some
                for protocol in protocols
            )


@given(
    st.lists(st.tuples(st.integers(0, 40), st.integers(0, 5)), max_size=5),
    st.lists(st.tuples(st.integers(0, 40), st.integers(0, 5)), max_size=5),
)
def test_ranges_are_sets(one, other) -> None:
    def ranges(pairs) -> tuple[Ranges, set[int]]:
        found = Ranges()
        for first, more in pairs:
            found = found | Ranges(((first, first + more),))
        return found, {number for first, more in pairs for number in range(first, first + more + 1)}

    (a, set_a), (b, set_b) = ranges(one), ranges(other)
    for result, wanted in ((a | b, set_a | set_b), (a & b, set_a & set_b), (a - b, set_a - set_b)):
        assert {
            number for first, last in result.intervals for number in range(first, last + 1)
        } == wanted
        assert result.size == len(wanted)
        assert all(x[1] + 1 < y[0] for x, y in itertools.pairwise(result.intervals))


# The chart's policies.


def normal(spec: dict) -> set[str]:
    """A policy's ways, each as text; a `to` of several peers with the same ports is the same as
    several rules.
    """
    found = policy(spec, "hub-main")
    return {
        json.dumps(
            [way.direction, way.peer, way.protocol, way.first, way.last, way.named], sort_keys=True
        )
        for way in found.ways
    }


@pytest.mark.parametrize("case", CASES)
def test_the_chart_renders_what_is_read_here(case: str) -> None:
    (release,) = [
        found
        for found in record(*GOLDEN[case]).resources.of(RELEASE)
        if found.name == "hub-main-release"
    ]
    names = {"the hub": "hub", "the proxy": "proxy", "users' servers": "singleuser"}
    recorded = {
        item["metadata"]["name"]: item["spec"]
        for item in json.loads(RECORDED.read_text(encoding="utf-8"))[case]["policies"]
    }
    read_here = {
        names[item.who]: item for item in chart_policies(effective(release.inputs["values"]), PLACE)
    }
    assert set(read_here) == {name for name in recorded if name != "closed-by-default"}
    for name, item in read_here.items():
        ways = {
            json.dumps(
                [way.direction, way.peer, way.protocol, way.first, way.last, way.named],
                sort_keys=True,
            )
            for way in item.ways
        }
        theirs = normal(recorded[name])
        assert ways == theirs and item.selector == recorded[name]["podSelector"]


def test_every_switch_of_the_chart_is_read() -> None:
    """Chart 4.4.0, templates/_helpers-netpol.tpl and templates/hub/netpol.yaml."""
    values = effective(
        {
            "hub": {
                "networkPolicy": {
                    "interNamespaceAccessLabels": "accept",
                    "allowedIngressPorts": [9999],
                    "egress": [],
                    "ingress": [],
                }
            }
        }
    )
    (found,) = [item for item in chart_policies(values, PLACE) if item.who == "the hub"]
    me, elsewhere = (
        pod(HUB, values, PLACE, "10.0.0.1"),
        PolicyPod(
            namespace="two",
            labels={"hub.jupyter.org/network-access-hub": "true"},
            address="10.0.0.2",
        ),
    )
    assert (
        enters([found], me, elsewhere, 8081)
        and enters([found], me, "8.8.8.8", 9999)
        and not enters([found], me, "8.8.8.8", 8081)
    )
    for address in ("10.1.2.3", "172.20.0.1", "192.168.0.1", "8.8.8.8", "169.254.169.254"):
        assert leaves([found], me, address, 5000), (
            "the chart's own defaults let the hub reach everything"
        )
    assert not leaves([], me, address, 5000) or EVERYWHERE.has(address)


# What a stack's values do.

SINGLE = ("singleuser", "networkPolicy")
REFUSED = {
    "everything": ((*SINGLE, "egress"), [{}], "every user's home"),
    "every address": (
        (*SINGLE, "egress"),
        [{"to": [{"ipBlock": {"cidr": "0.0.0.0/0"}}]}],
        "169.254.169.254",
    ),
    "the metadata alone": (
        (*SINGLE, "egress"),
        [{"to": [{"ipBlock": {"cidr": "169.254.169.254/32"}}], "ports": [{"port": 80}]}],
        "169.254.169.254",
    ),
    "Pod Identity": (
        (*SINGLE, "egress"),
        [{"to": [{"ipBlock": {"cidr": "169.254.170.0/24"}}]}],
        "169.254.170.23",
    ),
    "the hub too": (
        ("hub", "networkPolicy", "egress"),
        [{"to": [{"ipBlock": {"cidr": "169.254.0.0/16"}}]}],
        "lets the hub reach",
    ),
    "the proxy too": (("proxy", "chp", "networkPolicy", "egress"), [{}], "lets the proxy reach"),
    "homes": (
        (*SINGLE, "egress"),
        [
            {
                "to": [{"ipBlock": {"cidr": "10.0.0.0/16"}}],
                "ports": [{"port": 2000, "endPort": 3000}],
            }
        ],
        "every user's home",
    ),
    "the API's address": (
        (*SINGLE, "egress"),
        [{"to": [{"ipBlock": {"cidr": "172.20.0.1/32"}}], "ports": [{"port": 443}]}],
        "the Kubernetes API",
    ),
    "kubelets": (
        (*SINGLE, "egress"),
        [{"to": [{"ipBlock": {"cidr": "10.0.0.0/8"}}], "ports": [{"port": 10250}]}],
        "kubelets",
    ),
    "private addresses by a switch": (
        (*SINGLE, "egressAllowRules", "privateIPs"),
        True,
        "every user's home",
    ),
    "public addresses by a switch": (
        (*SINGLE, "egressAllowRules", "nonPrivateIPs"),
        True,
        "169.254.170.23",
    ),
    "the metadata by a switch": (
        ("hub", "networkPolicy", "egressAllowRules", "cloudMetadataServer"),
        True,
        "169.254.169.254",
    ),
    "everybody to servers": (
        (*SINGLE, "ingress"),
        [{}],
        "every pod of the cluster reach users' servers",
    ),
    "a network to servers": (
        (*SINGLE, "ingress"),
        [{"from": [{"ipBlock": {"cidr": "10.0.0.0/8"}}]}],
        "every pod of the cluster reach users' servers",
    ),
    "every namespace to servers": (
        (*SINGLE, "ingress"),
        [{"from": [{"namespaceSelector": {}}]}],
        "every pod of the cluster",
    ),
    "a port for everybody": (
        (*SINGLE, "allowedIngressPorts"),
        [8888],
        "every pod of the cluster reach users' servers",
    ),
    "a named port for everybody": (
        (*SINGLE, "allowedIngressPorts"),
        ["notebook-port"],
        "every pod of the cluster",
    ),
    "the proxy's API": (
        ("proxy", "chp", "networkPolicy", "allowedIngressPorts"),
        ["http", "https", "api"],
        "every pod of the cluster reach the proxy",
    ),
    "the hub's API": (
        ("hub", "networkPolicy", "ingress"),
        [{"ports": [{"port": 8081}]}],
        "every pod of the cluster reach the hub",
    ),
    "servers to each other": (
        SINGLE,
        {"egress": [{"to": [{"podSelector": {}}]}], "ingress": [{"from": [{"podSelector": {}}]}]},
        "lets users' servers reach each other",
    ),
    "no policy": ((*SINGLE, "enabled"), False, "cuts users' servers off"),
    "no policy of the proxy": (
        ("proxy", "chp", "networkPolicy", "enabled"),
        False,
        "cuts the proxy off",
    ),
    "no names": (
        (*SINGLE, "egressAllowRules", "dnsPortsKubeSystemNamespace"),
        False,
        "takes DNS away from users' servers",
    ),
    "no browsers": (
        ("proxy", "chp", "networkPolicy", "allowedIngressPorts"),
        [],
        "blocks browsers from the proxy",
    ),
    "no label": (
        ("singleuser", "extraLabels", "hub.jupyter.org/network-access-hub"),
        "false",
        "none of them would start",
    ),
    "a hub without its label": (
        ("hub", "labels", "hub.jupyter.org/network-access-singleuser"),
        "false",
        "keeps the hub away from users' servers",
    ),
    "no label, by the trait": (
        ("hub", "config", "KubeSpawner", "extra_labels"),
        {"hub.jupyter.org/network-access-hub": "false"},
        "none of them would start",
    ),
    "no label, in a profile": (
        ("singleuser", "profileList"),
        [
            {
                "display_name": "X",
                "kubespawner_override": {
                    "extra_labels": {"hub.jupyter.org/network-access-hub": "no"}
                },
            }
        ],
        "takes the hub's API away from these servers",
    ),
    "a label that opens, in a profile": (
        (),
        {
            "singleuser": {
                "networkPolicy": {"egress": [{"to": [{"podSelector": {}}]}]},
                "profileList": [
                    {
                        "display_name": "X",
                        "kubespawner_override": {
                            "extra_labels": {"hub.jupyter.org/network-access-proxy-api": "true"}
                        },
                    }
                ],
            }
        },
        "the proxy's API (port 8001), which routes every user",
    ),
    "a key of the other direction": (
        (*SINGLE, "egress"),
        [{"from": [{"ipBlock": {"cidr": "10.9.0.1/32"}}]}],
        "would allow every peer",
    ),
    "a misspelt key": (
        (*SINGLE, "egress"),
        [{"to": [{"ipblock": {"cidr": "10.9.0.1/32"}}]}],
        "is no rule of a NetworkPolicy",
    ),
    "an address without a length": (
        (*SINGLE, "egress"),
        [{"to": [{"ipBlock": {"cidr": "10.9.0.1"}}]}],
        "is no rule of a NetworkPolicy",
    ),
    "a port in quotes": ((*SINGLE, "egress"), [{"ports": [{"port": "443"}]}], "without quotes"),
    "no rule": ((*SINGLE, "egress"), ["everything"], "is no rule of a NetworkPolicy"),
    "an exception outside": (
        (*SINGLE, "egress"),
        [{"to": [{"ipBlock": {"cidr": "10.9.0.0/16", "except": ["10.8.0.0/16"]}}]}],
        "except must lie inside",
    ),
}
WARNED = {
    "a database": (
        (*SINGLE, "egress"),
        [{"to": [{"ipBlock": {"cidr": "10.50.0.0/24"}}], "ports": [{"port": 5432}]}],
        "10.50.0.0/24 on TCP 5432",
    ),
    "one host inside": (
        (*SINGLE, "egress"),
        [{"to": [{"ipBlock": {"cidr": "10.0.9.9/32"}}], "ports": [{"port": 443}]}],
        "10.0.9.9/32 on TCP 443",
    ),
    "monitoring": (
        ("hub", "networkPolicy", "ingress"),
        [
            {
                "from": [{"namespaceSelector": {"matchLabels": {NAMESPACE_LABEL: "monitoring"}}}],
                "ports": [{"port": 8081}],
            }
        ],
        "namespaces kubernetes.io/metadata.name=monitoring on TCP 8081",
    ),
    "labels of other namespaces": (
        ("hub", "networkPolicy", "interNamespaceAccessLabels"),
        "accept",
        "also allows ingress to the hub",
    ),
    "labels of other namespaces, servers": (
        (*SINGLE, "interNamespaceAccessLabels"),
        "accept",
        "also allows ingress to users' servers",
    ),
    "names of other servers": (
        (*SINGLE, "egressAllowRules", "dnsPortsPrivateIPs"),
        True,
        "on UDP 53",
    ),
    "another port for everybody": (
        (*SINGLE, "allowedIngressPorts"),
        [4040],
        "every peer on TCP 4040",
    ),
}
QUIET = {
    "what is open anyway": (
        (*SINGLE, "egress"),
        [{"to": [{"ipBlock": {"cidr": "151.101.0.0/16"}}], "ports": [{"port": 443}]}],
    ),
    "no further rule": ((*SINGLE, "egress"), []),
    "another label": (("singleuser", "extraLabels", "team"), "lab"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_a_value_that_opens_what_protects_or_takes_what_is_needed_is_refused(case: str) -> None:
    path, value, says = REFUSED[case]
    with pytest.raises(ConfigError) as caught:
        plan("plan-base", with_values(path, value))
    problems = [(problem.path, problem.what) for problem in caught.value.problems]
    assert any(says in what for _, what in problems), problems
    assert all(where.startswith("hubs.main.helm_values.") for where, _ in problems)


@pytest.mark.real
@pytest.mark.parametrize("case", WARNED)
def test_a_value_that_opens_something_else_is_a_warning_that_says_what(case: str) -> None:
    path, value, says = WARNED[case]
    found = about(plan("plan-base", with_values(path, value)), "network-policies")
    assert [status for status, _ in found] == ["warn"] and says in found[0][1], found


@pytest.mark.real
@pytest.mark.parametrize("case", QUIET)
def test_a_value_that_opens_nothing_is_quiet(case: str) -> None:
    path, value = QUIET[case]
    assert [
        status
        for status, _ in about(plan("plan-base", with_values(path, value)), "network-policies")
    ] == ["pass"]


@pytest.mark.real
@pytest.mark.parametrize(
    ("path", "before", "after", "says"),
    [
        (
            (*SINGLE, "egress"),
            [],
            WARNED["a database"][1],
            "[network] opens from users' servers to 10.50.0.0/24 on tcp 5432",
        ),
        (
            (*SINGLE, "egress"),
            WARNED["a database"][1],
            [],
            "[network] closes from users' servers to 10.50.0.0/24 on tcp 5432",
        ),
        (
            (*SINGLE, "egress"),
            [],
            QUIET["what is open anyway"][1],
            "network policies of the hub are written differently, but allow the same",
        ),
        (
            ("hub", "networkPolicy", "interNamespaceAccessLabels"),
            "ignore",
            "accept",
            "opens from pods hub.jupyter.org/network-access-hub=true in namespaces any",
        ),
    ],
)
def test_a_difference_says_what_opens_and_closes(
    path: tuple[str, ...], before: Any, after: Any, says: str
) -> None:
    """`--against` reads policies by the same reader."""
    sides = [
        side_of(differences.plan(with_values(path, value)), name)
        for name, value in (("old", before), ("new", after))
    ]
    said = [f"[{effect.topic}] {effect.says}" for effect in difference(*sides).effects]
    assert any(says in item for item in said), said


def test_the_case_of_the_trial() -> None:
    with pytest.raises(ConfigError) as caught:
        plan("plan-open-egress")
    (problem,) = caught.value.problems
    assert problem.path == "hubs.main.helm_values.singleuser.networkPolicy.egress[0]", (
        "the index is the one in the user's file"
    )
    assert all(
        word in problem.what
        for word in ("169.254.169.254", "169.254.170.23", "the Kubernetes API", "every user's home")
    )


def test_a_rule_of_the_users_is_added_to_ours() -> None:
    rule = {
        "to": [{"ipBlock": {"cidr": "10.50.0.0/24"}}],
        "ports": [{"protocol": "TCP", "port": 5432}],
    }
    made = plan_once(
        read(TRIALS / "plan-base.yaml", (with_values((*SINGLE, "egress"), [rule]),)),
        datetime.date(2026, 11, 29),
    ).recording.everything
    base = plan_once(
        read(TRIALS / "plan-base.yaml", ()), datetime.date(2026, 11, 29)
    ).recording.everything
    with_rule, without = (found.of(RELEASE) for found in (made, base))
    ours, theirs = (
        next(item for item in releases if item.name == "hub-main-release").inputs["values"][
            "singleuser"
        ]["networkPolicy"]["egress"]
        for releases in (without, with_rule)
    )
    assert theirs == [*ours, rule] and len(ours) > 1


@pytest.mark.real
@pytest.mark.parametrize("stack", ALL_STACKS)
def test_every_stack_reaches_what_it_needs_and_nothing_else(stack: str) -> None:
    made = recorded(stack)
    assert [item for item in hubs.network_policies(*made) if item.status != "pass"] == []


def recorded(stack: str):
    given = ALL_STACKS[stack]
    name = "dev"
    if given and given[0].startswith("stack="):
        name, given = given[0].removeprefix("stack="), given[1:]
    found, recording = recorded_once(
        read(ROOT / name if name.endswith(".yaml") else ROOT / f"Pulumi.{name}.yaml", given)
    )
    return found, recording.everything


def test_a_policy_that_the_program_forgets_is_found() -> None:
    """The check reads what was registered: rules of ours that are too wide are found as well as
    a user's.
    """
    stack, resources = recorded("dev")

    def spoilt(change) -> Resources:
        found = []
        for item in resources:
            if item.type == RELEASE and item.name == "hub-main-release":
                values = copy.deepcopy(dict(item.inputs["values"]))
                change(values)
                item = replace(item, inputs={**item.inputs, "values": values})
            found.append(item)
        return Resources(found)

    def set_egress(values: dict, rules: list) -> None:
        values["singleuser"]["networkPolicy"]["egress"] = rules

    wide = hubs.network_policies(
        stack,
        spoilt(lambda values: set_egress(values, [{"to": [{"ipBlock": {"cidr": "0.0.0.0/0"}}]}])),
    )
    assert {item.status for item in wide} == {"fail"}
    none = hubs.network_policies(stack, spoilt(lambda values: set_egress(values, [])))
    assert any("takes DNS away from users' servers" in item.message for item in none)
    assert {item.status for item in hubs.network_policies(stack, resources)} == {"pass"}


def test_a_namespace_without_our_policy_is_judged_as_it_is() -> None:
    """`enabled: false` closes a part, because the namespace is closed by default; without that
    policy it would open it: both are found.
    """
    stack, resources = recorded("dev")
    release = next(item for item in resources.of(RELEASE) if item.name == "hub-main-release")
    values = effective(
        {
            **release.inputs["values"],
            "singleuser": {
                **release.inputs["values"]["singleuser"],
                "networkPolicy": {"enabled": False},
            },
        }
    )
    closed = reach(stack, "main", values, [closed_by_default("hub-main")])
    opened = reach(stack, "main", values, [])
    assert [item.what for item in closed] == [
        "cuts users' servers off: the namespace blocks traffic that no policy allows"
    ]
    assert any("reach each other" in item.what for item in opened)
    assert all(item.refused for item in (*closed, *opened))


@pytest.mark.real
@pytest.mark.parametrize("part", [HUB, PROXY, SERVERS])
def test_closed_stacks_fail_by_the_proof_and_say_it_once(part: tuple[str, ...]) -> None:
    """A peer network that the stack file does not open is the proof's to refuse; the check of
    open stacks is silent about it.
    """
    rule = [
        {"to": [{"ipBlock": {"cidr": "192.0.2.0/24"}}], "ports": [{"port": 443}]},
        {"to": [{"namespaceSelector": {}}], "ports": [{"port": 443}]},
    ]
    file = read(
        ROOT / "Pulumi.airgap.yaml",
        (
            "parts=all",
            f"hubs.main.helm_values={json.dumps(nested((*part, 'networkPolicy', 'egress'), rule))}",
        ),
    )
    findings = list(plan_once(file, datetime.date(2026, 11, 29)).findings)
    assert [status for status, _ in about(findings, "network-policies")] == ["pass"]
    said = [message for status, message in about(findings, "airgap-pods") if status == "fail"]
    assert (
        len(said) == 2
        and any("192.0.2.0/24" in message for message in said)
        and any("namespaces any" in message for message in said)
    )


def test_the_chart_alone_would_let_everything_out() -> None:
    stack, _ = recorded("dev")
    found = reach(stack, "main", effective({}), [closed_by_default("hub-main")])
    assert {item.path[:2] for item in found if item.refused} >= {
        ("hub", "networkPolicy"),
        ("singleuser", "networkPolicy"),
    }
