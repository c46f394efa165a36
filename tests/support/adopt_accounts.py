"""Accounts to adopt, on moto's server: a hub by the program's own names, clusters as eksctl and Nebari leave them, and other people's things beside.

moto knows no add-ons, access entries, pod identities and policies of file systems: `Lacking` answers for them, and botocore's own service model has
to be content with each answer.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import cache
from typing import Any

import botocore.session

from checks.resources import Resources
from tests.support.cloud import ACCOUNT, REGION, Cloud, counted
from tests.support.stacks import record

#: What a scan may ask: nothing else is ever called.
READS = re.compile(r"(Describe|List|Get)\w*|GET /.*")
TAGS = {"owner": "platform-team", "environment": "dev", "cost-center": "research-computing", "managed-by": "jupyterhub-aws"}


@dataclass
class Lacking:
    """What moto lacks, by cluster or file system. Each answer is parsed by botocore with its own model of the operation."""

    addons: dict[str, list[str]] = field(default_factory=dict)
    entries: dict[str, list[str]] = field(default_factory=dict)
    administrators: dict[str, list[str]] = field(default_factory=dict)
    identities: dict[str, list[tuple[str, str]]] = field(default_factory=dict)
    clusters: dict[str, dict[str, Any]] = field(default_factory=dict)
    backups: dict[str, str] = field(default_factory=dict)
    policies: dict[str, str] = field(default_factory=dict)

    def answer(self, method: str, path: str) -> tuple[int, bytes] | None:  # noqa: PLR0911 -- one for each operation
        """The answer to a request that moto does not know; None where moto is asked."""
        plain, _, query = path.partition("?")
        policy = re.fullmatch(r"/2015-02-01/file-systems/(fs-[0-9a-f]+)/(backup-policy|policy)", plain)
        if policy:
            return self._of_file_system(*policy.groups())
        match = re.fullmatch(r"/clusters/([^/]+)(?:/(addons|access-entries|pod-identity-associations)(?:/([^/]+))?)?", plain)
        if method != "GET" or not match or match[1] not in self.clusters:
            return None
        name, what, item = match[1], match[2], match[3]
        if what is None:
            return _valid("DescribeCluster", {"cluster": self.clusters[name]})
        if what == "addons" and item:
            found = {"addonName": item, "clusterName": name, "addonVersion": "v1.0.0-eksbuild.1", "status": "ACTIVE", "tags": {}}
            return _valid("DescribeAddon", {"addon": found})
        if what == "addons":
            return _valid("ListAddons", {"addons": self.addons.get(name, [])})
        if what == "access-entries":
            known = self.administrators if "associatedPolicyArn" in query else self.entries
            return _valid("ListAccessEntries", {"accessEntries": known.get(name, [])})
        found = [
            {"clusterName": name, "namespace": space, "serviceAccount": account, "associationId": f"a-{index:017d}"}
            for index, (space, account) in enumerate(self.identities.get(name, []))
        ]
        return _valid("ListPodIdentityAssociations", {"associations": found})

    def _of_file_system(self, name: str, what: str) -> tuple[int, bytes]:
        known = self.backups if what == "backup-policy" else self.policies
        if name not in known:
            return 404, json.dumps({"ErrorCode": "PolicyNotFound", "Message": "There is none"}).encode()
        if what == "backup-policy":
            return _valid("DescribeBackupPolicy", {"BackupPolicy": {"Status": known[name]}}, "efs")
        return _valid("DescribeFileSystemPolicy", {"FileSystemId": name, "Policy": known[name]}, "efs")


class RefusingLacking(Lacking):
    """The same, but whoever asks for a path that begins so is refused with a code of AWS's."""

    def __init__(self, other: Lacking, begin: str, code: str) -> None:
        super().__init__(**{name: getattr(other, name) for name in ("addons", "entries", "administrators", "identities", "clusters", "backups", "policies")})
        self._begin, self._code = begin, code

    def answer(self, method: str, path: str) -> tuple[int, bytes] | None:
        if path.startswith(self._begin):
            return 400, json.dumps({"__type": self._code, "ErrorCode": self._code, "code": self._code, "message": "no"}).encode()
        return super().answer(method, path)


