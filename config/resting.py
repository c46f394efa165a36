"""Which private endpoints a stack has: one for each API that its software calls, and while it
rests those that are still called.
"""

from __future__ import annotations

from collections.abc import Mapping

from jupyterhub_aws.config.endpoints import GATEWAYS, reasons, running
from jupyterhub_aws.config.network import OpenNetworkSection, UnmanagedNetworkSection
from jupyterhub_aws.config.stack import StackConfig


def endpoint_reasons(stack: StackConfig) -> Mapping[str, str]:
    """The services that get an endpoint, each with why. Empty where the stack's network is not
    closed.

    Paused with `endpoints` among `pause.drop`: those of the runner, from which the stack is
    resumed, and the gateways, which cost nothing.
    """
    network = stack.network
    if isinstance(network, (OpenNetworkSection, UnmanagedNetworkSection)):
        return {}
    wanted = reasons(
        running(
            stack.homes.kind, runner=stack.runner is not None, watched=stack.alarms is not None
        ),
        network.additional_endpoints,
    )
    if not stack.drops("endpoints"):
        return wanted
    kept = {*GATEWAYS, *(reasons(["runner"]) if stack.runner is not None else ())}
    return {service: why for service, why in wanted.items() if service in kept}
