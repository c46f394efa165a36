"""Who may talk to whom, as security groups say it: what is permitted, and whether two groups
reach each other on a port.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from jupyterhub_aws.checks.resources import Resource, Resources

GROUP = "aws:ec2/securityGroup:SecurityGroup"
_DEFAULT = "aws:ec2/defaultSecurityGroup:DefaultSecurityGroup"
_SEPARATE = {
    "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule": False,
    "aws:vpc/securityGroupEgressRule:SecurityGroupEgressRule": True,
}
_OLD = "aws:ec2/securityGroupRule:SecurityGroupRule"


@dataclass(frozen=True, kw_only=True)
class Rule:
    """One rule of one security group. `other` is the other side as it is written: a range, a
    group's id, a prefix list.
    """

    group: str
    out: bool
    other: str
    protocol: str
    ports: tuple[int, int]
    description: str
    resource: Resource

    def covers(self, port: int) -> bool:
        """Whether TCP to this port is among what it permits."""
        return self.protocol in ("-1", "all") or (
            self.protocol in ("tcp", "6") and self.ports[0] <= port <= self.ports[1]
        )

    @property
    def words(self) -> str:
        """Ports in words."""
        if self.protocol in ("-1", "all"):
            return "everything"
        return f"{self.protocol} {self.ports[0]}" + (
            f"–{self.ports[1]}" if self.ports[1] != self.ports[0] else ""
        )


def rules(resources: Resources) -> Iterator[Rule]:
    """Every rule of every group, whichever resource says it."""
    for resource in resources:
        inputs = resource.inputs
        if resource.type in _SEPARATE:
            yield from _of(
                inputs, resource, str(inputs.get("securityGroupId")), out=_SEPARATE[resource.type]
            )
        elif resource.type == _OLD:
            yield from _of(
                inputs,
                resource,
                str(inputs.get("securityGroupId")),
                out=inputs.get("type") == "egress",
            )
        elif resource.type in (GROUP, _DEFAULT):
            for key, out in (("ingress", False), ("egress", True)):
                for inline in inputs.get(key) or []:
                    yield from _of(inline, resource, f"${{{resource.name}.id}}", out=out)


def _of(rule: Mapping[str, Any], resource: Resource, group: str, *, out: bool) -> Iterator[Rule]:
    protocol = str(rule.get("ipProtocol", rule.get("protocol", "-1")))
    ports = (int(rule.get("fromPort", 0)), int(rule.get("toPort", 65535)))
    single = [
        rule[key]
        for key in (
            "cidrIpv4",
            "cidrIpv6",
            "referencedSecurityGroupId",
            "prefixListId",
            "sourceSecurityGroupId",
        )
        if rule.get(key)
    ]
    several = [
        item
        for key in ("cidrBlocks", "ipv6CidrBlocks", "prefixListIds", "securityGroups")
        for item in rule.get(key) or []
    ]
    own = [group] if rule.get("self") else []
    for other in (*single, *several, *own):
        yield Rule(
            group=group,
            out=out,
            other=str(other),
            protocol=protocol,
            ports=ports,
            description=str(rule.get("description", "")),
            resource=resource,
        )


def reaches(resources: Resources, one: str, other: str, port: int) -> tuple[bool, bool]:
    """Whether the first group lets traffic to the second out, and whether the second lets it in."""
    found = list(rules(resources))
    out = any(
        rule.out and rule.group == one and rule.other == other and rule.covers(port)
        for rule in found
    )
    into = any(
        not rule.out and rule.group == other and rule.other == one and rule.covers(port)
        for rule in found
    )
    return out, into
