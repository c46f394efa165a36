"""The proof of a closed network: nothing is reported on what is right, and each way to break it
is caught by the rule that it breaks.
"""

from __future__ import annotations

import base64
import copy
import json
import random
from collections.abc import Callable
from dataclasses import replace
from functools import cache
from typing import Any

import pytest

from jupyterhub_aws.checks.airgap.all import LAWS, judges, proof
from jupyterhub_aws.checks.airgap.view import view_of
from jupyterhub_aws.checks.resources import Resource, Resources
from jupyterhub_aws.config.network import AirgapNetworkSection
from jupyterhub_aws.config.stack import StackConfig
from jupyterhub_aws.config.stack_file import read
from tests.support.stack_files import ROOT
from tests.support.stacks import (
    CLOSED,
    IN_THEIR_VPC,
    KUBEADM,
    THEIR_ENDPOINTS,
    quiet_sdks,
    recorded_once,
    without_gc,
)

WHOLE = ("stack=airgap", "parts=all")
ROUTE, TABLE, SUBNET = (
    "aws:ec2/route:Route",
    "aws:ec2/routeTable:RouteTable",
    "aws:ec2/subnet:Subnet",
)
ENDPOINT, GROUP = "aws:ec2/vpcEndpoint:VpcEndpoint", "aws:ec2/securityGroup:SecurityGroup"
EGRESS, INGRESS = (
    "aws:vpc/securityGroupEgressRule:SecurityGroupEgressRule",
    "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule",
)
RELEASE, TEMPLATE, CLUSTER = (
    "kubernetes:helm.sh/v3:Release",
    "aws:ec2/launchTemplate:LaunchTemplate",
    "aws:eks/cluster:Cluster",
)
DOMAINS, FIREWALL = (
    "aws:route53/resolverFirewallDomainList:ResolverFirewallDomainList",
    "aws:route53/resolverFirewallRule:ResolverFirewallRule",
)
ASSOCIATION = (
    "aws:route53/resolverFirewallRuleGroupAssociation:ResolverFirewallRuleGroupAssociation"
)
Change = Callable[[list[Resource]], list[Resource]]


def evaluated(*settings: str) -> tuple[StackConfig, Resources]:
    """The stack that a file and settings say, and all that it registers."""
    stack = settings[0].removeprefix("stack=")
    file = read(
        ROOT / stack if stack.endswith(".yaml") else ROOT / f"Pulumi.{stack}.yaml", settings[1:]
    )
    with quiet_sdks(), without_gc():
        found, recording = recorded_once(file)
    return found, recording.everything


@cache
def whole() -> tuple[StackConfig, Resources]:
    return evaluated(*WHOLE)


def faults(stack: StackConfig, resources: Resources) -> list[tuple[str, str]]:
    return [
        (finding.id, finding.message)
        for finding in proof(stack, resources)
        if finding.status not in ("pass", "skip")
    ]


CORRECT = {
    "airgap": ("stack=airgap",),
    "inner half": ("stack=airgap-hub",),
    "whole": WHOLE,
    "every option": CLOSED,
    "every option, whole": (*CLOSED, "parts=all"),
    "their VPC": (*IN_THEIR_VPC, "parts=all"),
    "their endpoints": (*THEIR_ENDPOINTS, "parts=all"),
    "kubeadm": KUBEADM,
    "a registry of theirs": (
        *WHOLE,
        "registry={kind: private, host: 'registry.corp.example:5000'}",
    ),
    "charts from the registry": (*WHOLE, "registry={kind: ecr, account: '123456789012'}"),
}


@pytest.mark.real
@pytest.mark.parametrize("settings", CORRECT.values(), ids=CORRECT)
def test_nothing_is_reported_on_a_correct_plan(settings):
    stack, resources = evaluated(*settings)
    assert faults(stack, resources) == []
    held = {finding.id for finding in proof(stack, resources)}
    view = view_of(stack, resources)
    owned = set() if isinstance(stack.network, AirgapNetworkSection) else {"airgap-owner"}
    assert held == {f"airgap-{law.check}" for law in LAWS if judges(law, view)} | owned
    about = {
        "airgap": {"vpc", "aws", "names"},
        "existing": {"aws", "names", "inside"},
        "unmanaged": {"names", "inside"},
    }[stack.network.mode]
    assert {law.about for law in LAWS if judges(law, view)} == about | (
        {"inside"} if stack.parts != "cloud" else set()
    )


