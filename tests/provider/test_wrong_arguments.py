"""Whoever makes a mistake in another language reads the same lines as in Python: all at once,
with the argument as it was written, before anything is made.
"""

from __future__ import annotations

import asyncio
import sys
from typing import Any
from unittest import mock

import pulumi
import pulumi_aws
import pulumi_kubernetes
import pytest
from pulumi.errors import InputPropertiesError
from pulumi.output import UNKNOWN
from pulumi.provider.server import ProviderServicer

from jupyterhub_aws import EfsHomes, EfsHomesArgs
from jupyterhub_aws.components import platform as platform_module
from jupyterhub_aws.provider.host import ComponentsProvider, ComponentsServicer, serve
from tests.support.other_languages import OtherLanguage, platform_of
from tests.support.programs import cluster_by_hand, record_program

SECRET = "planted-5e1d"
MEMORY = {"capacity": "spot_first", "instanceTypes": ["r5n.2xlarge"], "size": {"max": 10}}
ZONES = ["us-east-1a", "us-east-1b"]
NETWORK = {
    "vpcId": "vpc-0123456789abcdef0",
    "cidrs": ["10.0.0.0/16"],
    "privateSubnets": {zone: f"subnet-of-{zone}" for zone in ZONES},
}
CLUSTER = {
    "name": "theirs",
    "version": "1.35",
    "network": NETWORK,
    "endpoint": "https://theirs.example.org",
    "certificateAuthority": "Y2E=",
    "securityGroupId": "sg-of-theirs",
}
POOLS = {
    "cluster": "theirs",
    "version": "1.35",
    "pools": {"memory": {"capacity": "existing", "cores": 8, "memoryGib": 64}},
}
HUB = {
    "cluster": CLUSTER,
    "pools": POOLS,
    "homes": {"kind": "ephemeral"},
    "signIn": {"kind": "shared_password"},
    "entry": {"kind": "port_forward"},
}


def refused(kind: str, arguments: dict[str, Any], name: str = "mine") -> list[str]:
    """The lines that a component ends with, before anything was registered."""
    lines: list[str] = []

    def run() -> None:
        try:
            OtherLanguage().make(kind, name, arguments)
        except InputPropertiesError as error:
            assert error.errors == [], "a list of properties would be printed with their values"
            lines.extend(error.message.splitlines())

    found = record_program(run)
    assert lines, "no argument was refused"
    assert [item.urn for item in found.resources] == [], "something was registered before"
    return lines


CASES: dict[str, tuple[str, dict[str, Any], list[str]]] = {
    "values": (
        "Network",
        {
            "zones": ["us-east-1b", "us-west-1"],
            "physicalName": "Foo_bar",
            "flowLogs": {"retentionDays": 3, "traffic": "x"},
            "nat": "none",
        },
        [
            "flowLogs.traffic: [option.choice]",
            "nat: [network.no-nat]",
            "physicalName: [name.malformed]",
            "zones[1]: [zones.malformed]",
        ],
    ),
    "missing": (
        "Cluster",
        {},
        [
            "network: is missing; give it: The handle of a network [option.missing]",
            "version: [option.missing]",
        ],
    ),
    "unknown names": (
        "Network",
        {"zones": ZONES, "zone": 1, "flowLogs": {"retention": 1}},
        [
            "flowLogs.retention: does not exist; did you mean retentionDays? [option.unknown]",
            "zone: does not exist; did you mean zones? [option.unknown]",
        ],
    ),
    "kinds": (
        "Cluster",
        {"network": NETWORK, "version": 1.35, "protected": "yes", "publicAccessCidrs": "x"},
        [
            "protected: [option.kind]",
            "publicAccessCidrs: [option.kind]",
            "version: [version.number]",
        ],
    ),
    "pools": (
        "NodePools",
        {
            "cluster": CLUSTER,
            "pools": {
                "memory": {
                    "capacity": "spot_first",
                    "instanceTypes": ["r5n.2xlarge", "m5.large"],
                    "size": {"max": -1},
                }
            },
        },
        ["pools.memory.size.max: [option.bounds]"],
    ),
    "a network by hand": (
        "EfsHomes",
        {
            "cluster": {**CLUSTER, "network": {**NETWORK, "vpcId": None, "cidrs": []}},
            "hubs": ["main"],
        },
        ["cluster.network.cidrs: [argument.empty]", "cluster.network.vpcId: [argument.missing]"],
    ),
    "a handle that lacks something": (
        "Monitoring",
        {"cluster": {"name": "x"}},
        ["cluster.network: [option.missing]", "cluster.version: [option.missing]"],
    ),
    "two homes": (
        "JupyterHub",
        {**HUB, "efsHomes": {"fileSystemId": "fs-1", "volumeHandles": {}}},
        ["homes: [argument.one-of]"],
    ),
    "no homes": (
        "JupyterHub",
        {key: item for key, item in HUB.items() if key != "homes"},
        ["homes: must be given, or else efsHomes [argument.one-of]"],
    ),
    "a hub": (
        "JupyterHub",
        {**HUB, "signIn": {"kind": "github", "clientId": "x"}, "secrets": {"client_secret": "x"}},
        [
            "secrets.client_secret: [secret.unknown]",
            "signIn: allows no user; list allowedOrganizations, allowedUsers or administrators [sign-in.no-user]",
        ],
    ),
    "core twice": (
        "NodePools",
        {"cluster": CLUSTER, "core": {"instanceTypes": ["m7i.large"]}, "noCore": True},
        ["noCore: [argument.both]"],
    ),
    "an unknown hub": (
        "JupyterHubPlatform",
        {"configuration": {"hubs": {"main": {}}}, "servers": {"second": {}}},
        ["servers.second: is no hub of the configuration; choose from main [hub.unknown]"],
    ),
    "a configuration": (
        "JupyterHubPlatform",
        {"configuration": {"region": "us-east-1", "tagz": 1}},
        [
            "cluster: [option.missing]",
            "tagz: is not an option of this program; did you mean tags? [option.unknown]",
        ],
    ),
    "an unknown component": ("Netwrk", {}, []),
}


