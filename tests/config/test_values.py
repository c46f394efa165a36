"""The small pieces of config: values at their edges, what is frozen, and what an import costs."""

from __future__ import annotations

import ast
import json
import subprocess
import sys
from dataclasses import replace

import pytest
from pydantic import TypeAdapter, ValidationError

from jupyterhub_aws.config import values
from jupyterhub_aws.config.errors import ConfigError, Problem, closest, dotted, shown
from jupyterhub_aws.config.load import load
from jupyterhub_aws.config.stack import RULES, StackConfig
from tests.support.stack_files import ROOT, dev_stack, engine_values

GOOD = {
    "StackName": ["a", "jhub-dev", "a1-2b", "a" * 24],
    "ShortName": ["memory", "a" * 20],
    "Zone": ["us-east-1a", "us-gov-west-1b", "ap-southeast-2c"],
    "Region": ["us-east-1", "us-gov-west-1", "cn-north-1"],
    "Cidr": ["10.0.0.0/16", "0.0.0.0/0", "203.0.113.7/32"],
    "Price": ["0.35", "1000", "0.000001", "00.5"],
    "KubernetesMinor": ["1.35", "1.09"],
    "PrincipalArn": [
        "arn:aws:iam::123456789012:role/a/b+c=,.@_-",
        "arn:aws-cn:iam::123456789012:user/x",
    ],
    "KmsKeyArn": [
        "arn:aws:kms:us-east-1:123456789012:key/1234abcd-12ab-34cd-56ef-1234567890ab",
        "arn:aws:kms:us-east-1:123456789012:key/mrk-12ab",
    ],
    "LabelKey": ["team", "example.org/team", "a" * 63, "A.b_c-1"],
    "LabelValue": ["", "A.b_c-1", "a" * 63],
}
BAD = {
    "StackName": ["", "1a", "-a", "a-", "a--b", "A", "a_b", "a" * 25, "a.b", "é"],
    "ShortName": ["a" * 21, "a b"],
    "Zone": ["us-east-1", "a", "us-east-1ab", "us-east-1-bos-1a", "US-EAST-1A"],
    "Region": ["us-east", "us-east-1a", "us-east-12", ""],
    "Cidr": [
        "10.0.0.1/16",
        "10.0.0.0",
        "10.0.0.0/33",
        "10.0.0.0/016",
        "10.0.0.0/255.255.0.0",
        "::/0",
        "10.0.0/16",
        " 10.0.0.0/16",
        "",
    ],
    "Price": [
        "",
        "0",
        "0.0",
        "-1",
        "1001",
        "1e2",
        "0.1234567",
        "inf",
        "nan",
        ".5",
        "5.",
        "1_0",
        "+1",
        " 1",
        "$1",
        "0,4",
        "1" * 400,
    ],
    "KubernetesMinor": ["1.3", "1.350", "v1.35", "2.35", "1.35.1", "latest", ""],
    "PrincipalArn": [
        "",
        "*",
        "arn:aws:iam::123456789012:root",
        "arn:aws:iam::12345678901:role/x",
        "arn:aws:sts::123456789012:assumed-role/x/y",
    ],
    "KmsKeyArn": [
        "",
        "alias/aws/ebs",
        "1234abcd-12ab-34cd-56ef-1234567890ab",
        "arn:aws:kms:us-east-1:123456789012:alias/x",
    ],
    "LabelKey": ["", "/a", "a/", "a/b/c", "A.org/x", "a" * 64, "-a", "a b"],
    "LabelValue": ["a" * 64, "-a", "a.", "a b", "é"],
}


def _check(kind, value):
    return TypeAdapter(getattr(values, kind)).validate_python(value)


@pytest.mark.parametrize(
    ("kind", "value"), [(kind, value) for kind, listed in GOOD.items() for value in listed]
)
def test_good_value(kind, value):
    assert _check(kind, value) == value


@pytest.mark.parametrize(
    ("kind", "value"), [(kind, value) for kind, listed in BAD.items() for value in listed]
)
def test_bad_value(kind, value):
    with pytest.raises(ValidationError) as caught:
        _check(kind, value)
    (detail,) = caught.value.errors()
    assert detail["type"] == "refused" and detail["ctx"]["what"] and detail["ctx"]["fix"]


@pytest.mark.parametrize("kind", GOOD)
def test_no_value_passes_with_a_last_newline_or_with_digits_of_another_script(kind):
    """`$` matches before a last newline, and `\\d` knows more digits than AWS."""
    for value in GOOD[kind]:
        for bad in (value + "\n", value.translate(str.maketrans("0123456789", "٠١٢٣٤٥٦٧٨٩"))):
            if bad != value:
                with pytest.raises(ValidationError):
                    _check(kind, bad)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        *(
            (None, "nothing"),
            (True, "true"),
            (False, "false"),
            ({}, "an empty map"),
            ({1: 2}, "a map"),
            ([], "an empty list"),
            ((1,), "a list"),
            (1.5, "1.5"),
        ),
        *(
            ("a\nb", r"'a\nb'"),
            ("\x1b\u2028", r"'\x1b\u2028'"),
            ("x" * 100, "'" + "x" * 56 + "…"),
            (10**99, "1" + "0" * 56 + "…"),
        ),
    ],
)
def test_shown_is_short_and_one_line(value, text):
    assert shown(value) == text
    assert len(shown(value)) <= 60


