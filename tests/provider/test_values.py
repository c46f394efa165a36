"""Values between the engine and the components: whatever a program says arrives as Python's
components take it, and nothing secret is read.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Coroutine, Mapping
from typing import Any

import pulumi
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pulumi.output import UNKNOWN
from pulumi.provider.experimental.analyzer import PropertyType
from pulumi.provider.experimental.util import camel_case
from pulumi.resource import DependencyResource

from jupyterhub_aws.components.arguments import Arguments
from jupyterhub_aws.components.backups import BackupsOutputs
from jupyterhub_aws.components.cluster.outputs import ClusterOutputs
from jupyterhub_aws.components.network.outputs import NetworkOutputs
from jupyterhub_aws.components.pools.args import NodePoolsOutputs
from jupyterhub_aws.components.validated import validated
from jupyterhub_aws.config.backups import AwsBackup
from jupyterhub_aws.config.cloud_config import given_by, whole
from jupyterhub_aws.config.errors import Problem
from jupyterhub_aws.config.specs import resolve
from jupyterhub_aws.config.specs.backups import BackupSpec
from jupyterhub_aws.config.specs.buckets import BucketSpec
from jupyterhub_aws.config.stack import StackConfig
from jupyterhub_aws.config.stack_file import read
from jupyterhub_aws.provider.package import Package
from jupyterhub_aws.provider.shapes import (
    ANYTHING,
    FLAG,
    TEXT,
    Property,
    Shape,
    Shapes,
    list_of,
    live,
    map_of,
)
from jupyterhub_aws.provider.values import Reader, handle, respelled, spelled, written
from tests.support.stack_files import ROOT
from tests.support.stacks import ALL_STACKS

PACKAGE = Package()
TEXTS = st.text(st.characters(codec="ascii", categories=("L", "N")), min_size=1, max_size=6)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 9) | TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
)


def without_none(value: Any) -> Any:
    """JSON whose nulls are absent: the engine drops them, and so do we."""
    if isinstance(value, dict):
        return {key: without_none(item) for key, item in value.items() if item is not None}
    return (
        [without_none(item) for item in value if item is not None]
        if isinstance(value, list)
        else value
    )


def values_of(shape: Shape) -> st.SearchStrategy[Any]:
    """Values of a shape under Python's names, as a component gets them."""
    if shape.object is not None:
        properties = {key: item for key, item in shape.object.properties.items() if key != "made"}
        required = {
            key: values_of(item.shape) for key, item in properties.items() if not item.optional
        }
        return st.fixed_dictionaries(
            required,
            optional={
                key: values_of(item.shape) for key, item in properties.items() if item.optional
            },
        )
    if shape.items is not None:
        return st.lists(values_of(shape.items), max_size=2)
    if shape.values is not None:
        return st.dictionaries(TEXTS, values_of(shape.values), max_size=2)
    simple: dict[PropertyType | None, st.SearchStrategy[Any]] = {
        PropertyType.STRING: TEXTS,
        PropertyType.INTEGER: st.integers(0, 10**6),
        PropertyType.NUMBER: st.floats(0, 1000, width=32),
        PropertyType.BOOLEAN: st.booleans(),
        None: JSON.filter(lambda found: found is not None).map(without_none),
    }
    return simple[shape.type]


def on_the_wire(value: Any) -> Any:
    """As protobuf has it: every number a float, maps in another order."""
    if isinstance(value, dict):
        return {key: on_the_wire(value[key]) for key in reversed(value)}
    if isinstance(value, list):
        return [on_the_wire(item) for item in value]
    return float(value) if isinstance(value, int) and not isinstance(value, bool) else value


def backwards(value: Any) -> Any:
    """The same, whose maps come in the other order."""
    if isinstance(value, dict):
        return {key: backwards(value[key]) for key in reversed(value)}
    return [backwards(item) for item in value] if isinstance(value, list) else value