@pytest.mark.real
@pytest.mark.parametrize("case", sorted(CASES))
def test_a_mistake_is_a_line_with_the_argument_as_it_was_written(case: str) -> None:
    kind, arguments, says = CASES[case]
    lines = refused(kind, arguments)
    if not says:
        assert lines == [
            line
            for line in lines
            if "Netwrk is no component of jupyterhub-aws" in line and "NodePools" in line
        ]
        return
    assert all(line.startswith(f"{kind} 'mine': ") for line in lines)
    for wanted in says:
        begin, _, which = wanted.rpartition(" ")
        assert [
            line
            for line in lines
            if line.startswith(f"{kind} 'mine': {begin}") and line.endswith(f" {which}")
        ], (wanted, lines)


def test_a_secret_among_plain_arguments_is_refused_and_not_shown() -> None:
    def with_secret(there: OtherLanguage) -> None:
        with pytest.raises(InputPropertiesError) as caught:
            there.make(
                "JupyterHubPlatform",
                "mine",
                {"configuration": {"hubs": {"main": {"x": pulumi.Output.secret(SECRET)}}}},
            )
        assert (
            caught.value.message.startswith(
                "JupyterHubPlatform 'mine': configuration.hubs.main.x: is a secret"
            )
            and caught.value.message.endswith("[argument.is-secret]")
            and SECRET not in caught.value.message
        )
        raise pulumi.RunError("reached")

    with pytest.raises(pulumi.RunError, match="reached"):
        record_program(lambda: with_secret(OtherLanguage()))


def test_what_is_known_only_later_is_refused_where_something_is_decided_by_it() -> None:
    def later(there: OtherLanguage) -> None:
        with pytest.raises(
            InputPropertiesError,
            match=r"^Cluster 'mine': version: .* \[argument.is-output\]$",
        ):
            there.make(
                "Cluster",
                "mine",
                {"network": NETWORK, "version": pulumi.Output.from_input(UNKNOWN)},
            )
        raise pulumi.RunError("reached")

    with pytest.raises(pulumi.RunError, match="reached"):
        record_program(lambda: later(OtherLanguage()))


@pytest.mark.real
def test_a_second_platform_in_one_program_is_refused() -> None:
    def run() -> None:
        patch = mock.patch.object(
            platform_module, "get_root_resource", lambda: None
        )  # the program, and with it its root, is in another process
        with patch:
            twice()

    def twice() -> None:
        there = OtherLanguage()
        there.make("JupyterHubPlatform", "first", platform_of("dev", SECRET))
        with pytest.raises(
            InputPropertiesError,
            match=r"second: .*\(the first one is first\).* \[platform.second\]",
        ):
            there.make("JupyterHubPlatform", "second", platform_of("dev", SECRET))

    assert record_program(run).one("jupyterhub-aws:index:JupyterHubPlatform").name == "first"


def test_a_cluster_by_hand_is_that_of_python() -> None:
    def here() -> None:
        EfsHomes("homes", EfsHomesArgs(cluster=cluster_by_hand(), hubs=["main"]))

    theirs = record_program(
        lambda: OtherLanguage().make("EfsHomes", "homes", {"cluster": CLUSTER, "hubs": ["main"]})
    )
    assert sorted(item.urn for item in theirs.resources) == sorted(
        item.urn for item in record_program(here).resources
    )