def _valid(operation: str, answer: dict[str, Any], service: str = "eks") -> tuple[int, bytes]:
    """The answer as JSON. Fails where the service model has other members."""
    shape = botocore.session.get_session().get_service_model(service).operation_model(operation).output_shape
    _check(shape, answer, operation)
    return 200, json.dumps(answer).encode()


def _check(shape: Any, value: Any, path: str) -> None:
    if shape.type_name == "structure":
        assert set(value) <= set(shape.members), f"{path}: {sorted(set(value) - set(shape.members))} are no members"
        for key, item in value.items():
            _check(shape.members[key], item, f"{path}.{key}")
    elif shape.type_name == "list":
        for item in value:
            _check(shape.member, item, f"{path}[]")
    elif shape.type_name == "map":
        assert all(isinstance(item, str) for pair in value.items() for item in pair), path
    else:
        kinds = {"string": str, "boolean": bool, "integer": int, "long": int, "timestamp": (int, float)}
        assert isinstance(value, kinds[shape.type_name]), f"{path}: {value!r} is no {shape.type_name}"


@contextmanager
def watched(account: Cloud, lacking: Lacking) -> Iterator[str]:
    """The address of the account with all that moto lacks; what is asked there is written down, and must be reads."""
    account.calls.clear()
    account.answers = lacking.answer
    try:
        with counted(account) as url:
            yield url
    finally:
        account.answers = lambda _method, _path: None
        wrong = [call for call in account.calls if not READS.fullmatch(call)]
        assert wrong == [], f"a scan only reads: {wrong}"


@cache
def client_of(url: str, service: str) -> Any:
    """A client past the counter, made once: botocore takes a third of a second for one of EC2."""
    return Cloud(url=url).client(service)


# --- by the program's own names ---


def own(account: Cloud, *settings: str, skip: Callable[[str, str], bool] = lambda _type, _name: False) -> tuple[Lacking, Resources]:
    """What `up` would have made of the stack dev (with settings), from its own recording; `skip` leaves resources out."""
    recorded = record(*settings).resources
    builder = _Builder(account, recorded, skip)
    builder.build()
    return builder.lacking, recorded


