"""What runs beside people's servers: the termination handler where there are user pools, the
device plugin where there are GPUs.
"""

from __future__ import annotations

import pytest

from jupyterhub_aws.config.versions import pin
from tests.support.stacks import FULL, INSTEAD, NO_HUB, record

RELEASE = "kubernetes:helm.sh/v3:Release"
HANDLER, PLUGIN = "node-agents-aws-node-termination-handler", "node-agents-nvidia-device-plugin"
CPU_ONLY = "pools.gpu={capacity: spot, instance_types: [m7i.large], size: {max: 1}}"


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        ((), {HANDLER, PLUGIN}),
        ((CPU_ONLY, NO_HUB), {HANDLER}),
        (("pools={core: {instance_types: [m7i.large]}}", NO_HUB), set()),
    ],
    ids=["with GPUs", "without GPUs", "without user pools"],
)
def test_agents_are_there_only_where_they_have_work(settings, expected):
    releases = {release.name for release in record(*settings).resources.of(RELEASE)}
    assert releases - {"autoscaler-release", "hub-main-release"} == expected


def test_the_handler_reads_the_nodes_own_notice_past_the_hop_limit_and_ignores_mere_hints():
    values = record().one(RELEASE, HANDLER).inputs["values"]
    assert values["useHostNetwork"] is True and values["enableSqsTerminationDraining"] is False, (
        "a hop limit of 1 ends at the host's network"
    )
    assert (
        values["enableSpotInterruptionDraining"] is True
        and values["enableScheduledEventDraining"] is True
    )
    assert (
        values["enableRebalanceDraining"] is False and values["enableRebalanceMonitoring"] is False
    )
    assert values["nodeTerminationGracePeriod"] <= 120, "EC2 gives two minutes, no more"


def test_every_agent_is_pinned_and_waits_for_no_node_of_its_own():
    for name, chart in (
        (HANDLER, "aws-node-termination-handler"),
        (PLUGIN, "nvidia-device-plugin"),
    ):
        inputs, image = record().one(RELEASE, name).inputs, pin("image", chart, "1.35")
        assert inputs["version"] == pin("chart", chart, "1.35").version
        assert inputs["values"]["image"] == {"repository": image.repository, "tag": image.version}
        assert inputs["skipAwait"] is True, (
            "at first there is no user node, and `up` would wait for one in vain"
        )
        assert inputs["namespace"] == "kube-system" and inputs["values"].get("resources")


@pytest.mark.parametrize("settings", [(), FULL, INSTEAD], ids=["dev", "full", "instead"])
def test_every_release_is_pinned(settings):
    for release in record(*settings).resources.of(RELEASE):
        name = release.inputs["chart"].rpartition("/")[2]
        assert release.inputs["version"] == pin("chart", name, "1.35").version, release.name
        assert 0 < release.inputs["maxHistory"] <= 10 and release.inputs["timeout"] > 0, (
            release.name
        )


@pytest.mark.parametrize("settings", [(), FULL, INSTEAD], ids=["dev", "full", "instead"])
def test_what_is_inside_a_cluster_goes_into_this_one_and_no_other(settings):
    recording = record(*settings)
    provider = recording.one("pulumi:providers:kubernetes", "kubernetes")
    inside = [
        resource for resource in recording.resources if resource.type.startswith("kubernetes:")
    ]
    assert {resource.type for resource in inside} > {RELEASE}
    assert {resource.provider for resource in inside} == {provider.urn}, (
        "else it would go wherever the kubeconfig at hand points"
    )
    assert provider.inputs["clusterIdentifier"] == "jhub-dev", (
        "a new token in the kubeconfig must not look like a new cluster"
    )