def test_paths_are_one_plain_line():
    assert dotted(("network", "zones", 1)) == "network.zones[1]"
    assert dotted(("imports", "aws:ec2/vpc:Vpc::a_b-c")) == "imports.aws:ec2/vpc:Vpc::a_b-c"
    assert dotted(("pools", "a\nb", "")) == r"pools.'a\nb'.''"
    assert len(dotted(("x" * 500,))) <= 60


def test_closest_ignores_case_and_gives_up():
    assert closest("SPOT", ["spot", "on_demand"]) == "spot"
    assert closest("reject", ["ALL", "REJECT"]) == "REJECT"
    assert closest("xyzzy", ["spot", "on_demand"]) is None
    assert closest("x", []) is None


def test_problems_are_sorted_and_named_once():
    one, two = (Problem(id="x.y", path=path, what="w", fix="f") for path in "ba")
    error = ConfigError("X.yaml", [one, two, one])
    assert error.problems == (two, one)
    assert str(error) == "X.yaml: a: w; f [x.y]\nX.yaml: b: w; f [x.y]"
    assert replace(one, path="").line("X.yaml") == "X.yaml: w; f [x.y]"


def test_stack_is_frozen_all_the_way_down():
    stack = load(engine_values(dev_stack())[0], source="X.yaml")
    for model, field in (
        (stack, "name"),
        (stack.cluster, "version"),
        (stack.cluster.api, "public"),
        (stack.pools.core, "size"),
        (stack.pools, "core"),
    ):
        with pytest.raises(ValidationError, match="frozen"):
            setattr(model, field, getattr(model, field))


def test_rules_name_sections_that_exist():
    assert {section for needs, _ in RULES for section in needs} <= set(StackConfig.model_fields)


def test_tags_as_aws_gets_them():
    config = dev_stack()
    config["jupyterhub-aws:tags"]["extra"] = {"team": "data"}
    tags = load(engine_values(config)[0], source="X.yaml").tags
    everywhere = {
        "owner": "platform-team",
        "environment": "dev",
        "managed-by": "jupyterhub-aws",
        "stack": "s",
        "team": "data",
    }
    assert tags.as_aws("s") == {**everywhere, "cost-center": "research-computing"}
    assert tags.model_copy(update={"cost_center": None}).as_aws("s") == everywhere


_IMPORT = """
import json, sys
opened, dialled = [], []
def hook(event, args):
    if event == "open":
        opened.append(str(args[0]))
    if event.startswith(("socket.", "subprocess.", "os.system", "os.exec", "os.posix_spawn", "os.fork")):
        dialled.append(event)
import pydantic, pydantic_core
from pydantic import create_model
create_model("First")
before = set(sys.modules)
sys.addaudithook(hook)
import jupyterhub_aws.config.stack
print(json.dumps({"opened": opened, "dialled": dialled, "new": sorted(set(sys.modules) - before), "all": sorted(sys.modules)}))
"""


def test_no_module_of_the_config_names_a_network_or_a_process_module():
    """Beside the run below, which cannot see what pydantic has loaded before: the standard
    library's email brings socket.
    """
    forbidden = {
        "socket",
        "ssl",
        "http",
        "urllib",
        "asyncio",
        "ftplib",
        "subprocess",
        "requests",
        "urllib3",
        "grpc",
        "boto3",
        "botocore",
    }
    modules = sorted((ROOT / "config").glob("*.py"))
    assert len(modules) >= 12
    for path in modules:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            names = (
                [alias.name for alias in node.names]
                if isinstance(node, ast.Import)
                else [node.module or ""]
                if isinstance(node, ast.ImportFrom)
                else []
            )
            found = [
                name
                for name in names
                if name.partition(".")[0] in forbidden or name.startswith("pulumi")
            ]
            assert not found, f"{path.name}:{node.lineno} imports {found}"


@pytest.mark.real
def test_import_of_the_config_has_no_side_effect():
    """No Pulumi, no network and no file but Python's own: what pydantic loads for a first model
    (the list of its plugins) came before.
    """
    ran = subprocess.run(
        [sys.executable, "-c", _IMPORT],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    seen = json.loads(ran.stdout)
    assert ran.stderr == ""
    assert "jupyterhub_aws.config.stack" in seen["new"] and seen["opened"]
    roots = {name.partition(".")[0] for name in seen["all"]}
    assert not roots & {
        "pulumi",
        "pulumi_aws",
        "pulumi_kubernetes",
        "pulumi_eks",
        "boto3",
        "botocore",
        "requests",
        "urllib3",
        "grpc",
        "ruamel",
        "yaml",
    }
    assert seen["dialled"] == []
    others = [
        path
        for path in seen["opened"]
        if not path.rpartition("@")[0].endswith(".pyc")
        and not path.endswith((".py", ".pyc"))
        and ".pyc." not in path
    ]
    assert others == []
