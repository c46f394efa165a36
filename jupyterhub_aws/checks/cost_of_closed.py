"""What a closed network adds to the bill: an address of each private endpoint in each zone,
attachments, and the runner.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from jupyterhub_aws.checks.bill import BillLine
from jupyterhub_aws.checks.resources import Resource, Resources
from jupyterhub_aws.config.prices import HOURS_PER_MONTH, Prices
from jupyterhub_aws.config.resting import endpoint_reasons
from jupyterhub_aws.config.stack import StackConfig

_TEMPLATE = "aws:ec2/launchTemplate:LaunchTemplate"


def closed_lines(stack: StackConfig, resources: Resources, prices: Prices) -> Iterator[BillLine]:
    """Lines that an open network does not have. All of it costs the same whether anybody works
    or not; endpoints may go while paused.
    """
    found = {
        str(item.inputs["serviceName"]): len(item.inputs.get("subnetIds") or [])
        for item in resources.of("aws:ec2/vpcEndpoint:VpcEndpoint")
    }
    addresses, kept = sum(found.values()), _kept(stack, found)
    attachments = len(resources.of("aws:ec2transitgateway/vpcAttachment:VpcAttachment"))
    for what, row, count, paused in (
        ("private endpoint in one zone", "private_endpoint_hour", addresses, kept),
        ("transit gateway attachment", "transit_gateway_attachment_hour", attachments, attachments),
    ):
        if count:
            yield BillLine(
                what=what,
                unit="month",
                unit_price=prices.of(row) * HOURS_PER_MONTH,
                idle=count,
                paused=paused,
                most=count,
                rows=(row,),
            )
    for instance in resources.of("aws:ec2/instance:Instance"):
        yield from (
            _machine(instance, template, prices)
            for template in resources.referred(instance.inputs.get("launchTemplate"), _TEMPLATE)
        )


def _kept(stack: StackConfig, addresses: Mapping[str, int]) -> int:
    """How many of the endpoints' addresses stay while the stack is paused. `addresses` is by the
    service's whole name.
    """
    services = endpoint_reasons(stack.model_copy(update={"paused": True}))
    return sum(
        count
        for service, count in addresses.items()
        if service.removeprefix(f"com.amazonaws.{stack.region}.") in services
    )


def _machine(instance: Resource, template: Resource, prices: Prices) -> BillLine:
    kind = str(instance.inputs["instanceType"])
    disk = sum(
        int(mapping["ebs"]["volumeSize"]) for mapping in template.inputs["blockDeviceMappings"]
    ) * prices.of("gp3_gib_month")
    hourly = prices.node_hour(kind)
    monthly = None if hourly is None else hourly * HOURS_PER_MONTH + disk
    note = (
        f"no price known for {kind}"
        if hourly is None
        else "running; stopped it costs its disk only"
    )
    rows = () if hourly is None else (f"ec2:{kind}", "gp3_gib_month")
    return BillLine(
        what=f"runner ({kind})",
        unit="month",
        unit_price=monthly,
        idle=1,
        paused=1,
        most=1,
        note=note,
        rows=rows,
    )
