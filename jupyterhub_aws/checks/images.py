"""Images and accelerators that users can work with: what a profile's servers run, where it is
pulled from, and whether the node's hardware reaches them.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from jupyterhub_aws.checks.finding import Finding, fail, verdict, warn
from jupyterhub_aws.checks.hub_values.pods import used_images
from jupyterhub_aws.checks.placement import UserNodes, user_nodes
from jupyterhub_aws.checks.resources import Resource, Resources
from jupyterhub_aws.checks.user_pods import UserPod, hub_of, hub_releases, user_pods
from jupyterhub_aws.config.bundle import normalized
from jupyterhub_aws.config.chart import default_values, effective
from jupyterhub_aws.config.hub import Hub
from jupyterhub_aws.config.instance_types import InstanceType
from jupyterhub_aws.config.registry import OnNodes
from jupyterhub_aws.config.specs import resolve
from jupyterhub_aws.config.stack import StackConfig
from jupyterhub_aws.config.tree import at

_DOCKER_HUB = "docker.io"
#: Maintained images of the Jupyter project, built for x86_64 and arm64 each week; those with CUDA
#: for x86_64 alone (docker-stacks, docs/using/selecting.md
#: and the list of builds in its wiki). On Docker Hub none was pushed since 2023-10-20 (its README).
_JUPYTER = "quay.io/jupyter/"
_OLD_JUPYTER = "docker.io/jupyter/"
#: The build of one week that the samples name too; two further public repositories name the first,
#: and one the second with its digest (2026-11-29).
SCIPY_IMAGE, CUDA_IMAGE = (
    f"{_JUPYTER}scipy-notebook:2026-08-03",
    f"{_JUPYTER}pytorch-notebook:cuda12-2026-08-03",
)
#: Makers that build each image for both architectures.
_BOTH_ARCHITECTURES = (_JUPYTER, "quay.io/jupyterhub/")
_SAYS_CUDA = re.compile(r"cuda|gpu|nvidia|rapids", re.IGNORECASE)
#: Families of EC2 with accelerators that are no NVIDIA GPUs, by the first part of the type
#: (DescribeInstanceTypes: InferenceAcceleratorInfo, NeuronInfo, FpgaInfo, MediaAcceleratorInfo,
#: compared in tests). Each needs a device plugin of its maker's before a pod can ask for one.
ACCELERATORS = {
    "inf1": "AWS Inferentia",
    "inf2": "AWS Inferentia2",
    "trn1": "AWS Trainium",
    "trn1n": "AWS Trainium",
    "trn2": "AWS Trainium2",
    "dl2q": "Qualcomm AI 100",
    "vt1": "Xilinx U30",
    "f2": "FPGAs",
}


@dataclass(frozen=True)
class _Use:
    """An image as its maker names it, and what it is for: a profile's servers, or another pod of
    the hub.
    """

    image: str
    what: str
    option: str
    pod: UserPod | None
    #: From a registry of the stack's own: its maker's limits are no concern.
    pulled_inside: bool


def images(stack: StackConfig, resources: Resources) -> list[Finding]:
    """Every profile has an image with which users can work, from a registry that hands it out,
    for the processors of its nodes.
    """
    nodes = list(user_nodes(stack, resources))
    found = [
        finding for release in hub_releases(resources) for finding in _of_hub(stack, release, nodes)
    ]
    holds = (
        "every profile names an image, none comes from Docker Hub without an account, and nodes"
        " can run them"
    )
    return verdict("images", found, otherwise=holds)


def _of_hub(stack: StackConfig, release: Resource, nodes: list[UserNodes]) -> Iterator[Finding]:
    hub = hub_of(release)

    def fault(which: str, option: str, message: str, fix: str) -> Finding:
        return warn(which, f"hub {hub}: {message}", fix, release, path=f"hubs.{hub}.{option}")

    uses = list(_uses(stack, release))
    sample = str(at(default_values(), "singleuser", "image", "name"))
    bare = [use.what for use in uses if use.pod is not None and _name(use.image) == sample]
    if bare:
        what = (
            f"{_listed(bare)} gets the chart's sample image ({sample.rpartition('/')[2]}): a bare"
            " notebook, without scientific packages and without CUDA"
        )
        fix = f"name an image, such as {SCIPY_IMAGE}; for GPUs {CUDA_IMAGE}"
        yield fault("sample-image", "image", what, fix)
    if not _signs_in(release) and not isinstance(stack.registry, OnNodes):
        for option, said, remedy in _from_docker_hub(uses):
            yield fault("docker-hub", option, said, remedy)
    for use in uses:
        if use.pod is None or _name(use.image) == sample:
            continue
        there = [node for node in nodes if not node.retiring and use.pod.may_run_on(node.labels)]
        if (
            use.pod.requests.get("nvidia.com/gpu")
            and use.image.startswith(_JUPYTER)
            and "@" not in use.image
            and not _SAYS_CUDA.search(use.image)
        ):
            message = (
                f"{use.what} has a GPU, but {use.image} has no CUDA: programs would not find it"
            )
            yield fault("image-without-cuda", use.option, message, f"use {CUDA_IMAGE}")
        on_arm = any(kind.architecture == "arm64" for node in there for kind in node.types)
        built_for = _built_for(stack, use.image)
        if built_for is not None:
            yield from (
                _not_built(hub, release, use, platform, built_for)
                for platform in sorted({_platform(kind) for node in there for kind in node.types})
                if platform not in built_for
            )
        elif on_arm and not _for_arm(use.image):
            message = (
                f"{use.what} may start on arm64 nodes, and {use.image} may be built for x86_64"
                " alone: its servers would end at once"
            )
            fix = "look for linux/arm64 in the image's manifest, or choose x86_64 instance types"
            yield fault("image-architecture", use.option, message, fix)


def _platform(kind: InstanceType) -> str:
    """As an image's index names it (OCI image specification, "Image Index")."""
    return f"linux/{'arm64' if kind.architecture == 'arm64' else 'amd64'}"


