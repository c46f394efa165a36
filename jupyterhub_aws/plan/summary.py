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


def _policy_name(inputs: Inputs) -> str:
    return str(inputs["policyArn"]).rpartition("/")[2]


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


#: What matters about a resource, by its type: a text with its inputs in it, or a function of them.
_LINES: dict[str, str | Callable[[Inputs], str]] = {
    "aws:ec2/vpc:Vpc": "{cidrBlock}",
    "aws:ec2/subnet:Subnet": "{availabilityZone} {cidrBlock}",
    "aws:ec2/subnetCidrReservation:SubnetCidrReservation": "{cidrBlock} for pods' /28 prefixes",
    "aws:ec2/route:Route": _route,
    "aws:ec2/vpcEndpoint:VpcEndpoint": "{serviceName} ({vpcEndpointType})",
    "aws:ec2/vpcPeeringConnection:VpcPeeringConnection": "to {peerVpcId}",
    "aws:ec2transitgateway/vpcAttachment:VpcAttachment": "to {transitGatewayId}",
    "aws:ec2/instance:Instance": "in {subnetId}, no public address",
    "aws:ecr/repository:Repository": lambda i: (
        f"tags {str(i['imageTagMutability']).lower()}, encrypted, scanned on push"
    ),
    "aws:ecr/lifecyclePolicy:LifecyclePolicy": "images without a rule expire",
    "aws:s3/bucket:Bucket": "{bucket}",
    "aws:s3/bucketVersioning:BucketVersioning": (
        lambda i: str(i["versioningConfiguration"]["status"]).lower()
    ),
    "aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock": (
        "nothing public, by policy or by list"
    ),
    "aws:route53/resolverFirewallDomainList:ResolverFirewallDomainList": lambda i: ", ".join(
        str(name).removesuffix(".") for name in i["domains"]
    ),
    "aws:route53/resolverFirewallRule:ResolverFirewallRule": "{action} at {priority}",
    "aws:ec2/natGateway:NatGateway": "in {subnetId}",
    "aws:ec2/defaultSecurityGroup:DefaultSecurityGroup": "emptied: no ingress, no egress",
    "aws:ec2/launchTemplate:LaunchTemplate": _template,
    "aws:ec2/flowLog:FlowLog": "{trafficType} traffic",
    "aws:autoscaling/group:Group": _group,
    "aws:eks/cluster:Cluster": _cluster,
    "aws:eks/nodeGroup:NodeGroup": _node_group,
    "aws:eks/addon:Addon": "{addonVersion}",
    "aws:eks/accessEntry:AccessEntry": lambda i: f"{i.get('type', 'STANDARD')} {i['principalArn']}",
    "aws:eks/accessPolicyAssociation:AccessPolicyAssociation": _policy_name,
    "aws:eks/podIdentityAssociation:PodIdentityAssociation": (
        "{namespace}/{serviceAccount} → {roleArn}"
    ),
    "aws:cloudwatch/metricAlarm:MetricAlarm": "{alarmDescription}",
    "aws:cloudwatch/logMetricFilter:LogMetricFilter": (
        "{metricTransformation[name]}: lines like {pattern}"
    ),
    "aws:cloudwatch/eventRule:EventRule": "{description}",
    "aws:cloudwatch/eventTarget:EventTarget": "into {arn}",
    "aws:sns/topic:Topic": "{name}, encrypted",
    "aws:sns/topicSubscription:TopicSubscription": "{protocol} {endpoint}",
    "aws:cloudwatch/logGroup:LogGroup": "{name}, {retentionInDays} days",
    "aws:iam/rolePolicyAttachment:RolePolicyAttachment": _policy_name,
    "aws:iam/role:Role": "{name}",
    "aws:kms/key:Key": "{description}, rotated yearly",
    "aws:kms/alias:Alias": "{name}",
    "aws:ec2/eip:Eip": "public IPv4 address",
    "aws:ec2/securityGroup:SecurityGroup": "{description}",
    "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule": lambda i: f"in {_rule(i)}",
    "aws:vpc/securityGroupEgressRule:SecurityGroupEgressRule": lambda i: f"out {_rule(i)}",
    "aws:efs/fileSystem:FileSystem": lambda i: (
        f"{i['throughputMode']} throughput, {'encrypted' if i.get('encrypted') else 'in clear'}"
    ),
    "aws:efs/mountTarget:MountTarget": "in {subnetId}",
    "aws:efs/accessPoint:AccessPoint": "{rootDirectory[path]} as {posixUser[uid]}:{posixUser[gid]}",
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
    "aws:dlm/lifecyclePolicy:LifecyclePolicy": lambda i: (
        f"snapshots of volumes, {', '.join(x['name'] for x in i['policyDetails']['schedules'])}"
    ),
    "aws:ebs/volume:Volume": "{size} GiB {type} in {availabilityZone}, encrypted",
    "aws:rds/instance:Instance": _database,
    "aws:lb/loadBalancer:LoadBalancer": _balancer,
    "aws:lb/listener:Listener": (
        lambda i: (
            f"{i['protocol']} {i['port']}"
            + (f", certificate {i['certificateArn']}" if "certificateArn" in i else "")
        )
    ),
    "aws:lb/targetGroup:TargetGroup": (
        "{protocol} {port} of the core nodes, healthy by {healthCheck[protocol]}"
        " {healthCheck[path]}"
    ),
    "aws:autoscaling/attachment:Attachment": "targets: {autoscalingGroupName}",
    "aws:acm/certificate:Certificate": "for {domainName}, validated by {validationMethod}",
    "aws:route53/record:Record": "{type} {name} in zone {zoneId}",
    "kubernetes:core/v1:Namespace": "{metadata[name]}, Pod Security restricted",
    "kubernetes:core/v1:PersistentVolume": _volume,
    "kubernetes:core/v1:PersistentVolumeClaim": "{metadata[namespace]}/{metadata[name]}",
    "kubernetes:core/v1:Secret": "{metadata[namespace]}/{metadata[name]}",
    "kubernetes:core/v1:Service": _service,
    "kubernetes:storage.k8s.io/v1:StorageClass": (
        "{provisioner}, {reclaimPolicy}, {volumeBindingMode}"
    ),
    "random:index/randomBytes:RandomBytes": "{length} secret bytes, made once",
    "random:index/randomString:RandomString": lambda i: (
        f"remembers the first {', '.join(i['keepers'])}"
    ),
    "random:index/randomPassword:RandomPassword": "{length} secret characters, made once",
    "kubernetes:helm.sh/v3:Release": _release,
}
#: Inputs that hold IAM documents.
_DOCUMENTS = ("assumeRolePolicy", "policy", "policyDocument")


