"""No external host in any string of any input: addresses with a scheme, and bare names that end
like one in the internet.
"""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Iterator
from ipaddress import IPv4Address
from typing import Any

from jupyterhub_aws.checks.airgap.view import View, decoded, fault, texts
from jupyterhub_aws.checks.finding import Finding
from jupyterhub_aws.checks.resources import Resource, chart_name
from jupyterhub_aws.config.bundle import normalized
from jupyterhub_aws.config.chart import CHART, effective
from jupyterhub_aws.config.egress import matches
from jupyterhub_aws.config.endpoints import addon_account
from jupyterhub_aws.config.entry import PortForwardEntry
from jupyterhub_aws.config.errors import dotted
from jupyterhub_aws.config.images import images_in
from jupyterhub_aws.config.registry import OnNodes
from jupyterhub_aws.config.tree import KeyPath, leaves
from jupyterhub_aws.config.unlisted_image import is_image_pattern, prefixes_of

_ADDRESS = re.compile(
    r"[a-z][a-z0-9+.-]*://(?:[^/@\s'\"]*@)?(?P<host>[A-Za-z0-9._-]+)", re.IGNORECASE
)
#: A name with a dot, not inside a path, an identifier or a number.
_NAME = re.compile(
    r"(?<![\w./@$:{-])(?P<host>(?:[a-z0-9](?:[a-z0-9-]*[a-z0-9])?\.)+(?P<top>[a-z]{2,}))(?![\w-]|\.[a-z])"
)
_TOP = frozenset("com org net edu gov mil int info biz dev app cloud io ai co".split())
_TWO = 2
#: Names that look like hosts and are identifiers: of labels, annotations, drivers, service
#: principals. They are never contacted.
_IDENTIFIERS = re.compile(
    r"(hub\.jupyter\.org|jupyter\.org|helm\.sh|pulumi\.com|nvidia\.com|[a-z.-]*\.?(kubernetes|k8s)\.io|k8s\.amazonaws\.com|eks\.amazonaws\.com|"
    r"(ebs|efs|s3)\.csi\.aws\.com|node\.eks\.aws)"
)
#: A file of Python, such as `settings.py` in a comment: .py is a domain too, and hosts of it
#: are found by their scheme or a further dot.
_PYTHON_FILE = re.compile(r"[a-z0-9-]+\.py")
#: Who may do what: services are principals there. They are never contacted.
_DOCUMENTS = ("assumeRolePolicy", "policy", "policyDocument")
_PRINCIPAL = re.compile(r"[a-z0-9-]+(\.[a-z]+)?\.amazonaws\.com(\.cn)?")
#: AWS itself delivers to these, from outside of every network: e-mail and https addresses of
#: receivers.
_TOLD_BY_AWS = "aws:sns/topicSubscription:TopicSubscription"
_PYTHON = ("hub", "extraConfig")


def hosts(view: View) -> Iterator[Finding]:
    """Every host that some input names is inside."""
    on_nodes = isinstance(view.stack.registry, OnNodes)  # there an image's name is only a name
    for resource in (item for item in view.resources if item.type != _TOLD_BY_AWS):
        for path, host in named_hosts(resource):
            if not (inside(view, host) or (on_nodes and _names_an_image(path))):
                what = f"names {host} at {dotted(path)}"
                fix = "remove it, or add it to network.internal_hosts if it is internal"
                yield fault("hosts", resource, what, fix, "network.internal_hosts")


def named_hosts(resource: Resource) -> Iterator[tuple[KeyPath, str]]:
    """The hosts that a resource's inputs name, and where. One that an image or a chart names is
    another rule's matter too.
    """
    for path, value in leaves(dict(resource.inputs)):
        if not isinstance(value, str):
            continue
        text = decoded(value) if path[-1] in ("userData", "userDataBase64") else value
        if any(path[index : index + 2] == _PYTHON for index in range(len(path))):
            text = " ".join(_strings_of_code(text))
        addressed = {match["host"].lower().rstrip(".") for match in _ADDRESS.finditer(text)}
        yield from ((path, host) for host in sorted(addressed))
        for match in _NAME.finditer(text):
            known = match["top"] in _TOP or len(match["top"]) == _TWO
            principal = path[-1] in _DOCUMENTS and _PRINCIPAL.fullmatch(match["host"])
            named = _IDENTIFIERS.fullmatch(match["host"]) or _PYTHON_FILE.fullmatch(match["host"])
            if known and not principal and not named:
                yield path, match["host"]


def _names_an_image(path: KeyPath) -> bool:
    return path[-1] == "image" or path[-2:] in (("image", "name"), ("image", "repository"))


def _strings_of_code(code: str) -> Iterator[str]:
    """The strings in Python code: its names with dots are no hosts."""
    try:
        tree = ast.parse(code)
    except SyntaxError:
        yield code
        return
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.value


def inside(view: View, host: str) -> bool:
    """Whether a host is inside: the stack's own names and registry, AWS's endpoints in the VPC,
    what the stack file says is inside, private addresses.
    """
    if "." not in host or host.endswith((".svc", ".local", ".internal", ".localhost")):
        return True
    try:
        address = IPv4Address(host)
    except ValueError:
        return _known(view, host)
    return address.is_loopback or address.is_link_local or view.declared(f"{address}/32")


