"""A program of a test's own, recorded as a stack's is: what components make that stand by
themselves.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from jupyterhub_aws.components.base import ArgumentError
from jupyterhub_aws.components.cluster.outputs import ClusterOutputs
from jupyterhub_aws.components.network.outputs import NetworkOutputs
from jupyterhub_aws.components.pools.args import NodePoolsOutputs
from jupyterhub_aws.config.pools import CorePoolSection, Pools, Size, SpotFirstPool
from jupyterhub_aws.config.project import Program
from jupyterhub_aws.config.specs.node_groups import node_pools_spec
from jupyterhub_aws.plan.evaluate import PlannedProgram, evaluate
from tests.support.stacks import StackRecording, listening

_MAIN = "from tests.support import programs\n\nprograms.running()\n"
#: The program that is being recorded.
running: Callable[[], object]


def record_program(program: Callable[[], object]) -> StackRecording:
    """What a function registers, run as the program of a stack in us-east-1. Whatever it raises
    comes out as it is.
    """
    global running
    running = program
    with tempfile.TemporaryDirectory() as name, listening() as kept:
        folder = Path(name)
        (folder / "__main__.py").write_text(_MAIN)
        (folder / "Pulumi.yaml").write_text("name: composed\nruntime: python\n")
        where = PlannedProgram(
            project="composed",
            stack="test",
            folder=folder,
            program=Program(folder=folder, file=folder / "__main__.py"),
        )
        found = evaluate({"aws:region": "us-east-1"}, secret=(), where=where)
    return StackRecording(resources=found.resources, outputs=found.outputs, component_outputs=kept)


def problems_of_program(program: Callable[[], object]) -> list[str]:
    """The lines of the ArgumentError that a program ends with. Fails where it registered
    something before.
    """
    try:
        found = record_program(program)
    except ArgumentError as error:
        return str(error).splitlines()
    raise AssertionError(
        f"no argument was refused, and {len(found.resources)} resources were registered"
    )


def cluster_by_hand(name: str = "theirs", **more: Any) -> ClusterOutputs:
    """A cluster that something else made, in a VPC that something else made, as a user fills it
    in.
    """
    subnets = {"us-east-1a": "subnet-0aaaaaaaaaaaaaaaa", "us-east-1b": "subnet-0bbbbbbbbbbbbbbbb"}
    given: dict[str, Any] = {
        "name": name,
        "version": "1.35",
        "network": NetworkOutputs(
            vpc_id="vpc-0123456789abcdef0", cidrs=["10.0.0.0/16"], private_subnets=subnets
        ),
        "endpoint": f"https://{name}.example.org",
        "certificate_authority": "Y2E=",
        "security_group_id": f"sg-of-{name}",
    }
    return ClusterOutputs(**{**given, **more})


def pools_by_hand(
    *kinds: str, cluster: str = "theirs", prefix: str | None = None
) -> NodePoolsOutputs:
    """Node pools of a cluster: core nodes, and a pool for each of these instance types, on spot
    first.
    """
    user: Any = {
        f"p{index}": SpotFirstPool(capacity="spot_first", instance_types=(kind,), size=Size(max=1))
        for index, kind in enumerate(kinds)
    }
    section = Pools.model_construct(core=CorePoolSection(instance_types=("m7i.large",)), **user)
    spec = node_pools_spec(
        section, cluster=cluster, version="1.35", zones=("us-east-1a",), prefix=prefix
    )
    return NodePoolsOutputs(
        spec=spec,
        core_group_name="eks-core",
        group_names={group.suffix: group.group_name for group in spec.groups},
    )