@pytest.mark.real
@given(st.data())
@settings(max_examples=300, deadline=None)
def test_what_a_program_says_arrives_as_it_was_meant(data: st.DataObject) -> None:
    exported = PACKAGE.components[data.draw(st.sampled_from(sorted(PACKAGE.components)))]
    said = data.draw(
        st.fixed_dictionaries(
            {}, optional={key: values_of(item.shape) for key, item in exported.arguments.items()}
        )
    )
    wire = {
        camel_case(key): on_the_wire(written(value, exported.arguments[key].shape))
        for key, value in said.items()
    }
    reader = Reader()
    found = reader.read(wire, exported.arguments)
    assert found == said
    assert [type(value) for value in found.values()] == [type(said[key]) for key in found]
    other_way_round = {key: backwards(wire[key]) for key in reversed(wire)}
    assert json.dumps(Reader().read(other_way_round, exported.arguments)) == json.dumps(found), (
        "a map has the order of its keys, whatever order it came in"
    )
    missing = {
        camel_case(key)
        for key, item in exported.arguments.items()
        if not item.optional and key not in said
    }
    assert {problem.path for problem in reader.problems} == missing


@given(st.data())
@settings(max_examples=100, deadline=None)
def test_every_path_is_spelled_as_the_program_wrote_it(data: st.DataObject) -> None:
    exported = PACKAGE.components[data.draw(st.sampled_from(sorted(PACKAGE.components)))]
    key = data.draw(st.sampled_from(sorted(exported.arguments)))
    python, elsewhere, shape = key, camel_case(key), exported.arguments[key].shape
    while shape.items or shape.values or (shape.object and shape.object.properties):
        if shape.object:
            name = data.draw(st.sampled_from(sorted(shape.object.properties)))
            python, elsewhere, shape = (
                f"{python}.{name}",
                f"{elsewhere}.{camel_case(name)}",
                shape.object.properties[name].shape,
            )
        elif shape.items:
            python, elsewhere, shape = f"{python}[7]", f"{elsewhere}[7]", shape.items
        else:
            python, elsewhere, shape = (
                f"{python}.a_name",
                f"{elsewhere}.a_name",
                shape.values or ANYTHING,
            )
    assert spelled(python, exported.arguments) == elsewhere


def test_a_message_names_arguments_as_the_program_wrote_them_and_values_as_they_are() -> None:
    network = PACKAGE.components["Network"].arguments
    problem = Problem(
        id="x.y",
        path="physical_name",
        what="is wrong (got 'physical_name')",
        fix="write physical_name, or per_zone, or network_of_theirs",
    )
    found = respelled(problem, network, PACKAGE.shapes.words)
    assert found.id == "x.y"
    assert (found.path, found.what, found.fix) == (
        "physicalName",
        "is wrong (got 'physical_name')",
        "write physicalName, or per_zone, or network_of_theirs",
    )


# --- outputs ---


def run(program: Callable[[], Coroutine[Any, Any, None]]) -> None:
    asyncio.run(program())


async def settled(*outputs: pulumi.Output[Any]) -> None:
    for output in outputs:
        await output.future(with_unknowns=True)


ARGUMENTS = {
    "plain": Property(TEXT, "", optional=True),
    "number": Property(Shape(type=PropertyType.INTEGER), "", optional=True),
    "open": Property(live(TEXT), "", optional=True),
    "opens": Property(map_of(live(TEXT)), "", optional=True),
    "any": Property(ANYTHING, "", optional=True),
    "flags": Property(list_of(FLAG), "", optional=True),
}
SECRET = "planted-91ac"


def test_a_known_output_is_its_value_where_a_value_is_due_and_stays_one_where_it_may() -> None:
    async def program() -> None:
        known, number = pulumi.Output.from_input("here"), pulumi.Output.from_input(3.0)
        inside = pulumi.Output.from_input({"deep": [1.0, {"b": "x"}]})
        await settled(known, number, inside)
        reader = Reader()
        found = reader.read(
            {"plain": known, "number": number, "open": known, "any": inside}, ARGUMENTS
        )
        assert (found["plain"], found["number"], found["any"], reader.problems) == (
            "here",
            3,
            {"deep": [1, {"b": "x"}]},
            [],
        )
        assert found["open"] is known and type(found["number"]) is int

    run(program)


