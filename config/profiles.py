"""What a user may choose when a server starts: a pool, a share of its node, an image."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Self

from pydantic import AfterValidator, BeforeValidator, Field, model_validator

from jupyterhub_aws.config.aws_access import AwsAccess
from jupyterhub_aws.config.environment import GroupName, Variable, VariableText
from jupyterhub_aws.config.errors import refuse, shown
from jupyterhub_aws.config.instance_types import InstanceType
from jupyterhub_aws.config.model import Model, option
from jupyterhub_aws.config.node_size import server_room
from jupyterhub_aws.config.traits import number_of_bytes
from jupyterhub_aws.config.unlisted_image import UnlistedImage
from jupyterhub_aws.config.values import ShortName

_NEXT_START = "For servers that start later; running ones do not change."
#: KubeSpawner's ByteSpecification: K, M, G and T, all of them powers of 1024.
_MEMORY = re.compile(r"([0-9]+(?:\.[0-9]+)?)([KMGT])")
_IMAGE = re.compile(
    r"(?P<name>[a-z0-9]+([._/-]+[a-z0-9]+)*(:[0-9]+/[a-z0-9]+([._/-]+[a-z0-9]+)*)?)(:(?P<tag>[\w][\w.-]{0,127}))?(@sha256:(?P<digest>[0-9a-f]{64}))?",
    re.ASCII,
)


def _memory_text(value: object) -> object:
    if isinstance(value, bool):
        fix = "write it with a unit, such as 16G"
        raise refuse("memory.malformed", f"is not a size (got {shown(value)})", fix)
    if isinstance(value, (int, float)):
        raise refuse(
            "memory.no-unit",
            f"has no unit (got {shown(value)})",
            f"write it with one, such as {value if value < 2048 else 16}G",
        )  # beyond, bytes were meant
    return value


def _memory(value: str) -> str:
    if re.fullmatch(r"[0-9.]+[KMGTkmgt]i?[Bb]?", value) and not _MEMORY.fullmatch(value):
        meant = re.sub(r"(?i)i?b?$", "", value).upper()
        what = f"has a unit that KubeSpawner refuses when a server starts (got {shown(value)})"
        raise refuse("memory.unit", what, f"write {meant}, which counts in powers of 1024")
    match = _MEMORY.fullmatch(value)
    if not match:
        fix = "write a number and one of K, M, G, T, such as 16G"
        raise refuse("memory.malformed", f"is not a size (got {shown(value)})", fix)
    if memory_mib(value) < 64:  # a Jupyter server alone takes about 100 MiB
        what = f"is less than a server needs to start (got {shown(value)})"
        raise refuse("memory.too-small", what, "write 1G or more")
    return value


def memory_mib(value: str) -> float:
    """A size of KubeSpawner in MiB: `16G` is 16384."""
    return number_of_bytes(value) / 1024**2


def memory_text(mib: float) -> str:
    """MiB as a size of KubeSpawner: G where it is a whole number of them, else M."""
    whole = int(mib)
    return f"{whole // 1024}G" if whole % 1024 == 0 else f"{whole}M"


def _cores(value: object) -> object:
    if isinstance(value, str):
        if re.fullmatch(r"[0-9]+m", value):
            fix = f"write {int(value[:-1]) / 1000:g} without quotes"
            raise refuse("cpu.malformed", f"must be a number of cores (got {shown(value)})", fix)
        number = value if re.fullmatch(r"[0-9]+(\.[0-9]+)?", value) else "2"
        what = f"must be a number (got {shown(value)}): the chart refuses text there"
        raise refuse("cpu.text", what, f"write {number} without quotes")
    if isinstance(value, bool):
        fix = "write it like 2 or 0.5"
        raise refuse("cpu.malformed", f"must be a number of cores (got {shown(value)})", fix)
    return value


def split_image(value: str) -> tuple[str, str]:
    """Name and tag as the chart joins them again with a colon; a digest is the tag of a name
    that ends in @sha256.
    """
    match = _IMAGE.fullmatch(value)
    if match is None:
        raise ValueError(value)
    return (
        (f"{match['name']}@sha256", match["digest"])
        if match["digest"]
        else (match["name"], match["tag"])
    )


def _image(value: str) -> str:
    match = _IMAGE.fullmatch(value)
    if match is None:
        fix = "write it like quay.io/jupyter/scipy-notebook:2025-12-31"
        raise refuse("image.malformed", f"is not an image (got {shown(value)})", fix)
    if not match["tag"] and not match["digest"]:
        what = f"has no tag (got {shown(value)}): its content could change without notice"
        raise refuse("image.no-tag", what, "add a tag, or a digest as @sha256:…")
    if match["tag"] == "latest" and not match["digest"]:
        what = f"follows latest (got {shown(value)}): its content could change without notice"
        raise refuse("image.latest", what, "name the tag that you tried")
    return value


#: A path, as JupyterHub appends it to a server's address; KubeSpawner would expand braces.
_PAGE = re.compile(r"/[A-Za-z0-9._~/?=&%-]{0,200}")


def _page(value: str) -> str:
    if not _PAGE.fullmatch(value) or value.startswith("//"):
        what = f"is not a page of a server (got {shown(value)})"
        raise refuse("image.default-url", what, "write a path such as /lab, /rstudio or /vscode")
    return value


Memory = Annotated[
    str,
    BeforeValidator(_memory_text),
    AfterValidator(_memory),
    Field(json_schema_extra={"examples": ["16G"], "pattern": f"^{_MEMORY.pattern}$"}),
]
Cores = Annotated[float, Field(ge=0.1, le=448), BeforeValidator(_cores)]
Image = Annotated[
    str,
    AfterValidator(_image),
    Field(json_schema_extra={"examples": ["quay.io/jupyter/scipy-notebook:2025-12-31"]}),
]


class ImageChoice(Model):
    """One of several images that a hub or a profile offers."""

    image: Image = option(help="The image, with its tag or digest.", changing=_NEXT_START)
    display_name: str | None = option(
        None,
        help="Its text on the page. Default: the choice's own name.",
        changing="At once.",
        min_length=1,
        max_length=80,
    )
    description: str | None = option(
        None,
        help="What is in it, behind its text on the page: packages, a course, a purpose.",
        changing="At once.",
        min_length=1,
        max_length=120,
    )
    default_url: Annotated[str, AfterValidator(_page)] | None = option(
        None,
        help=(
            "The page that its servers open, such as /lab, /rstudio or /vscode. Default: the"
            " image's own."
        ),
        changing=_NEXT_START,
    )
    default: bool = option(
        False,
        help="Chosen when a user does not choose. Without any it is the first by name.",
        changing="At once.",
    )


class SizeChoice(Model):
    """One of several sizes that a profile offers."""

    cpu: Cores = option(
        help="The most cores that a server may use.", unit="cores", changing=_NEXT_START
    )
    memory: Memory = option(
        help="The most memory, such as 32G (powers of 1024).", changing=_NEXT_START
    )
    guarantee: float = option(
        0.5,
        help="Share of both that is guaranteed to a server even on a full node.",
        changing=_NEXT_START,
        gt=0,
        le=1,
    )
    gpus: int = option(0, help="Whole GPUs.", unit="GPUs", changing=_NEXT_START, ge=0, le=16)
    display_name: str | None = option(
        None,
        help="Its text on the page. Default: cores, memory and GPUs.",
        changing="At once.",
        min_length=1,
        max_length=80,
    )
    default: bool = option(
        False,
        help="Chosen when a user does not choose. Without any it is the smallest.",
        changing="At once.",
    )

    @model_validator(mode="after")
    def _guarantee_is_something(self) -> Self:
        _enough(self.memory, self.guarantee)
        return self


class Profile(Model):
    """One choice on the page where a user starts a server.

    How much of a node a server gets is said in one of three ways: `cpu` and `memory`;
    `users_per_node`, which divides a node; or several `sizes`.
    """

    display_name: str | None = option(
        None,
        help="Its text on the page. Default: the profile's own name.",
        changing="At once.",
        min_length=1,
        max_length=80,
    )
    description: str | None = option(
        None,
        help="A line below it. Default: cores, memory and GPUs.",
        changing="At once.",
        max_length=300,
    )
    pool: ShortName = option(help="The user pool whose nodes it starts on.", changing=_NEXT_START)
    cpu: Cores | None = option(
        None, help="The most cores that a server may use.", unit="cores", changing=_NEXT_START
    )
    memory: Memory | None = option(
        None,
        help="The most memory, such as 32G (powers of 1024). A server that wants more is stopped.",
        changing=_NEXT_START,
    )
    guarantee: float = option(
        0.5,
        help=(
            "Share of `cpu` and `memory` that is guaranteed to a server even on a full node. 0.5 is"
            " an overcommitment of two to one; 1 means none."
        ),
        changing=_NEXT_START,
        gt=0,
        le=1,
    )
    gpus: int = option(0, help="Whole GPUs.", unit="GPUs", changing=_NEXT_START, ge=0, le=16)
    users_per_node: int | None = option(
        None,
        help=(
            "Instead of `cpu` and `memory`: so many servers fill a node of the pool exactly. Each"
            " is guaranteed its part; its limit follows from `guarantee`."
        ),
        unit="users",
        changing=_NEXT_START,
        ge=1,
        le=100,
    )
    sizes: dict[ShortName, SizeChoice] = option(
        {}, help="Instead of both: sizes to choose from.", changing=_NEXT_START, max_length=12
    )
    image: Image | None = option(None, help="Another image than the hub's.", changing=_NEXT_START)
    images: dict[ShortName, ImageChoice] = option(
        {},
        help=(
            "Instead of `image`: images to choose from. With neither the profile offers those of"
            " the hub."
        ),
        changing=_NEXT_START,
        max_length=30,
    )
    unlisted_image: UnlistedImage | None = option(
        None,
        help="Beside `images`: a text field for another image, from registries that are listed.",
        changing="See its options.",
    )
    environment: dict[Variable, VariableText] = option(
        {},
        help="Environment variables, quoted, none of them secret.",
        changing=_NEXT_START,
        max_length=50,
    )
    groups: tuple[GroupName, ...] = option(
        (),
        help=(
            "Only members of one of these groups (and administrators) see and may start it. Named"
            " as the sign-in names them: DNs, claims, organization:team."
        ),
        changing=(
            "The hub restarts; running servers are not affected. From then on other users neither"
            " see it nor can start it."
        ),
        max_length=50,
    )
    aws_access: AwsAccess | None = option(
        None,
        help=(
            "What its servers may do in AWS, instead of `aws_access` of the hub. An empty map:"
            " nothing."
        ),
        changing="The hub restarts; for servers that start later.",
    )
    protected: bool = option(
        False,
        help=(
            "Its servers start on on-demand nodes only, which AWS does not reclaim: for long"
            " computations."
        ),
        changing=_NEXT_START,
    )
    default: bool = option(
        False,
        help=(
            "Chosen when a user does not choose, and listed first. Without any it is the smallest."
        ),
        changing="At once.",
    )

    @model_validator(mode="after")
    def _one_way_to_say_how_much(self) -> Self:
        ways = [
            name
            for name, given in (
                ("cpu and memory", self.cpu or self.memory),
                ("users_per_node", self.users_per_node),
                ("sizes", self.sizes),
            )
            if given
        ]
        if len(ways) > 1:
            what = f"says twice how much a server gets: {' and '.join(ways)}"
            raise refuse("profile.amount-twice", what, f"keep {ways[0]}, or one of the others")
        if not ways:
            fix = "write cpu and memory, users_per_node, or sizes"
            raise refuse("profile.no-amount", "does not say how much a server gets", fix)
        if ways == ["cpu and memory"]:
            if self.cpu is None or self.memory is None:
                what = f"says {'memory' if self.cpu is None else 'cpu'} alone"
                fix = f"add {'cpu' if self.cpu is None else 'memory'}"
                raise refuse("profile.half-an-amount", what, fix)
            _enough(self.memory, self.guarantee)
        if self.sizes and (self.gpus or "guarantee" in self.model_fields_set):
            what = "has gpus or guarantee beside sizes, where each size has its own"
            raise refuse("profile.sizes-and-amounts", what, "move them into sizes")
        return self

    @model_validator(mode="after")
    def _choices_are_choices(self) -> Self:
        if self.images and self.image is not None:
            fix = "put it into images, with default: true"
            raise refuse("profile.image-and-images", "names image beside images", fix)
        if self.unlisted_image is not None and not self.images:
            what = "has unlisted_image without images of its own"
            fix = "list images beside it, or write both for the hub (image_choices)"
            raise refuse("profile.unlisted-image-alone", what, fix)
        for option_name, choices in (("images", self.images), ("sizes", self.sizes)):
            chosen = [name for name, choice in choices.items() if choice.default]
            if len(chosen) > 1:
                what = f"{option_name} have more than one default: {', '.join(sorted(chosen))}"
                raise refuse("choice.several-defaults", what, "keep `default: true` on one of them")
        return self


def _enough(memory: str, guarantee: float) -> None:
    if memory_mib(memory) * guarantee < 64:  # a Jupyter server alone takes about 100 MiB
        what = "guarantee leaves a server less memory than it needs to start"
        raise refuse("profile.guarantee-too-small", what, "raise guarantee or memory")


# --- How much of a node a server gets, for each size that a profile offers: what the stack file
# says, or a node divided by the number of users. Pure.


#: Rounding steps that are too small to matter: cores in hundredths, memory in MiB.
_CPU_STEP_MILLICORES = 10


@dataclass(frozen=True, kw_only=True, slots=True)
class Share:
    """The limit and the guarantee of one server: cores, MiB of memory, whole GPUs. `path` is the
    option below the profile that says so.
    """

    cpu: float
    cpu_guarantee: float
    memory_mib: float
    memory_guarantee_mib: float
    gpus: int
    path: str


def shares(
    profile: Profile, kinds: Sequence[InstanceType], max_pods: int
) -> dict[str | None, Share]:
    """The share of each size of a profile, by the size's name from small to large; under None
    where it has one size only.
    """
    if profile.sizes:
        found = {
            name: _said(size.cpu, size.memory, size.guarantee, size.gpus, f"sizes.{name}.")
            for name, size in profile.sizes.items()
        }
        return dict(
            sorted(
                found.items(),
                key=lambda item: (item[1].gpus, item[1].memory_mib, item[1].cpu, str(item[0])),
            )
        )
    if profile.users_per_node is not None:
        return {None: _divided(profile, profile.users_per_node, kinds, max_pods)}
    assert profile.cpu is not None and profile.memory is not None  # noqa: S101 -- for the type checker: the model says so
    return {None: _said(profile.cpu, profile.memory, profile.guarantee, profile.gpus, "")}


def default_size(profile: Profile, found: dict[str | None, Share]) -> str | None:
    """The size of a user who does not choose: the default one, or the smallest."""
    return next(
        (name for name, size in sorted(profile.sizes.items()) if size.default), next(iter(found))
    )


def default_image(images: Mapping[str, ImageChoice]) -> str | None:
    """The name of the image of a user who does not choose, among several; None where there is no
    choice.
    """
    return next(
        (name for name, choice in sorted(images.items()) if choice.default),
        next(iter(sorted(images)), None),
    )


def _said(cpu: float, memory: str, guarantee: float, gpus: int, path: str) -> Share:
    mib = memory_mib(memory)
    return Share(
        cpu=cpu,
        cpu_guarantee=round(cpu * guarantee, 3),
        memory_mib=mib,
        memory_guarantee_mib=mib * guarantee,
        gpus=gpus,
        path=path,
    )


def _divided(profile: Profile, users: int, kinds: Sequence[InstanceType], max_pods: int) -> Share:
    """The share of one of so many users of a node, rounded down so that all of them fit; the
    limit is never more than the node.
    """
    room = server_room(kinds, max_pods)
    millicores = (
        math.floor(room.cpu_millicores / users / _CPU_STEP_MILLICORES) * _CPU_STEP_MILLICORES
    )
    memory = max(room.memory_mib, 0) // users
    return Share(
        cpu=max(
            math.floor(min(millicores / profile.guarantee, room.cpu_millicores) / 100) / 10,
            millicores / 1000,
        ),
        cpu_guarantee=millicores / 1000,
        memory_mib=float(min(math.floor(memory / profile.guarantee), max(room.memory_mib, 0))),
        memory_guarantee_mib=float(memory),
        gpus=profile.gpus,
        path="users_per_node",
    )