def test_nothing_is_said_of_an_open_stack():
    stack, resources = evaluated("stack=dev")
    assert proof(stack, resources) == []


def changed(kind: str, name: str, change: Callable[[dict[str, Any]], object]) -> Change:
    def apply(resources: list[Resource]) -> list[Resource]:
        found = [item for item in resources if item.type == kind and name in item.name]
        assert found, f"no {kind} named {name}"
        inputs = copy.deepcopy(dict(found[0].inputs))
        change(inputs)
        assert inputs != found[0].inputs, "the mutation changes nothing"
        return [replace(item, inputs=inputs) if item is found[0] else item for item in resources]

    return apply


def added(kind: str, **inputs: Any) -> Change:
    def apply(resources: list[Resource]) -> list[Resource]:
        return [
            *resources,
            replace(
                resources[0],
                urn=f"urn:pulumi:s::p::{kind}::stranger",
                type=kind,
                name="stranger",
                inputs=inputs,
            ),
        ]

    return apply


def dropped(kind: str, name: str) -> Change:
    def apply(resources: list[Resource]) -> list[Resource]:
        left = [item for item in resources if not (item.type == kind and name in item.name)]
        assert len(left) < len(resources)
        return left

    return apply


def put(*path: Any, value: Any) -> Callable[[dict[str, Any]], object]:
    def change(inputs: dict[str, Any]) -> None:
        here: Any = inputs
        for key in path[:-1]:
            here = here.setdefault(key, {}) if isinstance(here, dict) else here[key]
        here[path[-1]] = value

    return change


def values(*path: Any, value: Any) -> Callable[[dict[str, Any]], object]:
    return put("values", *path, value=value)


def user_data(text: str) -> Callable[[dict[str, Any]], object]:
    return lambda inputs: inputs.update(
        userData=base64.b64encode(
            (base64.b64decode(inputs.get("userData") or "").decode() + text).encode()
        ).decode()
    )


def hub(change: Callable[[dict[str, Any]], object]) -> Change:
    return changed(RELEASE, "hub-main-release", change)


def _choice(inputs: dict[str, Any]) -> None:
    image = {
        "display_name": "R",
        "kubespawner_override": {"image": "quay.io/jupyter/r-notebook:2026-01-05"},
    }
    inputs["values"]["singleuser"]["profileList"][0]["profile_options"] = {
        "image": {"display_name": "Image", "choices": {"r": image}}
    }


def _typed(inputs: dict[str, Any]) -> None:
    inputs["values"]["singleuser"]["profileList"][0]["profile_options"] = {
        "image": {"display_name": "Image", "unlisted_choice": {"enabled": True}}
    }


def _open_policy(inputs: dict[str, Any]) -> None:
    inputs["policy"] = json.dumps(
        {
            "Statement": [
                {"Sid": "All", "Effect": "Allow", "Principal": "*", "Action": "*", "Resource": "*"}
            ]
        }
    )