def test_an_unknown_output_is_refused_where_something_is_decided_by_it() -> None:
    async def program() -> None:
        unknown = pulumi.Output.from_input(UNKNOWN)
        partly = pulumi.Output.from_input({"a": "known", "b": UNKNOWN})
        await settled(unknown, partly)
        reader = Reader()
        found = reader.read(
            {"plain": unknown, "open": unknown, "opens": partly, "any": partly, "flags": unknown},
            ARGUMENTS,
        )
        assert sorted(problem.path for problem in reader.problems) == ["any.b", "flags", "plain"]
        assert all("known only after" in problem.what for problem in reader.problems)
        assert (
            await found["opens"]["a"].future() == "known"
            and not await found["opens"]["b"].is_known()
            and found["open"] is unknown
        )

    run(program)


def test_a_secret_is_handed_on_and_never_read() -> None:
    async def program() -> None:
        secret = pulumi.Output.secret(SECRET)
        secrets = pulumi.Output.secret({"client-secret": SECRET})
        await settled(secret, secrets)
        reader = Reader()
        given_ = {
            "open": secret,
            "opens": secrets,
            "plain": secret,
            "any": {"a": [secret]},
            "flags": secrets,
        }
        found = reader.read(given_, ARGUMENTS)
        assert await found["open"].is_secret() and await found["opens"]["client-secret"].is_secret()
        assert await found["opens"]["client-secret"].future() == SECRET
        assert {problem.path for problem in reader.problems} == {
            "plain",
            "any.a[0]",
            "flags.client-secret",
        }
        assert SECRET not in str(reader.problems) and SECRET not in str(
            {key: item for key, item in found.items() if not key.startswith("open")}
        )

    run(program)


def test_a_misspelt_argument_is_named_with_the_right_one() -> None:
    reader = Reader()
    wire = {
        "pols": {},
        "cluster": {"nam": "x", "version": "1.35", "network": {"cidrs": [], "privateSubnets": {}}},
    }
    reader.read(wire, PACKAGE.components["NodePools"].arguments)
    found = {problem.path: problem.fix for problem in reader.problems}
    assert (
        found.keys() == {"pols", "cluster.nam", "cluster.name"}
        and found["pols"] == "did you mean pools?"
        and found["cluster.nam"] == "did you mean name?"
    )


# --- handles ---


def through(kind: str, given_: dict[str, Any]) -> dict[str, Any]:
    """The values of a handle, as the component gets them that it is handed to."""
    reader = Reader()
    shape = PACKAGE.handles.by_name[kind].shape
    wire = json.loads(json.dumps({**written(given_, shape), "made": {}}))
    found = reader.read({"handle": on_the_wire(wire)}, {"handle": Property(shape, "")})
    assert reader.problems == []
    return found["handle"]


def stack_of(settings_: tuple[str, ...]) -> StackConfig:
    named = [item.removeprefix("stack=") for item in settings_ if item.startswith("stack=")] or [
        "dev"
    ]
    path = named[0] if named[0].endswith(".yaml") else f"Pulumi.{named[0]}.yaml"
    file = read(ROOT / path, [item for item in settings_ if not item.startswith("stack=")])
    return validated(whole(given_by(file), file.path.parent))


def handle_of_buckets(specs: Mapping[str, BucketSpec]) -> dict[str, Any]:
    """As `Handles.of_buckets` writes it."""
    return {
        "buckets": {
            key: item.options.model_copy(update={"bucket_name": item.bucket_name})
            for key, item in specs.items()
        },
        "partition": "aws",
    }


