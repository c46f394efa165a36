"""A scan of an account with 10,000 resources: a server on this machine answers as AWS does, page
by page, and botocore parses every one of them.
"""

from __future__ import annotations

import http.server
import json
import os
import shutil
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from unittest import mock
from urllib.parse import parse_qs

from benchmarks.processes import JHUB, Command, Measured, together

#: Things of each kind: the sum is what the target speaks of. What AWS filters by VPC is the
#: cluster's; the rest is the whole account's.
COUNTS = {
    "roles": 3000, "policies": 1500, "instance profiles": 800, "access points": 1500, "file systems": 400, "databases": 400, "balancers": 400,
    "target groups": 600, "security groups": 900, "groups": 300, "subnets": 150, "route tables": 50,
}  # fmt: skip
#: Items on a page of each service's, as AWS gives them by default or at most.
_PAGES = {
    "roles": 1000,
    "policies": 1000,
    "instance profiles": 1000,
    "access points": 100,
    "file systems": 100,
    "databases": 100,
    "balancers": 400,
    "target groups": 400,
    "groups": 50,
}
_ACCOUNT, _NAME = "123456789012", "large"
_TAGS = "<Tags><member><Key>team</Key><Value>some</Value></member></Tags>"


def _pages(kind: str, token: str | None) -> tuple[range, str]:
    """The numbers of a page, and the token of the next one."""
    start, size = int(token or 0), _PAGES.get(kind, COUNTS[kind])
    end = min(start + size, COUNTS[kind])
    return range(start, end), str(end) if end < COUNTS[kind] else ""


def _cluster() -> dict[str, object]:
    network = {
        "subnetIds": ["subnet-00000000", "subnet-00000001"],
        "vpcId": "vpc-00000000",
        "clusterSecurityGroupId": "sg-00000000",
        "endpointPublicAccess": False,
    }
    role = f"arn:aws:iam::{_ACCOUNT}:role/{_NAME}-cluster"
    return {
        "name": _NAME,
        "version": "1.35",
        "roleArn": role,
        "arn": f"arn:aws:eks:us-east-1:{_ACCOUNT}:cluster/{_NAME}",
        "resourcesVpcConfig": network,
        "accessConfig": {"authenticationMode": "API"},
    }


def _rest(path: str) -> object:
    """The answers of EKS and EFS, which speak JSON."""
    plain, _, query = path.partition("?")
    token = parse_qs(query).get("Marker", parse_qs(query).get("NextToken", [None]))[0]
    if plain == "/clusters":
        return {"clusters": [_NAME]}
    if plain == f"/clusters/{_NAME}":
        return {"cluster": _cluster()}
    if plain.endswith("/file-systems"):
        numbers, end = _pages("file systems", token)
        made = {
            "OwnerId": _ACCOUNT,
            "CreationTime": 1.7e9,
            "LifeCycleState": "available",
            "NumberOfMountTargets": 3,
            "PerformanceMode": "generalPurpose",
            "Encrypted": True,
        }
        items = [
            {
                **made,
                "FileSystemId": f"fs-{n:08x}",
                "CreationToken": f"t{n}",
                "SizeInBytes": {"Value": 1},
                "Tags": [{"Key": "n", "Value": "x"}],
            }
            for n in numbers
        ]
        return {"FileSystems": items, **({"NextMarker": end} if end else {})}
    if plain.endswith("/access-points"):
        numbers, end = _pages("access points", token)
        items = [
            {
                "AccessPointId": f"fsap-{n:08x}",
                "FileSystemId": f"fs-{n % 400:08x}",
                "PosixUser": {"Uid": 1, "Gid": 1},
                "RootDirectory": {"Path": f"/{n}"},
            }
            for n in numbers
        ]
        return {"AccessPoints": items, **({"NextToken": end} if end else {})}
    return {}


