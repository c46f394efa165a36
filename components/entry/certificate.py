"""A certificate of AWS Certificate Manager, requested and validated by a record in Route 53."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import pulumi
from pulumi_aws import acm, route53

from jupyterhub_aws.checks.certificate import read
from jupyterhub_aws.components.base import Component, named
from jupyterhub_aws.config.entry import AnyEntry, own_certificate

_SECONDS = 300


@dataclass(frozen=True, kw_only=True, eq=False)
class CertificateArgs:
    """`hostname` is the only name of the certificate, `zone_id` the hosted zone that proves that
    it is yours.
    """

    hostname: str
    zone_id: str
    tags: Mapping[str, str]


class Certificate(Component):
    """`arn` resolves when AWS has issued the certificate; it renews by itself as long as the
    record stays.
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
    where it cannot be read, which the plan says.
    """
    own = own_certificate(entry)
    if own is None:
        return None
    try:
        return int(read(own.certificate)[0].not_valid_after_utc.timestamp())
    except ValueError:
        return None
