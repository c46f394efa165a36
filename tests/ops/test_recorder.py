"""What the recorder makes of a program: what is this library's to the last child, what is the
caller's as it is.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from jupyterhub_aws.plan import eks_cluster
from jupyterhub_aws.plan.eks_cluster import UnknownComponentError
from jupyterhub_aws.plan.recorder import DuplicateUrnError
from tests.support.own_programs import run


def test_a_urn_has_the_whole_chain_of_parents_and_not_the_stack(tmp_path: Path) -> None:
    program = (
        "a = pulumi.ComponentResource('t:m:Outer', 'a')\n"
        "b = pulumi.ComponentResource('t:m:Inner', 'b', {}, Options(parent=a))\n"
        "aws.ec2.Vpc('v', cidr_block='10.0.0.0/16', opts=Options(parent=b))"
    )
    urns = {resource.urn for resource in run(tmp_path, program).resources}
    assert "urn:pulumi:s::p::t:m:Outer$t:m:Inner$aws:ec2/vpc:Vpc::v" in urns


def test_options_arrive_as_the_engine_would_get_them(tmp_path: Path) -> None:
    program = (
        "v = aws.ec2.Vpc('v', cidr_block='10.0.0.0/16', opts=Options(protect=True,"
        " retain_on_delete=True, ignore_changes=['tags'], import_='vpc-1'))\naws.ec2.Subnet('s',"
        " vpc_id=v.id, cidr_block='10.0.0.0/24',"
        " opts=Options(depends_on=[v]))\npulumi.export('arn', v.arn)"
    )
    recording = run(tmp_path, program)
    vpc, subnet = (
        recording.resources.of("aws:ec2/vpc:Vpc")[0],
        recording.resources.of("aws:ec2/subnet:Subnet")[0],
    )
    assert (vpc.protect, vpc.retain_on_delete, vpc.ignore_changes, vpc.import_id, vpc.taggable) == (
        True,
        True,
        ("tags",),
        "vpc-1",
        True,
    )
    assert subnet.depends_on == (vpc.urn,)
    assert subnet.inputs == {"cidrBlock": "10.0.0.0/24", "vpcId": "${v.id}"}
    assert recording.outputs == {"arn": "${v.arn}"}


def test_a_secret_never_becomes_text(tmp_path: Path) -> None:
    program = (
        "s = pulumi.Output.secret('hunter2')\naws.ssm.Parameter('x', type='SecureString', value=s,"
        " description=pulumi.Output.concat('a ', s))\npulumi.export('s', s)"
    )
    recording = run(tmp_path, program)
    assert "hunter2" not in str(recording.resources.all) + str(recording.outputs)
    assert recording.resources.all[0].inputs["value"] == "[secret]"
    assert recording.outputs == {"s": "[secret]"}


def test_a_name_given_twice_is_refused(tmp_path: Path) -> None:
    with pytest.raises(
        DuplicateUrnError,
        match=r"'v' is registered twice under one parent \(at __main__.py:3 and __main__.py:5\)",
    ):
        run(
            tmp_path,
            "aws.ec2.Vpc('v', cidr_block='10.0.0.0/16')\n\naws.ec2.Vpc('v',"
            " cidr_block='10.0.0.0/16')",
        )


#: pulumi-eks 4.4, nodejs/eks/cluster/cluster.ts: what makes createCore add children of its own, and
#: the value with which it does not.
SWITCHES = {
    "skipDefaultNodeGroup": True, "skipDefaultSecurityGroups": True, "createOidcProvider": False, "bootstrapSelfManagedAddons": False,
    "useDefaultVpcCni": True, "kubeProxyAddonOptions": {"enabled": False}, "corednsAddonOptions": {"enabled": False}, "authenticationMode": "API",
}  # fmt: skip


@pytest.mark.parametrize("key", SWITCHES)
@pytest.mark.parametrize("value", [None, "another"])
def test_each_switch_of_the_cluster_component_has_to_be_set(key: str, value: str | None) -> None:
    inputs = {**SWITCHES, key: value}
    with pytest.raises(
        UnknownComponentError, match=f"{key}={value!r} makes children that are not modelled"
    ):
        eks_cluster.expand(None, None, inputs)


def test_one_name_under_two_parents_is_no_duplicate(tmp_path: Path) -> None:
    program = (
        "for parent in (pulumi.ComponentResource('t:m:A', 'a'), pulumi.ComponentResource('t:m:B',"
        " 'b')):\n    aws.ec2.Vpc('v', cidr_block='10.0.0.0/16', opts=Options(parent=parent))"
    )
    assert len(run(tmp_path, program).resources.of("aws:ec2/vpc:Vpc")) == 2


def test_who_asks_is_answered_in_words(tmp_path: Path) -> None:
    assert run(tmp_path, "pulumi.export('who', aws.get_caller_identity().account_id)").outputs == {
        "who": "${aws.account}"
    }


def test_the_same_program_can_be_evaluated_again_after_a_failure(tmp_path: Path) -> None:
    with pytest.raises(ZeroDivisionError):
        run(tmp_path, "aws.ec2.Vpc('v', cidr_block='10.0.0.0/16')\n1 / 0")
    assert len(run(tmp_path, "aws.ec2.Vpc('v', cidr_block='10.0.0.0/16')").resources) == 1