class _Builder:
    """Makes what moto can make of a recording, in the order of its dependencies; placeholders are filled with what was made."""

    def __init__(self, account: Cloud, recorded: Resources, skip: Callable[[str, str], bool]) -> None:
        self.account, self.skip = account, skip
        self.recorded = Resources(replace(item, inputs=json.loads(json.dumps(dict(item.inputs)).replace("${aws.account}", ACCOUNT))) for item in recorded)
        self.made: dict[tuple[str, str, str], str] = {}  # type, name, output
        self.lacking = Lacking()

    def build(self) -> None:
        for kind, make in self._makers().items():
            for resource in self.recorded.of(kind):
                if not self.skip(kind, resource.name):
                    for output, value in (make(resource.name, self._filled(dict(resource.inputs))) or {}).items():
                        self.made[kind, resource.name, output] = value

    def _filled(self, value: Any, key: str = "") -> Any:
        if isinstance(value, dict):
            return {name: self._filled(item, name) for name, item in value.items()}
        if isinstance(value, list):
            return [self._filled(item, key) for item in value]
        return re.sub(r"\$\{([^.}]+)\.([^}]+)\}", lambda found: self._of(found[1], found[2], key, found[0]), value) if isinstance(value, str) else value

    def _of(self, name: str, output: str, key: str, otherwise: str) -> str:
        found = {kind: value for (kind, other, what), value in self.made.items() if other == name and what == output}
        lowered = key.lower().removesuffix("s").removesuffix("id").removesuffix("arn").removesuffix("node")
        near = [value for kind, value in found.items() if lowered and lowered in kind.lower()]
        return near[0] if len(found) > 1 and near else next(iter(found.values()), otherwise)

    def _makers(self) -> dict[str, Callable[[str, dict[str, Any]], dict[str, str] | None]]:
        return {
            "aws:ec2/vpc:Vpc": self._vpc,
            "aws:ec2/subnet:Subnet": self._subnet,
            "aws:ec2/internetGateway:InternetGateway": self._internet,
            "aws:ec2/eip:Eip": lambda _name, given: {
                "id": self._ec2.allocate_address(Domain="vpc", TagSpecifications=_tagged("elastic-ip", given))["AllocationId"]
            },
            "aws:ec2/natGateway:NatGateway": self._nat,
            "aws:ec2/routeTable:RouteTable": self._table,
            "aws:ec2/route:Route": self._route,
            "aws:ec2/routeTableAssociation:RouteTableAssociation": lambda _name, given: self._ignore(
                self._ec2.associate_route_table(RouteTableId=given["routeTableId"], SubnetId=given["subnetId"])
            ),
            "aws:ec2/vpcEndpoint:VpcEndpoint": self._endpoint,
            "aws:ec2/subnetCidrReservation:SubnetCidrReservation": self._reservation,
            "aws:kms/key:Key": self._key,
            "aws:iam/role:Role": self._role,
            "aws:iam/policy:Policy": lambda _name, given: {
                "arn": self._iam.create_policy(PolicyName=given["name"], PolicyDocument=given["policy"])["Policy"]["Arn"]
            },
            "aws:iam/rolePolicyAttachment:RolePolicyAttachment": lambda _name, given: self._ignore(self._attach(given)),
            "aws:iam/rolePolicy:RolePolicy": lambda _name, given: self._ignore(
                self._iam.put_role_policy(RoleName=given["role"], PolicyName=given["name"], PolicyDocument=given["policy"])
            ),
            "aws:iam/instanceProfile:InstanceProfile": self._profile,
            "aws:kms/alias:Alias": lambda _name, given: self._ignore(self._kms.create_alias(AliasName=given["name"], TargetKeyId=given["targetKeyId"])),
            "aws:cloudwatch/logGroup:LogGroup": self._logs,
            "aws:eks/cluster:Cluster": self._cluster,
            "aws:ec2/securityGroup:SecurityGroup": self._group,
            "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule": lambda _name, given: self._rule(given, self._ec2.authorize_security_group_ingress),
            "aws:vpc/securityGroupEgressRule:SecurityGroupEgressRule": lambda _name, given: self._rule(given, self._ec2.authorize_security_group_egress),
            "aws:eks/addon:Addon": lambda _name, given: self._ignore(self.lacking.addons.setdefault(given["clusterName"], []).append(given["addonName"])),
            "aws:eks/accessEntry:AccessEntry": lambda _name, given: self._ignore(
                self.lacking.entries.setdefault(given["clusterName"], []).append(given["principalArn"])
            ),
            "aws:eks/podIdentityAssociation:PodIdentityAssociation": lambda _name, given: self._ignore(
                self.lacking.identities.setdefault(given["clusterName"], []).append((given["namespace"], given["serviceAccount"]))
            ),
            "aws:efs/fileSystem:FileSystem": self._file_system,
            "aws:efs/mountTarget:MountTarget": self._mount_target,
            "aws:efs/accessPoint:AccessPoint": self._access_point,
            "aws:efs/backupPolicy:BackupPolicy": lambda _name, given: self.lacking.backups.update({given["fileSystemId"]: given["backupPolicy"]["status"]}),
            "aws:efs/fileSystemPolicy:FileSystemPolicy": lambda _name, given: self.lacking.policies.update({given["fileSystemId"]: given["policy"]}),
            "aws:ebs/volume:Volume": self._volume,
            "aws:ec2/launchTemplate:LaunchTemplate": self._template,
            "aws:eks/nodeGroup:NodeGroup": self._node_group,
            "aws:autoscaling/group:Group": self._scaling,
            "aws:lb/loadBalancer:LoadBalancer": self._balancer,
            "aws:lb/targetGroup:TargetGroup": self._target,
            "aws:lb/listener:Listener": self._listener,
        }

    def _client(self, service: str) -> Any:
        return client_of(self.account.url, service)

    @property
    def _ec2(self) -> Any:
        return self._client("ec2")

    @property
    def _iam(self) -> Any:
        return self._client("iam")

    @property
    def _kms(self) -> Any:
        return self._client("kms")

    @property
    def _efs(self) -> Any:
        return self._client("efs")

    def _ignore(self, _answer: Any) -> None:
        return None

    def _vpc(self, _name: str, given: dict[str, Any]) -> dict[str, str]:
        vpc = self._ec2.create_vpc(CidrBlock=given["cidrBlock"], TagSpecifications=_tagged("vpc", given))["Vpc"]["VpcId"]
        self._ec2.modify_vpc_attribute(VpcId=vpc, EnableDnsHostnames={"Value": True})
        default = self._ec2.describe_security_groups(Filters=[{"Name": "vpc-id", "Values": [vpc]}])["SecurityGroups"][0]
        if default["IpPermissionsEgress"]:  # as the program leaves it: emptied
            self._ec2.revoke_security_group_egress(GroupId=default["GroupId"], IpPermissions=default["IpPermissionsEgress"])
        return {"id": vpc}

    def _subnet(self, _name: str, given: dict[str, Any]) -> dict[str, str]:
        made = self._ec2.create_subnet(
            VpcId=given["vpcId"], CidrBlock=given["cidrBlock"], AvailabilityZone=given["availabilityZone"], TagSpecifications=_tagged("subnet", given)
        )
        return {"id": made["Subnet"]["SubnetId"]}

    def _internet(self, _name: str, given: dict[str, Any]) -> dict[str, str]:
        made = self._ec2.create_internet_gateway(TagSpecifications=_tagged("internet-gateway", given))["InternetGateway"]["InternetGatewayId"]
        self._ec2.attach_internet_gateway(InternetGatewayId=made, VpcId=given["vpcId"])
        return {"id": made}

    def _nat(self, _name: str, given: dict[str, Any]) -> dict[str, str]:
        made = self._ec2.create_nat_gateway(AllocationId=given["allocationId"], SubnetId=given["subnetId"], TagSpecifications=_tagged("natgateway", given))
        return {"id": made["NatGateway"]["NatGatewayId"]}

    def _table(self, _name: str, given: dict[str, Any]) -> dict[str, str]:
        return {"id": self._ec2.create_route_table(VpcId=given["vpcId"], TagSpecifications=_tagged("route-table", given))["RouteTable"]["RouteTableId"]}

    def _route(self, _name: str, given: dict[str, Any]) -> None:
        way = {"GatewayId": given["gatewayId"]} if "gatewayId" in given else {"NatGatewayId": given["natGatewayId"]}
        self._ec2.create_route(RouteTableId=given["routeTableId"], DestinationCidrBlock=given["destinationCidrBlock"], **way)

    def _endpoint(self, _name: str, given: dict[str, Any]) -> None:
        self._ec2.create_vpc_endpoint(
            VpcId=given["vpcId"],
            ServiceName=given["serviceName"],
            VpcEndpointType=given["vpcEndpointType"],
            RouteTableIds=given["routeTableIds"],
            TagSpecifications=_tagged("vpc-endpoint", given),
        )

    def _reservation(self, _name: str, given: dict[str, Any]) -> None:
        from moto.ec2.models import ec2_backends

        self._ec2.create_subnet_cidr_reservation(SubnetId=given["subnetId"], Cidr=given["cidrBlock"], ReservationType="prefix")
        backend = ec2_backends[ACCOUNT][REGION]
        for item in backend.get_subnet_cidr_reservations(given["subnetId"])["SubnetIpv4CidrReservations"]:
            item.description = given["description"]  # which moto does not keep

    def _role(self, _name: str, given: dict[str, Any]) -> dict[str, str]:
        tags = [{"Key": key, "Value": value} for key, value in given["tags"].items()]
        arn = self._iam.create_role(RoleName=given["name"], AssumeRolePolicyDocument=given["assumeRolePolicy"], Tags=tags)["Role"]["Arn"]
        return {"name": given["name"], "arn": arn, "id": given["name"]}

    def _attach(self, given: dict[str, Any]) -> None:
        if ":aws:policy/" in given["policyArn"]:
            _aws_policy(given["policyArn"])
        self._iam.attach_role_policy(RoleName=given["role"], PolicyArn=given["policyArn"])

    def _profile(self, _name: str, given: dict[str, Any]) -> dict[str, str]:
        arn = self._iam.create_instance_profile(InstanceProfileName=given["name"])["InstanceProfile"]["Arn"]
        self._iam.add_role_to_instance_profile(InstanceProfileName=given["name"], RoleName=given["role"])
        return {"arn": arn, "name": given["name"]}

    def _key(self, _name: str, given: dict[str, Any]) -> dict[str, str]:
        made = self._kms.create_key(Description=given["description"])["KeyMetadata"]
        return {"keyId": made["KeyId"], "arn": made["Arn"], "id": made["KeyId"]}

    def _logs(self, _name: str, given: dict[str, Any]) -> dict[str, str]:
        self._client("logs").create_log_group(logGroupName=given["name"])
        self._client("logs").put_retention_policy(logGroupName=given["name"], retentionInDays=given["retentionInDays"])
        return {"name": given["name"]}

    def _cluster(self, _name: str, given: dict[str, Any]) -> dict[str, str]:
        name = given["name"]
        group = self._ec2.create_security_group(GroupName=f"eks-cluster-sg-{name}", Description="EKS", VpcId=self._any_vpc())["GroupId"]
        self._client("eks").create_cluster(name=name, roleArn=given["roleArn"], resourcesVpcConfig={"subnetIds": given["vpcConfig"]["subnetIds"]})
        public = given["vpcConfig"].get("publicAccessCidrs") or []
        self.lacking.clusters[name] = {
            "name": name,
            "arn": f"arn:aws:eks:{REGION}:{ACCOUNT}:cluster/{name}",
            "version": given["version"],
            "roleArn": given["roleArn"],
            "endpoint": "https://example.eks.amazonaws.com",
            "status": "ACTIVE",
            "resourcesVpcConfig": {
                "subnetIds": given["vpcConfig"]["subnetIds"],
                "clusterSecurityGroupId": group,
                "vpcId": self._any_vpc(),
                "endpointPrivateAccess": True,
                "endpointPublicAccess": bool(public),
                **({"publicAccessCidrs": public} if public else {}),
            },
            "kubernetesNetworkConfig": given["kubernetesNetworkConfig"],
            "logging": {"clusterLogging": [{"types": given["enabledClusterLogTypes"], "enabled": True}]},
            "encryptionConfig": [{"resources": ["secrets"], "provider": {"keyArn": given["encryptionConfig"]["provider"]["keyArn"]}}],
            "accessConfig": {"authenticationMode": "API"},
            "tags": given["tags"],
        }
        return {"name": name, "vpcConfig.clusterSecurityGroupId": group}

    def _any_vpc(self) -> str:
        return self.made["aws:ec2/vpc:Vpc", "network-vpc", "id"]

    def _group(self, _name: str, given: dict[str, Any]) -> dict[str, str]:
        made = self._ec2.create_security_group(
            GroupName=given["name"], Description=given["description"], VpcId=given["vpcId"], TagSpecifications=_tagged("security-group", given)
        )
        self._ec2.revoke_security_group_egress(GroupId=made["GroupId"], IpPermissions=[{"IpProtocol": "-1", "IpRanges": [{"CidrIp": "0.0.0.0/0"}]}])
        return {"id": made["GroupId"]}

    def _rule(self, given: dict[str, Any], authorize: Callable[..., Any]) -> None:
        rule: dict[str, Any] = {"IpProtocol": given["ipProtocol"], "FromPort": given["fromPort"], "ToPort": given["toPort"]}
        if "cidrIpv4" in given:
            rule["IpRanges"] = [{"CidrIp": given["cidrIpv4"], "Description": given.get("description", "")}]
        else:
            rule["UserIdGroupPairs"] = [{"GroupId": given["referencedSecurityGroupId"], "Description": given.get("description", "")}]
        authorize(GroupId=given["securityGroupId"], IpPermissions=[rule], TagSpecifications=_tagged("security-group-rule", given))

    def _file_system(self, _name: str, given: dict[str, Any]) -> dict[str, str]:
        tags = [{"Key": key, "Value": value} for key, value in given["tags"].items()]
        made = self._efs.create_file_system(
            CreationToken=given["creationToken"], Encrypted=given["encrypted"], PerformanceMode="generalPurpose", ThroughputMode="elastic", Tags=tags
        )
        return {"id": made["FileSystemId"], "arn": made["FileSystemArn"]}

    def _mount_target(self, _name: str, given: dict[str, Any]) -> None:
        mounted(self.account, given["fileSystemId"], given["subnetId"])

    def _access_point(self, name: str, given: dict[str, Any]) -> dict[str, str]:
        user, root = given["posixUser"], given["rootDirectory"]
        made = {"OwnerUid": 1000, "OwnerGid": 100, "Permissions": "0750"}
        return {
            "id": self._efs.create_access_point(
                ClientToken=name,
                FileSystemId=given["fileSystemId"],
                PosixUser={"Uid": user["uid"], "Gid": user["gid"]},
                RootDirectory={"Path": root["path"], **({"CreationInfo": made} if "creationInfo" in root else {})},
                Tags=[{"Key": key, "Value": value} for key, value in given["tags"].items()],
            )["AccessPointId"]
        }

    def _volume(self, _name: str, given: dict[str, Any]) -> dict[str, str]:
        made = self._ec2.create_volume(
            AvailabilityZone=given["availabilityZone"], Size=given["size"], VolumeType="gp3", Encrypted=True, TagSpecifications=_tagged("volume", given)
        )
        return {"id": made["VolumeId"]}

    def _template(self, _name: str, given: dict[str, Any]) -> dict[str, str]:
        disks = [
            {"DeviceName": item["deviceName"], "Ebs": {key[0].upper() + key[1:]: _flag(value) for key, value in item["ebs"].items()}}
            for item in given["blockDeviceMappings"]
        ]
        made = self._ec2.create_launch_template(
            LaunchTemplateName=given["name"], LaunchTemplateData={"BlockDeviceMappings": disks}, TagSpecifications=_tagged("launch-template", given)
        )
        return {"id": made["LaunchTemplate"]["LaunchTemplateId"], "name": given["name"]}

    def _node_group(self, _name: str, given: dict[str, Any]) -> dict[str, str]:
        self._client("eks").create_nodegroup(
            clusterName=given["clusterName"],
            nodegroupName=given["nodeGroupName"],
            nodeRole=given["nodeRoleArn"],
            subnets=given["subnetIds"],
            instanceTypes=given["instanceTypes"],
            scalingConfig={key: int(value) for key, value in given["scalingConfig"].items()},
            amiType=given["amiType"],
            capacityType=given["capacityType"],
            releaseVersion=given["releaseVersion"],
            launchTemplate={"id": given["launchTemplate"]["id"]},
            tags=given["tags"],
        )
        return {}

    def _scaling(self, _name: str, given: dict[str, Any]) -> dict[str, str]:
        policy = given["mixedInstancesPolicy"]
        overrides = [{"InstanceType": item["instanceType"]} for item in policy["launchTemplate"]["overrides"]]
        spread = policy["instancesDistribution"]
        distribution: dict[str, Any] = {"OnDemandPercentageAboveBaseCapacity": int(spread["onDemandPercentageAboveBaseCapacity"])}
        if "spotMaxPrice" in spread:
            distribution["SpotMaxPrice"] = spread["spotMaxPrice"]
        template = policy["launchTemplate"]["launchTemplateSpecification"]["launchTemplateId"]
        self._client("autoscaling").create_auto_scaling_group(
            AutoScalingGroupName=given["name"],
            MinSize=int(given["minSize"]),
            MaxSize=int(given["maxSize"]),
            VPCZoneIdentifier=",".join(given["vpcZoneIdentifiers"]),
            MixedInstancesPolicy={
                "LaunchTemplate": {"LaunchTemplateSpecification": {"LaunchTemplateId": template, "Version": "$Latest"}, "Overrides": overrides},
                "InstancesDistribution": distribution,
            },
            Tags=[
                {
                    "ResourceId": given["name"],
                    "ResourceType": "auto-scaling-group",
                    "Key": tag["key"],
                    "Value": tag["value"],
                    "PropagateAtLaunch": tag["propagateAtLaunch"],
                }
                for tag in given["tags"]
            ],
        )
        return {"name": given["name"]}

    def _balancer(self, _name: str, given: dict[str, Any]) -> dict[str, str]:
        made = self._client("elbv2").create_load_balancer(
            Name=given["name"], Subnets=given["subnets"], SecurityGroups=given["securityGroups"], Scheme="internet-facing", Type="network"
        )
        return {"arn": made["LoadBalancers"][0]["LoadBalancerArn"]}

    def _target(self, _name: str, given: dict[str, Any]) -> dict[str, str]:
        made = self._client("elbv2").create_target_group(
            Name=given["name"], Protocol=given["protocol"], Port=int(given["port"]), VpcId=given["vpcId"], TargetType="instance"
        )
        return {"arn": made["TargetGroups"][0]["TargetGroupArn"]}

    def _listener(self, _name: str, given: dict[str, Any]) -> None:
        certificate = self._client("acm").request_certificate(DomainName="hub.example.org")["CertificateArn"]
        self._client("elbv2").create_listener(
            LoadBalancerArn=given["loadBalancerArn"],
            Protocol=given["protocol"],
            Port=int(given["port"]),
            SslPolicy=given["sslPolicy"],
            Certificates=[{"CertificateArn": certificate}],
            DefaultActions=[{"Type": "forward", "TargetGroupArn": given["defaultActions"][0]["targetGroupArn"]}],
        )


