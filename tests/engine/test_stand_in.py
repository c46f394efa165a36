"""The stand-in plugins behave as the real ones do, as far as the project relies on them: shown on a
small program.

The children of `eks:index:Cluster`, their inputs and their dependencies were compared with the real
EKS plugin 4.4.0 on 2026-11-23: equal URNs and inputs, but for the order of keys in the kubeconfig.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.engine.account import plaintext_secrets
from tests.engine.harness import Engine

pytestmark = pytest.mark.real

SMALL = Path(__file__).parent / "small_program"
TOKEN = "planted-" + "7" * 40
CLUSTER = "aws:eks/cluster:Cluster::control-plane-eksCluster"
COMPONENT = "urn:pulumi:dev::small::small:index:Outer$eks:index:Cluster::control-plane"


@pytest.fixture(scope="module")
def built(new_engine: Callable[..., Engine]) -> Engine:
    engine = new_engine(program=SMALL)
    engine.run("config", "set", "--secret", "token", TOKEN)
    engine.up()
    return engine


def test_a_second_preview_changes_nothing(built: Engine) -> None:
    assert built.preview("--expect-no-changes").changes == {}


def test_the_component_makes_exactly_the_cluster_and_a_provider(built: Engine) -> None:
    prefix = COMPONENT.rpartition("::")[0] + "$"
    children = {
        resource["urn"].removeprefix(prefix): resource
        for resource in built.resources()
        if resource.get("parent") == COMPONENT
    }
    assert sorted(children) == [CLUSTER, "pulumi:providers:kubernetes::control-plane-eks-k8s"]
    cluster = children[CLUSTER]
    assert cluster["inputs"]["tags"] == {"Name": "small", "team": "a", "owner": "b"}
    assert cluster["inputs"]["accessConfig"] == {
        "authenticationMode": "API",
        "bootstrapClusterCreatorAdminPermissions": True,
    }
    assert cluster["inputs"]["encryptionConfig"]["resources"] == ["secrets"]
    assert (
        "get-token"
        in children["pulumi:providers:kubernetes::control-plane-eks-k8s"]["inputs"]["kubeconfig"]
    )


def test_a_stack_transform_reaches_the_components_children(built: Engine) -> None:
    assert [
        resource["urn"].rpartition("::")[2]
        for resource in built.resources()
        if resource.get("protect")
    ] == ["control-plane-eksCluster"]


def test_outputs_of_the_component_are_those_of_its_cluster(built: Engine) -> None:
    outputs = built.resources()[0]["outputs"]
    assert outputs["cluster_name"] == "small"
    assert outputs["security_group"] == outputs["inner_group"]
    assert outputs["kubeconfig"]["users"][0]["user"]["exec"]["command"] == "aws"
    assert outputs["release"] == "deployed"


def test_any_other_configuration_of_the_component_is_refused(built: Engine) -> None:
    built.edit({"small:instance_roles": True})
    refusal = built.refused("preview")
    built.edit({"small:instance_roles": False})
    assert "'instanceRoles' property does not support non-empty values" in refusal


def test_a_config_maps_data_replaces_it_and_its_user_follows(built: Engine) -> None:
    built.edit({"small:greeting": "good evening"})
    changes = built.preview().changes
    assert changes["kubernetes:core/v1:ConfigMap::settings"] == "replace"
    run = built.up()
    [created], [deleted] = run.finished("Create"), run.begun("Delete")
    assert created.position < deleted.position, "an automatic name lets the new one come first"


def test_the_search_for_secrets_finds_them_encrypted_or_not(built: Engine) -> None:
    state = built.export()
    assert plaintext_secrets(state, [TOKEN]) == []
    assert plaintext_secrets({**state, "note": [{"deep": f"x{TOKEN}x"}]}, [TOKEN]) == [
        "note[0].deep"
    ]
    assert built.account.of_type("kubernetes:core/v1:Secret")[0]["inputs"]["stringData"] == {
        "token": TOKEN
    }, "the plugin did get it"


def test_a_protected_child_survives_destroy_and_the_rest_comes_back(built: Engine) -> None:
    built.destroy("--exclude-protected")
    assert built.account.made_as(CLUSTER) == ["small"]
    assert built.account.of_type("kubernetes:helm.sh/v3:Release") == []
    built.up()
    assert built.preview("--expect-no-changes").changes == {}


def test_an_object_that_exists_already_fails_in_up_only(new_engine: Callable[..., Engine]) -> None:
    engine = new_engine(program=SMALL)
    engine.run("config", "set", "--secret", "token", TOKEN)
    engine.seed("kubernetes:core/v1:Namespace", {"metadata": {"name": "hub"}})
    engine.preview()
    assert 'namespaces "hub" already exists' in engine.refused("up", "--yes", "--skip-preview")
