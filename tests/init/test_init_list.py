"""`jhub init --list`: the names by which `--set` answers."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from jupyterhub_aws.init.questions import VARIANTS, questions_of
from tests.support.in_process import in_process


@pytest.mark.parametrize("variant", VARIANTS)
def test_every_question_is_listed_with_values_and_default(variant: str, tmp_path: Path) -> None:
    done = in_process(["init", "--list", "--variant", variant], tmp_path)
    assert done.returncode == 0 and done.stderr == ""
    for question in questions_of(variant, "lab"):
        assert f"\n{question.path}: {question.ask}\n" in done.stdout
    assert "    values: " in done.stdout and "    default: " in done.stdout
    assert list(tmp_path.iterdir()) == []


def test_as_data(tmp_path: Path) -> None:
    done = in_process(["init", "lab", "--list", "--json"], tmp_path)
    found = {item["name"]: item for item in json.loads(done.stdout)["questions"]}
    assert found["network.nat"]["values"] == ["single", "per_zone"]
    assert found["users"]["default"] == "20" and found["name"]["default"] == "lab"
    assert found["cluster.api.public_access_cidrs"]["placeholder"]
    assert not found["hubs.main.entry.hostname"]["asked"], "a tunnel has no name"


def test_data_of_what(tmp_path: Path) -> None:
    done = in_process(["init", "lab", "--json"], tmp_path)
    assert done.returncode == 2 and "add --list [command.needs-list]" in done.stderr
