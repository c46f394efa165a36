"""Arguments of a component, read with the models and rules of a stack file: every problem at
once, each with the argument's path.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Annotated, Any, TypeVar

import pulumi
from pydantic import BaseModel, Field, TypeAdapter, ValidationError

from jupyterhub_aws.components.base import ArgumentError
from jupyterhub_aws.components.cluster.outputs import ClusterOutputs
from jupyterhub_aws.components.network.outputs import NetworkOutputs
from jupyterhub_aws.config.egress import (
    HostPattern,
    InternetEgress,
    NoEgress,
    PeerNetwork,
    ProxyEgress,
)
from jupyterhub_aws.config.errors import Problem, dotted, shown
from jupyterhub_aws.config.explain import problems_of
from jupyterhub_aws.config.infrastructure_rules import zone_problems
from jupyterhub_aws.config.model import said
from jupyterhub_aws.config.network import EndpointService
from jupyterhub_aws.config.tags import TagValue
from jupyterhub_aws.config.values import Cidr, KmsKeyArn, Region, StackName, Zone
from jupyterhub_aws.config.versions import kubernetes_versions

M = TypeVar("M", bound=BaseModel)
H = TypeVar("H")

# AWS allows 50 on a resource; the rest is for the library's own: names, discovery, scale-from-zero
# templates
_MOST_TAGS = 40


class Unreadable(Exception):  # noqa: N818 -- caught where it is raised
    """A value that no section can have, with its path."""

    def __init__(self, path: tuple[int | str, ...], value: object) -> None:
        self.path, self.value = path, value


class Arguments:
    """Collects what is wrong with the arguments of one component. `done` raises all of it."""

    def __init__(self, component: str, name: object) -> None:
        """`component` is the class, `name` the component's resource name."""
        self.source = f"{component} {name!r}"
        self.problems: list[Problem] = []
        self._resource_name = name

    def say(self, which: str, path: str, what: str, fix: str) -> None:
        """Add a problem of one argument; `which` is its id."""
        self.problems.append(Problem(id=which, path=path, what=what, fix=fix))

    def add(self, problems: Iterable[Problem], *, within: str = "") -> None:
        """Add problems that a rule of stack files found. `within` is the section's name there,
        which is not part of an argument's path.
        """
        for problem in problems:
            path = problem.path.removeprefix(f"{within}.") if within else problem.path
            self.problems.append(dataclasses.replace(problem, path=path))

    def done(self, renamed: Mapping[str, str] | None = None) -> None:
        """Raise ArgumentError where something was wrong. `renamed` maps paths of a section, and
        all below them, to the arguments' own; the first one counts.
        """
        if self.problems:
            raise ArgumentError(
                self.source,
                [
                    dataclasses.replace(item, path=_renamed(item.path, renamed or {}))
                    for item in self.problems
                ],
            )

    def section(self, model: type[M], values: Mapping[str, Any], *, path: str = "") -> M | None:
        """The section with these values, as in a stack file; None with its problems noted. An
        absent value (None) is the option's default.
        """
        try:
            document = {
                key: _plain(value, (key,)) for key, value in values.items() if value is not None
            }
            return model.model_validate_json(json.dumps(document))
        except Unreadable as error:
            where = dotted((path, *error.path)) if path else dotted(error.path)
            if isinstance(error.value, pulumi.Output):
                self.say(
                    "argument.is-output",
                    where,
                    "is an output, whose value is known only after its resource was created",
                    "give a plain value",
                )
            else:
                self.say(
                    "option.kind",
                    where,
                    f"has a value of the wrong kind (got {type(error.value).__name__})",
                    "give plain text, numbers, lists and maps",
                )
        except RecursionError:
            self.say(
                "option.too-deep",
                path,
                "is nested too deeply to be read",
                "compare it with docs/reference.md",
            )
        except ValidationError as error:
            self.problems += problems_of(error, model, path)
        return None

    def physical_name(self, given: object, *, default: object = None) -> str:
        """The prefix of physical names: the argument, or the component's resource name, or a
        cluster's name as `default`.
        """
        name = (
            given if given is not None else default if default is not None else self._resource_name
        )
        try:
            found: str = TypeAdapter(StackName).validate_python(name, strict=True)
        except ValidationError as error:
            which, what, fix = _refusal(
                error.errors()[0],
                "argument.not-text",
                f"must be text (got {shown(name)})",
                "write something like jhub-dev",
            )
            usual = "the resource name" if default is None else "the cluster's name"
            said = (
                what if given is not None else f"is {usual} where it is not given, and that {what}"
            )
            self.say(which, "physical_name", said, f"{fix} as physical_name")
            return ""
        return found

    def tags(self, given: object) -> Mapping[str, str]:
        """The tags of every resource, as text by text."""
        if not isinstance(given, Mapping):
            self.say(
                "argument.not-a-map",
                "tags",
                f"must be a map (got {shown(given)})",
                'write {"owner": "platform-team"}',
            )
            return {}
        if len(given) > _MOST_TAGS:
            self.say(
                "tags.too-many",
                "tags",
                f"must have at most {_MOST_TAGS} entries (got {len(given)})",
                "remove some: AWS takes 50, and this library sets some of its own",
            )
        for key, value in given.items():
            self._tag(key, value)
        return given

    def _tag(self, key: object, value: object) -> None:
        path = dotted(("tags", str(key)))
        if (
            not isinstance(key, str)
            or not 0 < len(key) <= 128
            or key.lower().startswith("aws:")
            or key == "Name"
        ):  # "Tag naming limits"
            self.say(
                "tags.key",
                path,
                "is not a tag's key: 1 to 128 characters that do not begin with aws:, and not Name,"
                " which this library sets",
                "choose another key",
            )
        try:
            TypeAdapter(TagValue).validate_python(value, strict=True)
        except ValidationError as error:
            which, what, fix = _refusal(
                error.errors()[0],
                "argument.not-text",
                f"must be text (got {shown(value)})",
                "write it in quotes",
            )
            self.say(which, path, what, fix)

    def region(self, path: str, zones: Sequence[str]) -> str:
        """The region of zones that are valid by themselves: the first one's. `path` is that
        zone's.
        """
        region = zones[0][:-1]
        self._valid(Region, region, path)
        return region

    def services(self, given: object) -> dict[str, str] | None:
        """The AWS services that get a private endpoint, each with why, sorted; None where
        nothing is given, or it is wrong.
        """
        if given is None:
            return None
        if not isinstance(given, Mapping):
            self.say(
                "argument.not-a-map",
                "services",
                f"must be a map (got {shown(given)})",
                'write {"s3": "layers of images"}',
            )
            return None
        fine = [
            self._valid(EndpointService, service, dotted(("services", str(service))))
            for service in given
        ]
        fine += [
            self._valid(str, why, dotted(("services", str(service))))
            for service, why in given.items()
        ]
        if "s3" not in given:
            self.say(
                "endpoints.no-s3",
                "services",
                "lacks s3, without which no image is pulled",
                "add it",
            )
        return dict(sorted(given.items())) if all(fine) else None

    def check_value(self, kind: Any, value: object, path: str) -> bool:
        """Whether a value is of this kind, such as `Region`; else its problem is noted."""
        return self._valid(kind, value, path)

    def check_resources(self, given: object, path: str = "depends_on") -> None:
        """Note a value that is no list of resources, or an item that is no resource."""
        if not isinstance(given, (list, tuple)):
            self.say(
                "argument.not-a-list",
                path,
                f"must be a list of resources (got {shown(given)})",
                "write one, also for a single resource",
            )
            return
        for index, item in enumerate(given):
            if not isinstance(item, pulumi.Resource):
                self.say(
                    "argument.kind",
                    f"{path}[{index}]",
                    f"must be a resource (got {type(item).__name__})",
                    "give the resource itself, not an output of it",
                )

    def handle(self, path: str, given: object, kind: type[H], *, fix: str = "") -> H | None:
        """The outputs of another component; None with the problem, whose remedy is `fix`, noted."""
        if isinstance(given, kind):
            return given
        outputs = getattr(given, "outputs", None)
        other = (
            "write .outputs behind it"
            if isinstance(outputs, kind)
            else f"give the .outputs of a component, or {kind.__name__} of your own"
        )
        self.say(
            "argument.kind",
            path,
            f"must be {kind.__name__} (got {type(given).__name__})",
            fix or other,
        )
        return None

    def check_input(self, path: str, value: object) -> None:
        """Note an argument that is neither text nor an output of a resource; None is valid."""
        if value is not None and not isinstance(value, (str, pulumi.Output)):
            self.say(
                "argument.not-text",
                path,
                f"must be text, or an output (got {shown(value)})",
                "write it in quotes, or give an output of the resource",
            )

    def check_network(
        self, network: NetworkOutputs, *, zones: int = 1, path: str = "network"
    ) -> bool:
        """Whether a network that was filled in by hand has what resources with subnets in so
        many zones need; else its problems are noted.
        """
        before = len(self.problems)
        self.check_present(f"{path}.vpc_id", network.vpc_id, "this is made in a VPC")
        for name in ("vpc_id", "endpoints_security_group_id", "s3_prefix_list_id"):
            self.check_input(f"{path}.{name}", getattr(network, name))
        ranges: Any = list(network.cidrs) if isinstance(network.cidrs, tuple) else network.cidrs
        if self._valid(list[Cidr], ranges, f"{path}.cidrs") and not ranges:
            self.say(
                "argument.empty",
                f"{path}.cidrs",
                "is empty",
                "give the IPv4 ranges of nodes and pods",
            )
        for option in ("private_subnets", "public_subnets"):
            subnets = getattr(network, option)
            if not isinstance(subnets, Mapping):
                self.say(
                    "argument.not-a-map",
                    f"{path}.{option}",
                    f"must be a map (got {shown(subnets)})",
                    'write {"us-east-1a": subnet.id}',
                )
                continue
            found = [
                zone
                for zone in subnets
                if self._valid(Zone, zone, dotted((path, option, str(zone))))
            ]
            for zone in found if isinstance(network.private_subnets, Mapping) else ():
                self.add(
                    zone_problems(
                        dotted((path, option, zone)),
                        zone,
                        network.region,
                        instead=f"the first zone of {path}.private_subnets",
                    )
                )
            if option == "private_subnets" and len(subnets) < zones:
                what = f"must have at least {zones} entries (got {len(subnets)})"
                self.say(
                    "argument.too-few",
                    f"{path}.{option}",
                    what,
                    (
                        "give a subnet in each zone; EKS wants two zones"
                        if zones > 1
                        else "give the subnets of the nodes"
                    ),
                )
            for zone, subnet in subnets.items():
                self.check_input(dotted((path, option, str(zone))), subnet)
        if not isinstance(network.egress, (InternetEgress, NoEgress, ProxyEgress)):
            fix = "write NoEgress(), ProxyEgress(url=…) or InternetEgress()"
            self.say(
                "egress.kind",
                f"{path}.egress",
                f"is no kind of egress (got {shown(network.egress)})",
                fix,
            )
        hosts: Any = (
            list(network.internal_hosts)
            if isinstance(network.internal_hosts, tuple)
            else network.internal_hosts
        )
        self._valid(list[HostPattern], hosts, f"{path}.internal_hosts")
        peers = network.peer_networks
        if not isinstance(peers, Mapping) or not all(
            isinstance(name, str) and isinstance(peer, PeerNetwork) for name, peer in peers.items()
        ):
            self.say(
                "network.peer-networks",
                f"{path}.peer_networks",
                "is no map of peer networks by their names",
                'write {"corporate": PeerNetwork(cidrs=("10.0.0.0/8",))}',
            )
        return len(self.problems) == before

    def check_cluster(self, cluster: ClusterOutputs, *, for_nodes: bool = True) -> None:
        """Note what a cluster that was filled in by hand lacks for nodes in its VPC, or for
        resources of an EKS cluster.
        """
        self._valid(
            Annotated[str, Field(min_length=1, max_length=100)], cluster.name, "cluster.name"
        )
        self._valid(Cidr, cluster.service_cidr, "cluster.service_cidr")
        for name in (
            "endpoint",
            "certificate_authority",
            "security_group_id",
            "node_security_group_id",
            "kubeconfig",
            "created",
            "id",
        ):
            self.check_input(f"cluster.{name}", getattr(cluster, name))
        self.check_resources(cluster.ready, "cluster.ready")
        if (
            self._valid(str, cluster.version, "cluster.version")
            and cluster.version not in kubernetes_versions()
        ):
            known = ", ".join(sorted(kubernetes_versions()))
            self.say(
                "version.unknown",
                "cluster.version",
                f"has no row in the versions table (got {shown(cluster.version)})",
                f"choose one of {known}",
            )
        if not for_nodes:
            self._valid(Region, cluster.region, "cluster.network.region")
            self.check_present(
                "cluster.endpoint",
                cluster.endpoint if cluster.id is None else cluster.id,
                "this waits for the cluster",
            )
            return
        for name in ("endpoint", "certificate_authority", "security_group_id"):
            self.check_present(
                f"cluster.{name}", getattr(cluster, name), "nodes cannot join without it"
            )
        if isinstance(cluster.network, NetworkOutputs):
            self.check_network(cluster.network, path="cluster.network")
        else:
            self.say(
                "argument.kind",
                "cluster.network",
                f"must be NetworkOutputs (got {type(cluster.network).__name__})",
                "give the .outputs of a network, or fill in one",
            )

    def check_key(self, path: str, given: object, region: str) -> None:
        """Note the problem of the ARN of a KMS key in a region; None is valid."""
        if given is None or not self._valid(KmsKeyArn, given, path):
            return
        there = str(given).split(":")[3]
        if region and there != region:
            self.say(
                "key.region",
                path,
                f"is a key in {there}, and this is in {region}",
                f"name a key in {region}; of a multi-Region key its replica there",
            )

    def _valid(self, kind: Any, value: object, path: str) -> bool:
        try:
            TypeAdapter(kind).validate_python(value, strict=True)
        except ValidationError as error:
            for detail in error.errors():
                which, what, fix = _refusal(
                    detail,
                    "option.kind",
                    f"has a value of the wrong kind (got {shown(detail['input'])})",
                    "compare it with its documentation",
                )
                self.say(which, path + "".join(f"[{part}]" for part in detail["loc"]), what, fix)
            return False
        return True

    def check_present(self, path: str, value: object, why: str) -> None:
        """Note an input that is None where it is needed."""
        if value is None:
            self.say("argument.missing", path, f"is missing: {why}", "give it")


