"""Every AWS API that software inside calls has a private endpoint, and its callers are let
through.
"""

from __future__ import annotations

import json
from collections.abc import Iterator

from jupyterhub_aws.checks.airgap.egress import reaches, rules
from jupyterhub_aws.checks.airgap.view import View, fault
from jupyterhub_aws.checks.finding import Finding
from jupyterhub_aws.checks.resources import Resource, Resources, chart_name
from jupyterhub_aws.config.endpoints import GATEWAYS, Software, UnknownSoftwareError, software
from jupyterhub_aws.config.network import AirgapNetworkSection, ExistingNetworkSection
from jupyterhub_aws.config.specs.network import endpoint_reasons

_ENDPOINT = "aws:ec2/vpcEndpoint:VpcEndpoint"
_HTTPS, _NFS, _POSTGRES = 443, 2049, 5432


def recorded_software(resources: Resources) -> Iterator[tuple[str, Resource]]:
    """The software that runs inside, by the resource that installs it: nodes, add-ons, charts, the
    runner.
    """
    for group in resources.of("aws:eks/nodeGroup:NodeGroup", "aws:autoscaling/group:Group"):
        yield "nodes", group
    for addon in resources.of("aws:eks/addon:Addon"):
        yield str(addon.inputs["addonName"]), addon
    for release in resources.of("kubernetes:helm.sh/v3:Release"):
        yield chart_name(release), release
    for instance in resources.of("aws:ec2/instance:Instance"):
        yield "runner", instance


def endpoints(view: View) -> Iterator[Finding]:
    """An endpoint for each API, reachable by those who need it; and no endpoint without a reason
    to exist.
    """
    if not isinstance(view.network, (AirgapNetworkSection, ExistingNetworkSection)):
        return
    there = {
        str(item.inputs["serviceName"]).removeprefix(f"com.amazonaws.{view.stack.region}."): item
        for item in view.resources.of(_ENDPOINT)
    }
    made = not isinstance(view.network, ExistingNetworkSection) or view.network.makes_endpoints
    reasons = set(endpoint_reasons(view.stack)) if view.stack.drops("endpoints") else None
    callers: dict[str, dict[str, Resource]] = {}
    for name, resource in recorded_software(view.resources):
        try:
            known = software(name)
        except UnknownSoftwareError as error:
            what = f"runs {name}, and the AWS APIs that it calls are not known"
            fix = str(error)
            yield fault("endpoints", resource, what, fix)
            continue
        for api in known.apis:
            known_already = name in callers.setdefault(api, {})
            callers[api][name] = resource
            away = (
                reasons is not None and api not in reasons
            )  # nothing that calls it runs while the stack is paused
            if made and api not in there and not known_already and not away:
                what = _needs(known, api)
                fix = f"create the endpoint com.amazonaws.{view.stack.region}.{api}"
                yield fault("endpoints", resource, what, fix)
    for service, endpoint in there.items():
        yield from _wired(view, service, endpoint)
        yield from _admits(view, service, endpoint, callers.get(service, {}))
        yield from _narrow(endpoint)


def _needs(known: Software, api: str) -> str:
    return f"runs {known.name}, which calls {api} ({known.why}), and there is no endpoint for it"


def _wired(view: View, service: str, endpoint: Resource) -> Iterator[Finding]:
    """Where the endpoint is, and by which name or route it is found."""
    inputs = endpoint.inputs
    if service in GATEWAYS:
        if inputs.get("vpcEndpointType") != "Gateway":
            what = "is no gateway endpoint, so that image layers would not reach it by their route"
            fix = 'make it of type "Gateway"'
            yield fault("endpoints", endpoint, what, fix)
        tables = {
            str(item.inputs["routeTableId"])
            for item in view.resources.of("aws:ec2/routeTableAssociation:RouteTableAssociation")
        }
        wanted = tables or set(getattr(view.network, "route_tables", ()))
        for table in sorted(wanted - set(inputs.get("routeTableIds") or [])):
            what = f"is not on the route table {table}: images would not be pulled in its subnets"
            fix = "associate it"
            yield fault("endpoints", endpoint, what, fix)
        return
    if inputs.get("vpcEndpointType") != "Interface":
        yield fault(
            "endpoints", endpoint, "has no address in the VPC", 'give it the type "Interface"'
        )
    if inputs.get("privateDnsEnabled") is not True:
        what = "is not reachable by the service's own DNS name"
        fix = "set private_dns_enabled to true"
        yield fault("endpoints", endpoint, what, fix)
    subnets = list(inputs.get("subnetIds") or [])
    if not subnets:
        yield fault("endpoints", endpoint, "is in no subnet", "give it one subnet of each zone")
    zones: dict[str, str] = {}
    for subnet in subnets:
        for found in view.resources.referred(subnet, "aws:ec2/subnet:Subnet"):
            zone = str(found.inputs["availabilityZone"])
            if zone in zones:
                what = (
                    f"is in two subnets of {zone} ({zones[zone]} and {subnet}), which AWS refuses"
                )
                fix = "keep one of them"
                yield fault("endpoints", endpoint, what, fix)
            zones[zone] = str(subnet)


