"""An account of moto's server, with what a stack would have made in it; and who asked it what."""

from __future__ import annotations

import contextlib
import http.server
import json
import threading
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import boto3

from jupyterhub_aws.config.specs import resolve
from jupyterhub_aws.config.stack import StackConfig
from jupyterhub_aws.operate.pause.compute import Databases

REGION = "us-east-1"
ACCOUNT = "123456789012"
_JSON = {"Content-Type": "application/json"}
KEYS = {
    "AWS_ACCESS_KEY_ID": "AKIAEXAMPLE",
    "AWS_SECRET_ACCESS_KEY": "a-secret-key-of-nobody",
    "AWS_REGION": REGION,
    "AWS_DEFAULT_REGION": REGION,
}


@dataclass
class Cloud:
    """A server of moto's at `url`. `calls` holds what was asked through `environment`, by AWS's
    operation, in order.
    """

    url: str
    calls: list[str] = field(default_factory=list)
    before: Callable[[int, str], bool] = lambda number, operation: True
    #: The same once AWS has done what it was asked, and before its answer is sent.
    after: Callable[[int, str], bool] = lambda number, operation: True
    #: Answers to what moto does not know, by method and path; None asks moto.
    answers: Callable[[str, str], tuple[int, bytes] | None] = lambda method, path: None
    _clients: dict[str, Any] = field(default_factory=dict)
    #: What answers besides AWS at the same door: by the first part of the path, (method, path,
    #: headers, body) to a status and data.
    local: dict[str, Callable[[str, str, Mapping[str, str], bytes], tuple[int, Any]]] = field(
        default_factory=dict
    )

    def client(self, service: str) -> Any:
        """A client past the counter."""
        if service not in self._clients:
            self._clients[service] = boto3.client(
                service,
                endpoint_url=self.url,
                region_name=REGION,
                aws_access_key_id="a",
                aws_secret_access_key="b",
            )
        return self._clients[service]

    @cached_property
    def image(self) -> str:
        """Any image; every account of moto's begins with the same ones, and listing them takes a
        second.
        """
        return str(self.client("ec2").describe_images(Owners=["amazon"])["Images"][0]["ImageId"])

    def reset(self) -> None:
        """An empty account."""
        urllib.request.urlopen(  # noqa: S310
            urllib.request.Request(f"{self.url}/moto-api/reset", method="POST"),  # noqa: S310
            timeout=10,
        )
        self.calls.clear()


@contextmanager
def cloud() -> Iterator[Cloud]:
    """A fresh account on this machine."""
    import logging

    from moto.server import ThreadedMotoServer

    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    try:
        yield Cloud(url=f"http://127.0.0.1:{server.get_host_and_port()[1]}")
    finally:
        server.stop()


class Door(http.server.BaseHTTPRequestHandler):
    """The door in front of an account: writes down each call, asks whether it may pass, and
    hands it on.
    """

    protocol_version = "HTTP/1.1"
    account: Cloud

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        self.account.calls.append(self._operation(body))
        number, operation = len(self.account.calls), self.account.calls[-1]
        if not self.account.before(number, operation):
            return self._silent()
        answer = self._asked(body)
        return self._answer(*answer) if self.account.after(number, operation) else self._silent()

    do_GET = do_PUT = do_DELETE = do_POST  # noqa: N815 -- the names that http.server calls

    def _operation(self, body: bytes) -> str:
        text = body.decode(errors="replace")
        if self._local is not None:
            return f"{self.command} {self.path.partition('?')[0]}" + (
                f" {text}" if self.path.startswith("/kubectl") else ""
            )
        named = next(
            (
                part.removeprefix("Action=")
                for part in text.split("&")
                if part.startswith("Action=")
            ),
            "",
        )
        return (
            named
            or self.headers.get("X-Amz-Target", "").rpartition(".")[2]
            or f"{self.command} {self.path.partition('?')[0]}"
        )

    @property
    def _local(self) -> Callable[[str, str, Mapping[str, str], bytes], tuple[int, Any]] | None:
        return self.account.local.get(self.path.split("/")[1])

    def _asked(self, body: bytes) -> tuple[int, bytes, Mapping[str, str]]:
        if self._local is not None:
            status, data = self._local(self.command, self.path, dict(self.headers.items()), body)
            return status, b"" if data is None else json.dumps(data).encode(), _JSON
        if (ready := self.account.answers(self.command, self.path)) is not None:
            return *ready, _JSON
        headers = {
            key: value
            for key, value in self.headers.items()
            if key.lower() not in ("host", "content-length", "connection", "expect")
        }
        request = urllib.request.Request(  # noqa: S310
            self.account.url + self.path, data=body or None, method=self.command, headers=headers
        )
        try:
            with urllib.request.urlopen(request, timeout=30) as answer:  # noqa: S310 -- loopback
                return answer.status, answer.read(), answer.headers
        except urllib.error.HTTPError as error:
            with error:
                return error.code, error.read(), error.headers

    def _silent(self) -> None:
        self.close_connection = True
        with contextlib.suppress(OSError):
            self.connection.close()

    def _answer(self, status: int, answered: bytes, given: Mapping[str, str]) -> None:
        with contextlib.suppress(OSError):
            self.send_response(status)
            for name in (
                "Content-Type",
                "x-amzn-ErrorType",
            ):  # the second is where REST services say what went wrong
                if given.get(name):
                    self.send_header(name, given[name])
            self.send_header("Content-Length", str(len(answered)))
            self.end_headers()
            if status != 204:  # which has no body
                self.wfile.write(answered)

    def log_message(self, *_: object) -> None:
        pass


