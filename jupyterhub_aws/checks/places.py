"""What only an account can say about where a stack is: zones without EKS, roles that AWS makes
at first use, prices that spot never has.
"""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

from jupyterhub_aws.checks.finding import Finding, fail, passed, verdict, warn
from jupyterhub_aws.checks.resources import Resources
from jupyterhub_aws.config.cluster import EksCluster
from jupyterhub_aws.config.instance_types import is_missing_in, region_source
from jupyterhub_aws.config.network import ExistingNetworkSection
from jupyterhub_aws.config.pools import OnDemandPool
from jupyterhub_aws.config.prices import Prices
from jupyterhub_aws.config.stack import StackConfig
from jupyterhub_aws.config.zones import WITHOUT_EKS

#: "up to 90%" off the on-demand price (EC2 user guide, "Spot Instances"): no spot node costs less
#: than this share of it.
_LEAST_SPOT_SHARE = Decimal("0.1")
#: Account ids of AWS's documentation (AWS documentation style: 111122223333 and the like;
#: 123456789012 in the ARN reference).
_DOCUMENTATION_ACCOUNTS = (
    "123456789012",
    "111122223333",
    "444455556666",
    "999999999999",
    "000000000000",
)


def zones(stack: StackConfig, _resources: Resources) -> list[Finding]:
    """EKS makes a control plane in every zone of the stack."""
    if not isinstance(stack.cluster, EksCluster) or stack.region not in WITHOUT_EKS:
        named = "AWS has every zone that the stack names"
        return [passed("zones", named if stack.region else "the stack names no zone of AWS")]
    zone_id, letter = WITHOUT_EKS[stack.region]
    otherwise = (
        f"no zone of the stack is the one without EKS in most accounts ({zone_id}); each account"
        " has letters of its own there"
    )
    return verdict("zones", _without_eks(stack, zone_id, letter), otherwise=otherwise)


def _without_eks(stack: StackConfig, zone_id: str, letter: str) -> Iterator[Finding]:
    theirs = isinstance(stack.network, ExistingNetworkSection)
    todo = (
        "remove its subnet if this names it"
        if theirs
        else "choose another zone; this names the one to avoid"
    )
    command = (
        f"aws ec2 describe-availability-zones --region {stack.region} --filters"
        f" Name=zone-id,Values={zone_id} --query 'AvailabilityZones[].ZoneName' --output text"
    )
    for zone in stack.network.zones:
        if letter and zone == f"{stack.region}{letter}":
            message = (
                f"{zone} is {zone_id} in most accounts, where EKS makes no control plane: `pulumi"
                " up` would fail at the cluster, after the network"
            )
            found = warn if theirs else fail
            yield found("zones", message, f"{todo}: {command}", path="network.zones")


def service_roles(stack: StackConfig, _resources: Resources) -> list[Finding]:
    """Roles that AWS makes at the first use of a service, and that a resource of the stack names
    before that.
    """
    faults = []
    if isinstance(stack.cluster, EksCluster) and stack.cluster.volume_key is not None:
        message = (
            "the key is granted to AWSServiceRoleForAutoScaling, which an account without any Auto"
            " Scaling group does not have: the grant would fail"
        )
        fix = (
            "run once (it says so where the role exists): aws iam create-service-linked-role"
            " --aws-service-name autoscaling.amazonaws.com"
        )
        faults.append(warn("service-roles", message, fix, path="cluster.volume_key"))
    holds = "no resource names a role that AWS creates only at first use"
    return verdict("service-roles", faults, otherwise=holds)


def spot_price(stack: StackConfig, _resources: Resources) -> list[Finding]:
    """A maximum price that spot can have at all."""
    prices, faults = Prices().in_region(stack.region), []
    for name, pool in stack.pools.bought.items():
        if isinstance(pool, OnDemandPool) or pool.max_price is None:
            continue
        known = [
            price for kind in pool.instance_types if (price := prices.node_hour(kind)) is not None
        ]
        if known and Decimal(pool.max_price) < min(known) * _LEAST_SPOT_SHARE:
            message = (
                f"max_price {pool.max_price} is under a tenth of the cheapest type on demand"
                f" ({min(known)}): spot saves at most 90 %, so no spot node comes"
            )
            fix = (
                "raise it above the spot price of today, or leave it out: spot never costs more"
                " than on demand"
            )
            faults.append(warn("spot-price", message, fix, path=f"pools.{name}.max_price"))
    return verdict(
        "spot-price", faults, otherwise="no pool asks for a spot price that does not exist"
    )


def region_types(stack: StackConfig, _resources: Resources) -> list[Finding]:
    """The stack's region has every instance type of its pools."""
    named = {"core": stack.pools.core.instance_types} if stack.pools.core else {}
    named |= {name: pool.instance_types for name, pool in stack.pools.bought.items()}
    faults = []
    for name, kinds in named.items():
        missing = [kind for kind in kinds if is_missing_in(kind, stack.region)]
        if not missing:
            continue
        follows = "no node" if len(missing) == len(kinds) else "only nodes of the other types"
        message = (
            f"{stack.region} did not have {', '.join(missing)} when the table was made"
            f" ({region_source()}): {follows} would start"
        )
        fix = (
            "choose a type that the region has, or look whether it has it now: aws ec2"
            f" describe-instance-type-offerings --region {stack.region} --filters"
            f" Name=instance-type,Values={','.join(missing)}"
        )
        faults.append(warn("region-types", message, fix, path=f"pools.{name}.instance_types"))
    holds = "the region has every instance type that a pool names"
    return verdict("region-types", faults, otherwise=holds)


def documentation_accounts(stack: StackConfig) -> Iterator[Finding]:
    """An account of AWS's documentation: there are no credentials for it."""
    for account in stack.accounts:
        if account in _DOCUMENTATION_ACCOUNTS:
            message = (
                f"{account} is an account of AWS's documentation: every `pulumi up` with your"
                " credentials would be refused"
            )
            fix = "write your own: aws sts get-caller-identity --query Account --output text"
            yield warn("documentation-values", message, fix, path="aws:allowedAccountIds")
