"""Every external host that a stack would contact, which client contacts it, and which resource
makes it: what a firewall has to let through, and no more.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from jupyterhub_aws.checks.airgap.endpoints import recorded_software
from jupyterhub_aws.checks.hub_values.pods import used_images
from jupyterhub_aws.checks.hub_values.policies import SERVERS, WHO, ReleaseLocation, chart_policies
from jupyterhub_aws.checks.network_policies import Ranges
from jupyterhub_aws.checks.resources import READ_ERRORS, Resource, Resources, chart_name
from jupyterhub_aws.checks.user_pods import hub_of, hub_releases
from jupyterhub_aws.config.bundle import normalized
from jupyterhub_aws.config.chart import CHART, effective
from jupyterhub_aws.config.egress import matches
from jupyterhub_aws.config.endpoints import UnknownSoftwareError, addon_account, software
from jupyterhub_aws.config.images import images_in
from jupyterhub_aws.config.network import OpenNetworkSection, UnmanagedNetworkSection
from jupyterhub_aws.config.registry import OnNodes
from jupyterhub_aws.config.sign_in import (
    CognitoSignIn,
    GitHubSignIn,
    LdapSignIn,
    LtiSignIn,
    OidcSignIn,
)
from jupyterhub_aws.config.sign_in_common import AnySignIn, PublicProvider
from jupyterhub_aws.config.stack import StackConfig
from jupyterhub_aws.config.values import host_of

Who = Literal["nodes", "hub", "servers", "browsers", "operators"]
_RELEASE = "kubernetes:helm.sh/v3:Release"
#: Where a registry redirects requests for a layer (their own pages on firewalls). A `*.` is
#: theirs: the name changes.
_BEHIND: dict[str, tuple[str, ...]] = {
    "quay.io": ("cdn.quay.io", *(f"cdn0{number}.quay.io" for number in range(1, 7))),
    "docker.io": ("registry-1.docker.io", "auth.docker.io", "production.cloudflare.docker.com"),
    "registry.k8s.io": ("*.pkg.dev", "prod-registry-k8s-io-*.s3.dualstack.*.amazonaws.com"),
    "public.ecr.aws": ("*.cloudfront.net",),
    "nvcr.io": ("authn.nvidia.com", "layers.nvcr.io"),
    "ghcr.io": ("pkg-containers.githubusercontent.com",),
}
#: AWS's APIs that the program itself calls, by the first part of a resource's type where they
#: differ.
_API_NAMES = {
    "lb": "elasticloadbalancing", "ec2transitgateway": "ec2", "vpc": "ec2", "ebs": "ec2", "efs": "elasticfilesystem", "cloudwatch": "logs",
    "ecr": "api.ecr", "index": "sts",
}  # fmt: skip
#: Addresses of a /8: a wider range is no organization's own network (config/values.py, is_world).
_WIDEST_OWN = 2**24
_GLOBAL_APIS = {"iam": "iam.amazonaws.com", "route53": "route53.amazonaws.com"}


@dataclass(frozen=True, order=True)
class Site:
    """A host, and which client would contact it. `why` says for what; `resource` is the URN that
    causes it, None where a user or the stack file does.
    """

    host: str
    who: Who
    why: str
    resource: str | None = None


def sites(stack: StackConfig, resources: Resources) -> list[Site]:
    """Every external host, sorted. What a private endpoint or a registry of the stack's own serves
    inside is not among them.

    Of what the caller's program added: hosts of charts, of images that their values name, and of
    the APIs that make it.
    """
    own = resources.own
    found = {
        *_images(stack, own),
        *_charts(own),
        *_apis(stack, own),
        *_sign_in(stack, own),
        *_packages(stack, own),
    }
    found |= {*_program(stack, own), *_engine()}
    known = {site.host for site in found}
    for resource in resources.added:
        found |= {
            site
            for site in _of_added(stack, resource)
            if site.who != "operators" or site.host not in known
        }
    return sorted(found, key=lambda site: (site.who, site.host, site.why, site.resource or ""))


def _of_added(stack: StackConfig, resource: Resource) -> set[Site]:
    alone = Resources([resource])
    try:
        return {*_images(stack, alone), *_charts(alone), *_program(stack, alone)}
    except READ_ERRORS:  # values of the caller's own shape name no host that could be found
        return set()


def _inside(stack: StackConfig, host: str) -> bool:
    registry = (stack.own_registry or "").partition("/")[0].partition(":")[0]
    return host == registry


def _images(stack: StackConfig, resources: Resources) -> Iterator[Site]:
    if isinstance(stack.registry, OnNodes):
        return
    for release in resources.of(_RELEASE):
        for reference in _used(release):
            host = normalized(reference).partition("/")[0].partition(":")[0]
            if _inside(stack, host):
                continue
            yield Site(host, "nodes", f"image {reference}", release.urn)
            for behind in _BEHIND.get(host, ()):
                yield Site(behind, "nodes", f"layers of images of {host}", release.urn)


def _used(release: Resource) -> Iterator[str]:
    values = release.inputs.get("values", {})
    if chart_name(release) == CHART:
        yield from (reference for _, reference in used_images(values))
    else:
        yield from (use.reference for use in images_in(values))


def _charts(resources: Resources) -> Iterator[Site]:
    for release in resources.of(_RELEASE):
        repository = (release.inputs.get("repositoryOpts") or {}).get("repo")
        address = repository or str(release.inputs["chart"])
        if "://" in address and ".dkr.ecr." not in address:
            yield Site(host_of(address), "operators", f"chart {chart_name(release)}", release.urn)


def _apis(stack: StackConfig, resources: Resources) -> Iterator[Site]:
    """AWS's APIs that software inside calls through the internet: those without an endpoint of
    their own.
    """
    if isinstance(stack.network, UnmanagedNetworkSection):
        return
    region = stack.region
    there = {
        str(item.inputs.get("serviceName", "")).removeprefix(f"com.amazonaws.{region}.")
        for item in resources.of("aws:ec2/vpcEndpoint:VpcEndpoint")
    }
    theirs = stack.network.closed and not there  # endpoints of another owner
    for name, resource in recorded_software(resources):
        try:
            known = software(name)
        except UnknownSoftwareError:
            yield Site("?", "nodes", f"the hosts that {name} calls are not known", resource.urn)
            continue
        for api in known.apis:
            if api in there or theirs:
                continue
            names = {"ecr.dkr": f"{addon_account(region)}.dkr.ecr", "ecr.api": "api.ecr"}
            host = f"{names.get(api, api)}.{region}.amazonaws.com"
            yield Site(host, "nodes", known.why, resource.urn)


_PLATFORM: tuple[tuple[str, Who, str], ...] = (
    ("authorize_url", "browsers", "sign-in: the course's platform"),
    ("jwks_url", "hub", "sign-in: the platform's keys"),
)


def _sign_in(stack: StackConfig, resources: Resources) -> Iterator[Site]:
    for release in hub_releases(resources):
        hub = stack.hubs.get(hub_of(release))
        if hub is None:
            continue
        if isinstance(hub.sign_in, GitHubSignIn):
            yield Site("github.com", "browsers", "sign-in page", release.urn)
            yield Site("github.com", "hub", "sign-in: token", release.urn)
            yield Site("api.github.com", "hub", "sign-in: user identity", release.urn)
        elif isinstance(hub.sign_in, OidcSignIn):
            yield from _unless_inside(
                stack, host_of(hub.sign_in.authorize_url), "browsers", "sign-in page", release
            )
            for option in ("token_url", "userinfo_url"):
                yield from _unless_inside(
                    stack,
                    host_of(getattr(hub.sign_in, option)),
                    "hub",
                    f"sign-in: {option}",
                    release,
                )
        elif isinstance(hub.sign_in, CognitoSignIn):
            yield Site(hub.sign_in.domain, "browsers", "sign-in page", release.urn)
            yield Site(hub.sign_in.domain, "hub", "sign-in: token", release.urn)
        elif isinstance(hub.sign_in, LdapSignIn):
            yield from _unless_inside(stack, hub.sign_in.server, "hub", "directory", release)
        else:
            yield from _institution(stack, hub.sign_in, release)


def _institution(stack: StackConfig, sign_in: AnySignIn, release: Resource) -> Iterator[Site]:
    if isinstance(sign_in, PublicProvider):
        for host in sign_in.browser_hosts:
            yield Site(host, "browsers", "sign-in page", release.urn)
        for host in sign_in.hub_hosts:
            yield Site(host, "hub", "sign-in: user identity", release.urn)
    if isinstance(sign_in, LtiSignIn):
        for option, who, why in _PLATFORM:
            yield from _unless_inside(stack, host_of(getattr(sign_in, option)), who, why, release)


def _unless_inside(
    stack: StackConfig, host: str, who: Who, why: str, release: Resource
) -> Iterator[Site]:
    patterns = () if isinstance(stack.network, OpenNetworkSection) else stack.network.internal_hosts
    if not matches(host, patterns) and not host.replace(".", "").isdigit():
        yield Site(host, who, why, release.urn)


def _packages(stack: StackConfig, resources: Resources) -> Iterator[Site]:
    """What users' servers may reach: every address, where their policy says so."""
    for release in hub_releases(resources):
        name = f"hub-{hub_of(release)}"
        place = ReleaseLocation(release=name, namespace=name)
        policies = chart_policies(effective(release.inputs.get("values", {})), place)
        ways = [
            way
            for policy in policies
            if policy.who == WHO[SERVERS]
            for way in policy.ways
            if way.direction == "egress"
        ]
        wide = any((way.addresses or Ranges()).size > _WIDEST_OWN for way in ways)
        if wide and not stack.network.closed:
            yield Site(
                "*",
                "servers",
                "users' servers may reach every public address (their network policy)",
                release.urn,
            )


