"""What matters about a resource in one line, by its type; and IAM statements in
plain words.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from jupyterhub_aws.checks.resources import Resource, chart_of

Inputs = Mapping[str, Any]


def _template(inputs: Inputs) -> str:
    disk = inputs["blockDeviceMappings"][0]["ebs"]
    image = str(inputs.get("imageId", "")).split("/")[-2:-1]
    return f"{disk['volumeSize']} GiB gp3 encrypted, IMDSv2" + (f", {image[0]}" if image else "")


def _group(inputs: Inputs) -> str:
    policy = inputs["mixedInstancesPolicy"]
    names = [item["instanceType"] for item in policy["launchTemplate"]["overrides"]]
    distribution = policy["instancesDistribution"]
    spot = distribution["onDemandPercentageAboveBaseCapacity"] == 0
    price = f", at most ${distribution['spotMaxPrice']}/h" if "spotMaxPrice" in distribution else ""
    return (
        f"{inputs['minSize']}–{inputs['maxSize']} {'spot' if spot else 'on-demand'} nodes:"
        f" {', '.join(names)}{price}"
    )


def _node_group(inputs: Inputs) -> str:
    return (
        f"{inputs['scalingConfig']['desiredSize']} on-demand nodes:"
        f" {', '.join(inputs['instanceTypes'])}, AL2023 {inputs['releaseVersion']}"
    )


def _cluster(inputs: Inputs) -> str:
    network = inputs["vpcConfig"]
    public = (
        f"public from {', '.join(network['publicAccessCidrs'])}"
        if network.get("endpointPublicAccess")
        else "private only"
    )
    return f"Kubernetes {inputs['version']}, API {public}, secrets encrypted"


_ROUTE_TARGETS = ("natGatewayId", "gatewayId", "transitGatewayId", "vpcPeeringConnectionId")


def _route(inputs: Inputs) -> str:
    target = next((inputs[key] for key in _ROUTE_TARGETS if inputs.get(key)), "?")
    return f"{inputs['destinationCidrBlock']} → {target}"


def _release(inputs: Inputs) -> str:
    chart = chart_of(inputs)
    values = inputs.get("values", {})
    tag = values.get("image", {}).get("tag") if isinstance(values, dict) else None
    return f"chart {chart} {inputs['version']} in {inputs['namespace']}" + (
        f", image {tag}" if tag else ""
    )


def _balancer(inputs: Inputs) -> str:
    return (
        f"{inputs['loadBalancerType']},"
        f" {'inside the VPC' if inputs.get('internal') else 'facing the internet'}, in"
        f" {len(inputs['subnets'])} zones"
    )


def _rule(inputs: Inputs) -> str:
    other = (
        inputs.get("cidrIpv4")
        or inputs.get("cidrIpv6")
        or inputs.get("referencedSecurityGroupId")
        or inputs.get("prefixListId")
    )
    return (
        f"{inputs['ipProtocol']} {inputs.get('fromPort', 'all')} {other}"
        f" ({inputs.get('description', '')})"
    )


def _database(inputs: Inputs) -> str:
    standby = ", with a standby" if inputs.get("multiAz") else ""
    return (
        f"PostgreSQL {inputs['engineVersion']} on {inputs['instanceClass']},"
        f" {inputs['allocatedStorage']} GiB encrypted{standby}"
    )


def _volume(inputs: Inputs) -> str:
    spec = inputs["spec"]
    if "local" in spec:
        source = f"{spec['local']['path']} of one node"
    else:
        source = (
            spec.get("csi", {}).get("volumeHandle")
            or f"{spec['nfs']['server']}:{spec['nfs']['path']}"
        )
    return (
        f"{source} for {spec['claimRef']['namespace']}/{spec['claimRef']['name']},"
        f" {spec['persistentVolumeReclaimPolicy']}"
    )


def _service(inputs: Inputs) -> str:
    port = inputs["spec"]["ports"][0]
    return (
        f"{inputs['spec']['type']} {port.get('nodePort', '')} → {port['targetPort']} of the proxy"
    )


def _plan(inputs: Inputs) -> str:
    return ", ".join(
        f"{rule['ruleName']} {rule['schedule']} kept {rule['lifecycle']['deleteAfter']} days"
        for rule in inputs["rules"]
    )


def _lock(inputs: Inputs) -> str:
    bounds = f"backups are kept {inputs['minRetentionDays']} to {inputs['maxRetentionDays']} days"
    days = inputs.get("changeableForDays")
    return f"{bounds}; " + (f"for ever, after {days} days" if days else "who may, can take it off")


_LINES: dict[str, Callable[[Inputs], str]] = {
    "aws:ec2/vpc:Vpc": lambda i: str(i["cidrBlock"]),
    "aws:ec2/subnet:Subnet": lambda i: f"{i['availabilityZone']} {i['cidrBlock']}",
    "aws:ec2/subnetCidrReservation:SubnetCidrReservation": lambda i: (
        f"{i['cidrBlock']} for pods' /28 prefixes"
    ),
    "aws:ec2/route:Route": _route,
    "aws:ec2/vpcEndpoint:VpcEndpoint": lambda i: f"{i['serviceName']} ({i['vpcEndpointType']})",
    "aws:ec2/vpcPeeringConnection:VpcPeeringConnection": lambda i: f"to {i['peerVpcId']}",
    "aws:ec2transitgateway/vpcAttachment:VpcAttachment": lambda i: f"to {i['transitGatewayId']}",
    "aws:ec2/instance:Instance": lambda i: f"in {i['subnetId']}, no public address",
    "aws:ecr/repository:Repository": lambda i: (
        f"tags {str(i['imageTagMutability']).lower()}, encrypted, scanned on push"
    ),
    "aws:ecr/lifecyclePolicy:LifecyclePolicy": lambda _: "images without a rule expire",
    "aws:s3/bucket:Bucket": lambda i: str(i["bucket"]),
    "aws:s3/bucketVersioning:BucketVersioning": (
        lambda i: str(i["versioningConfiguration"]["status"]).lower()
    ),
    "aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock": lambda _: (
        "nothing public, by policy or by list"
    ),
    "aws:route53/resolverFirewallDomainList:ResolverFirewallDomainList": lambda i: ", ".join(
        str(name).removesuffix(".") for name in i["domains"]
    ),
    "aws:route53/resolverFirewallRule:ResolverFirewallRule": lambda i: (
        f"{i['action']} at {i['priority']}"
    ),
    "aws:ec2/natGateway:NatGateway": lambda i: f"in {i['subnetId']}",
    "aws:ec2/defaultSecurityGroup:DefaultSecurityGroup": lambda _: "emptied: no ingress, no egress",
    "aws:ec2/launchTemplate:LaunchTemplate": _template,
    "aws:ec2/flowLog:FlowLog": lambda i: f"{i['trafficType']} traffic",
    "aws:autoscaling/group:Group": _group,
    "aws:eks/cluster:Cluster": _cluster,
    "aws:eks/nodeGroup:NodeGroup": _node_group,
    "aws:eks/addon:Addon": lambda i: str(i["addonVersion"]),
    "aws:eks/accessEntry:AccessEntry": lambda i: f"{i.get('type', 'STANDARD')} {i['principalArn']}",
    "aws:eks/accessPolicyAssociation:AccessPolicyAssociation": (
        lambda i: str(i["policyArn"]).rpartition("/")[2]
    ),
    "aws:eks/podIdentityAssociation:PodIdentityAssociation": lambda i: (
        f"{i['namespace']}/{i['serviceAccount']} → {i['roleArn']}"
    ),
    "aws:cloudwatch/metricAlarm:MetricAlarm": lambda i: str(i["alarmDescription"]),
    "aws:cloudwatch/logMetricFilter:LogMetricFilter": lambda i: (
        f"{i['metricTransformation']['name']}: lines like {i['pattern']}"
    ),
    "aws:cloudwatch/eventRule:EventRule": lambda i: str(i["description"]),
    "aws:cloudwatch/eventTarget:EventTarget": lambda i: f"into {i['arn']}",
    "aws:sns/topic:Topic": lambda i: f"{i['name']}, encrypted",
    "aws:sns/topicSubscription:TopicSubscription": lambda i: f"{i['protocol']} {i['endpoint']}",
    "aws:cloudwatch/logGroup:LogGroup": lambda i: f"{i['name']}, {i['retentionInDays']} days",
    "aws:iam/rolePolicyAttachment:RolePolicyAttachment": (
        lambda i: str(i["policyArn"]).rpartition("/")[2]
    ),
    "aws:iam/role:Role": lambda i: str(i["name"]),
    "aws:kms/key:Key": lambda i: f"{i['description']}, rotated yearly",
    "aws:kms/alias:Alias": lambda i: str(i["name"]),
    "aws:ec2/eip:Eip": lambda _: "public IPv4 address",
    "aws:ec2/securityGroup:SecurityGroup": lambda i: str(i["description"]),
    "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule": lambda i: f"in {_rule(i)}",
    "aws:vpc/securityGroupEgressRule:SecurityGroupEgressRule": lambda i: f"out {_rule(i)}",
    "aws:efs/fileSystem:FileSystem": lambda i: (
        f"{i['throughputMode']} throughput, {'encrypted' if i.get('encrypted') else 'in clear'}"
    ),
    "aws:efs/mountTarget:MountTarget": lambda i: f"in {i['subnetId']}",
    "aws:efs/accessPoint:AccessPoint": lambda i: (
        f"{i['rootDirectory']['path']} as {i['posixUser']['uid']}:{i['posixUser']['gid']}"
    ),
    "aws:efs/backupPolicy:BackupPolicy": lambda i: (
        f"daily backups {i['backupPolicy']['status'].lower()}"
    ),
    "aws:backup/vault:Vault": (
        lambda i: f"{i['name']}, encrypted" + (f", in {i['region']}" if i.get("region") else "")
    ),
    "aws:backup/plan:Plan": _plan,
    "aws:backup/selection:Selection": lambda i: ", ".join(
        f"whatever is tagged {tag['key']}={tag['value']}" for tag in i["selectionTags"]
    ),
    "aws:backup/vaultLockConfiguration:VaultLockConfiguration": _lock,
    "aws:dlm/lifecyclePolicy:LifecyclePolicy": (
        lambda i: (
            "snapshots of volumes, "
            + ", ".join(item["name"] for item in i["policyDetails"]["schedules"])
        )
    ),
    "aws:ebs/volume:Volume": lambda i: (
        f"{i['size']} GiB {i['type']} in {i['availabilityZone']}, encrypted"
    ),
    "aws:rds/instance:Instance": _database,
    "aws:lb/loadBalancer:LoadBalancer": _balancer,
    "aws:lb/listener:Listener": (
        lambda i: (
            f"{i['protocol']} {i['port']}"
            + (f", certificate {i['certificateArn']}" if "certificateArn" in i else "")
        )
    ),
    "aws:lb/targetGroup:TargetGroup": lambda i: (
        f"{i['protocol']} {i['port']} of the core nodes, healthy by {i['healthCheck']['protocol']}"
        f" {i['healthCheck']['path']}"
    ),
    "aws:autoscaling/attachment:Attachment": lambda i: f"targets: {i['autoscalingGroupName']}",
    "aws:acm/certificate:Certificate": lambda i: (
        f"for {i['domainName']}, validated by {i['validationMethod']}"
    ),
    "aws:route53/record:Record": lambda i: f"{i['type']} {i['name']} in zone {i['zoneId']}",
    "kubernetes:core/v1:Namespace": lambda i: f"{i['metadata']['name']}, Pod Security restricted",
    "kubernetes:core/v1:PersistentVolume": _volume,
    "kubernetes:core/v1:PersistentVolumeClaim": lambda i: (
        f"{i['metadata']['namespace']}/{i['metadata']['name']}"
    ),
    "kubernetes:core/v1:Secret": lambda i: f"{i['metadata']['namespace']}/{i['metadata']['name']}",
    "kubernetes:core/v1:Service": _service,
    "kubernetes:storage.k8s.io/v1:StorageClass": lambda i: (
        f"{i['provisioner']}, {i['reclaimPolicy']}, {i['volumeBindingMode']}"
    ),
    "random:index/randomBytes:RandomBytes": lambda i: f"{i['length']} secret bytes, made once",
    "random:index/randomString:RandomString": lambda i: (
        f"remembers the first {', '.join(i['keepers'])}"
    ),
    "random:index/randomPassword:RandomPassword": lambda i: (
        f"{i['length']} secret characters, made once"
    ),
    "kubernetes:helm.sh/v3:Release": _release,
}
#: Inputs that hold IAM documents.
_DOCUMENTS = ("assumeRolePolicy", "policy", "policyDocument")


#: Inputs that tell most of a resource of the caller's, in the order in which one of them is taken.
_TELLING = (
    "id",
    "name",
    "bucket",
    "cidrBlock",
    "instanceType",
    "engine",
    "domainName",
    "displayName",
    "repository",
    "region",
)
_SHORT = 60


def summary(resource: Resource, *, added: bool = False) -> str:
    """One line about a resource; empty for a type that says nothing beyond its name, and for a
    component.

    The lines of types know how this library makes them (encrypted, rotated). Of a resource that the
    caller's program added nothing of that is known.
    """
    if not resource.custom:
        return ""
    if added:
        return _of_added(resource)
    line = _LINES.get(resource.type)
    return line(resource.inputs) if line is not None else ""


def _of_added(resource: Resource) -> str:
    if isinstance(resource.inputs.get("chart"), str):
        where = resource.inputs.get("namespace")
        return f"chart {chart_of(resource.inputs)}" + (
            f" in {where}" if isinstance(where, str) else ""
        )
    found = next(
        (value for key in _TELLING if isinstance(value := resource.inputs.get(key), str) and value),
        "",
    )
    text = found if len(found) <= _SHORT else f"{found[: _SHORT - 1]}…"
    return f"exists already: {text}" if resource.external else text


def statements(inputs: Inputs) -> list[str]:
    """Every IAM statement among a resource's inputs, in words: `may
    autoscaling:SetDesiredCapacity on … if …`.
    """
    return [
        _words(statement) for key in _DOCUMENTS for statement in _statements_of(inputs.get(key))
    ]


def _statements_of(text: object) -> Iterator[Mapping[str, Any]]:
    """The statements of a document. A lifecycle policy has none, one statement may be without
    a list, and text may be no document at all.
    """
    try:
        document = json.loads(text) if isinstance(text, str) and text.startswith("{") else {}
    except ValueError:
        return
    found = document.get("Statement") or ()
    yield from (
        item
        for item in (found if isinstance(found, list) else [found])
        if isinstance(item, Mapping)
    )


def _words(statement: Mapping[str, Any]) -> str:
    actions = (
        ", ".join(_listed(statement["Action"]))
        if "Action" in statement
        else f"all except {', '.join(_listed(statement.get('NotAction')))}"
    )
    verb = "may" if statement.get("Effect") == "Allow" else "must not"
    who = statement.get("Principal")
    subject = (
        ", ".join(str(item) for values in who.values() for item in _listed(values)) + " "
        if isinstance(who, Mapping)
        else f"{who} "
        if who
        else ""
    )
    on = f" on {', '.join(_listed(statement['Resource']))}" if "Resource" in statement else ""
    on = (
        f" on all except {', '.join(_listed(statement['NotResource']))}"
        if "NotResource" in statement
        else on
    )
    condition = statement.get("Condition")
    operators = condition.items() if isinstance(condition, Mapping) else ()
    tests = [
        f"{key} {name} {' or '.join(_listed(value))}"
        for name, pairs in operators
        if isinstance(pairs, Mapping)
        for key, value in pairs.items()
    ]
    return f"{subject}{verb} {actions}{on}" + (f" if {' and '.join(tests)}" if tests else "")


def _listed(value: object) -> list[str]:
    return [str(item) for item in value] if isinstance(value, list) else [str(value)]
