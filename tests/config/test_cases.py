"""What a stack file may say, and what a person reads when it is wrong: one file for each case,
its name is the verdict.
"""

from __future__ import annotations

import pytest

from jupyterhub_aws.config.errors import ConfigError
from jupyterhub_aws.config.stack import StackConfig
from tests.support.stack_cases import CASES, load_case, recorded_wording, validated_values
from tests.support.stack_files import changed, dev_stack, engine_values, read_yaml

LONGEST_LINE = 440


def test_there_are_enough_cases_and_each_section_has_some():
    assert len(CASES) >= 180
    verdicts = {tuple(path.name.split(".")[:2]) for path in CASES if path.name.startswith("error.")}
    assert {section for _, section in verdicts} >= set(StackConfig.model_fields)
    assert sum(path.name.startswith("ok.") for path in CASES) >= 20


@pytest.mark.real
@pytest.mark.parametrize("path", CASES, ids=[path.stem for path in CASES])
def test_case(path):
    case = read_yaml(path)
    assert set(case) <= {"base", "set", "remove", "expect"}
    if path.name.startswith("ok."):
        assert "expect" not in case
        assert isinstance(load_case(case), StackConfig)
        return
    assert path.name.startswith("error.") and case["expect"]
    with pytest.raises(ConfigError) as caught:
        load_case(case)
    assert [{item.id: item.path} for item in caught.value.problems] == case["expect"]
    lines = str(caught.value).split("\n")
    assert lines == recorded_wording()[path.stem], "python -m tests.support.stack_cases"
    assert all(len(line) <= LONGEST_LINE for line in lines)


def test_values_arrive_as_they_were_written():
    stack = load_case(
        {"set": {"pools.core.size": 2.0, "tags.owner": "Größe Müller", "cluster.logs": ["api"]}}
    )
    assert stack.region == "us-east-1" and stack.name == "jhub-dev"
    assert (
        stack.pools.core.size == 2
        and stack.tags.owner == "Größe Müller"
        and stack.cluster.logs == ("api",)
    )
    assert list(stack.pools.user) == ["gpu", "memory"]
    assert (
        stack.pools.user["memory"].max_price == "0.40" and stack.pools.user["memory"].size.max == 10
    )
    assert stack.imports == {} and stack.homes.kind == "efs"
    small = stack.hubs["main"].profiles["small"]
    assert (small.cpu, small.memory, small.guarantee, small.default) == (2.0, "16G", 0.5, True)
    assert (
        stack.hubs["main"].entry.allowed_cidrs == ("203.0.113.0/24",)
        and stack.hubs["main"].database.kind == "sqlite"
    )


def test_engine_conversions_are_those_of_pulumi():
    """The support module itself: without it, every case above would prove something else."""
    config = {
        "a": 1.10,
        "b": True,
        "c": None,
        "d": {"x": 2.0, True: None, "s": {"secure": "AA"}},
        "e": [1e30, 2**64],
        "f": {"secure": "AA"},
    }
    values, secret = engine_values(config)
    assert values == {
        "a": "1.1",
        "b": "true",
        "c": "",
        "d": '{"x":2,"true":null,"s":"decrypted"}',
        "e": "[1e+30,18446744073709552000]",
        "f": "decrypted",
    }
    assert secret == {"d", "f"}
    with pytest.raises(KeyError):
        changed(dev_stack(), remove=["pools.nothing"])


@pytest.mark.parametrize("secret", [False, True])
def test_a_secret_value_is_never_shown(secret):
    values, _ = engine_values(dev_stack())
    values["jupyterhub-aws:name"] = "Hunter2 Hunter2"
    with pytest.raises(ConfigError) as caught:
        validated_values(values, ["jupyterhub-aws:name"] if secret else [])
    assert ("Hunter2" in str(caught.value)) is not secret