def _built_for(stack: StackConfig, image: str) -> tuple[str, ...] | None:
    """What an image is built for, where the stack's lock has it."""
    lock = resolve(stack).images.lock
    item = None if lock is None else lock.image(image)
    return None if item is None else item.platforms


def _not_built(
    hub: str, release: Resource, use: _Use, platform: str, built_for: tuple[str, ...]
) -> Finding:
    message = (
        f"hub {hub}: {use.what} may start on nodes of {platform}, and the lock says that"
        f" {use.image} is built for {', '.join(built_for)}: its servers would end at once"
    )
    fix = "choose an image with that platform, or instance types of another architecture"
    return fail("image-platform", message, fix, release, path=f"hubs.{hub}.{use.option}")


def _from_docker_hub(uses: list[_Use]) -> Iterator[tuple[str, str, str]]:
    """Option, message and fix for each image of Docker Hub."""
    by_image: dict[str, list[_Use]] = {}
    for use in uses:
        if use.image.startswith(f"{_DOCKER_HUB}/") and not use.pulled_inside:
            by_image.setdefault(use.image, []).append(use)
    for image, found in sorted(by_image.items()):
        old = image.startswith(_OLD_JUPYTER)
        message = (
            f"{_listed([use.what for use in found])}: {image.removeprefix(f'{_DOCKER_HUB}/')} comes"
            " from Docker Hub, which limits anonymous pulls by address, and nodes behind one NAT"
            " share theirs: where many start at once, servers wait or"
            f" fail{'; the Jupyter project pushes nothing there since 2023-10-20' if old else ''}"
        )
        another = (
            "use the maker's other registry, a registry of your own (option registry), or"
            " singleuser.image.pullSecrets"
        )
        yield found[0].option, message, f"use {_JUPYTER}… instead" if old else another


def _uses(stack: StackConfig, release: Resource) -> Iterator[_Use]:
    own = f"{stack.own_registry}/" if stack.own_registry else None
    hub = stack.hubs[hub_of(release)]
    for pod in user_pods(release):
        name = pod.profile.partition("/")[0]
        mirrored = own is not None and pod.image.startswith(own)
        option = _option_of(hub, name)
        what = f"profile {pod.profile}" if pod.profile else "every server"
        image = pod.image.removeprefix(own) if own and mirrored else normalized(pod.image)
        yield _Use(image, what, option, pod, pulled_inside=mirrored)
    for path, reference in used_images(release.inputs.get("values", {})):
        if path[:2] == ("prePuller", "extraImages") and hub.pre_pull_pools:
            continue  # those of profiles
        if path[:2] != ("singleuser", "image") and "profileList" not in path:
            mirrored, what = own is not None and reference.startswith(own), ".".join(map(str, path))
            yield _Use(normalized(reference), what, "helm_values", None, pulled_inside=mirrored)


def _option_of(hub: Hub, profile: str) -> str:
    """The option that says which images a profile offers."""
    own = hub.profiles.get(profile)
    if hub.image_choices and (own is None or not (own.image or own.images)):
        return "image_choices"
    named = own is not None and (hub.image is None or own.image is not None)
    return f"profiles.{profile}.image" if named else "image"


def _signs_in(release: Resource) -> bool:
    """Whether nodes pull with an account."""
    values = effective(release.inputs.get("values", {}))
    return bool(
        at(values, "imagePullSecrets")
        or at(values, "singleuser", "image", "pullSecrets")
        or at(values, "imagePullSecret", "create")
    )


def _name(image: str) -> str:
    tagged = image.partition("@")[0]
    return tagged.rpartition(":")[0] if ":" in tagged.rpartition("/")[2] else tagged


def _for_arm(image: str) -> bool:
    return image.startswith(_BOTH_ARCHITECTURES) and not _SAYS_CUDA.search(image)


def _listed(names: list[str]) -> str:
    """`profile small` or `3 choices (profile a, …)`."""
    unique = list(dict.fromkeys(names))
    if len(unique) == 1:
        return unique[0]
    return f"each of {', '.join(unique[:4])}{' …' if len(unique) > 4 else ''}"  # a line's worth


def accelerator(kind: InstanceType) -> str | None:
    """What accelerators a type has that this program installs no device plugin for; None where
    it has none, or NVIDIA GPUs.
    """
    return None if kind.gpus else ACCELERATORS.get(kind.name.partition(".")[0])


def accelerators(stack: StackConfig, resources: Resources) -> list[Finding]:
    """Whatever accelerators a pool's nodes have, servers can be given."""
    del resources
    idle = []
    for name, pool in stack.pools.user.items():
        kind = next(filter(accelerator, pool.types), None)
        if kind is not None:
            message = (
                f"pool {name}: {kind.name} has accelerators ({accelerator(kind)}) that no server"
                " gets: the stack installs NVIDIA's device plugin only"
            )
            fix = (
                "choose NVIDIA types (g, p), or install the maker's device plugin and driver"
                " yourself and name its resource in helm_values"
            )
            idle.append(warn("accelerators", message, fix, path=f"pools.{name}.instance_types"))
    holds = "every accelerator of a pool's nodes can be given to servers"
    return verdict("accelerators", idle, otherwise=holds)