#: Inputs that tell most of a resource of the caller's, in the order in which one of them is taken.
_TELLING = (
    "id name bucket cidrBlock instanceType engine domainName displayName repository region".split()
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
    line = _LINES.get(resource.type, "")
    return line.format_map(resource.inputs) if isinstance(line, str) else line(resource.inputs)


def _of_added(resource: Resource) -> str:
    if isinstance(resource.inputs.get("chart"), str):
        where = resource.inputs.get("namespace")
        inside = f" in {where}" if isinstance(where, str) else ""
        return f"chart {chart_of(resource.inputs)}{inside}"
    values = (resource.inputs.get(key) for key in _TELLING)
    found = next((value for value in values if isinstance(value, str) and value), "")
    text = found if len(found) <= _SHORT else f"{found[: _SHORT - 1]}…"
    return f"exists already: {text}" if resource.external else text


def statements(inputs: Inputs) -> list[str]:
    """Every IAM statement among a resource's inputs, in words: `may
    autoscaling:SetDesiredCapacity on … if …`.
    """
    documents = (inputs.get(key) for key in _DOCUMENTS)
    return [_words(statement) for text in documents for statement in _statements_of(text)]


def _statements_of(text: object) -> Iterator[Mapping[str, Any]]:
    """The statements of a document. A lifecycle policy has none, one statement may be without
    a list, and text may be no document at all.
    """
    try:
        document = json.loads(text) if isinstance(text, str) and text.startswith("{") else {}
    except ValueError:
        return
    found = document.get("Statement") or ()
    listed = found if isinstance(found, list) else [found]
    yield from (item for item in listed if isinstance(item, Mapping))


def _words(statement: Mapping[str, Any]) -> str:
    actions = f"all except {', '.join(_listed(statement.get('NotAction')))}"
    if "Action" in statement:
        actions = ", ".join(_listed(statement["Action"]))
    verb = "may" if statement.get("Effect") == "Allow" else "must not"
    who = statement.get("Principal")
    if isinstance(who, Mapping):
        who = ", ".join(item for values in who.values() for item in _listed(values))
        subject = f"{who} "
    else:
        subject = f"{who} " if who else ""
    on = f" on {', '.join(_listed(statement['Resource']))}" if "Resource" in statement else ""
    if "NotResource" in statement:
        on = f" on all except {', '.join(_listed(statement['NotResource']))}"
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