@pytest.mark.parametrize("name", sorted(ALL_STACKS))
def test_what_a_handle_says_is_what_it_was_made_from(name: str) -> None:
    stack = stack_of(ALL_STACKS[name])
    specs = resolve(stack)
    arguments = Arguments("test", name)
    if stack.network is not None:
        subnets = {zone: f"subnet-of-{zone}" for zone in specs.network.zones}
        network = NetworkOutputs(
            vpc_id="vpc-1",
            private_subnets=subnets,
            **{
                key: getattr(specs.network, key)
                for key in ("egress", "internal_hosts", "peer_networks")
            },
            cidrs=specs.network.ranges,
        )
        values = {
            key: getattr(network, key)
            for key in (
                "vpc_id",
                "cidrs",
                "private_subnets",
                "egress",
                "internal_hosts",
                "peer_networks",
                "zones",
            )
        }
        back: NetworkOutputs = PACKAGE.handles.network.receive(
            arguments, "network", through("NetworkHandle", values), {"ready": ()}
        )
        assert (back.spec.zones, back.spec.ranges, back.spec.egress) == (
            network.spec.zones,
            network.spec.ranges,
            network.spec.egress,
        )
        assert back.private_subnets == subnets and list(back.private_subnets) == list(subnets)
        assert {key: item.cidrs for key, item in back.peer_networks.items()} == {
            key: item.cidrs for key, item in network.peer_networks.items()
        }
    pools = specs.node_pools
    zones = () if stack.network is None else specs.network.zones
    said = {
        "pools": pools.section.user,
        "core": pools.section.core,
        "cluster": pools.cluster,
        "version": stack.cluster.version,
        "zones": zones,
    }
    said |= {
        "per_zone": stack.homes.kind == "ebs",
        "paused": stack.paused,
        "physical_name": pools.prefix,
    }
    same: NodePoolsOutputs = PACKAGE.handles.pools.receive(
        arguments, "pools", through("NodePoolsHandle", said), {"ready": ()}
    )
    assert same.spec == pools
    backups: BackupsOutputs = PACKAGE.handles.backups.receive(
        arguments,
        "backups",
        through("BackupsHandle", {"name": specs.backups.name, "options": specs.backups.options}),
        {"ready": ()},
    )
    assert backups.spec == specs.backups
    if specs.buckets:
        buckets = PACKAGE.handles.buckets.receive(
            arguments,
            "buckets",
            through("BucketsHandle", handle_of_buckets(specs.buckets)),
            {"ready": ()},
        )
        assert {key: (item.arn, item.options.kind) for key, item in buckets.specs.items()} == {
            key: (item.arn, item.options.kind) for key, item in specs.buckets.items()
        }
    assert arguments.problems == []


def test_a_handle_is_known_before_anything_is_made_and_says_what_is_pending_and_where_it_came_from() -> (
    None
):
    async def program() -> None:
        vpc = DependencyResource(urn_here("aws:ec2/vpc:Vpc::vpc"))
        route = DependencyResource(urn_here("aws:ec2/route:Route::nat"))
        unknown = vpc.urn.apply(lambda _: UNKNOWN)
        subnets = {"us-east-1b": unknown, "us-east-1a": "subnet-1"}
        network = {
            "vpc_id": unknown,
            "cidrs": ["10.0.0.0/16"],
            "private_subnets": subnets,
            "zones": ["us-east-1b", "us-east-1a"],
        }
        known = vpc.urn.apply(lambda _: "sg-1")
        outputs = handle(
            {
                "name": "eks",
                "version": "1.35",
                "endpoint": unknown,
                "security_group_id": known,
                "network": network,
            },
            PACKAGE.handles.cluster.shape,
            network=[route],
        )
        found = await outputs.future(with_unknowns=True)
        assert await outputs.is_known() and await outputs.resources() == set()
        assert found["made"]["pending"] == [
            "endpoint",
            "network.privateSubnets.us-east-1b",
            "network.vpcId",
        ]
        assert "endpoint" not in found and found["network"]["privateSubnets"] == {
            "us-east-1a": "subnet-1"
        }
        reader = Reader()
        back = reader.read({"cluster": outputs}, PACKAGE.components["EfsHomes"].arguments)[
            "cluster"
        ]
        assert reader.waits == {"cluster": {"network": {urn_here("aws:ec2/route:Route::nat")}}}
        cluster: ClusterOutputs = PACKAGE.handles.cluster.receive(
            Arguments("test", "x"), "cluster", back, {"ready": ()}
        )
        assert cluster.network_spec.zones == ("us-east-1b", "us-east-1a"), (
            "in the network's order, whatever order a map has"
        )
        group = pulumi.Output.from_input(cluster.security_group_id)
        assert (await group.future(), await urns(group)) == (
            "sg-1",
            {urn_here("aws:ec2/vpc:Vpc::vpc")},
        )
        for value in (
            cluster.endpoint,
            cluster.vpc.vpc_id,
            cluster.vpc.private_subnets["us-east-1b"],
        ):
            assert isinstance(value, pulumi.Output) and not await value.is_known()
            assert await urns(value) == {urn_here("aws:ec2/vpc:Vpc::vpc")}
        assert cluster.vpc.private_subnets["us-east-1a"] == "subnet-1"

    run(program)


