"""How users reach a hub: load balancer, certificate, DNS record, and the node port of the core
nodes behind them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import pulumi
from pulumi_aws import acm, autoscaling, ec2, lb, route53, vpc
from pulumi_kubernetes.core.v1 import Namespace, Service

from jupyterhub_aws.checks.certificates import read
from jupyterhub_aws.components.base import Component, named
from jupyterhub_aws.config.entry import (
    AcmTls,
    AnyEntry,
    Entry,
    LoadBalancerEntry,
    NodePortEntry,
    NoTls,
    PortForwardEntry,
    Tls,
    own_certificate,
)
from jupyterhub_aws.config.specs.names import ENTRY_SERVICE, HubNames
from jupyterhub_aws.config.specs.node_groups import generation

# --- A certificate of AWS Certificate Manager, requested and validated by a record in Route 53.


_SECONDS = 300


@dataclass(frozen=True, kw_only=True, eq=False)
class CertificateArgs:
    """`hostname` is the only name of the certificate, `zone_id` the hosted zone that proves its
    ownership.
    """

    hostname: str
    zone_id: str
    tags: Mapping[str, str]


class Certificate(Component):
    """`arn` resolves when AWS has issued the certificate; it is renewed automatically as long as
    the record exists.
    """

    token: ClassVar[str] = "jupyterhub-aws:entry:Certificate"
    arn: pulumi.Output[str]

    def __init__(
        self, name: str, args: CertificateArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__(name, opts)
        certificate = acm.Certificate(
            f"{name}-request",
            domain_name=args.hostname,
            validation_method="DNS",
            tags=named(args.tags, args.hostname),
            opts=self.child(),
        )
        wanted = certificate.domain_validation_options[0]  # one name, one record
        record = route53.Record(
            f"{name}-record",
            zone_id=args.zone_id,
            name=wanted.resource_record_name,
            type=wanted.resource_record_type,
            records=[wanted.resource_record_value],
            ttl=_SECONDS,
            # a certificate of the same name, requested before, asks for the same record
            allow_overwrite=True,
            opts=self.child(),
        )
        issued = acm.CertificateValidation(
            f"{name}-issued",
            certificate_arn=certificate.arn,
            validation_record_fqdns=[record.fqdn],
            opts=self.child(),
        )
        self.arn = issued.certificate_arn
        self.register_outputs({"arn": self.arn})


def own_certificate_end(entry: AnyEntry) -> int | None:
    """The end of a hub's own certificate in seconds since 1970. None where it has none, and
    where it cannot be read, which the plan reports.
    """
    own = own_certificate(entry)
    if own is None:
        return None
    try:
        return int(read(own.certificate)[0].not_valid_after_utc.timestamp())
    except ValueError:
        return None


# --- The side of an entry inside the cluster: the service that selects the proxy, on a node port of
# its own.


@dataclass(frozen=True, kw_only=True, eq=False)
class EntryServiceArgs:
    """`port` is the hub's node port."""

    names: HubNames
    entry: Entry
    port: int
    namespace: Namespace