def _role(number: int) -> str:
    document = json.dumps(
        {
            "Version": "2012-10-17",
            "Statement": [
                {
                    "Effect": "Allow",
                    "Principal": {"Service": "ec2.amazonaws.com"},
                    "Action": "sts:AssumeRole",
                }
            ],
        }
    )
    head = f"<Path>/</Path><RoleName>role-{number}</RoleName><RoleId>A{number}</RoleId><Arn>arn:aws:iam::{_ACCOUNT}:role/role-{number}</Arn>"
    policies = "".join(
        f"<member><PolicyName>p{i}</PolicyName><PolicyArn>arn:aws:iam::aws:policy/p{i}</PolicyArn></member>"
        for i in range(3)
    )
    attached = f"<AttachedManagedPolicies>{policies}</AttachedManagedPolicies>"
    return f"<member>{head}<AssumeRolePolicyDocument>{document}</AssumeRolePolicyDocument>{attached}{_TAGS}</member>"


def _policy(number: int) -> str:
    arn = f"arn:aws:iam::{_ACCOUNT}:policy/policy-{number}"
    return f"<member><PolicyName>policy-{number}</PolicyName><Arn>{arn}</Arn><DefaultVersionId>v1</DefaultVersionId></member>"


def _profile(number: int) -> str:
    return f"<member><Path>/</Path><InstanceProfileName>profile-{number}</InstanceProfileName><InstanceProfileId>A{number}</InstanceProfileId></member>"


def _database(number: int) -> str:
    group = "<DBSubnetGroup><DBSubnetGroupName>g</DBSubnetGroupName><VpcId>vpc-other</VpcId></DBSubnetGroup>"
    return f"<DBInstance><DBInstanceIdentifier>db-{number}</DBInstanceIdentifier><Engine>postgres</Engine>{group}</DBInstance>"


def _balancer(number: int) -> str:
    arn = f"arn:aws:elasticloadbalancing:us-east-1:{_ACCOUNT}:loadbalancer/net/lb-{number}/1"
    return f"<member><LoadBalancerArn>{arn}</LoadBalancerArn><LoadBalancerName>lb-{number}</LoadBalancerName><VpcId>vpc-other</VpcId></member>"


def _target(number: int) -> str:
    return f"<member><TargetGroupArn>arn:tg/{number}</TargetGroupArn><TargetGroupName>tg-{number}</TargetGroupName><VpcId>vpc-other</VpcId></member>"


def _group(number: int) -> str:
    tag = f"<Tags><member><Key>kubernetes.io/cluster/{_NAME}</Key><Value>owned</Value><PropagateAtLaunch>true</PropagateAtLaunch></member></Tags>"
    return f"<member><AutoScalingGroupName>group-{number}</AutoScalingGroupName><MinSize>0</MinSize><MaxSize>9</MaxSize>{tag}</member>"


def _subnet(number: int) -> str:
    place = f"<availabilityZone>us-east-1{'abc'[number % 3]}</availabilityZone><cidrBlock>10.{number}.0.0/24</cidrBlock>"
    return (
        f"<item><subnetId>subnet-{number:08x}</subnetId><vpcId>vpc-00000000</vpcId>{place}</item>"
    )


def _security_group(number: int) -> str:
    rule = "<ipPermissions><item><ipProtocol>tcp</ipProtocol><fromPort>443</fromPort><toPort>443</toPort></item></ipPermissions>"
    return f"<item><groupId>sg-{number:08x}</groupId><groupName>group-{number}</groupName><vpcId>vpc-00000000</vpcId>{rule}</item>"


def _table(number: int) -> str:
    return f"<item><routeTableId>rtb-{number:08x}</routeTableId><vpcId>vpc-00000000</vpcId></item>"