def test_a_handle_of_another_stack_depends_on_nothing_of_this_one() -> None:
    async def program() -> None:
        made = {
            "pending": [],
            "dependencies": {"vpcId": ["urn:pulumi:other::project::aws:ec2/vpc:Vpc::vpc"]},
            "waits": {"ready": ["urn:pulumi:other::project::x:y:Z::z"]},
        }
        network = {
            "vpcId": "vpc-1",
            "cidrs": ["10.0.0.0/16"],
            "privateSubnets": {"us-east-1a": "subnet-1"},
            "made": made,
        }
        reader = Reader()
        found = reader.read(
            {"network": network, "version": "1.35"}, PACKAGE.components["Cluster"].arguments
        )["network"]
        assert reader.problems == [] and reader.waits == {"network": {"ready": set()}}
        assert (await found["vpc_id"].future(), await urns(found["vpc_id"])) == ("vpc-1", set())

    run(program)


def test_backups_without_weekly_ones_stay_so() -> None:
    options = AwsBackup(kind="aws_backup").model_copy(update={"weekly": None})
    back: BackupsOutputs = PACKAGE.handles.backups.receive(
        Arguments("test", "x"),
        "backups",
        through("BackupsHandle", {"name": "jhub", "options": options}),
        {"ready": ()},
    )
    assert back.spec == BackupSpec(name="jhub", options=options)


def urn_here(end: str) -> str:
    return f"urn:pulumi:{pulumi.get_stack()}::{pulumi.get_project()}::{end}"


async def urns(output: pulumi.Output[Any]) -> set[str]:
    return {str(await resource.urn.future()) for resource in await output.resources()}


def test_a_resource_in_an_interface_is_no_value_of_a_program() -> None:
    with pytest.raises(ValueError, match="node is a resource"):
        Shapes().of_dataclass(NodePoolsOutputs, without=("spec", "ready"))


def test_a_handle_with_a_secret_is_one_and_what_a_component_decides_on_is_still_read() -> None:
    async def program() -> None:
        network = {"cidrs": ["10.0.0.0/16"], "private_subnets": {"us-east-1a": "subnet-1"}}
        sealed = handle(
            {
                "name": "eks",
                "version": "1.35",
                "endpoint": pulumi.Output.secret(SECRET),
                "network": network,
            },
            PACKAGE.handles.cluster.shape,
        )
        await settled(sealed)
        assert await sealed.is_secret()
        reader = Reader()
        found = reader.read(
            {"cluster": sealed, "hubs": ["main"]}, PACKAGE.components["EfsHomes"].arguments
        )["cluster"]
        assert (
            reader.problems == []
            and found["name"] == "eks"
            and found["network"]["private_subnets"] == {"us-east-1a": "subnet-1"}
        )
        assert await found["endpoint"].is_secret() and await found["endpoint"].future() == SECRET

    run(program)