ANY = {"ipProtocol": "-1", "securityGroupId": "${cluster-nodes-group.id}"}
#: A way to break the correct plan, and the rule that it breaks.
MUTATIONS: dict[str, tuple[str, Change]] = {
    "an internet gateway": (
        "airgap-gateways",
        added("aws:ec2/internetGateway:InternetGateway", vpcId="${network-vpc.id}"),
    ),
    "a NAT gateway": (
        "airgap-gateways",
        added("aws:ec2/natGateway:NatGateway", subnetId="${network-private-a.id}"),
    ),
    "an egress-only gateway": (
        "airgap-gateways",
        added(
            "aws:ec2/egressOnlyInternetGateway:EgressOnlyInternetGateway", vpcId="${network-vpc.id}"
        ),
    ),
    "an elastic address": ("airgap-gateways", added("aws:ec2/eip:Eip", domain="vpc")),
    "a VPN gateway": (
        "airgap-gateways",
        added("aws:ec2/vpnGateway:VpnGateway", vpcId="${network-vpc.id}"),
    ),
    "a subnet with public addresses": (
        "airgap-gateways",
        changed(SUBNET, "private-b", put("mapPublicIpOnLaunch", value=True)),
    ),
    "a subnet with IPv6": (
        "airgap-gateways",
        changed(SUBNET, "private-b", put("assignIpv6AddressOnCreation", value=True)),
    ),
    "a VPC with IPv6": (
        "airgap-gateways",
        changed("aws:ec2/vpc:Vpc", "vpc", put("assignGeneratedIpv6CidrBlock", value=True)),
    ),
    "a runner with a public address": (
        "airgap-gateways",
        changed("aws:ec2/instance:Instance", "runner", put("associatePublicIpAddress", value=True)),
    ),
    "nodes with a public address": (
        "airgap-gateways",
        changed(
            TEMPLATE,
            "memory-spot",
            put("networkInterfaces", value=[{"associatePublicIpAddress": "true"}]),
        ),
    ),
    "a default route": (
        "airgap-routes",
        changed(ROUTE, "corporate-a", put("destinationCidrBlock", value="0.0.0.0/0")),
    ),
    "half a default route": (
        "airgap-routes",
        changed(ROUTE, "corporate-a", put("destinationCidrBlock", value="128.0.0.0/1")),
    ),
    "an IPv6 default route": (
        "airgap-routes",
        added(
            ROUTE,
            destinationIpv6CidrBlock="::/0",
            egressOnlyGatewayId="eigw-1",
            routeTableId="rtb-1",
        ),
    ),
    "a route to nobody's network": (
        "airgap-routes",
        changed(ROUTE, "corporate-a", put("destinationCidrBlock", value="10.201.0.0/16")),
    ),
    "a route to an internet gateway": (
        "airgap-routes",
        changed(ROUTE, "corporate-a", put("gatewayId", value="igw-0123456789abcdef0")),
    ),
    "a route inside a table": (
        "airgap-routes",
        changed(
            TABLE,
            "private-a",
            put("routes", value=[{"cidrBlock": "0.0.0.0/0", "natGatewayId": "nat-1"}]),
        ),
    ),
    "another transit gateway": (
        "airgap-peer-networks",
        changed(
            "aws:ec2transitgateway/vpcAttachment:VpcAttachment",
            "tgw",
            put("transitGatewayId", value="tgw-1"),
        ),
    ),
    "a peering that nobody declared": (
        "airgap-peer-networks",
        added("aws:ec2/vpcPeeringConnection:VpcPeeringConnection", peerVpcId="vpc-1"),
    ),
    "an open egress rule": ("airgap-rules", added(EGRESS, cidrIpv4="0.0.0.0/0", **ANY)),
    "an open IPv6 egress rule": ("airgap-rules", added(EGRESS, cidrIpv6="::/0", **ANY)),
    "the world in two halves": ("airgap-rules", added(EGRESS, cidrIpv4="0.0.0.0/1", **ANY)),
    "egress to a public range": ("airgap-rules", added(EGRESS, cidrIpv4="52.94.0.0/22", **ANY)),
    "egress inside a group": (
        "airgap-rules",
        changed(
            GROUP,
            "endpoints",
            put("egress", value=[{"protocol": "-1", "cidrBlocks": ["0.0.0.0/0"]}]),
        ),
    ),
    "an old kind of rule": (
        "airgap-rules",
        added(
            "aws:ec2/securityGroupRule:SecurityGroupRule",
            type="egress",
            protocol="-1",
            cidrBlocks=["0.0.0.0/0"],
        ),
    ),
    "people from the whole world": (
        "airgap-rules",
        changed(INGRESS, "balancer-from", put("cidrIpv4", value="0.0.0.0/0")),
    ),
    "nodes in EKS's own group": (
        "airgap-nodes",
        changed(
            TEMPLATE,
            "core",
            put("vpcSecurityGroupIds", value=["${c.vpcConfig.clusterSecurityGroupId}"]),
        ),
    ),
    "a runner in no group": (
        "airgap-nodes",
        changed(
            "aws:ec2/instance:Instance", "runner", lambda inputs: inputs.pop("vpcSecurityGroupIds")
        ),
    ),
    "nodes in no group": (
        "airgap-nodes",
        changed(TEMPLATE, "gpu-spot", lambda inputs: inputs.pop("vpcSecurityGroupIds")),
    ),
    "no DNS firewall": ("airgap-names", dropped(ASSOCIATION, "dns")),
    "a DNS firewall that blocks nothing": ("airgap-names", dropped(FIREWALL, "block")),
    "a DNS firewall that only warns": (
        "airgap-names",
        changed(FIREWALL, "block", put("action", value="ALERT")),
    ),
    "a name outside that resolves": (
        "airgap-names",
        changed(DOMAINS, "inside", lambda inputs: inputs["domains"].append("*.attacker.com")),
    ),
    "rules in the wrong order": (
        "airgap-names",
        changed(FIREWALL, "allow", put("priority", value=30)),
    ),
    "a public API": (
        "airgap-doors",
        changed(CLUSTER, "eksCluster", put("vpcConfig", "endpointPublicAccess", value=True)),
    ),
    "no private API": (
        "airgap-doors",
        changed(CLUSTER, "eksCluster", put("vpcConfig", "endpointPrivateAccess", value=False)),
    ),
    "a balancer in the internet": (
        "airgap-doors",
        changed("aws:lb/loadBalancer:LoadBalancer", "balancer", put("internal", value=False)),
    ),
    "a service that makes a balancer": (
        "airgap-doors",
        changed("kubernetes:core/v1:Service", "entry", put("spec", "type", value="LoadBalancer")),
    ),
    "a database in the internet": (
        "airgap-doors",
        added("aws:rds/instance:Instance", publiclyAccessible=True),
    ),
    "no endpoint for the autoscaler": ("airgap-endpoints", dropped(ENDPOINT, "-autoscaling")),
    "no endpoint for layers": ("airgap-endpoints", dropped(ENDPOINT, "-s3")),
    "no endpoint for pods' credentials": ("airgap-endpoints", dropped(ENDPOINT, "-eks-auth")),
    "no endpoint for Session Manager": ("airgap-endpoints", dropped(ENDPOINT, "-ssmmessages")),
    "an add-on that nobody knows": (
        "airgap-endpoints",
        changed("aws:eks/addon:Addon", "coredns", put("addonName", value="amazon-guardduty-agent")),
    ),
    "a chart that nobody knows": (
        "airgap-endpoints",
        changed(RELEASE, "autoscaler", put("chart", value="/opt/bundle/charts/mystery-9.59.0.tgz")),
    ),
    "S3 without a route table": (
        "airgap-endpoints",
        changed(ENDPOINT, "-s3", lambda inputs: inputs["routeTableIds"].pop()),
    ),
    "S3 as an interface": (
        "airgap-endpoints",
        changed(ENDPOINT, "-s3", put("vpcEndpointType", value="Interface")),
    ),
    "an endpoint without private names": (
        "airgap-endpoints",
        changed(ENDPOINT, "-ecr-api", put("privateDnsEnabled", value=False)),
    ),
    "an endpoint in no subnet": (
        "airgap-endpoints",
        changed(ENDPOINT, "-ecr-dkr", put("subnetIds", value=[])),
    ),
    "an endpoint twice in a zone": (
        "airgap-endpoints",
        changed(
            ENDPOINT, "-ec2", lambda inputs: inputs["subnetIds"].append("${network-private-a.id} ")
        ),
    ),
    "an endpoint behind another group": (
        "airgap-endpoints",
        changed(ENDPOINT, "-sts", put("securityGroupIds", value=["${homes-security-group.id}"])),
    ),
    "endpoints that let no node in": (
        "airgap-endpoints",
        dropped(INGRESS, "cluster-nodes-into-endpoints"),
    ),
    "endpoints on another port": (
        "airgap-endpoints",
        changed(INGRESS, "cluster-nodes-into-endpoints", put("fromPort", value=444)),
    ),
    "nodes that may not reach endpoints": (
        "airgap-endpoints",
        dropped(EGRESS, "cluster-nodes-to-endpoints"),
    ),
    "nodes that may not reach S3": ("airgap-endpoints", dropped(EGRESS, "cluster-nodes-to-s3")),
    "a runner that may not reach endpoints": (
        "airgap-endpoints",
        dropped(EGRESS, "runner-to-endpoints"),
    ),
    "an endpoint without a policy": (
        "airgap-endpoints",
        changed(ENDPOINT, "-kms", lambda inputs: inputs.pop("policy")),
    ),
    "an endpoint for every account": ("airgap-endpoints", changed(ENDPOINT, "-ec2", _open_policy)),
    "homes that nodes may not reach": ("airgap-data", dropped(EGRESS, "homes-out-of-nodes")),
    "homes that let no node in": ("airgap-data", dropped(INGRESS, "homes-from-nodes")),
    "homes on another port": (
        "airgap-data",
        changed(INGRESS, "homes-from-nodes", put("toPort", value=2048)),
    ),
    "a database behind another group": (
        "airgap-data",
        added(
            "aws:rds/instance:Instance",
            publiclyAccessible=False,
            vpcSecurityGroupIds=["${nothing.id}"],
        ),
    ),
    "a public image of the hub": (
        "airgap-images",
        hub(values("hub", "image", value={"name": "quay.io/jupyterhub/k8s-hub", "tag": "4.4.0"})),
    ),
    "a public image in a profile": (
        "airgap-images",
        hub(
            lambda inputs: inputs["values"]["singleuser"]["profileList"][0][
                "kubespawner_override"
            ].update(image="quay.io/jupyter/r-notebook:x")
        ),
    ),
    "a public image in a nested choice": ("airgap-images", hub(_choice)),
    "an image that people type": ("airgap-images", hub(_typed)),
    "a public init container": (
        "airgap-images",
        hub(values("singleuser", "initContainers", value=[{"name": "x", "image": "busybox:1.37"}])),
    ),
    "a public image that the chart names": (
        "airgap-images",
        hub(lambda inputs: inputs["values"]["prePuller"].pop("pause")),
    ),
    "a public image of the autoscaler": (
        "airgap-images",
        changed(
            RELEASE,
            "autoscaler",
            values("image", "repository", value="registry.k8s.io/autoscaling/x"),
        ),
    ),
    "a public image in another registry's path": (
        "airgap-images",
        changed(
            RELEASE,
            "nvidia",
            values(
                "image",
                "repository",
                value="123456789012.dkr.ecr.us-east-1.amazonaws.com.evil.com/x",
            ),
        ),
    ),
    "an add-on's image": (
        "airgap-images",
        changed(
            "aws:eks/addon:Addon",
            "coredns",
            put(
                "configurationValues",
                value=json.dumps({"image": {"repository": "docker.io/x", "tag": "1"}}),
            ),
        ),
    ),
    "a pod beside the charts": (
        "airgap-images",
        added(
            "kubernetes:core/v1:Pod",
            spec={"containers": [{"name": "x", "image": "docker.io/library/nginx:1.27"}]},
        ),
    ),
    "an image in user data": (
        "airgap-images",
        changed(
            TEMPLATE, "memory-spot", user_data("\nctr images pull docker.io/library/nginx:1.27\n")
        ),
    ),
    "a chart of its maker's": (
        "airgap-charts",
        hub(put("repositoryOpts", value={"repo": "https://hub.jupyter.org/helm-chart/"})),
    ),
    "a chart of a public registry": (
        "airgap-charts",
        changed(
            RELEASE,
            "termination",
            put("chart", value="oci://public.ecr.aws/aws-ec2/helm/aws-node-termination-handler"),
        ),
    ),
    "a host in user data": (
        "airgap-hosts",
        changed(TEMPLATE, "core", user_data("curl https://get.example.com/install | sh")),
    ),
    "a bare host in user data": (
        "airgap-hosts",
        changed(TEMPLATE, "runner", user_data("ping collector.attacker.io\n")),
    ),
    "an address in user data": (
        "airgap-hosts",
        changed(TEMPLATE, "runner", user_data("curl http://203.0.113.9/x\n")),
    ),
    "a host in the values": (
        "airgap-hosts",
        hub(values("hub", "extraEnv", value={"SENTRY_DSN": "https://sentry.io/1"})),
    ),
    "a host in Python": (
        "airgap-hosts",
        hub(
            values(
                "hub",
                "extraConfig",
                "x",
                value="import urllib.request\nurllib.request.urlopen('https://a.example.com')",
            )
        ),
    ),
    "a host of Paraguay in a text": (
        "airgap-hosts",
        hub(
            values(
                "hub", "extraFiles", "motd", "stringData", value="ask collector.example.py for it"
            )
        ),
    ),
    "an endpoint of AWS that is not there": (
        "airgap-hosts",
        hub(values("hub", "extraEnv", value={"X": "https://athena.us-east-1.amazonaws.com"})),
    ),
    "another region": (
        "airgap-hosts",
        hub(values("hub", "extraEnv", value={"X": "https://ec2.eu-west-1.amazonaws.com"})),
    ),
    "a directory outside": (
        "airgap-hosts",
        hub(
            values(
                "hub", "config", "LDAPAuthenticator", "server_address", value="ldap.elsewhere.com"
            )
        ),
    ),
    "servers with every public address": (
        "airgap-pods",
        hub(values("singleuser", "networkPolicy", "egressAllowRules", "nonPrivateIPs", value=True)),
    ),
    "servers with every private address": (
        "airgap-pods",
        hub(values("singleuser", "networkPolicy", "egressAllowRules", "privateIPs", value=True)),
    ),
    "servers without a policy": (
        "airgap-pods",
        hub(values("singleuser", "networkPolicy", "enabled", value=False)),
    ),
    "a hub with every public address": (
        "airgap-pods",
        hub(values("hub", "networkPolicy", "egressAllowRules", "nonPrivateIPs", value=True)),
    ),
    "a proxy with every public address": (
        "airgap-pods",
        hub(
            values("proxy", "chp", "networkPolicy", "egressAllowRules", "nonPrivateIPs", value=True)
        ),
    ),
    "the node's credentials": (
        "airgap-pods",
        hub(values("hub", "networkPolicy", "egressAllowRules", "cloudMetadataServer", value=True)),
    ),
    "an egress rule for everybody": (
        "airgap-pods",
        hub(values("singleuser", "networkPolicy", "egress", value=[{"ports": [{"port": 443}]}])),
    ),
    "an egress rule for every port": (
        "airgap-pods",
        hub(
            values(
                "singleuser",
                "networkPolicy",
                "egress",
                value=[{"to": [{"ipBlock": {"cidr": "10.200.0.0/16"}}]}],
            )
        ),
    ),
    "an egress rule to the world": (
        "airgap-pods",
        hub(
            values(
                "hub",
                "networkPolicy",
                "egress",
                value=[{"to": [{"ipBlock": {"cidr": "0.0.0.0/0"}}], "ports": [{"port": 443}]}],
            )
        ),
    ),
    "a further policy that opens the internet": (
        "airgap-pod-policies",
        changed(
            "kubernetes:networking.k8s.io/v1:NetworkPolicy",
            "-closed-by-default",
            put("spec", "egress", value=[{"to": [{"ipBlock": {"cidr": "0.0.0.0/0"}}]}]),
        ),
    ),
    "a mirror that nobody is told of": (
        "airgap-mirrors",
        hub(values("singleuser", "extraEnv", value={})),
    ),
    "a mirror for R that is lost": (
        "airgap-mirrors",
        hub(lambda inputs: inputs["values"]["singleuser"]["extraFiles"].pop("cran-mirror")),
    ),
}


