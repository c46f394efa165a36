"""Two stacks, one configuration: what the inner one may say, and what it takes."""

from __future__ import annotations

import pytest

from jupyterhub_aws.config.cloud_config import CLOUD_STACK, Configuration, whole
from jupyterhub_aws.config.errors import ConfigError
from tests.support.stack_files import ROOT

PREFIX = "jupyterhub-aws"


def given(**values: str) -> Configuration:
    return Configuration(
        values={f"{PREFIX}:{key}": value for key, value in values.items()},
        secret=(f"{PREFIX}:hub-main-client-secret",),
        source="Pulumi.x.yaml",
    )


def test_a_stack_of_its_own_is_what_it_is():
    one = given(name="x", parts="all")
    assert whole(one, ROOT) is one


def test_an_inner_half_is_its_outer_one_with_its_own_secrets_and_imports():
    found = whole(
        Configuration(
            values={CLOUD_STACK: "airgap", f"{PREFIX}:imports": '{"a":"b"}', "aws:profile": "x"},
            secret=("s",),
            source="Pulumi.x.yaml",
        ),
        ROOT,
    )
    assert (
        found.values[f"{PREFIX}:parts"] == "cluster"
        and found.values[f"{PREFIX}:name"] == "jhub-airgap"
    )
    assert found.secret == ("s",) and found.source == "Pulumi.airgap.yaml"
    assert (
        found.values[f"{PREFIX}:imports"] == '{"a":"b"}' and found.values[CLOUD_STACK] == "airgap"
    )


def test_the_imports_of_the_outer_half_are_not_the_inner_ones(tmp_path):
    text = (
        ROOT / "Pulumi.airgap.yaml"
    ).read_text() + "  jupyterhub-aws:imports: {'aws:ec2/vpc:Vpc::network-vpc': vpc-1}\n"
    (tmp_path / "Pulumi.outer.yaml").write_text(text)
    found = whole(
        Configuration(values={CLOUD_STACK: "outer"}, secret=(), source="Pulumi.x.yaml"), tmp_path
    )
    assert f"{PREFIX}:imports" not in found.values


def test_what_else_it_says_is_named_at_once():
    with pytest.raises(ConfigError) as caught:
        whole(given(cloud_stack="dev", name="x", pools="{}"), ROOT)
    said = str(caught.value)
    assert (
        "name: is in the inner stack" in said
        and "pools: is in the inner stack" in said
        and "cloud_stack: names dev" in said
    )


def test_two_subnets_of_one_zone_are_refused_where_they_are_written(tmp_path):
    """By the zone's name there is one: a second is a key that is there twice, for the engine as
    for us.
    """
    from jupyterhub_aws.config.stack_file import read

    path = tmp_path / "Pulumi.x.yaml"
    subnets = (
        "{us-east-1a: {id: subnet-1, cidr: 10.0.0.0/18}, us-east-1a: {id: subnet-2, cidr:"
        " 10.0.64.0/18}}"
    )
    path.write_text(
        f"config:\n  jupyterhub-aws:network:\n    mode: existing\n    private_subnets: {subnets}\n"
    )
    with pytest.raises(ConfigError, match='found duplicate key "us-east-1a"'):
        read(path)