def _known(view: View, host: str) -> bool:
    stack = view.stack
    entries = [hub.entry for hub in stack.hubs.values()]
    own = {entry.hostname for entry in entries if not isinstance(entry, PortForwardEntry)}
    registry = (stack.own_registry or "").partition("/")[0].partition(":")[0]
    if host in own or host == registry or matches(host, view.network.internal_hosts):
        return True
    suffix = f".{stack.region}.amazonaws.com"
    if not stack.region or not (
        host.endswith((suffix, f"{suffix}.cn")) or host.startswith(f"s3{suffix}")
    ):
        return False
    service = host.partition(suffix)[0]
    wanted = (
        "ecr.dkr"
        if service.endswith(".dkr.ecr")
        else service.rpartition(".")[2]
        if service.endswith(".s3")
        else service
    )
    names = {
        str(item.inputs.get("serviceName", ""))
        for item in view.resources.of("aws:ec2/vpcEndpoint:VpcEndpoint")
    }
    return f"com.amazonaws.{stack.region}.{wanted}" in names or not names


# --- Every image and chart is inside: in the stack's registry, in a folder, on the nodes, or EKS's
# own in the region.


_RELEASE = "kubernetes:helm.sh/v3:Release"
#: Hosts of registries, in front of an image name in a script.
_REGISTRIES = (
    "docker.io/",
    "quay.io/",
    "registry.k8s.io/",
    "ghcr.io/",
    "gcr.io/",
    "nvcr.io/",
    "public.ecr.aws/",
    "mcr.microsoft.com/",
)


def images(view: View) -> Iterator[Finding]:
    """Values of releases at any depth, the chart's own included; manifests; settings of add-ons;
    what nodes run when they start.
    """
    for release in view.resources.of(_RELEASE):
        yield from _judged(view, release, _all_values(release), ("values",))
        yield from _free_choice(view, release, _all_values(release))
    for resource in view.resources:
        if resource.type.startswith("kubernetes:") and resource.type != _RELEASE:
            yield from _judged(view, resource, dict(resource.inputs), ())
    for addon in view.resources.of("aws:eks/addon:Addon"):
        configuration = _parsed(addon.inputs.get("configurationValues"))
        yield from _judged(view, addon, configuration, ("configurationValues",))
    for resource, text in texts(view.resources):
        for host in _REGISTRIES:
            if host in text:
                what = f"pulls from {host.rstrip('/')} in its user data"
                fix = "put the image into the bundle"
                yield fault("images", resource, what, fix)


def _all_values(release: Resource) -> Any:
    """A release's values; a hub's with the chart's own."""
    values = release.inputs.get("values", {})
    return effective(values) if chart_name(release) == CHART else values


def _judged(view: View, resource: Resource, values: Any, at: tuple[str, ...]) -> Iterator[Finding]:
    for use in images_in(values):
        if not _inside(view, use.reference):
            path = dotted((*at, *use.path))
            what = f"names {use.reference} at {path}"
            fix = "put it into the registry (`jhub bundle`), and name it there"
            yield fault("images", resource, what, fix, "registry")


def _inside(view: View, reference: str) -> bool:
    # On nodes, independent of its name, it is never pulled: the pull policy is checked instead.
    if isinstance(view.stack.registry, OnNodes):
        return True
    registry = view.stack.own_registry
    region = view.stack.region
    own_of_eks = f"{addon_account(region)}.dkr.ecr.{region}.amazonaws.com/"
    return registry is not None and (
        reference.startswith(f"{registry}/") or normalized(reference).startswith(own_of_eks)
    )


def _free_choice(view: View, release: Resource, values: Any) -> Iterator[Finding]:
    """Where users may type an image's name, no plan knows which: its expression must let in nothing
    but the stack's own registry.
    """
    own = view.stack.own_registry
    for index, profile in enumerate(values.get("singleuser", {}).get("profileList") or []):
        for option, offered in (profile.get("profile_options") or {}).items():
            free = offered.get("unlisted_choice") or {}
            expression = free.get("validation_regex")
            inside = is_image_pattern(expression) and all(
                own is not None and (prefix == own or prefix.startswith(f"{own}/"))
                for prefix in prefixes_of(expression)
            )
            if free.get("enabled") and not inside:
                where = f"values.singleuser.profileList[{index}].profile_options.{option}"
                what = f"lets users type the name of an image ({where})"
                fix = "list the choices, or name the stack's registry in unlisted_image.allowed"
                yield fault("images", release, what, fix)


def pull_policies(view: View) -> Iterator[Finding]:
    """Images on nodes are never pulled."""
    if not isinstance(view.stack.registry, OnNodes):
        return
    for release in view.resources.of(_RELEASE):
        values = _all_values(release)
        for use in images_in(values):
            image: Any = values
            for key in use.path:
                image = image[key]
            if isinstance(image, dict) and image.get("pullPolicy") != "Never":
                what = (
                    f"would pull {use.reference} from a registry at {dotted(('values', *use.path))}"
                    f" (pullPolicy {image.get('pullPolicy')})"
                )
                yield fault("images", release, what, "set pullPolicy to Never")


def charts(view: View) -> Iterator[Finding]:
    """Charts come from the stack's registry or from a folder, not from their makers."""
    registry = view.stack.own_registry
    for release in view.resources.of(_RELEASE):
        chart = str(release.inputs["chart"])
        repository = (release.inputs.get("repositoryOpts") or {}).get("repo")
        inside = (registry is not None and chart.startswith(f"oci://{registry}/")) or (
            "://" not in chart and repository is None
        )
        if not inside:
            what = f"takes its chart from {repository or chart}"
            fix = "push it (`jhub bundle`), or give registry.charts"
            yield fault("charts", release, what, fix, "registry.charts")


def _parsed(text: object) -> Any:
    try:
        return json.loads(str(text)) if text else {}
    except ValueError:
        return {}