class EntryService(Component):
    """It may exist before the proxy does: nothing waits for the pods that it selects."""

    token: ClassVar[str] = "jupyterhub-aws:entry:EntryService"

    def __init__(
        self, name: str, args: EntryServiceArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__(name, opts)
        encrypted = own_certificate(args.entry) is not None
        port = "https" if encrypted else "http"
        spec: Any = {
            "type": "NodePort",
            "external_traffic_policy": (
                "Local"
            ),  # clients' addresses are preserved, and only the proxy's node is healthy
            "selector": {"app": "jupyterhub", "component": "proxy", "release": args.names.release},
            "ports": [
                {
                    "name": port,
                    "port": 443 if encrypted else 80,
                    "target_port": port,
                    "node_port": args.port,
                    "protocol": "TCP",
                }
            ],
        }
        if isinstance(args.entry, NodePortEntry) and args.entry.external_ips:
            spec["external_ips"] = list(args.entry.external_ips)
        metadata: Any = {
            "name": ENTRY_SERVICE,
            "namespace": args.namespace.metadata["name"],
            "annotations": {"pulumi.com/skipAwait": "true"},
        }
        Service(f"{name}-service", metadata=metadata, spec=spec, opts=self.child())
        self.register_outputs({"node_port": args.port})


# --- Arguments of the AWS side of every entry.


@dataclass(frozen=True, kw_only=True, eq=False)
class EntryArgs:
    """`port` is the hub's node port; `subnet_ids` are public ones for a balancer that faces the
    internet, private ones for an internal one.

    `node_security_group_id` is that of the nodes, `core_group_name` the Auto Scaling group of the
    core pool. `without_balancer`: there is none while the stack is paused; its security group, its
    target group and its certificate are retained. `paused_page`: what an Application Load Balancer
    answers at the hub's name while the stack is paused; None: there is none.
    """

    names: HubNames
    entry: Entry
    port: int
    vpc_id: pulumi.Input[str]
    subnet_ids: pulumi.Input[list[str]]
    node_security_group_id: pulumi.Input[str]
    core_group_name: pulumi.Input[str]
    tags: Mapping[str, str]
    before_balancer: Sequence[pulumi.Resource]
    without_balancer: bool = False
    paused_page: str | None = None


# --- Ingress: one rule for each network that the stack lists.


def people_may_come(
    parent: Component, name: str, args: EntryArgs, security_group_id: pulumi.Input[str], port: int
) -> None:
    """Let the entry's networks reach a port through a security group; the rules are children of
    `parent`.
    """
    if isinstance(args.entry, PortForwardEntry):
        return
    for cidr in args.entry.allowed_cidrs:
        vpc.SecurityGroupIngressRule(
            f"{name}-from-{cidr.replace('/', '-')}",
            security_group_id=security_group_id,
            cidr_ipv4=cidr,
            ip_protocol="tcp",
            from_port=port,
            to_port=port,
            description="People",
            tags=named(args.tags, args.names.physical),
            opts=parent.child(),
        )


# --- A Network Load Balancer for one hub: shown in the plan, tagged, and never orphaned by a
# deleted cluster.


#: configurable-http-proxy answers there without asking the hub; `/` redirects, which a health check
#: does not accept.
HEALTH_PATH = "/_chp_healthz"
#: Elastic Load Balancing user guide, "TLS listeners": forward secrecy, TLS 1.2 and 1.3 only.
_TLS_POLICY = "ELBSecurityPolicy-TLS13-1-2-2021-06"
_HTTPS, _HTTP = 443, 80


class Balancer(Component):
    """The load balancer of a hub. Only the node with the proxy is healthy, because the service
    behind it is `externalTrafficPolicy: Local`.

    With ACM it terminates TLS and has no port 80: a balancer of this kind cannot redirect.
    """

    token: ClassVar[str] = "jupyterhub-aws:entry:Balancer"
    dns_name: pulumi.Output[str]
    #: The last parts of both ARNs, by which CloudWatch knows them; None while there is no balancer.
    watched_as: tuple[pulumi.Output[str], pulumi.Output[str]] | None = None
    certificate_arn: pulumi.Input[str] | None = None

    def __init__(
        self, name: str, args: EntryArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__(name, opts)
        assert isinstance(args.entry, LoadBalancerEntry)  # noqa: S101 -- components/entry.py chooses by kind
        self._name, self._args, self._entry = name, args, args.entry
        self._tags = named(args.tags, args.names.physical)
        self._port = _HTTP if isinstance(args.entry.tls, NoTls) else _HTTPS
        group, target = self._security_group(), self._target()
        encryption = self._encryption(args.entry.tls)
        balancers = []
        if not args.without_balancer:
            balancers.append(self._way_in(group, target, encryption))
        if args.paused_page is not None:
            balancers.append(self._paused(group, args.paused_page))
        # The record has one name in every state: it is changed in place, after what it points to
        # then exists, and before the engine deletes what it pointed to.
        if balancers:
            self._record(balancers[-1])
        self.dns_name = balancers[0].dns_name if balancers else pulumi.Output.from_input("")
        self.register_outputs({"dns_name": self.dns_name})

    def _way_in(
        self, group: ec2.SecurityGroup, target: lb.TargetGroup, encryption: dict[str, Any]
    ) -> lb.LoadBalancer:
        """The load balancer with its listener."""
        balancer = self._balancer(group)
        self.watched_as = (balancer.arn_suffix, target.arn_suffix)
        self._listener(balancer, target, encryption)
        return balancer

    def _paused(self, group: ec2.SecurityGroup, page: str) -> lb.LoadBalancer:
        """A load balancer that answers by itself, for the same networks: no node runs. One of the
        other kind cannot (Elastic Load Balancing user guide, "Fixed-response actions").
        """
        balancer = lb.LoadBalancer(
            f"{self._name}-paused",
            name=self._args.names.paused_balancer,
            load_balancer_type="application",
            internal=self._entry.internal,
            subnets=self._args.subnet_ids,
            security_groups=[group.id],
            drop_invalid_header_fields=True,
            tags=self._tags,
            opts=self.child(depends_on=list(self._args.before_balancer)),
        )
        answer: Any = {
            "type": "fixed-response",
            "fixed_response": {
                "status_code": "503",
                "content_type": "text/html",
                "message_body": page,
            },
        }
        lb.Listener(
            f"{self._name}-paused-listener",
            load_balancer_arn=balancer.arn,
            port=self._port,
            protocol="HTTPS",
            certificate_arn=self.certificate_arn,
            ssl_policy=_TLS_POLICY,
            default_actions=[answer],
            tags=self._tags,
            opts=self.child(),
        )
        return balancer

    def _record(self, balancer: lb.LoadBalancer) -> None:
        """The DNS record that points to a load balancer, where the stack manages it."""
        name, entry = self._name, self._entry
        if entry.route53_zone is not None and entry.record:
            alias: Any = {
                "name": balancer.dns_name,
                "zone_id": balancer.zone_id,
                "evaluate_target_health": False,
            }
            route53.Record(
                f"{name}-record",
                zone_id=entry.route53_zone,
                name=entry.hostname,
                type="A",
                aliases=[alias],
                opts=self.child(),
            )

    def _security_group(self) -> ec2.SecurityGroup:
        group = ec2.SecurityGroup(
            f"{self._name}-security-group",
            name=f"{self._args.names.physical}-entry",
            # Never reworded: AWS replaces a group whose description changes.
            description="Load balancer of a hub: in from its people, out to its proxy",
            vpc_id=self._args.vpc_id,
            tags=self._tags,
            opts=self.child(),
        )
        people_may_come(self, self._name, self._args, group.id, self._port)
        both: dict[str, Any] = {
            "ip_protocol": "tcp",
            "from_port": self._args.port,
            "to_port": self._args.port,
            "tags": self._tags,
        }
        nodes = self._args.node_security_group_id
        vpc.SecurityGroupEgressRule(
            f"{self._name}-to-nodes",
            security_group_id=group.id,
            referenced_security_group_id=nodes,
            description="Proxy",
            **both,
            opts=self.child(),
        )
        vpc.SecurityGroupIngressRule(
            f"{self._name}-nodes",
            security_group_id=nodes,
            referenced_security_group_id=group.id,
            description="Balancer of a hub",
            **both,
            opts=self.child(),
        )
        return group

    def _balancer(self, group: ec2.SecurityGroup) -> lb.LoadBalancer:
        return lb.LoadBalancer(
            f"{self._name}-balancer",
            name=self._args.names.balancer,
            load_balancer_type="network",
            internal=self._entry.internal,
            subnets=self._args.subnet_ids,
            security_groups=[group.id],
            enable_cross_zone_load_balancing=True,  # the proxy is one pod, in one zone
            tags=self._tags,
            opts=self.child(depends_on=list(self._args.before_balancer)),
        )

    def _target(self) -> lb.TargetGroup:
        encrypted = own_certificate(self._entry) is not None
        target = lb.TargetGroup(
            f"{self._name}-target",
            # What would replace the group is in its name: the new one is created before the old one
            # is deleted.
            name=self._args.names.target_group(generation([self._args.port, "TCP"])),
            vpc_id=self._args.vpc_id,
            target_type="instance",
            protocol="TCP",
            port=self._args.port,
            health_check={
                "protocol": "HTTPS" if encrypted else "HTTP",
                "path": HEALTH_PATH,
                "port": "traffic-port",
                "interval": 10,
                "healthy_threshold": 2,
            },
            tags=self._tags,
            opts=self.child(),
        )
        autoscaling.Attachment(
            f"{self._name}-attachment",
            autoscaling_group_name=self._args.core_group_name,
            lb_target_group_arn=target.arn,
            opts=self.child(),
        )
        return target

    def _encryption(self, tls: Tls) -> dict[str, Any]:
        """The listener's protocol: with ACM it terminates TLS, else the target does."""
        if isinstance(tls, AcmTls):
            self.certificate_arn = self._certificate(tls)
            return {
                "protocol": "TLS",
                "certificate_arn": self.certificate_arn,
                "ssl_policy": _TLS_POLICY,
            }
        return {"protocol": "TCP"}

    def _listener(
        self, balancer: lb.LoadBalancer, target: lb.TargetGroup, encryption: dict[str, Any]
    ) -> None:
        lb.Listener(
            f"{self._name}-listener",
            load_balancer_arn=balancer.arn,
            port=self._port,
            **encryption,
            default_actions=[{"type": "forward", "target_group_arn": target.arn}],
            tags=self._tags,
            opts=self.child(),
        )

    def _certificate(self, tls: AcmTls) -> pulumi.Input[str]:
        if tls.certificate_arn is not None:
            return tls.certificate_arn
        args = CertificateArgs(
            hostname=self._entry.hostname,
            zone_id=str(self._entry.route53_zone),
            tags=self._args.tags,
        )
        return Certificate(f"{self._name}-certificate", args, self.child()).arn


# --- The AWS side of an entry: a load balancer, or security group rules for a node port.


class HubEntry(Component):
    """By the kind of entry a load balancer or rules for users' networks.

    `port_forward` has no entry at all: `jhub open` makes a tunnel to the proxy's own service. The
    service that selects the proxy inside the cluster is in components/entry.py.
    """

    token: ClassVar[str] = "jupyterhub-aws:entry:HubEntry"
    balancer: Balancer | None = None

    def __init__(
        self, name: str, args: EntryArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__(name, opts)
        outputs: dict[str, pulumi.Input[str]] = {}
        if isinstance(args.entry, LoadBalancerEntry):
            self.balancer = Balancer(f"{name}-balancer", args, self.child())
            outputs["dns_name"] = self.balancer.dns_name
        elif isinstance(args.entry, NodePortEntry):
            people_may_come(self, name, args, args.node_security_group_id, args.port)
        self.register_outputs({"node_port": args.port, **outputs})
