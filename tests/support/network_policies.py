"""NetworkPolicies as Kubernetes reads them: may this pod talk to that one, or to that address, on
this port?

.venv/bin/python -m tests.support.network_policies     records those that the real chart renders
(JHUB_CHART, helm on PATH)
"""

from __future__ import annotations

import copy
import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from ipaddress import ip_address, ip_network
from pathlib import Path
from typing import Any

from tests.support.chart import missing_for_the_chart, pod_templates, rendered
from tests.support.golden_values import GOLDEN
from tests.support.stacks import record

RECORDED = Path(__file__).parents[1] / "fixtures" / "network_policies.json"
REFRESH = (
    "JHUB_CHART=<folder of the chart> .venv/bin/python -m tests.support.network_policies   (helm on"
    " PATH)"
)
#: One for each way in which policies differ: open, a directory, a database, closed, somebody else's
#: cluster.
CASES = ("as committed", "oidc, postgres", "ldap, look-up, groups", "closed", "kubeadm")


@dataclass(frozen=True, kw_only=True)
class Pod:
    """A pod of a namespace, with its labels and the numbers of its named ports. `address` is
    what a rule about ranges sees.
    """

    namespace: str
    labels: Mapping[str, str]
    address: str = "10.0.5.5"
    ports: tuple[tuple[str, int], ...] = ()


def recording(case: str) -> dict[str, Any]:
    """The policies of a hub's namespace, ours and the chart's, and the labels of the pods that
    they are for.
    """
    resources = record(*GOLDEN[case]).resources
    (release,) = [
        found
        for found in resources.of("kubernetes:helm.sh/v3:Release")
        if found.name == "hub-main-release"
    ]
    values = json.loads(
        json.dumps(copy.deepcopy(release.inputs["values"])).replace(
            '"[secret]"', json.dumps("0" * 64)
        )
    )
    objects = rendered(values, release="hub-main")
    ours = [
        {"metadata": found.inputs["metadata"], "spec": found.inputs["spec"]}
        for found in resources.of("kubernetes:networking.k8s.io/v1:NetworkPolicy")
    ]
    theirs = [
        {"metadata": {"name": item["metadata"]["name"]}, "spec": item["spec"]}
        for item in objects
        if item["kind"] == "NetworkPolicy"
    ]
    labels = {
        name.partition("/")[2]: template["metadata"]["labels"]
        for name, template in pod_templates(objects)
    }
    return {"policies": [*ours, *theirs], "pods": {name: labels[name] for name in ("hub", "proxy")}}


def connects(
    policies: Sequence[Mapping[str, Any]],
    source: Pod,
    target: Pod | str,
    port: int,
    protocol: str = "TCP",
) -> bool:
    """Whether policies of namespace `hub-main` let a connection through: out of the source, and
    into the target where it is a pod there.
    """
    out = _selected(policies, source, "Egress")
    leaves = not out or any(
        _rule_lets(rule, "to", target, port, protocol, source.namespace)
        for policy in out
        for rule in policy["spec"].get("egress", [])
    )
    if isinstance(target, str):
        return leaves
    into = _selected(policies, target, "Ingress")
    enters = not into or any(
        _rule_lets(rule, "from", source, port, protocol, target.namespace, target)
        for policy in into
        for rule in policy["spec"].get("ingress", [])
    )
    return leaves and enters


def _selected(
    policies: Sequence[Mapping[str, Any]], pod: Pod, direction: str
) -> list[Mapping[str, Any]]:
    if pod.namespace != "hub-main":
        return []
    return [
        item
        for item in policies
        if direction in item["spec"]["policyTypes"]
        and _matches(item["spec"].get("podSelector") or {}, pod.labels)
    ]


def _matches(selector: Mapping[str, Any], labels: Mapping[str, str]) -> bool:
    assert set(selector) <= {"matchLabels"}, selector
    return (selector.get("matchLabels") or {}).items() <= labels.items()


def _rule_lets(
    rule: Mapping[str, Any],
    way: str,
    peer: Pod | str,
    port: int,
    protocol: str,
    namespace: str,
    target: Pod | None = None,
) -> bool:
    return _port(rule, peer if target is None else target, port, protocol) and (
        not rule.get(way) or any(_peer(item, peer, namespace) for item in rule[way])
    )


def _port(rule: Mapping[str, Any], target: Pod | str, port: int, protocol: str) -> bool:
    if not rule.get("ports"):
        return True
    named = dict(target.ports) if isinstance(target, Pod) else {}
    return any(
        named.get(item["port"], item["port"]) == port and item.get("protocol", "TCP") == protocol
        for item in rule["ports"]
    )


def _peer(item: Mapping[str, Any], peer: Pod | str, namespace: str) -> bool:
    if "ipBlock" in item:
        address = ip_address(peer.address if isinstance(peer, Pod) else peer)
        return address in ip_network(item["ipBlock"]["cidr"]) and not any(
            address in ip_network(cidr) for cidr in item["ipBlock"].get("except", [])
        )
    if isinstance(peer, str):
        return False
    if "namespaceSelector" in item:
        if not _matches(
            item["namespaceSelector"] or {}, {"kubernetes.io/metadata.name": peer.namespace}
        ):
            return False
    elif peer.namespace != namespace:
        return False
    return "podSelector" not in item or _matches(item["podSelector"] or {}, peer.labels)


def _all() -> Iterator[tuple[str, dict[str, Any]]]:
    for case in CASES:
        yield case, recording(case)


if __name__ == "__main__":
    if missing_for_the_chart():
        sys.exit(missing_for_the_chart())
    RECORDED.write_text(json.dumps(dict(_all()), indent=1, sort_keys=True) + "\n", encoding="utf-8")
    print(f"wrote {RECORDED}")
