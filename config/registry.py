"""Where a stack's images and charts come from: their publishers, or a private registry that
`jhub bundle push` fills.
"""

from __future__ import annotations

import re
from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from jupyterhub_aws.config.errors import refuse, shown
from jupyterhub_aws.config.model import Model, option, tag
from jupyterhub_aws.config.values import AccountId

_HOST = re.compile(r"[a-z0-9]([a-z0-9.-]*[a-z0-9])?(:[0-9]{1,5})?")
_PREFIX = re.compile(r"[a-z0-9]+([._-][a-z0-9]+)*(/[a-z0-9]+([._-][a-z0-9]+)*)*")
_MOVES = (
    "Hubs restart. Running servers are not affected; servers that start later have the images from"
    " there."
)
_LOCK = option(
    None,
    help=(
        "The lock that `jhub bundle lock STACK` writes, from the project's folder: images are then"
        " named by their digests. Commit it."
    ),
    changing=_MOVES,
    min_length=1,
)
_CHARTS = option(
    None,
    help=(
        "Folder with the charts of a bundle (its `charts/`), from where `pulumi` runs. Without it"
        " they come from the registry by oci://."
    ),
    changing="Nothing, when it holds the same charts.",
    min_length=1,
)


def _host(value: str) -> str:
    if "://" in value or "/" in value:
        bare = value.partition("://")[2] or value
        fix = f"write {bare.partition('/')[0]}, and what follows the slash as prefix"
        raise refuse("registry.more-than-host", f"is more than a host (got {shown(value)})", fix)
    if not _HOST.fullmatch(value) or (
        "." not in value and ":" not in value and value != "localhost"
    ):
        fix = "write it like registry.corp.example or registry.corp.example:5000"
        raise refuse("registry.host", f"is not a registry's host (got {shown(value)})", fix)
    return value


def _prefix(value: str) -> str:
    if not _PREFIX.fullmatch(value):
        fix = "write lower-case words between slashes, such as platform/jupyterhub"
        raise refuse("registry.path", f"is not a path of a registry (got {shown(value)})", fix)
    return value


class UpstreamRegistry(Model):
    """quay.io, registry.k8s.io and the others: where upstream projects publish."""

    kind: Literal["upstream"] = tag(
        "upstream", help="`upstream`: the registries of their publishers.", changing=_MOVES
    )


class EcrRegistry(Model):
    """Private repositories that the stack makes in ECR, one for each image and chart that it
    needs. `jhub bundle push` fills them.
    """

    kind: Literal["ecr"] = tag(
        "ecr", help="`ecr`: repositories of the stack's own.", changing=_MOVES
    )
    account: AccountId = option(
        help='The account they are in, quoted: "123456789012".', changing=_MOVES
    )
    lock: str | None = _LOCK
    charts: str | None = _CHARTS


class PrivateRegistry(Model):
    """A private registry from which nodes can pull without a password."""

    kind: Literal["private"] = tag("private", help="`private`: your own registry.", changing=_MOVES)
    host: Annotated[str, AfterValidator(_host)] = option(
        help="Its host, with the port where it is not 443.", changing=_MOVES
    )
    prefix: Annotated[str, AfterValidator(_prefix)] | None = option(
        None, help="A path below which all repositories are.", changing=_MOVES
    )
    lock: str | None = _LOCK
    charts: str | None = _CHARTS


class OnNodes(Model):
    """Images that are on every node already, by `ctr images import`: no registry is used."""

    kind: Literal["on_nodes"] = tag(
        "on_nodes",
        help=(
            "`on_nodes`: imported on every node; a missing image fails at once instead of being"
            " pulled."
        ),
        changing=_MOVES,
    )
    charts: str = option(
        help="Folder with the charts of a bundle (its `charts/`), from where `pulumi` runs.",
        changing="Nothing.",
        min_length=1,
    )


AnyRegistry = UpstreamRegistry | EcrRegistry | PrivateRegistry | OnNodes
#: Discriminated by `kind`.
Registry = Annotated[AnyRegistry, Field(discriminator="kind")]


def registry_of(registry: AnyRegistry, *, region: str, stack: str) -> str | None:
    """Where images and charts are, as `HOST[/PREFIX]`; None where they are in no private
    registry.
    """
    if isinstance(registry, EcrRegistry):
        suffix = ".cn" if region.startswith("cn-") else ""
        return f"{registry.account}.dkr.ecr.{region}.amazonaws.com{suffix}/{stack}"
    if isinstance(registry, PrivateRegistry):
        return registry.host if registry.prefix is None else f"{registry.host}/{registry.prefix}"
    return None
