"""Balancers: all of them by names that an account has once in a region."""

from __future__ import annotations

from collections.abc import Mapping

from jupyterhub_aws.adopt.matchers.kind import Asked, ImportCandidate, Matcher, one


def _balancer(asked: Asked) -> ImportCandidate | None:
    item = one(asked.live.of("balancers"), LoadBalancerName=asked.text("name"))
    if item is None:
        return None
    view = {
        "name": item["LoadBalancerName"],
        "loadBalancerType": item.get("Type"),
        "internal": item.get("Scheme") == "internal",
        "subnets": sorted(
            zone["SubnetId"] for zone in item.get("AvailabilityZones", ()) if zone.get("SubnetId")
        ),
        "securityGroups": sorted(item.get("SecurityGroups", ())),
    }
    arn = item["LoadBalancerArn"]
    return ImportCandidate(
        id=arn, outputs={"id": arn, "arn": arn, "dnsName": str(item.get("DNSName", ""))}, view=view
    )


def _target_group(asked: Asked) -> ImportCandidate | None:
    item = one(asked.live.of("target_groups"), TargetGroupName=asked.text("name"))
    if item is None:
        return None
    view = {
        "name": item["TargetGroupName"],
        "port": item.get("Port"),
        "protocol": item.get("Protocol"),
        "targetType": item.get("TargetType"),
        "vpcId": item.get("VpcId"),
    }
    return ImportCandidate(
        id=item["TargetGroupArn"],
        outputs={"id": item["TargetGroupArn"], "arn": item["TargetGroupArn"]},
        view=view,
    )


def _listener(asked: Asked) -> ImportCandidate | None:
    item = one(
        asked.live.of("listeners"),
        LoadBalancerArn=asked.text("loadBalancerArn"),
        Port=asked.inputs.get("port"),
    )
    if item is None:
        return None
    certificates = [entry.get("CertificateArn") for entry in item.get("Certificates", ())]
    view = {
        "loadBalancerArn": item["LoadBalancerArn"],
        "port": item["Port"],
        "protocol": item.get("Protocol"),
        "sslPolicy": item.get("SslPolicy"),
    }
    return ImportCandidate(
        id=item["ListenerArn"],
        outputs={"arn": item["ListenerArn"]},
        view={**view, "certificateArn": certificates[0] if certificates else None},
    )


ENTRY: Mapping[str, Matcher] = {
    "aws:lb/loadBalancer:LoadBalancer": Matcher(topics=("balancers",), find=_balancer),
    "aws:lb/targetGroup:TargetGroup": Matcher(topics=("target_groups",), find=_target_group),
    "aws:lb/listener:Listener": Matcher(topics=("listeners",), find=_listener),
}
