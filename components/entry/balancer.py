"""A Network Load Balancer for one hub: seen in the plan, tagged, and never left behind by a
cluster that is gone.
"""

from __future__ import annotations

from typing import Any, ClassVar

import pulumi
from pulumi_aws import autoscaling, ec2, lb, route53, vpc

from jupyterhub_aws.components.base import Component, named
from jupyterhub_aws.components.entry.args import EntryArgs
from jupyterhub_aws.components.entry.certificate import Certificate, CertificateArgs
from jupyterhub_aws.components.entry.people import people_may_come
from jupyterhub_aws.config.entry import AcmTls, LoadBalancerEntry, NoTls, Tls, own_certificate
from jupyterhub_aws.config.specs.node_groups import generation

#: configurable-http-proxy answers there without asking the hub; `/` redirects, which no health
#: check takes for healthy.
HEALTH_PATH = "/_chp_healthz"
#: Elastic Load Balancing user guide, "TLS listeners": forward secrecy, TLS 1.2 and 1.3 only.
_TLS_POLICY = "ELBSecurityPolicy-TLS13-1-2-2021-06"
_HTTPS, _HTTP = 443, 80


class Balancer(Component):
    """People's way in. Only the node with the proxy is healthy, because the service behind it is
    `externalTrafficPolicy: Local`.

    With ACM it encrypts and has no port 80: a balancer of this kind cannot redirect.
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
        assert isinstance(args.entry, LoadBalancerEntry)  # noqa: S101 -- components/entry/entry.py chooses by kind
        self._name, self._args, self._entry = name, args, args.entry
        self._tags = named(args.tags, args.names.physical)
        self._port = _HTTP if isinstance(args.entry.tls, NoTls) else _HTTPS
        group, target = self._security_group(), self._target()
        encryption = self._encryption(args.entry.tls)
        if args.without_balancer:
            self.dns_name = pulumi.Output.from_input("")
        else:
            self.dns_name = self._way_in(group, target, encryption)
        self.register_outputs({"dns_name": self.dns_name})

    def _way_in(
        self, group: ec2.SecurityGroup, target: lb.TargetGroup, encryption: dict[str, Any]
    ) -> pulumi.Output[str]:
        """The balancer itself with its listener, and the record that leads people to it."""
        name, entry = self._name, self._entry
        balancer = self._balancer(group)
        self.watched_as = (balancer.arn_suffix, target.arn_suffix)
        self._listener(balancer, target, encryption)
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
        return balancer.dns_name

    def _security_group(self) -> ec2.SecurityGroup:
        group = ec2.SecurityGroup(
            f"{self._name}-security-group",
            name=f"{self._args.names.physical}-entry",
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
            # What would replace the group is in its name: the new one is there before the old one
            # goes.
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
        """How the listener speaks: with ACM it encrypts, else whoever is behind it."""
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