# --- what Python says in another form ---


def test_depends_on_is_waited_for_by_what_the_component_makes() -> None:
    def run() -> None:
        first = pulumi_aws.ec2.Eip("first")
        options = pulumi.ResourceOptions(depends_on=[first])
        there = OtherLanguage()
        there.make("NodePools", "pools", {"cluster": CLUSTER, "addons": False}, options)
        there.make(
            "NodeAgents",
            "agents",
            {"cluster": CLUSTER, "pools": {**POOLS, "pools": {"memory": MEMORY}}},
            options,
        )

    found = record_program(run)
    for kind, name in (
        ("aws:eks/nodeGroup:NodeGroup", "pools-core-group"),
        ("kubernetes:helm.sh/v3:Release", None),
    ):
        assert ("aws:ec2/eip:Eip", "first") in found.needs(found.one(kind, name))


def test_none_in_python_is_an_option_of_its_own() -> None:
    def run() -> None:
        there = OtherLanguage()
        there.make(
            "NodePools",
            "pools",
            {"cluster": CLUSTER, "noCore": True, "addons": False, "pools": {"memory": MEMORY}},
        )
        there.make("Backups", "backups", {"region": "us-east-1", "noWeekly": True})

    found = record_program(run)
    assert list(found.resources.of("aws:eks/nodeGroup:NodeGroup")) == []
    assert [rule["ruleName"] for rule in found.one("aws:backup/plan:Plan").inputs["rules"]] == [
        "daily"
    ]


def test_servers_of_a_hub_get_environment_secrets_and_a_role() -> None:
    role = "arn:aws:iam::123456789012:role/reader"

    def run() -> None:
        hub = {**HUB, "signIn": {"kind": "shared_password", "administrators": ["ops1"]}}
        more = {
            "serverEnvironment": {"BUCKET": "data"},
            "serverSecrets": {"TOKEN": pulumi.Output.secret(SECRET)},
            "serverRoleArn": role,
        }
        OtherLanguage().make("JupyterHub", "main", {**hub, **more})

    found = record_program(run)
    assert found.one("kubernetes:core/v1:ConfigMap", "main-server-environment").inputs["data"] == {
        "BUCKET": "data"
    }
    assert SECRET not in str(found.one("kubernetes:core/v1:Secret", "main-server-secrets").inputs)
    assert (
        found.one("aws:eks/podIdentityAssociation:PodIdentityAssociation", "main-servers").inputs[
            "roleArn"
        ]
        == role
    )


def test_a_provider_of_the_programs_own_is_taken() -> None:
    def run() -> None:
        provider = pulumi_kubernetes.Provider("own")
        options = pulumi.ResourceOptions(providers={"kubernetes": provider})
        OtherLanguage().make(
            "NodeAgents",
            "agents",
            {"cluster": CLUSTER, "pools": {**POOLS, "pools": {"memory": MEMORY}}},
            options,
        )

    assert [
        item.name for item in record_program(run).resources.of("pulumi:providers:kubernetes")
    ] == ["own"]


# --- what fails while something is made ---


def constructed(error: Exception) -> BaseException:
    """What the engine is told when making a component ends with an error."""

    async def fails(*_: Any) -> None:
        raise error

    servicer = ComponentsServicer(ComponentsProvider(), [], engine_address="")
    with (
        mock.patch.object(ProviderServicer, "_construct", fails),
        pytest.raises(Exception) as caught,
    ):
        asyncio.run(servicer._construct(None, None))
    return caught.value


def test_a_refusal_while_something_is_made_is_its_line_alone() -> None:
    told = constructed(
        pulumi.RunError("the Kubernetes API at example.org does not answer from here")
    )
    assert (
        isinstance(told, InputPropertiesError)
        and told.message == "the Kubernetes API at example.org does not answer from here"
    )


def test_what_another_failure_cut_off_says_so_and_a_bug_keeps_its_traceback() -> None:
    told = constructed(Exception("resource monitor shut down"))
    assert (
        isinstance(told, InputPropertiesError)
        and told.message == "is not finished, because another resource failed"
    )
    assert str(constructed(ValueError("a bug"))) == "a bug"


def test_the_plugin_by_itself_says_what_it_is_for(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "argv", ["/usr/bin/pulumi-resource-jupyterhub-aws"])
    with pytest.raises(SystemExit, match="2"):
        serve()
    assert "pulumi package add /usr/bin/pulumi-resource-jupyterhub-aws" in capsys.readouterr().err