def _aws_policy(arn: str) -> None:
    """A policy of AWS's own: moto's list of all of them takes half a minute to load, and lacks the newest."""
    from moto.iam.models import AWSManagedPolicy, iam_backends

    path, _, name = arn.partition(":policy")[2].rpartition("/")
    known = {"CreateDate": "2025-01-01T00:00:00+00:00", "UpdateDate": "2025-01-01T00:00:00+00:00", "DefaultVersionId": "v1", "Path": f"{path}/", "Document": {}}
    policy = AWSManagedPolicy.from_data(name, ACCOUNT, REGION, known)
    iam_backends[ACCOUNT]["aws"].managed_policies.setdefault(policy.arn, policy)


def _flag(value: Any) -> Any:
    return value == "true" if value in ("true", "false") else value


def _tagged(kind: str, given: dict[str, Any]) -> list[dict[str, Any]]:
    return [{"ResourceType": kind, "Tags": [{"Key": key, "Value": value} for key, value in given.get("tags", {}).items()]}] if given.get("tags") else []


def mounted(account: Cloud, file_system: str, subnet: str) -> None:
    """A mount target, with the network interface as EFS describes it (moto's own says nothing of the file system)."""
    target = client_of(account.url, "efs").create_mount_target(FileSystemId=file_system, SubnetId=subnet)["MountTargetId"]
    client_of(account.url, "ec2").create_network_interface(SubnetId=subnet, Description=f"EFS mount target for {file_system} ({target})")


__all__ = ["ACCOUNT", "READS", "REGION", "Lacking", "RefusingLacking", "client_of", "mounted", "own", "watched"]
