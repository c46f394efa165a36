"""How users reach a hub: a load balancer of its own, a node port, or a tunnel for a first try;
and where TLS is terminated.
"""

from __future__ import annotations

import re
from ipaddress import IPv4Address
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, model_validator

from jupyterhub_aws.config.errors import refuse, shown
from jupyterhub_aws.config.model import Model, option, tag
from jupyterhub_aws.config.values import Cidr, world_only_by_name

HOSTNAME = re.compile(
    r"(?=.{4,253}$)([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z][a-z0-9-]{0,61}[a-z0-9]"
)
_ACM_ARN = re.compile(r"arn:aws(-cn|-us-gov)?:acm:[a-z0-9-]+:[0-9]{12}:certificate/[0-9a-f-]+")
_ZONE_ID = re.compile(r"Z[A-Z0-9]{7,31}")
_PEM = re.compile(r"-----BEGIN CERTIFICATE-----\s.+-----END CERTIFICATE-----", re.DOTALL)
_BRIEF = "In place; open connections break once."
#: kube-apiserver's default --service-node-port-range, which cannot be changed in EKS.
FIRST_NODE_PORT, LAST_NODE_PORT = 30000, 32767


def _hostname(value: str) -> str:
    if "://" in value or "/" in value:
        what = f"is an address, not a host name (got {shown(value)})"
        fix = f"write {value.partition('://')[2].partition('/')[0] or 'hub.example.org'}"
        raise refuse("host-name.address", what, fix)
    if not HOSTNAME.fullmatch(value):
        what = f"is not a full host name in lower case (got {shown(value)})"
        raise refuse("host-name.malformed", what, "write it like hub.example.org")
    return value


def _certificate_arn(value: str) -> str:
    if not _ACM_ARN.fullmatch(value):
        raise refuse(
            "tls.certificate-arn",
            f"is not the ARN of an ACM certificate (got {shown(value)})",
            "write it like"
            " arn:aws:acm:us-east-1:123456789012:certificate/12345678-1234-1234-1234-123456789012",
        )
    return value


def _zone_id(value: str) -> str:
    if not _ZONE_ID.fullmatch(value):
        what = f"is not the id of a Route 53 hosted zone (got {shown(value)})"
        fix = "write the id, such as Z0123456789ABCDEFGHIJ, not the zone's name"
        raise refuse("tls.zone-id", what, fix)
    return value


def _address(value: str) -> str:
    try:
        address = IPv4Address(value)
    except ValueError:
        what = f"is not an IPv4 address (got {shown(value)})"
        fix = "write one that routes to a node, such as 10.1.2.3"
        raise refuse("address.malformed", what, fix) from None
    # Kubernetes API validation, ValidateNonSpecialIP: addresses that no service may have.
    if (
        address.is_loopback
        or address.is_link_local
        or address.is_multicast
        or address.is_unspecified
    ):
        what = f"is an address that no service may have (got {shown(value)})"
        raise refuse("address.unusable", what, "write one that routes to a node")
    return value


def _pem(value: str) -> str:
    if "PRIVATE KEY" in value:
        fix = (
            "replace that key: it has been in a file; give the new one as a secret"
            " (docs/operations.md)"
        )
        raise refuse("tls.private-key", "holds a private key in clear text", fix)
    if not _PEM.fullmatch(value.strip()):
        fix = (
            "paste it with its BEGIN and END lines, the server's first, then the chain, under"
            " `certificate: |`"
        )
        raise refuse("tls.not-pem", "is not a certificate in PEM form", fix)
    return value.strip() + "\n"


Hostname = Annotated[
    str, AfterValidator(_hostname), Field(json_schema_extra={"examples": ["hub.example.org"]})
]
CertificateArn = Annotated[str, AfterValidator(_certificate_arn)]
HostedZoneId = Annotated[
    str, AfterValidator(_zone_id), Field(json_schema_extra={"examples": ["Z0123456789ABCDEFGHIJ"]})
]
NodePort = Annotated[int, Field(ge=FIRST_NODE_PORT, le=LAST_NODE_PORT)]


class AcmTls(Model):
    """TLS is terminated at the load balancer, with a certificate that AWS renews automatically."""

    kind: Literal["acm"] = tag(
        "acm",
        help="`acm`: a certificate of AWS Certificate Manager, at the balancer.",
        changing=_BRIEF,
    )
    certificate_arn: CertificateArn | None = option(
        None,
        help=(
            "A certificate that exists. Without it one is requested and validated in"
            " `entry.route53_zone`."
        ),
        changing="In place, without an interruption.",
    )


class CertificateTls(Model):
    """TLS is terminated at the proxy, with a certificate of yours: for names that ACM cannot
    validate.
    """

    kind: Literal["certificate"] = tag(
        "certificate",
        help=(
            "`certificate`: a certificate of yours, in the proxy. Its key is a secret of the stack."
        ),
        changing=_BRIEF,
    )
    certificate: Annotated[str, AfterValidator(_pem)] = option(
        help="The certificate and its chain in PEM form. Not secret.",
        changing="The proxy restarts.",
    )


