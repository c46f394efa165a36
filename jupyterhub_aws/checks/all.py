"""The list of all checks, in the order in which they are shown."""

from __future__ import annotations

import datetime

from jupyterhub_aws.checks import backups, hubs, nodes, places, security, storage, versions
from jupyterhub_aws.checks.airgap import all as airgap
from jupyterhub_aws.checks.certificates import certificates
from jupyterhub_aws.checks.core_nodes import core_nodes_fit
from jupyterhub_aws.checks.finding import Finding, skip
from jupyterhub_aws.checks.identities.all import identity_findings
from jupyterhub_aws.checks.identities.servers import server_access
from jupyterhub_aws.checks.images import accelerators, images
from jupyterhub_aws.checks.limits import limits
from jupyterhub_aws.checks.monitoring import logs_end, watched
from jupyterhub_aws.checks.program import paused
from jupyterhub_aws.checks.pulled_images import image_sizes, pulled_images
from jupyterhub_aws.checks.resources import Resources
from jupyterhub_aws.checks.scope import Check, judge
from jupyterhub_aws.config.stack import StackConfig

CHECKS: tuple[Check, ...] = (
    paused,
    security.open_ingress,
    security.encryption,
    security.metadata,
    security.secrets,
    security.protected,
    backups.covered,
    security.tags,
    security.placeholders,
    identity_findings,
    server_access,
    nodes.instance_types,
    nodes.priorities,
    nodes.addresses,
    nodes.quotas,
    places.zones,
    places.service_roles,
    places.spot_price,
    places.region_types,
    hubs.values,
    hubs.network_policies,
    hubs.sections_have_effect,
    hubs.servers_find_nodes,
    limits,
    core_nodes_fit,
    images,
    pulled_images,
    image_sizes,
    accelerators,
    hubs.database_is_near,
    storage.volumes,
    hubs.worth_knowing,
    logs_end,
    watched,
    versions.verified,
    versions.secure,
    airgap.proof,
)


#: The checks of objects inside the cluster.
_INSIDE = (
    nodes.priorities,
    hubs.values,
    hubs.network_policies,
    hubs.sections_have_effect,
    hubs.servers_find_nodes,
    limits,
    core_nodes_fit,
    images,
    pulled_images,
    image_sizes,
    storage.volumes,
)


def run_checks(stack: StackConfig, resources: Resources, as_of: datetime.date) -> list[Finding]:
    """Every finding about a stack and what it becomes, as of a day. `resources` of a hub stack
    are those of the cloud stack too.
    """
    outer = stack.parts == "cloud"
    found = [
        finding
        for check in CHECKS
        if not (outer and check in _INSIDE)
        for finding in judge(check, stack, resources)
    ]
    if outer:
        message = (
            "objects inside the cluster are checked with the other part of the split stack: the"
            " stack with `cloud_stack` and this one's name in its file"
        )
        found.append(skip("inner-half", message, "run jhub plan for that stack too", path="parts"))
    return [*versions.support(stack, as_of), *certificates(stack, as_of), *found]
