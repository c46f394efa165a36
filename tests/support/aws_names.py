"""Names of AWS's own in what a program asks for, and whether data of AWS's making has them.

`names_in` finds them at any depth, in JSON texts too. `unknown` looks them up: managed policies,
service principals and prefixes of log groups in AWS's managed policies and their documents (moto's
dump of 1,582), actions and condition keys in the tables of the IAM linter (AWS's service
authorization reference), services with an endpoint in the list of AWS's CDK, add-ons in the
published answer of DescribeAddonVersions. What none of these has is in `DOCUMENTED`, with its
document.
"""

from __future__ import annotations

import json
import re
import runpy
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from jupyterhub_aws.config.endpoints import endpoint_services
from jupyterhub_aws.config.versions import pins
from tests.support.moto_data import moto_file
from tests.support.policies import parliament

_POLICY = re.compile(r"arn:aws(?:-cn|-us-gov)?:iam::aws:policy/([^\"\s]+)")
_ACCESS = re.compile(r":eks::aws:cluster-access-policy/([\w-]+)")
_ENDPOINT = re.compile(r"com\.amazonaws\.(?:[a-z]{2}(?:-[a-z]+)+-\d\.)?([a-z0-9.-]+)")
_PARAMETER = re.compile(r"/aws/service/[^\"\s]+")
_LOGS = re.compile(r"(?<![\w.-])/aws/(?!service/)[A-Za-z0-9_-]+")
_PRINCIPAL = re.compile(r"([a-z0-9.-]+?)(?:\.[a-z]{2}(?:-[a-z]+)+-\d)?\.amazonaws\.com(?:\.cn)?")
#: Condition keys whose values are service principals (IAM user guide, "Global condition context
#: keys"; of kms and iam in their own references).
_NAMES_SERVICES = (
    "iam:passedtoservice",
    "iam:awsservicename",
    "kms:viaservice",
    "aws:calledvia",
    "aws:principalservicename",
)


@dataclass(frozen=True, order=True)
class Name:
    """One name of a kind. A condition's is `ACTION KEY`."""

    kind: str
    text: str


_FEDERATED = (
    "2026-11-29, IAM user guide, Available keys for AWS OIDC federation; GitHub docs, OpenID"
    " Connect reference"
)
#: What no data of AWS's that a test can read confirms: the document that does, and the day on which
#: it was read.
DOCUMENTED: Mapping[Name, str] = {
    Name(
        "principal", "dlm"
    ): "2026-11-29, Data Lifecycle Manager user guide, IAM service roles (trust relationship)",
    Name("principal", "vpc-flow-logs"): (
        "2026-11-29, VPC user guide, IAM role for publishing flow logs; aws-cdk-lib"
        " aws-ec2/lib/vpc-flow-logs"
    ),
    Name(
        "add-on", "amazon-cloudwatch-observability"
    ): "2026-11-29, CloudWatch user guide, Install the CloudWatch agent with the Amazon EKS add-on",
    Name(
        "add-on", "aws-mountpoint-s3-csi-driver"
    ): "2026-11-30, awslabs/mountpoint-s3-csi-driver v2.7.0, README (EKS Addon), to the EKS user guide, Store application data in Amazon S3 (s3-csi)",
    Name(
        "principal", "eks-nodegroup"
    ): "2026-11-29, EKS user guide, Using roles for Amazon EKS node groups",
    Name(
        "log group", "/aws/containerinsights"
    ): "2026-11-29, CloudWatch user guide, Container Insights metrics (log groups)",
    Name(
        "log group", "/aws/events"
    ): "2026-11-29, EventBridge user guide, CloudWatch Logs as a target (the name has to begin so)",
    Name(
        "access policy", "AmazonEKSClusterAdminPolicy"
    ): "2026-11-29, EKS user guide, Review access policy permissions",
    Name(
        "condition key", "sts:AssumeRoleWithWebIdentity token.actions.githubusercontent.com:aud"
    ): _FEDERATED,
    Name(
        "condition key", "sts:AssumeRoleWithWebIdentity token.actions.githubusercontent.com:sub"
    ): _FEDERATED,
}
#: SSM parameters of EKS's images: minor, architecture, variant and image
#: (aws/karpenter-provider-aws pkg/providers/amifamily/al2023.go, read on
#: 2026-11-29; the image's name: EKS user guide, "Retrieve recommended Amazon Linux AMI IDs", and
#: the releases of awslabs/amazon-eks-ami).
_IMAGE = re.compile(
    r"/aws/service/eks/optimized-ami/(?P<minor>1\.\d\d)/amazon-linux-2023/(?P<arch>x86_64|arm64)/(?P<variant>standard|nvidia|neuron)"
    r"/amazon-eks-node-al2023-(?P=arch)-(?P=variant)-(?P=minor)-v\d{8}/image_id"
)


def names_in(inputs: Any) -> Iterator[Name]:
    """Every name of AWS's in some inputs."""
    for value in _values(inputs):
        if isinstance(value, str):
            yield from _of_text(value)
        else:
            if "Statement" in value:
                yield from _of_document(value)
            if isinstance(addon := value.get("addonName"), str):
                yield Name("add-on", addon)


def _values(value: Any) -> Iterator[str | Mapping[str, Any]]:
    """Every text and map in a value; a text that is JSON is entered, too."""
    if isinstance(value, Mapping):
        yield value
        for key, inner in value.items():
            yield from _values(str(key))
            yield from _values(inner)
    elif isinstance(value, (list, tuple)):
        for inner in value:
            yield from _values(inner)
    elif isinstance(value, str):
        if value.lstrip()[:1] in ("{", "["):
            try:
                yield from _values(json.loads(value))
            except ValueError:
                yield value
        else:
            yield value