def _refusal(detail: Any, which: str, what: str, fix: str) -> tuple[str, str, str]:
    """Id, fault and remedy of a value: as its validator gave them, else these."""
    context = detail.get("ctx", {})
    return context.get("id", which), context.get("what", what), context.get("fix", fix)


def plain_of(values: Any) -> Any:
    """A list without the outputs in it, whose values are not known yet."""
    return (
        [value for value in values if not isinstance(value, pulumi.Output)]
        if isinstance(values, (list, tuple))
        else values
    )


def outputs_of(values: Sequence[pulumi.Input[str]]) -> list[pulumi.Input[str]]:
    """The outputs in a list."""
    return [value for value in values if isinstance(value, pulumi.Output)]


def _renamed(path: str, names: Mapping[str, str]) -> str:
    old = next(
        (old for old in names if path == old or path.startswith((f"{old}.", f"{old}["))), None
    )
    return path if old is None else names[old] + path.removeprefix(old)


def _plain(value: Any, path: tuple[int | str, ...]) -> Any:
    """A value as JSON has it. Raises Unreadable for a value that no stack file could have."""
    if value is None or isinstance(value, (str, bool, int)):
        return value
    if isinstance(value, float) and value == value and abs(value) != float("inf"):  # noqa: PLR0124 -- not a number is not itself
        return value
    if isinstance(value, BaseModel):
        return said(value)
    if (
        dataclasses.is_dataclass(value)
        and not isinstance(value, type)
        and hasattr(value, "as_section")
    ):
        return _plain(value.as_section(), path)
    if isinstance(value, Mapping):
        return {
            _text_key(key, path): _plain(item, (*path, str(key))) for key, item in value.items()
        }
    if isinstance(value, (list, tuple)):
        return [_plain(item, (*path, index)) for index, item in enumerate(value)]
    raise Unreadable(path, value)


def _text_key(key: object, path: tuple[int | str, ...]) -> str:
    if not isinstance(key, str):
        raise Unreadable((*path, str(key)), key)
    return key