class NoTls(Model):
    """No TLS: passwords travel in clear text."""

    kind: Literal["none"] = tag(
        "none", help="`none`: plain HTTP. Only for a trial.", changing=_BRIEF
    )
    trial: Literal[True] = option(
        help="Write true to confirm that no real password goes through this hub.",
        changing="Nothing.",
    )


Tls = Annotated[AcmTls | CertificateTls | NoTls, Field(discriminator="kind")]


class _Exposed(Model):
    """Options of every entry that is open to more than one user."""

    hostname: Hostname = option(
        help="The host name that users open. Sign-in services redirect to it.",
        changing="The old name stops working.",
    )
    allowed_cidrs: tuple[Cidr, ...] = option(
        (),
        help="Networks that may connect: your campus, your VPN.",
        changing="In place, at once; users in a removed network lose access.",
        max_length=50,
    )
    node_port: NodePort | None = option(
        None,
        help=(
            f"Port of the core nodes, {FIRST_NODE_PORT} to {LAST_NODE_PORT}, different for each"
            " hub. Default: derived from the hub's name."
        ),
        changing=_BRIEF,
    )


class LoadBalancerEntry(_Exposed):
    """A Network Load Balancer of the hub's own: in the plan, tagged, and deleted with the hub."""

    kind: Literal["load_balancer"] = tag(
        "load_balancer",
        help="`load_balancer`: a Network Load Balancer.",
        changing="Users cannot connect until the name points to the new one.",
    )
    tls: Tls = option(AcmTls(kind="acm"), help="Where TLS is terminated.", changing=_BRIEF)
    public: bool = option(
        False,
        help=(
            "Set to true to allow 0.0.0.0/0 among `allowed_cidrs`. Shown as a warning in every"
            " plan."
        ),
        changing="In place.",
    )
    internal: bool = option(
        False,
        help="Reachable only from the VPC and networks connected to it.",
        changing="Another load balancer: users cannot connect for some minutes.",
    )
    route53_zone: HostedZoneId | None = option(
        None,
        help=(
            "Id of the Route 53 hosted zone of `hostname`: for its record, and for validating a"
            " requested certificate."
        ),
        changing="In place.",
    )
    record: bool = option(
        True,
        help="Make the record of `hostname` in `route53_zone`. No effect without a zone.",
        changing="In place.",
    )

    @model_validator(mode="after")
    def _whole(self) -> Self:
        world_only_by_name(
            "allowed_cidrs",
            self.allowed_cidrs,
            public=self.public,
            opens="lets the whole internet in",
        )
        if not self.allowed_cidrs:
            fix = "list the networks that may, such as [198.51.100.0/24]"
            raise refuse("entry.no-cidrs", "allowed_cidrs is empty: no user could connect", fix)
        if (
            isinstance(self.tls, AcmTls)
            and self.tls.certificate_arn is None
            and self.route53_zone is None
        ):
            what = "tls has neither certificate_arn nor a zone to validate a new certificate in"
            fix = "give tls.certificate_arn, or route53_zone beside hostname"
            raise refuse("tls.no-certificate", what, fix)
        return self


class NodePortEntry(_Exposed):
    """A port of every core node: for networks with a load balancer of their own, or none."""

    kind: Literal["node_port"] = tag(
        "node_port",
        help="`node_port`: a port of the core nodes.",
        changing="The old address stops working.",
    )
    tls: Annotated[CertificateTls | NoTls, Field(discriminator="kind")] = option(
        help="Where TLS is terminated: without a load balancer ACM cannot be used.", changing=_BRIEF
    )
    external_ips: tuple[Annotated[str, AfterValidator(_address)], ...] = option(
        (),
        help=(
            "Addresses that route to the nodes; the service answers there on port 443 (or 80) too."
        ),
        changing="In place.",
        max_length=10,
    )
    public: bool = option(
        False,
        help=(
            "Set to true to allow 0.0.0.0/0 among `allowed_cidrs`. Shown as a warning in every"
            " plan."
        ),
        changing="In place.",
    )

    @model_validator(mode="after")
    def _world_only_by_name(self) -> Self:
        world_only_by_name(
            "allowed_cidrs",
            self.allowed_cidrs,
            public=self.public,
            opens="lets the whole internet in",
        )
        return self


class PortForwardEntry(Model):
    """Nothing is exposed: an operator with kubectl access opens a tunnel with `jhub open STACK`."""

    kind: Literal["port_forward"] = tag(
        "port_forward",
        help="`port_forward`: a tunnel by `jhub open`.",
        changing="The old address stops working.",
    )
    local_port: int = option(
        8000,
        help="Port on your own machine. Sign-in services redirect to it.",
        changing="In place.",
        ge=1024,
        le=65535,
    )


AnyEntry = LoadBalancerEntry | NodePortEntry | PortForwardEntry
Entry = Annotated[AnyEntry, Field(discriminator="kind")]


def own_certificate(entry: AnyEntry) -> CertificateTls | None:
    """The certificate of a hub whose proxy terminates TLS; None where a load balancer does, or
    there is no TLS.
    """
    return (
        entry.tls
        if not isinstance(entry, PortForwardEntry) and isinstance(entry.tls, CertificateTls)
        else None
    )