@contextmanager
def counted(account: Cloud) -> Iterator[str]:
    """The address of a door in front of the account, which writes down each call and asks `before`
    and `after` whether it goes on: where it does not, the connection ends without an answer.
    """
    server = http.server.ThreadingHTTPServer(
        ("127.0.0.1", 0), type("ItsDoor", (Door,), {"account": account})
    )
    thread = threading.Thread(
        target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True
    )
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def built(account: Cloud, stack: StackConfig, *, nodes: int = 1) -> None:
    """What `up` would have made of a stack's nodes and databases, as moto knows it, with `nodes`
    in each user group; and something of somebody else's.
    """
    subnet = account.client("ec2").describe_subnets()["Subnets"][0]["SubnetId"]
    tags = {f"k8s.io/cluster-autoscaler/{stack.name}": "owned", "stack": stack.name}
    for group in resolve(stack).node_pools.groups:
        size = group.section.size
        autoscaling_group(
            account,
            group.group_name,
            subnet,
            sizes=(size.min, size.max, min(max(nodes, size.min), size.max)),
            tags=tags,
        )
    autoscaling_group(
        account,
        "somebody-elses",
        subnet,
        sizes=(1, 2, 1),
        tags={"k8s.io/cluster-autoscaler/another": "owned"},
    )
    eks = account.client("eks")
    roles = f"arn:aws:iam::{ACCOUNT}:role/some"
    eks.create_cluster(name=stack.name, roleArn=roles, resourcesVpcConfig={"subnetIds": [subnet]})
    core = stack.pools.core
    if core is not None:
        sizes = {"minSize": core.size, "maxSize": core.size, "desiredSize": core.size}
        eks.create_nodegroup(
            clusterName=stack.name,
            nodegroupName=f"{stack.name}-core-0",
            nodeRole=roles,
            subnets=[subnet],
            scalingConfig=sizes,
            tags={"stack": stack.name},
        )
    for name in (*_databases(stack), "somebody-elses"):
        account.client("rds").create_db_instance(
            DBInstanceIdentifier=name,
            DBInstanceClass="db.t4g.small",
            Engine="postgres",
            AllocatedStorage=20,
            MasterUsername="u",
            MasterUserPassword="p" * 12,
        )


def _databases(stack: StackConfig) -> list[str]:
    return Databases("test", None, stack).names  # type: ignore[arg-type] -- names need no account


def autoscaling_group(
    account: Cloud, name: str, subnet: str, *, sizes: tuple[int, int, int], tags: dict[str, str]
) -> None:
    """A group with its machines."""
    client = account.client("autoscaling")
    client.create_launch_configuration(
        LaunchConfigurationName=name, ImageId=account.image, InstanceType="t3.micro"
    )
    client.create_auto_scaling_group(
        AutoScalingGroupName=name,
        LaunchConfigurationName=name,
        MinSize=sizes[0],
        MaxSize=sizes[1],
        DesiredCapacity=sizes[2],
        VPCZoneIdentifier=subnet,
        Tags=[
            {
                "ResourceId": name,
                "ResourceType": "auto-scaling-group",
                "Key": key,
                "Value": value,
                "PropagateAtLaunch": True,
            }
            for key, value in tags.items()
        ],
    )


def state(account: Cloud) -> dict[str, Any]:
    """All that a pause may have touched, and its neighbours: sizes, machines, databases."""
    groups = {
        group["AutoScalingGroupName"]: (
            group["MinSize"],
            group["MaxSize"],
            group["DesiredCapacity"],
            len(group["Instances"]),
        )
        for group in account.client("autoscaling").describe_auto_scaling_groups()[
            "AutoScalingGroups"
        ]
    }
    eks, managed = account.client("eks"), {}
    for cluster in eks.list_clusters()["clusters"]:
        for name in eks.list_nodegroups(clusterName=cluster)["nodegroups"]:
            managed[name] = dict(
                eks.describe_nodegroup(clusterName=cluster, nodegroupName=name)["nodegroup"][
                    "scalingConfig"
                ]
            )
    databases = {
        item["DBInstanceIdentifier"]: item["DBInstanceStatus"]
        for item in account.client("rds").describe_db_instances()["DBInstances"]
    }
    machines = {
        f"{next((tag['Value'] for tag in item.get('Tags', []) if tag['Key'] == 'role'), '')} {item['InstanceId']}": item[
            "State"
        ]["Name"]
        for reservation in account.client("ec2").describe_instances()["Reservations"]
        for item in reservation["Instances"]
        if not any(tag["Key"].startswith("aws:autoscaling") for tag in item.get("Tags", []))
    }
    return {"groups": groups, "managed": managed, "databases": databases, "machines": machines}