#: Operation to kind, list element, item, and how the next page's token is called (None: AWS gives
#: all of it at once).
_LISTS = {
    "ListInstanceProfiles": ("instance profiles", "InstanceProfiles", _profile, "Marker"),
    "DescribeDBInstances": ("databases", "DBInstances", _database, "Marker"),
    "DescribeLoadBalancers": ("balancers", "LoadBalancers", _balancer, "NextMarker"),
    "DescribeTargetGroups": ("target groups", "TargetGroups", _target, "NextMarker"),
    "DescribeAutoScalingGroups": ("groups", "AutoScalingGroups", _group, "NextToken"),
    "DescribeSubnets": ("subnets", "subnetSet", _subnet, None),
    "DescribeSecurityGroups": ("security groups", "securityGroupInfo", _security_group, None),
    "DescribeRouteTables": ("route tables", "routeTableSet", _table, None),
}


def _query(body: str) -> str:
    """The answers of EC2, IAM, RDS, Auto Scaling and Elastic Load Balancing, which speak XML."""
    given = {key: values[0] for key, values in parse_qs(body).items()}
    operation, token = given["Action"], given.get("Marker") or given.get("NextToken")
    if operation == "GetCallerIdentity":
        inner = f"<Account>{_ACCOUNT}</Account><Arn>arn:aws:iam::{_ACCOUNT}:user/bench</Arn>"
    elif operation == "DescribeVpcs":
        return f"<{operation}Response><vpcSet><item><vpcId>vpc-00000000</vpcId><cidrBlock>10.0.0.0/8</cidrBlock></item></vpcSet></{operation}Response>"
    elif operation == "GetAccountAuthorizationDetails":
        kind, element, item = (
            ("roles", "RoleDetailList", _role)
            if given.get("Filter.member.1") == "Role"
            else ("policies", "Policies", _policy)
        )
        numbers, end = _pages(kind, token)
        truncated = (
            f"<IsTruncated>true</IsTruncated><Marker>{end}</Marker>"
            if end
            else "<IsTruncated>false</IsTruncated>"
        )
        inner = f"<{element}>{''.join(map(item, numbers))}</{element}>{truncated}"
    elif operation in _LISTS:
        kind, element, item, following = _LISTS[operation]
        numbers, end = _pages(kind, token)
        more = (
            f"<{following}>{end}</{following}><IsTruncated>true</IsTruncated>"
            if end and following
            else ""
        )
        inner = f"<{element}>{''.join(map(item, numbers))}</{element}>{more}"
        if following is None:
            return f"<{operation}Response>{inner}</{operation}Response>"
    else:
        inner = ""
    return (
        f"<{operation}Response><{operation}Result>{inner}</{operation}Result></{operation}Response>"
    )


class _Aws(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        """Answer by the service's own protocol."""
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0)).decode()
        data = _query(body) if "Action=" in body else json.dumps(_rest(self.path))
        encoded = data.encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(encoded)))
        self.end_headers()
        self.wfile.write(encoded)

    do_GET = do_POST  # noqa: N815 -- the name that http.server calls

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@contextmanager
def large_account() -> Iterator[str]:
    """The address of the account."""
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), _Aws)
    thread = threading.Thread(
        target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True
    )
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def scanned() -> Measured:
    """`jhub adopt scan` of it as a fresh process: seconds and MiB, the stack file and its
    evaluation included.
    """
    folder = Path(tempfile.mkdtemp(prefix="jhub-bench-"))
    script = (
        f"rm -f {folder}/*; exec {JHUB} adopt scan --region us-east-1 --name bench --out {folder}"
    )
    keys = {
        "AWS_ACCESS_KEY_ID": "bench",
        "AWS_SECRET_ACCESS_KEY": "bench",
        "AWS_EC2_METADATA_DISABLED": "true",
    }
    try:
        with large_account() as url, mock.patch.dict(os.environ, {**keys, "AWS_ENDPOINT_URL": url}):
            return together([Command(words=("/bin/sh", "-c", script), code=1)])[
                0
            ]  # 1: lines are left to fill in
    finally:
        shutil.rmtree(folder)