def _program(stack: StackConfig, resources: Resources) -> Iterator[Site]:
    """What the providers call while they build: AWS's APIs and the Kubernetes API."""
    seen: set[str] = set()
    for resource in resources:
        if not resource.type.startswith("aws:"):
            continue
        module = resource.type.split(":")[1].partition("/")[0]
        module = "route53resolver" if "/resolver" in resource.type else module
        host = (
            _GLOBAL_APIS.get(module)
            or f"{_API_NAMES.get(module, module)}.{stack.region}.amazonaws.com"
        )
        if host not in seen:
            seen.add(host)
            yield Site(
                host,
                "operators",
                f"creates {resource.type.rpartition(':')[2]} and others",
                resource.urn,
            )
    for cluster in resources.of("aws:eks/cluster:Cluster"):
        if cluster.inputs.get("vpcConfig", {}).get("endpointPublicAccess"):
            yield Site(
                f"*.{stack.region}.eks.amazonaws.com",
                "operators",
                "the Kubernetes API",
                cluster.urn,
            )


def _engine() -> Iterator[Site]:
    """What the engine itself fetches, unless a bundle brought it (`jhub bundle`)."""
    yield Site("get.pulumi.com", "operators", "the Pulumi CLI and plugins")
    yield Site("github.com", "operators", "plugins, where they are published first")