def _of_text(text: str) -> Iterator[Name]:
    yield from (Name("managed policy", found) for found in _POLICY.findall(text))
    yield from (Name("access policy", found) for found in _ACCESS.findall(text))
    yield from (Name("endpoint service", found) for found in _ENDPOINT.findall(text))
    yield from (Name("parameter", found) for found in _PARAMETER.findall(text))
    yield from (Name("log group", found) for found in _LOGS.findall(text))


def _of_document(document: Mapping[str, Any]) -> Iterator[Name]:
    for statement in _listed(document["Statement"]):
        principal = statement.get("Principal")
        services = _listed(principal.get("Service", ())) if isinstance(principal, Mapping) else []
        actions = [
            action for key in ("Action", "NotAction") for action in _listed(statement.get(key, ()))
        ]
        for operator in statement.get("Condition", {}).values():
            for key, values in operator.items():
                services += _listed(values) if key.lower() in _NAMES_SERVICES else []
                yield from (Name("condition key", f"{action} {key}") for action in actions)
        yield from (Name("action", action) for action in actions if action != "*")
        for service in services:
            found = _PRINCIPAL.fullmatch(str(service))
            yield Name("principal", found[1] if found else str(service))


def _listed(value: Any) -> list[Any]:
    return list(value) if isinstance(value, (list, tuple)) else [value]


def unknown(names: Iterable[Name]) -> set[Name]:
    """Those that neither data of AWS's nor `DOCUMENTED` has."""
    return {name for name in set(names) if name not in DOCUMENTED and not confirmed(name)}


def confirmed(name: Name) -> bool:
    """Whether data of AWS's making has a name."""
    return _LOOKUPS[name.kind](name.text)


def _is_addon(text: str) -> bool:
    return any(
        pin.kind == "addon" and pin.name == text and "describe-addon-versions" in pin.source
        for pin in pins()
    )


@cache
def _from_aws() -> tuple[frozenset[str], ...]:
    """Of AWS's managed policies: path and name of each; and the service principals, first parts
    of log groups, and parameters that their documents name.
    """
    of_aws = runpy.run_path(str(moto_file("iam", "aws_managed_policies.py")))
    policies, services, groups, parameters = set(), set(), set(), set()
    for name, policy in json.loads(of_aws["aws_managed_policies_data"]).items():
        policies.add(f"{policy['Path']}{name}".removeprefix("/"))
        text = json.dumps(policy["Document"])
        services |= {found for found in re.findall(r'"([a-z0-9.-]+)\.amazonaws\.com"', text)}
        groups |= set(re.findall(r"log-group:(/aws/[A-Za-z0-9_-]+)", text))
        parameters |= set(re.findall(r"parameter(/aws/service/[^\"]+)", text))
    return frozenset(policies), frozenset(services), frozenset(groups), frozenset(parameters)


@cache
def _privileges(action: str) -> tuple[tuple[str, str], ...]:
    """Service and action of each action that a text with wildcards stands for; empty where AWS
    has none.
    """
    service, _, pattern = action.partition(":")
    matcher = re.compile(
        "".join({"*": ".*", "?": "."}.get(char, re.escape(char)) for char in pattern), re.IGNORECASE
    )
    return tuple((service, found) for found in _service(service)[0] if matcher.fullmatch(found))


@cache
def _service(prefix: str) -> tuple[Mapping[str, Mapping[str, Any]], Mapping[str, frozenset[str]]]:
    """Of a service, as the reference says: its actions, and the condition keys of its kinds of
    resources.
    """
    actions: dict[str, Mapping[str, Any]] = {}
    kinds: dict[str, frozenset[str]] = {}
    for row in parliament().iam_definition:
        if row["prefix"] == prefix:
            actions |= {item["privilege"]: item for item in row["privileges"]}
            kinds |= {
                item["resource"]: frozenset(item["condition_keys"]) for item in row["resources"]
            }
    return actions, kinds


@cache
def _has_key(action: str, key: str) -> bool:
    """Whether a key is a global one, or one that the reference gives to this action or to a kind
    of resource that it touches.
    """
    known = parliament().statement.get_global_key_type(key) is not None
    if action == "*" or known:
        return known
    if not (found := _privileges(action)):
        return True  # the action is the fault, and is told as one
    return any(_matches(key, known) for service, name in found for known in _keys(service, name))


def _keys(service: str, name: str) -> Iterator[str]:
    actions, kinds = _service(service)
    for touched in actions[name]["resource_types"]:
        yield from touched["condition_keys"]
        yield from kinds.get(str(touched["resource_type"]).rstrip("*"), ())


def _matches(key: str, known: str) -> bool:
    """A key of the reference may hold a variable: `ec2:ResourceTag/${TagKey}`."""
    pattern = re.sub(r"\\\$\\\{\w+\\\}", "[^/]+(?:/[^/]+)*", re.escape(known))
    return re.fullmatch(pattern, key, re.IGNORECASE) is not None


_LOOKUPS: Mapping[str, Callable[[str], bool]] = {
    "managed policy": lambda text: text in _from_aws()[0],
    "principal": lambda text: text in _from_aws()[1],
    "log group": lambda text: text in _from_aws()[2],
    "access policy": lambda text: False,
    "endpoint service": lambda text: text in endpoint_services(),
    # A policy names the images' folder: what every one of them begins with.
    "parameter": (
        lambda text: (
            _IMAGE.fullmatch(text) is not None
            or text in (*_from_aws()[3], "/aws/service/eks/optimized-ami/*")
        )
    ),
    "add-on": _is_addon,
    "action": lambda text: bool(_privileges(text)),
    "condition key": lambda text: _has_key(*text.split(" ", 1)),
}
