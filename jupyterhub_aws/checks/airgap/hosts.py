"""No host outside in any string of any input: addresses with a scheme, and bare names that end
like one in the internet.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from ipaddress import IPv4Address

from jupyterhub_aws.checks.airgap.user_data import decoded
from jupyterhub_aws.checks.airgap.view import View, fault
from jupyterhub_aws.checks.finding import Finding
from jupyterhub_aws.checks.resources import Resource
from jupyterhub_aws.config.egress import matches
from jupyterhub_aws.config.entry import PortForwardEntry
from jupyterhub_aws.config.errors import dotted
from jupyterhub_aws.config.registry import OnNodes
from jupyterhub_aws.config.tree import Path, leaves

_ADDRESS = re.compile(
    r"[a-z][a-z0-9+.-]*://(?:[^/@\s'\"]*@)?(?P<host>[A-Za-z0-9._-]+)", re.IGNORECASE
)
#: A name with a dot, not inside a path, an identifier or a number.
_NAME = re.compile(
    r"(?<![\w./@$:{-])(?P<host>(?:[a-z0-9](?:[a-z0-9-]*[a-z0-9])?\.)+(?P<top>[a-z]{2,}))(?![\w-]|\.[a-z])"
)
_TOP = frozenset("com org net edu gov mil int info biz dev app cloud io ai co".split())
_TWO = 2
#: Names that look like hosts and are identifiers: of labels, annotations, drivers, service
#: principals. Nobody is asked for them.
_IDENTIFIERS = re.compile(
    r"(hub\.jupyter\.org|jupyter\.org|helm\.sh|pulumi\.com|nvidia\.com|[a-z.-]*\.?(kubernetes|k8s)\.io|k8s\.amazonaws\.com|eks\.amazonaws\.com|"
    r"(ebs|efs)\.csi\.aws\.com|node\.eks\.aws)"
)
#: Who may do what: services stand there as principals. Nobody is asked for them.
_DOCUMENTS = ("assumeRolePolicy", "policy", "policyDocument")
_PRINCIPAL = re.compile(r"[a-z0-9-]+(\.[a-z]+)?\.amazonaws\.com(\.cn)?")
#: AWS itself tells these, from outside of every network: e-mail and https addresses of people.
_TOLD_BY_AWS = "aws:sns/topicSubscription:TopicSubscription"
_PYTHON = ("hub", "extraConfig")


def hosts(view: View) -> Iterator[Finding]:
    """Every host that some input names is inside."""
    on_nodes = isinstance(view.stack.registry, OnNodes)  # there an image's name is only a name
    for resource in (item for item in view.resources if item.type != _TOLD_BY_AWS):
        for path, host in named_hosts(resource):
            if not (inside(view, host) or (on_nodes and _names_an_image(path))):
                what = f"names {host} at {dotted(path)}"
                yield fault(
                    "hosts",
                    resource,
                    what,
                    "remove it, or add it to network.internal_hosts if it is inside",
                    "network.internal_hosts",
                )


def named_hosts(resource: Resource) -> Iterator[tuple[Path, str]]:
    """The hosts that a resource's inputs name, and where. One that an image or a chart names is
    another rule's matter too.
    """
    for path, value in leaves(dict(resource.inputs)):
        if not isinstance(value, str):
            continue
        text = decoded(value) if path[-1] in ("userData", "userDataBase64") else value
        if any(path[index : index + 2] == _PYTHON for index in range(len(path))):
            text = " ".join(_strings_of_code(text))
        for host in sorted(
            {match["host"].lower().rstrip(".") for match in _ADDRESS.finditer(text)}
        ):
            yield path, host
        for match in _NAME.finditer(text):
            known = match["top"] in _TOP or len(match["top"]) == _TWO
            principal = path[-1] in _DOCUMENTS and _PRINCIPAL.fullmatch(match["host"])
            if known and not principal and not _IDENTIFIERS.fullmatch(match["host"]):
                yield path, match["host"]


def _names_an_image(path: Path) -> bool:
    return path[-1] == "image" or path[-2:] in (("image", "name"), ("image", "repository"))


def _strings_of_code(code: str) -> Iterator[str]:
    """The strings in Python code: its names with dots are no hosts."""
    try:
        tree = ast.parse(code)
    except SyntaxError:
        yield code
        return
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.value


def inside(view: View, host: str) -> bool:
    """Whether a host is inside: the stack's own names and registry, AWS's endpoints in the VPC,
    what the stack file says is inside, private addresses.
    """
    if "." not in host or host.endswith((".svc", ".local", ".internal", ".localhost")):
        return True
    try:
        address = IPv4Address(host)
    except ValueError:
        return _known(view, host)
    return address.is_loopback or address.is_link_local or view.declared(f"{address}/32")


def _known(view: View, host: str) -> bool:
    stack = view.stack
    own = {
        hub.entry.hostname
        for hub in stack.hubs.values()
        if not isinstance(hub.entry, PortForwardEntry)
    }
    registry = (stack.own_registry or "").partition("/")[0].partition(":")[0]
    if host in own or host == registry or matches(host, view.network.internal_hosts):
        return True
    suffix = f".{stack.region}.amazonaws.com"
    if not stack.region or not (
        host.endswith((suffix, f"{suffix}.cn")) or host.startswith(f"s3{suffix}")
    ):
        return False
    service = host.partition(suffix)[0]
    wanted = (
        "ecr.dkr"
        if service.endswith(".dkr.ecr")
        else service.rpartition(".")[2]
        if service.endswith(".s3")
        else service
    )
    names = {
        str(item.inputs.get("serviceName", ""))
        for item in view.resources.of("aws:ec2/vpcEndpoint:VpcEndpoint")
    }
    return f"com.amazonaws.{stack.region}.{wanted}" in names or not names