def _admits(
    view: View, service: str, endpoint: Resource, callers: dict[str, Resource]
) -> Iterator[Finding]:
    """The callers' groups allow the call out, and the endpoint's allow it in."""
    groups = [str(item) for item in endpoint.inputs.get("securityGroupIds") or []]
    for group in sorted(
        {group for name, resource in callers.items() for group in _groups_of(view, name, resource)}
    ):
        if service in GATEWAYS:
            prefix = f"${{{endpoint.name}.prefixListId}}"
            if not any(
                rule.out and rule.group == group and rule.other == prefix and rule.covers(_HTTPS)
                for rule in rules(view.resources)
            ):
                what = f"cannot be reached from {group}: no rule allows egress to {prefix}"
                fix = "add an egress rule for its prefix list"
                yield fault("endpoints", endpoint, what, fix)
            continue
        ways = [reaches(view.resources, group, other, _HTTPS) for other in groups]
        if not any(out for out, _ in ways):
            what = f"cannot be reached from {group}: no rule allows HTTPS to it"
            fix = "add an egress rule of that group"
            yield fault("endpoints", endpoint, what, fix)
        if not any(into for _, into in ways):
            what = f"does not let {group} in on port 443"
            fix = "add an ingress rule to the endpoint's group"
            yield fault("endpoints", endpoint, what, fix)


def _groups_of(view: View, name: str, resource: Resource) -> Iterator[str]:
    """The security groups from which a piece of software calls: the nodes', or the runner's own."""
    for machine in [resource] if name == "runner" else _node_templates(view):
        yield from (str(group) for group in machine.inputs.get("vpcSecurityGroupIds") or [])


def _node_templates(view: View) -> list[Resource]:
    """The launch templates of nodes: all but those of single machines."""
    machines = view.resources.of("aws:ec2/instance:Instance")
    runners = {
        item.urn
        for machine in machines
        for item in view.resources.referred(machine.inputs, "aws:ec2/launchTemplate:LaunchTemplate")
    }
    return [
        item
        for item in view.resources.of("aws:ec2/launchTemplate:LaunchTemplate")
        if item.urn not in runners
    ]


def _narrow(endpoint: Resource) -> Iterator[Finding]:
    """The endpoint's policy lets only principals of one account, or named buckets and
    repositories, through.
    """
    try:
        statements = json.loads(str(endpoint.inputs.get("policy") or "{}")).get("Statement", [])
    except ValueError:
        statements = []
    if not statements:
        what = "has no policy: it carries any principal's data to any account"
        fix = "give it one (components/airgap/endpoints.py)"
        yield fault("endpoints", endpoint, what, fix)
    for statement in statements:
        any_resource = statement.get("Resource") in ("*", ["*"])
        if (
            statement.get("Effect") == "Allow"
            and any_resource
            and "aws:PrincipalAccount" not in json.dumps(statement.get("Condition", {}))
        ):
            what = f"lets principals of any account through ({statement.get('Sid', 'Allow *')})"
            fix = "condition it on aws:PrincipalAccount"
            yield fault("endpoints", endpoint, what, fix)


def node_groups_are_narrow(view: View) -> Iterator[Finding]:
    """Every instance starts in a group of the stack's own: the one that EKS makes allows all egress
    out.
    """
    if not isinstance(view.network, (AirgapNetworkSection, ExistingNetworkSection)):
        return
    for template in _node_templates(view):
        groups = [str(group) for group in template.inputs.get("vpcSecurityGroupIds") or []]
        if not groups or any("clusterSecurityGroupId" in group for group in groups):
            what = "starts instances in the cluster's own security group, which allows all egress"
            fix = "give it the security group of isolated nodes"
            yield fault("nodes", template, what, fix)
    for machine in view.resources.of("aws:ec2/instance:Instance"):
        if not machine.inputs.get("vpcSecurityGroupIds"):
            what = "starts in the VPC's default security group, which is not the stack's own"
            fix = "give it a group of its own"
            yield fault("nodes", machine, what, fix)


def data_is_reached(view: View) -> Iterator[Finding]:
    """Nodes reach the mount targets of homes and the databases: where every connection is listed, a
    missing one is only noticed when users come.
    """
    nodes = sorted(
        {
            group
            for template in _node_templates(view)
            for group in map(str, template.inputs.get("vpcSecurityGroupIds") or [])
        }
    )
    wanted = [
        (item, "securityGroups", _NFS)
        for item in view.resources.of("aws:efs/mountTarget:MountTarget")
    ]
    wanted += [
        (item, "vpcSecurityGroupIds", _POSTGRES)
        for item in view.resources.of("aws:rds/instance:Instance")
    ]
    for resource, key, port in wanted:
        for group in nodes:
            ways = [
                reaches(view.resources, group, str(other), port)
                for other in resource.inputs.get(key) or []
            ]
            if not any(out for out, _ in ways):
                what = f"cannot be reached from {group}: no rule allows tcp {port} to it"
                fix = "add an egress rule of that group"
                yield fault("data", resource, what, fix)
            if not any(into for _, into in ways):
                what = f"does not let {group} in on port {port}"
                fix = "add an ingress rule to its group"
                yield fault("data", resource, what, fix)