def test_there_are_enough_ways_to_break_it_and_each_rule_is_broken_by_one():
    assert len(MUTATIONS) >= 80
    covered = {rule for rule, _ in MUTATIONS.values()}
    without = {"pull", "told"}  # "images" and "mirrors" say so
    assert covered >= {f"airgap-{law.check}" for law in LAWS if law.check not in without}
    assert "airgap-mirrors" in covered


@pytest.mark.real
@pytest.mark.parametrize("name", MUTATIONS)
def test_each_way_to_break_it_is_caught_by_its_rule(name):
    rule, change = MUTATIONS[name]
    stack, resources = whole()
    found = faults(stack, Resources(change(list(resources))))
    assert rule in {check for check, _ in found}, found
    assert all(message and len(message) < 500 for _, message in found)


def test_a_python_file_in_a_text_is_no_host():
    stack, resources = whole()
    text = "see settings.py"
    change = hub(values("hub", "extraFiles", "motd", "stringData", value=text))
    assert faults(stack, Resources(change(list(resources)))) == []


PROXIED = (*WHOLE, "network.egress={kind: proxy, url: 'http://proxy.corp.example:3128'}")


@pytest.mark.real
@pytest.mark.parametrize(
    ("change", "lacks"),
    [
        (
            hub(lambda inputs: inputs["values"]["singleuser"]["extraEnv"].pop("HTTPS_PROXY")),
            "HTTPS_PROXY",
        ),
        (hub(values("hub", "extraEnv", "NO_PROXY", value="localhost")), "lacks 10.64.0.0/16"),
        (
            hub(values("singleuser", "extraEnv", "NO_PROXY", value="10.64.0.0/16,hub,.svc")),
            "lacks 172.20.0.0/16",
        ),
    ],
)
def test_a_proxy_that_is_half_told_of_is_caught(change, lacks):
    stack, resources = evaluated(*PROXIED)
    assert faults(stack, resources) == []
    assert [
        message
        for check, message in faults(stack, Resources(change(list(resources))))
        if check == "airgap-proxy" and lacks in message
    ]


