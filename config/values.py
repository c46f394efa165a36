"""The small values that a stack file is made of: names, addresses, prices, ARNs. Each check has
its own fix.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from decimal import Decimal, InvalidOperation
from ipaddress import IPv4Network
from typing import Annotated

from pydantic import AfterValidator, BeforeValidator, Field

from jupyterhub_aws.config.errors import refuse, shown
from jupyterhub_aws.config.suggestions import valid_name
from jupyterhub_aws.config.zones import PARTITIONS, no_zone, partition_named, regions, zones

# Always with fullmatch, for `$` lets a last newline pass; ASCII, for \d and \w know the digits and
# letters of every script.
_NAME = re.compile(r"^[a-z][a-z0-9]*(-[a-z0-9]+)*$")
_ZONE = re.compile(r"^[a-z]{2}(-[a-z]+)+-[0-9][a-z]$")
_REGION = re.compile(r"^[a-z]{2}(-[a-z]+)+-[0-9]$")
_ROLE_OR_USER = re.compile(
    r"^arn:aws(-cn|-us-gov)?:iam::[0-9]{12}:(role|user)/[\w+=,.@/-]+$", re.ASCII
)
_KMS_KEY = re.compile(
    r"^arn:aws(-cn|-us-gov)?:kms:[a-z0-9-]+:[0-9]{12}:key/(mrk-[0-9a-f]+|[0-9a-f-]+)$"
)
_PRICE = re.compile(r"^[0-9]+(\.[0-9]{1,6})?$")
_MINOR = re.compile(r"^1\.[0-9]{2}$")
#: A server's name or address, without scheme and port.
HOST = re.compile(r"[A-Za-z0-9]([A-Za-z0-9.-]{0,251}[A-Za-z0-9])?")
_LABEL_NAME = re.compile(r"^[A-Za-z0-9]([A-Za-z0-9._-]{0,61}[A-Za-z0-9])?$")


_WIDEST_OWN_PREFIX = 8


def _name(limit: int, example: str) -> AfterValidator:
    def check(value: str) -> str:
        if not _NAME.fullmatch(value):
            raise refuse(
                "name.malformed",
                "must be lower-case letters, digits and single dashes, beginning with a letter"
                f" (got {shown(value)})",
                f"write {name}"
                if (name := valid_name(value, limit))
                else f"write something like {example}",
            )
        if len(value) > limit:
            what = f"must be at most {limit} characters (got {len(value)})"
            fix = f"shorten it, for example to {value[:limit].rstrip('-')}"
            raise refuse("name.length", what, fix)
        return value

    return AfterValidator(check)


def _zone(value: str) -> str:
    if not _ZONE.fullmatch(value):
        if other := no_zone(value):
            raise refuse("zones.no-zone", f"{other[0]} (got {shown(value)})", other[1])
        fix = "write the zone's full name, such as us-east-1a"
        raise refuse("zones.malformed", f"is not an availability zone (got {shown(value)})", fix)
    return value


def _region(value: str) -> str:
    partition = partition_named(value)
    if partition in PARTITIONS:
        return value
    if partition is not None:
        what = (
            f"is in the partition {partition}, and this program knows only {', '.join(PARTITIONS)}"
            f" (got {shown(value)})"
        )
        raise refuse("region.partition", what, "choose a region of these")
    if _REGION.fullmatch(value):
        near = (
            [name for name in regions() if name[:-1] == value[:-1]]
            or [name for name in regions() if name[:3] == value[:3]]
            or regions()
        )
        listed = f"{', '.join(near[:-1])} or {near[-1]}" if len(near) > 1 else near[0]
        what = f"is not a region that AWS had on {zones().read} (got {shown(value)})"
        raise refuse("region.unknown", what, f"did you mean {listed}?")
    if _ZONE.fullmatch(value):
        fix = f"write {value[:-1]}"
        raise refuse("region.zone", f"is a zone, not a region (got {shown(value)})", fix)
    fix = "write a region's name, such as us-east-1"
    raise refuse("region.malformed", f"is not a region (got {shown(value)})", fix)


def _cidr(value: str) -> str:
    try:
        network = IPv4Network(value)
    except ValueError as error:
        if "host bits" in str(error):
            network = IPv4Network(value, strict=False)
            what = f"names a host, not a network (got {shown(value)})"
            raise refuse("cidr.host-bits", what, f"write {network}") from None
        what = f"is not an IPv4 network (got {shown(value)})"
        fix = "write it as address/length, such as 10.0.0.0/16"
        raise refuse("cidr.malformed", what, fix) from None
    if "/" not in value:
        fix = f"add one, such as {value}/16 (/32 means this one address)"
        raise refuse("cidr.no-length", f"has no length (got {shown(value)})", fix)
    if str(network) != value:  # Python also takes netmasks, AWS does not
        what = f"does not give its length as a plain number of bits (got {shown(value)})"
        raise refuse("cidr.length", what, f"write {network}")
    return value


def is_world(cidr: str) -> bool:
    """Whether a range is too wide for a private network: two ranges of /1 are the whole internet
    too.
    """
    prefix = cidr.rpartition("/")[2]
    return prefix.isdigit() and int(prefix) < _WIDEST_OWN_PREFIX


#: RFC 5737: ranges for documentation, which are not routed.
_DOCUMENTATION = tuple(map(IPv4Network, ("192.0.2.0/24", "198.51.100.0/24", "203.0.113.0/24")))


def is_documentation(cidr: str) -> bool:
    """Whether a range is one for documentation, which no client has."""
    return any(IPv4Network(cidr).subnet_of(net) for net in _DOCUMENTATION)


def world_only_by_name(option: str, cidrs: Iterable[str], *, public: bool, opens: str) -> None:
    """Refuse a list that lets the whole internet in without `public: true` beside it, and the
    reverse. `opens` says what such a list does.
    """
    world = any(map(is_world, cidrs))
    if world and not public:
        fix = "list your own networks, or set public: true beside it"
        raise refuse("cidr.world-unnamed", f"{option} {opens}", fix)
    if public and not world:
        what = f"public is true, but {option} does not contain 0.0.0.0/0"
        fix = "remove public, or add 0.0.0.0/0 if you mean it"
        raise refuse("cidr.public-without-world", what, fix)


_ADDRESS = re.compile(
    r"[a-z][a-z0-9+.-]*://(?:[^/@\s]*@)?(?P<host>\[[^\]]+\]|[^/:?#\s]+)(?::(?P<port>[0-9]{1,5}))?(?P<rest>[/?#]\S*)?",
    re.IGNORECASE,
)


def host_of(address: str) -> str:
    # not urllib: this package imports no module that could open a connection
    """The host of an address with a scheme; empty where it has none."""
    match = _ADDRESS.match(address)
    return match["host"].lower() if match else ""


def port_of(address: str) -> int:
    """The port of an address with a scheme: the one that it names, or the well-known one."""
    match = _ADDRESS.match(address)
    given = match["port"] if match else None
    return int(given) if given else 80 if address.lower().startswith("http:") else 443


def _price(value: str) -> str:
    try:
        price = Decimal(value)
    except InvalidOperation:
        fix = 'write US dollars per hour in quotes, such as "0.35"'
        raise refuse("price.malformed", f"is not a price (got {shown(value)})", fix) from None
    if not price.is_finite() or price <= 0 or price > 1000:  # no EC2 type costs 1,000 USD per hour
        what = f"is not a possible price per hour (got {shown(value)})"
        fix = 'write US dollars per hour in quotes, such as "0.35"'
        raise refuse("price.impossible", what, fix)
    if not _PRICE.fullmatch(value):
        fix = 'write digits with at most six decimals, such as "0.35"'
        raise refuse("price.not-decimal", f"is not a plain decimal (got {shown(value)})", fix)
    return value


def _minor(value: str) -> str:
    if not _MINOR.fullmatch(value):
        what = f"is not a Kubernetes minor version (got {shown(value)})"
        raise refuse("version.malformed", what, 'write major and minor in quotes, such as "1.35"')
    return value


def _principal(value: str) -> str:
    if not _ROLE_OR_USER.fullmatch(value):
        raise refuse(
            "administrators.arn",
            f"is not the ARN of an IAM role or user (got {shown(value)})",
            "write it like arn:aws:iam::123456789012:role/platform-admin (an assumed role's session"
            " ARN does not work: give the role itself)",
        )
    return value


def _kms_key(value: str) -> str:
    if not _KMS_KEY.fullmatch(value):
        fix = (
            "write it like"
            " arn:aws:kms:us-east-1:123456789012:key/1234abcd-12ab-34cd-56ef-1234567890ab (an alias"
            " does not work)"
        )
        raise refuse("key.arn", f"is not the ARN of a KMS key (got {shown(value)})", fix)
    return value


def aws_id(kind: str) -> AfterValidator:
    """A check that text is an id of AWS of this kind, such as `vpc`."""
    form = re.compile(rf"{kind}-[0-9a-f]{{8,17}}")

    def check(value: str) -> str:
        if not form.fullmatch(value):
            fix = f"write it like {kind}-0123456789abcdef0"
            raise refuse("aws-id.malformed", f"is not an id of that kind (got {shown(value)})", fix)
        return value

    return AfterValidator(check)


def _account(value: object) -> object:
    if isinstance(value, (int, float)):
        what = (
            f"must be a quoted string (got the number {shown(value)}): numbers lose leading zeros"
        )
        raise refuse("account.number", what, 'write the account in quotes, such as "123456789012"')
    if isinstance(value, str) and not re.fullmatch(r"[0-9]{12}", value):
        what = f"is not the number of an AWS account (got {shown(value)})"
        fix = 'write its twelve digits in quotes, such as "123456789012"'
        raise refuse("account.malformed", what, fix)
    return value


def _label_key(value: str) -> str:
    prefix, slash, name = value.rpartition("/")
    if not _LABEL_NAME.fullmatch(name) or (
        slash and not re.fullmatch(r"[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?", prefix)
    ):
        fix = (
            "write name or prefix.example.org/name: the prefix in lower case, the name with at most"
            " 63 characters"
        )
        raise refuse("label.key", f"is not a Kubernetes label key (got {shown(value)})", fix)
    return value


def _label_value(value: str) -> str:
    if value and not _LABEL_NAME.fullmatch(value):
        fix = (
            "use at most 63 letters, digits, dots, dashes and underscores, beginning and ending"
            " with a letter or digit"
        )
        raise refuse("label.value", f"is not a Kubernetes label value (got {shown(value)})", fix)
    return value


#: EKS API reference, CreateCluster: the pattern of a cluster's name, and its 100 characters. Of
#: existing clusters.
_CLUSTER_NAME = re.compile(r"[0-9A-Za-z][A-Za-z0-9_-]{0,99}")


def _cluster_name(value: str) -> str:
    if not _CLUSTER_NAME.fullmatch(value):
        what = f"is not the name of a cluster in EKS (got {shown(value)})"
        raise refuse("cluster.name", what, "write it as `aws eks list-clusters` shows it")
    return value


ClusterName = Annotated[str, AfterValidator(_cluster_name)]
#: Prefix of every physical name. 24 characters leave room for the longest one built from it (an IAM
#: role's limit is 64).
StackName = Annotated[
    str, _name(24, "jhub-dev"), Field(json_schema_extra={"pattern": _NAME.pattern, "maxLength": 24})
]
#: Name of a pool or a hub: part of Kubernetes names, label values and Auto Scaling group names.
ShortName = Annotated[
    str, _name(20, "memory"), Field(json_schema_extra={"pattern": _NAME.pattern, "maxLength": 20})
]
Zone = Annotated[str, AfterValidator(_zone), Field(json_schema_extra={"pattern": _ZONE.pattern})]
Region = Annotated[str, AfterValidator(_region)]
Cidr = Annotated[str, AfterValidator(_cidr), Field(json_schema_extra={"examples": ["10.0.0.0/16"]})]
Price = Annotated[
    str,
    AfterValidator(_price),
    Field(json_schema_extra={"examples": ["0.35"], "pattern": _PRICE.pattern}),
]
KubernetesMinor = Annotated[
    str, AfterValidator(_minor), Field(json_schema_extra={"pattern": _MINOR.pattern})
]
PrincipalArn = Annotated[
    str,
    AfterValidator(_principal),
    Field(json_schema_extra={"examples": ["arn:aws:iam::123456789012:role/platform-admin"]}),
]
KmsKeyArn = Annotated[str, AfterValidator(_kms_key)]
VpcId = Annotated[str, aws_id("vpc")]
AccountId = Annotated[
    str,
    BeforeValidator(_account),
    Field(json_schema_extra={"examples": ["123456789012"], "pattern": "^[0-9]{12}$"}),
]
LabelKey = Annotated[str, AfterValidator(_label_key)]
LabelValue = Annotated[str, AfterValidator(_label_value)]


def partition_of(region: str) -> str:
    """`aws`, `aws-cn` or `aws-us-gov` (AWS general reference, "Amazon Resource Names")."""
    if region.startswith("cn-"):
        return "aws-cn"
    return "aws-us-gov" if region.startswith("us-gov-") else "aws"
