"""A corporate proxy in the words of programs: the variables that tell of it, and all that must
not go through it. Pure.
"""

from __future__ import annotations

from collections.abc import Sequence

from jupyterhub_aws.config.egress import ProxyEgress

_VARIABLES = ("HTTP_PROXY", "HTTPS_PROXY")
#: Names without a dot by which a server, the proxy and the hub call each other inside a namespace
#: (chart templates, services).
HUB_NAMES = ("hub", "proxy-api", "proxy-public")
#: Whoever a program inside a node or pod may ask that is on the node itself: itself, instance
#: metadata, the Pod Identity agent.
_LOCAL = ("localhost", "127.0.0.1", "169.254.169.254", "169.254.170.23")
_CLUSTER = (".svc", ".cluster.local", "kubernetes", "kubernetes.default")


def is_proxy_variable(name: str) -> bool:
    """Whether a variable names a proxy."""
    return name.upper() in (*_VARIABLES, "ALL_PROXY")


def no_proxy(
    egress: ProxyEgress, *, ranges: Sequence[str], internal_hosts: Sequence[str], region: str
) -> str:
    """What needs no proxy: the node itself, the cluster's ranges and names, AWS's endpoints in the
    VPC, and what the stack says is inside.

    A leading dot means "all below it" to curl, Python, Go and containerd alike; `*.` does not.
    """
    suffix = "amazonaws.com.cn" if region.startswith("cn-") else "amazonaws.com"
    aws = (
        (
            f".{region}.{suffix}",
            f".{region}.eks.{suffix}",
            f".dkr.ecr.{region}.{suffix}",
            f"s3.{region}.{suffix}",
        )
        if region
        else ()
    )
    names = [pattern.removeprefix("*") for pattern in (*internal_hosts, *egress.no_proxy)]
    return ",".join(dict.fromkeys((*_LOCAL, *ranges, *_CLUSTER, *HUB_NAMES, *aws, *names)))


def proxy_environment(egress: ProxyEgress, exceptions: str) -> dict[str, str]:
    """The variables in both spellings: curl reads the lower case, most others either."""
    both = {**dict.fromkeys(_VARIABLES, egress.url), "NO_PROXY": exceptions}
    return {**both, **{key.lower(): value for key, value in both.items()}}