def test_an_image_on_the_nodes_that_would_be_asked_for_is_caught():
    stack, resources = evaluated(*KUBEADM)
    spoilt = hub(values("hub", "image", "pullPolicy", value="IfNotPresent"))(list(resources))
    assert [check for check, _ in faults(stack, Resources(spoilt))] == ["airgap-images"]


def a_correct_configuration(chance: random.Random) -> tuple[str, ...]:
    """Settings of a closed stack that are right, whatever they are."""
    zones = chance.choice(
        [
            "[us-east-1a, us-east-1b]",
            "[us-east-1a, us-east-1b, us-east-1c]",
            "[us-east-1c, us-east-1a]",
        ]
    )
    homes = chance.choice(
        [
            "{kind: efs}",
            "{kind: ebs}",
            "{kind: nfs, server: isilon.corp.example, path: /ifs/homes}",
            "{kind: ephemeral}",
        ]
    )
    ecr = "{kind: ecr, account: '123456789012'"
    registry = chance.choice(
        [
            f"{ecr}}}",
            f"{ecr}, charts: /opt/bundle/charts}}",
            "{kind: private, host: 'r.corp.example:5000', prefix: a/b}",
        ]
    )
    ports = sorted(chance.sample([443, 636, 2049, 3128, 5432], chance.randint(0, 4)))
    peer = (
        f"{{cidrs: [10.201.{chance.randint(0, 255)}.0/24, 192.168.0.0/16], ports: {ports}, servers:"
        f" {str(chance.random() < 0.5).lower()}, via: VIA}}"
    )
    via = chance.choice(
        [
            "{kind: transit_gateway, id: tgw-0123456789abcdef1}",
            "{kind: peering, vpc_id: vpc-0123456789abcdef1}",
        ]
    )
    settings = [
        "parts=all",
        f"network.zones={zones}",
        f"network.endpoint_zones={chance.choice(['one', 'all'])}",
        (
            f"network.additional_endpoints={chance.choice(['[]', '[athena]', '[athena, sagemaker.api]'])}"
        ),
        f"network.peer_networks.other={peer.replace('VIA', via)}",
        f"homes={homes}",
        f"registry={registry}",
        (
            f"hubs.main.database={chance.choice(['{kind: sqlite}', '{kind: postgres}', '{kind: sqlite_memory}'])}"
        ),
        (
            f"hubs.main.package_mirrors={chance.choice(['{}', '{pip: https://m.corp.example/simple}', '{conda: https://m.corp.example/c, apt: https://m.corp.example/u}'])}"
        ),
        f"pools.memory.size.max={chance.randint(1, 20)}",
    ]
    if chance.random() < 0.4:
        settings.append(
            "network.egress={kind: proxy, url: 'http://proxy.corp.example:3128', no_proxy:"
            " ['*.lab.corp.example']}"
        )
    if chance.random() < 0.3:
        settings.append("runner=")
    if chance.random() < 0.5:
        settings.append("hubs.main.image=quay.io/jupyter/scipy-notebook:2025-12-31")
    if chance.random() < 0.3:
        settings.append("hubs.main.entry={kind: port_forward}")
    if chance.random() < 0.3:
        settings.append("pools.gpu.capacity=on_demand")
    return tuple(item for item in settings if item != "runner=")


def _judged(seeds: range) -> None:
    for seed in seeds:
        settings = a_correct_configuration(random.Random(seed))
        stack, resources = evaluated("stack=airgap", *settings)
        assert faults(stack, resources) == [], settings


@pytest.mark.real
def test_nothing_is_reported_on_some_random_correct_configurations():
    _judged(range(1000, 1006))


@pytest.mark.real
def test_nothing_is_reported_on_200_random_correct_configurations():
    _judged(range(200))
