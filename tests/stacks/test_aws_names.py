"""Names of AWS's own exist: in every plan, each is found in data that AWS made. A letter changed
in any of them is found.
"""

from __future__ import annotations

import copy
import json
from collections import Counter
from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any

import pytest

from jupyterhub_aws.checks.resources import Resource
from jupyterhub_aws.config.project import Program
from jupyterhub_aws.plan.evaluate import PlannedProgram, evaluate
from tests.support.aws_names import DOCUMENTED, Name, confirmed, names_in, unknown
from tests.support.stack_files import ROOT, read_yaml
from tests.support.stacks import ALL_STACKS, quiet_sdks, record

_EXAMPLES = ("examples/ci", "examples/backend")
KINDS = (
    "managed policy",
    "access policy",
    "principal",
    "endpoint service",
    "parameter",
    "add-on",
    "log group",
    "action",
    "condition key",
)


@cache
def example(folder: str) -> tuple[Resource, ...]:
    """Everything that an example program registers."""
    place = ROOT / folder
    project = str(read_yaml(place / "Pulumi.yaml")["name"])
    (file,) = place.glob("Pulumi.*.yaml")
    given = read_yaml(file)["config"]
    values = {
        key: json.dumps(value) if isinstance(value, list) else value for key, value in given.items()
    } | {f"{project}:account": "123456789012"}
    where = PlannedProgram(
        project=project,
        stack=file.suffixes[0][1:],
        folder=place,
        program=Program(folder=place, file=place / "__main__.py"),
    )
    with quiet_sdks():
        found = evaluate(values, secret=(), where=where)
    return tuple(found.resources)


def _inputs(name: str) -> tuple[Mapping[str, Any], ...]:
    return tuple(
        item.inputs
        for item in (example(name) if name in _EXAMPLES else record(*ALL_STACKS[name]).resources)
    )


@pytest.mark.real
@pytest.mark.parametrize("stack", [*ALL_STACKS, *_EXAMPLES])
def test_every_name_of_aws_is_in_data_of_aws(stack: str) -> None:
    assert unknown(name for inputs in _inputs(stack) for name in names_in(inputs)) == set()


@cache
def _all() -> frozenset[Name]:
    return frozenset(
        name
        for stack in (*ALL_STACKS, *_EXAMPLES)
        for inputs in _inputs(stack)
        for name in names_in(inputs)
    )


def test_there_is_something_of_each_kind_and_nothing_is_excused_in_vain() -> None:
    found = Counter(name.kind for name in _all())
    assert set(found) == set(KINDS) and found["action"] > 150 and found["managed policy"] >= 9
    assert set(DOCUMENTED) <= _all(), "what no plan has needs no excuse"
    assert not [name for name in DOCUMENTED if confirmed(name)], "data of AWS's has it by now"


def _misspelt(text: str) -> Iterator[str]:
    """Another letter, and one that is doubled: in a tag's condition key before the tag, which is
    the user's own.
    """
    ours, slash, tag = text.partition("Tag/")
    for letters in ("z", ours[-2] * 2):
        yield f"{ours[:-2]}{letters}{ours[-1]}{slash}{tag}"


@pytest.mark.parametrize("kind", KINDS)
def test_a_letter_changed_is_found(kind: str) -> None:
    for name in sorted(item for item in _all() if item.kind == kind and "*" not in item.text):
        for text in _misspelt(name.text):
            assert unknown([Name(kind, text)]), f"{text} is taken for a name of AWS's"


@pytest.mark.parametrize(
    ("inputs", "found"),
    [
        (
            {"policyArn": "arn:aws:iam::aws:policy/service-role/AmazonEBSCSIDriverPolicyV2"},
            Name("managed policy", "service-role/AmazonEBSCSIDriverPolicyV2"),
        ),
        (
            {"policyArn": "arn:aws-cn:iam::aws:policy/AmazonEKSClusterPolice"},
            Name("managed policy", "AmazonEKSClusterPolice"),
        ),
        (
            {"serviceName": "com.amazonaws.us-east-1.ssm-messages"},
            Name("endpoint service", "ssm-messages"),
        ),
        (
            {"serviceName": "com.amazonaws.us-gov-west-1.ecr.apis"},
            Name("endpoint service", "ecr.apis"),
        ),
        ({"addonName": "aws-ebs-csi"}, Name("add-on", "aws-ebs-csi")),
        ({"name": "/aws/ecks/hub/cluster"}, Name("log group", "/aws/ecks")),
        (
            {
                "imageId": (
                    "resolve:ssm:/aws/service/eks/optimized-ami/1.35/amazon-linux-2023/x86_64/gpu/a/image_id"
                )
            },
            Name(
                "parameter",
                "/aws/service/eks/optimized-ami/1.35/amazon-linux-2023/x86_64/gpu/a/image_id",
            ),
        ),
    ],
)
def test_names_are_found_wherever_they_are(inputs: dict[str, Any], found: Name) -> None:
    for wrapped in (inputs, {"deep": [{"er": inputs}]}, {"text": json.dumps({"in": [inputs]})}):
        assert unknown(names_in(wrapped)) == {found}


_STATEMENT: dict[str, Any] = {
    "Effect": "Allow",
    "Principal": {"Service": "ec2.amazonaws.com"},
    "Action": ["ec2:AttachVolume"],
    "Resource": "*",
    "Condition": {
        "StringEquals": {
            "ec2:ResourceTag/ebs.csi.aws.com/cluster": "true",
            "aws:PrincipalAccount": "123456789012",
        }
    },
}


@pytest.mark.parametrize(
    ("path", "value", "kind"),
    [
        (("Principal", "Service"), "ec3.amazonaws.com", "principal"),
        (("Principal", "Service"), ["ec2.amazonaws.com", "ec2.amazon.com"], "principal"),
        (("Action",), "ec2:AttachVolumes", "action"),
        (("Action",), ["ebs:AttachVolume"], "action"),
        (("Action",), "ec2:Atach*", "action"),
        (("Condition", "StringEquals"), {"ec2:RessourceTag/a": "b"}, "condition key"),
        (("Condition", "StringEquals"), {"aws:PrincipleAccount": "b"}, "condition key"),
        (("Condition", "StringEquals"), {"eks:ResourceTag/a": "b"}, "condition key"),
        (
            ("Condition", "StringLike"),
            {"kms:ViaService": "bakcup.us-east-1.amazonaws.com"},
            "principal",
        ),
        (
            ("Condition", "StringEquals"),
            {"iam:PassedToService": ["pod.eks.amazonaws.com"]},
            "principal",
        ),
    ],
)
def test_a_document_with_a_name_that_does_not_exist_is_found(
    path: tuple[str, ...], value: object, kind: str
) -> None:
    statement = copy.deepcopy(_STATEMENT)
    assert unknown(names_in({"policy": json.dumps({"Statement": [statement]})})) == set()
    place = statement
    for key in path[:-1]:
        place = place[key]
    place[path[-1]] = value
    assert kind in {
        name.kind for name in unknown(names_in({"policy": json.dumps({"Statement": statement})}))
    }
