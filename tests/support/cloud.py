"""An account of moto's server, with what a stack would have made in it; and who asked it what."""

from __future__ import annotations

import contextlib
import http.server
import threading
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import boto3

from components.pools.spec import group_specs
from config.stack import StackConfig
from ops.pause.databases import Databases

REGION = "us-east-1"
ACCOUNT = "123456789012"
KEYS = {"AWS_ACCESS_KEY_ID": "AKIAEXAMPLE", "AWS_SECRET_ACCESS_KEY": "a-secret-key-of-nobody", "AWS_REGION": REGION, "AWS_DEFAULT_REGION": REGION}


@dataclass
class Cloud:
    """A server of moto's at `url`. `calls` holds what was asked through `environment`, by AWS's operation, in order."""

    url: str
    calls: list[str] = field(default_factory=list)
    before: Callable[[int, str], bool] = lambda number, operation: True
    #: Answers to what moto does not know, by method and path; None asks moto.
    answers: Callable[[str, str], tuple[int, bytes] | None] = lambda method, path: None

    def client(self, service: str) -> Any:
        """A client past the counter."""
        return boto3.client(service, endpoint_url=self.url, region_name=REGION, aws_access_key_id="a", aws_secret_access_key="b")

    def reset(self) -> None:
        """An empty account."""
        urllib.request.urlopen(urllib.request.Request(f"{self.url}/moto-api/reset", method="POST"), timeout=10)  # noqa: S310 -- loopback
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


@contextmanager
def counted(account: Cloud) -> Iterator[str]:
    """The address of a door in front of the account, which writes down each call and asks `before` whether it may pass: where it may not, the
    connection ends without an answer.
    """

    class Door(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            account.calls.append(self._operation(body))
            if not account.before(len(account.calls), account.calls[-1]):
                self.close_connection = True
                with contextlib.suppress(OSError):
                    self.connection.close()
                return
            ready = account.answers(self.command, self.path)
            if ready is not None:
                self._send(*ready, "application/json")
                return
            headers = {key: value for key, value in self.headers.items() if key.lower() not in ("host", "content-length", "connection", "expect")}
            request = urllib.request.Request(account.url + self.path, data=body or None, method=self.command, headers=headers)  # noqa: S310 -- loopback
            try:
                with urllib.request.urlopen(request, timeout=30) as answer:  # noqa: S310 -- loopback
                    status, answered, kind = answer.status, answer.read(), answer.headers.get("Content-Type", "")
            except urllib.error.HTTPError as error:
                status, answered, kind = error.code, error.read(), error.headers.get("Content-Type", "")
            self._send(status, answered, kind)

        def _send(self, status: int, answered: bytes, kind: str) -> None:
            with contextlib.suppress(OSError):
                self.send_response(status)
                self.send_header("Content-Type", kind)
                self.send_header("Content-Length", str(len(answered)))
                self.end_headers()
                self.wfile.write(answered)

        do_GET = do_PUT = do_DELETE = do_POST

        def _operation(self, body: bytes) -> str:
            text = body.decode(errors="replace")
            named = next((part.removeprefix("Action=") for part in text.split("&") if part.startswith("Action=")), "")
            return named or self.headers.get("X-Amz-Target", "").rpartition(".")[2] or f"{self.command} {self.path.partition('?')[0]}"

        def log_message(self, *_: object) -> None:
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Door)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def built(account: Cloud, stack: StackConfig, *, nodes: int = 1) -> None:
    """What `up` would have made of a stack's nodes and databases, as moto knows it, with `nodes` in each user group; and something of somebody else's."""
    subnet = account.client("ec2").describe_subnets()["Subnets"][0]["SubnetId"]
    for name, tags in ((group.group_name, {f"k8s.io/cluster-autoscaler/{stack.name}": "owned", "stack": stack.name}) for group in group_specs(stack)):
        section = next(group for group in group_specs(stack) if group.group_name == name).bought.size
        autoscaling_group(account, name, subnet, sizes=(section.min, section.max, min(max(nodes, section.min), section.max)), tags=tags)
    autoscaling_group(account, "somebody-elses", subnet, sizes=(1, 2, 1), tags={"k8s.io/cluster-autoscaler/another": "owned"})
    eks = account.client("eks")
    roles = f"arn:aws:iam::{ACCOUNT}:role/some"
    eks.create_cluster(name=stack.name, roleArn=roles, resourcesVpcConfig={"subnetIds": [subnet]})
    core = stack.pools.core
    if core is not None:
        sizes = {"minSize": core.size, "maxSize": core.size, "desiredSize": core.size}
        eks.create_nodegroup(
            clusterName=stack.name, nodegroupName=f"{stack.name}-core-0", nodeRole=roles, subnets=[subnet], scalingConfig=sizes, tags={"stack": stack.name}
        )
    for name in (*_databases(stack), "somebody-elses"):
        account.client("rds").create_db_instance(
            DBInstanceIdentifier=name, DBInstanceClass="db.t4g.small", Engine="postgres", AllocatedStorage=20, MasterUsername="u", MasterUserPassword="p" * 12
        )


def _databases(stack: StackConfig) -> list[str]:
    return Databases("test", None, stack).names  # type: ignore[arg-type] -- names need no account


def autoscaling_group(account: Cloud, name: str, subnet: str, *, sizes: tuple[int, int, int], tags: dict[str, str]) -> None:
    """A group with its machines."""
    image = account.client("ec2").describe_images()["Images"][0]["ImageId"]
    client = account.client("autoscaling")
    client.create_launch_configuration(LaunchConfigurationName=name, ImageId=image, InstanceType="t3.micro")
    client.create_auto_scaling_group(
        AutoScalingGroupName=name,
        LaunchConfigurationName=name,
        MinSize=sizes[0],
        MaxSize=sizes[1],
        DesiredCapacity=sizes[2],
        VPCZoneIdentifier=subnet,
        Tags=[{"ResourceId": name, "ResourceType": "auto-scaling-group", "Key": key, "Value": value, "PropagateAtLaunch": True} for key, value in tags.items()],
    )


def state(account: Cloud) -> dict[str, Any]:
    """All that a pause may have touched, and its neighbours: sizes, machines, databases."""
    groups = {
        group["AutoScalingGroupName"]: (group["MinSize"], group["MaxSize"], group["DesiredCapacity"], len(group["Instances"]))
        for group in account.client("autoscaling").describe_auto_scaling_groups()["AutoScalingGroups"]
    }
    eks, managed = account.client("eks"), {}
    for cluster in eks.list_clusters()["clusters"]:
        for name in eks.list_nodegroups(clusterName=cluster)["nodegroups"]:
            managed[name] = dict(eks.describe_nodegroup(clusterName=cluster, nodegroupName=name)["nodegroup"]["scalingConfig"])
    databases = {item["DBInstanceIdentifier"]: item["DBInstanceStatus"] for item in account.client("rds").describe_db_instances()["DBInstances"]}
    machines = {
        item["InstanceId"]: item["State"]["Name"]
        for reservation in account.client("ec2").describe_instances()["Reservations"]
        for item in reservation["Instances"]
        if not any(tag["Key"].startswith("aws:autoscaling") for tag in item.get("Tags", []))
    }
    return {"groups": groups, "managed": managed, "databases": databases, "machines": machines}
