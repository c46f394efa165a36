"""`jhub` as a person runs it: a process, its exit code, and what it prints where."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest
from ruamel.yaml import YAML

ROOT = Path(__file__).resolve().parents[2]
JHUB = str(Path(sys.prefix) / "bin" / "jhub")
DAY = ("--as-of", "2026-11-23")


def jhub(*arguments: str, cwd: Path = ROOT, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([JHUB, *arguments], cwd=cwd, env={**os.environ, **environment}, capture_output=True, text=True, timeout=60, check=False)


@cache
def plan() -> dict:
    done = jhub("plan", "dev", "--json", *DAY)
    assert done.returncode == 0, done.stderr
    found: dict = json.loads(done.stdout)
    return found


def test_the_data_has_the_keys_of_the_contract() -> None:
    data = plan()
    assert data["format"] == "jupyterhub-aws/plan/1"
    assert (data["project"], data["stack"], data["as_of"]) == ("jupyterhub-aws", "dev", "2026-11-23")
    keys = {"urn", "type", "name", "parent", "custom", "protect", "retain_on_delete", "ignore_changes", "import_id", "provider", "depends_on", "inputs"}
    assert all(set(resource) == keys for resource in data["resources"])
    assert [resource["urn"] for resource in data["resources"]] == sorted({resource["urn"] for resource in data["resources"]})
    assert all(set(check) == {"id", "status", "message", "path", "fix", "subjects"} for check in data["checks"])
    assert set(data["cost"]) >= {"currency", "prices_of", "idle_monthly", "paused_monthly", "lines"}


def test_every_dependency_and_parent_is_in_the_plan() -> None:
    urns = {resource["urn"] for resource in plan()["resources"]}
    for resource in plan()["resources"]:
        assert set(resource["depends_on"]) <= urns, resource["urn"]
        assert resource["parent"] is None or resource["parent"] in urns


def test_documents_are_rendered_whole() -> None:
    text = json.dumps(plan()["resources"])
    assert "[unknown]" not in text, "an unknown would hide what a reviewer has to see"
    assert "${cluster-key.arn}" in text


@pytest.mark.parametrize(
    "environment",
    [
        {"PYTHONHASHSEED": "0", "LC_ALL": "C", "TZ": "Asia/Tokyo"},
        {"PYTHONHASHSEED": "4242", "LC_ALL": "tr_TR.UTF-8", "TZ": "America/Los_Angeles"},
    ],
    ids=["C in Tokyo", "Turkish in Los Angeles"],
)
def test_the_data_is_the_same_byte_for_byte(environment: dict[str, str], tmp_path: Path) -> None:
    target = tmp_path / "plan.json"
    done = jhub("plan", "dev", "--json", str(target), *DAY, **environment)
    assert (done.returncode, done.stdout) == (0, "")
    assert json.loads(target.read_bytes()) == plan()
    assert target.read_text(encoding="utf-8") == json.dumps(plan(), indent=2, sort_keys=True, ensure_ascii=False) + "\n"


def test_a_person_sees_eighty_columns_without_colour_codes() -> None:
    done = jhub("plan", "dev", *DAY, COLUMNS="80")
    assert done.returncode == 0, done.stderr
    assert max(map(len, done.stdout.splitlines())) <= 80
    assert "\x1b[" not in done.stdout, "colours belong to a terminal"
    for words in ("may autoscaling:SetDesiredCapacity", "10.0.0.0/16", "documentation range", "per month", "No check failed"):
        assert words in done.stdout


def test_a_failed_check_is_exit_code_one() -> None:
    done = jhub("plan", "dev", "--as-of", "2027-06-01", COLUMNS="80")
    assert done.returncode == 1
    assert "left standard support" in done.stdout
    assert "do not run `pulumi up`" in done.stdout


def test_a_wrong_file_is_exit_code_two_with_every_problem() -> None:
    done = jhub("plan", "dev", "--set", "pools.memory.size.min=20", "--set", "network.nat=none", "--set", "nmae=x")
    assert (done.returncode, done.stdout) == (2, "")
    lines = done.stderr.splitlines()
    assert "Pulumi.dev.yaml: pools.memory.size.max: must be at least min (got 10 < 20); raise max or lower min" in lines
    assert any(line.startswith("Pulumi.dev.yaml: network.nat: cannot be none") for line in lines)
    assert "Pulumi.dev.yaml: nmae: is not an option of this program; did you mean name?" in lines
    assert len(lines) == 3


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("plan", "prod"), "name a stack (dev)"),
        (("plan", "dev", "--set", "pools"), "not of the form path=value"),
        (("plan", "dev", "--set", "pools.core.size=[1"), "neither YAML nor JSON"),
        (("plan", "dev", "--set", "network.zones[9]=us-east-1d"), "leads nowhere"),
        (("plan", "dev", "--as-of", "tomorrow"), "is not a date"),
        (("plan", "dev", "--json", "/no/such/folder/plan.json"), "cannot write"),
        (("plan",), "Missing argument"),
        (("plna",), "No such command"),
        (("plan", "dev", "--jsn"), "No such option"),
    ],
)
def test_wrong_arguments_are_answered_in_words(arguments: tuple[str, ...], says: str) -> None:
    done = jhub(*arguments)
    assert done.returncode == 2
    assert says in done.stderr
    assert "Traceback" not in done.stderr


def _stack(folder: Path, text: str) -> str:
    path = folder / "Pulumi.mine.yaml"
    path.write_text(text, encoding="utf-8")
    return str(path)


@pytest.mark.parametrize(
    ("text", "says"),
    [("config: [", "not readable as YAML at line 1"), ("", "config: is missing"), ("- a\n", "config: is missing"), ("config:\n  a: 1\n  a: 2\n", "YAML")],
)
def test_a_file_that_is_no_stack_file_says_where(tmp_path: Path, text: str, says: str) -> None:
    done = jhub("plan", _stack(tmp_path, text))
    assert done.returncode == 2
    assert says in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_encrypted_values_are_neither_needed_nor_shown(tmp_path: Path) -> None:
    document = YAML(typ="safe").load((ROOT / "Pulumi.dev.yaml").read_text())
    document["encryptionsalt"] = "v1:none"
    document["config"]["other:token"] = {"secure": "v1:CIPHERTEXT"}
    path = tmp_path / "Pulumi.mine.yaml"
    YAML().dump(document, path)
    done = jhub("plan", str(path), "--json", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "CIPHERTEXT" not in done.stdout + done.stderr
    document["config"]["jupyterhub-aws:tags"] = {"owner": {"secure": "v1:CIPHERTEXT"}}
    YAML().dump(document, path)
    done = jhub("plan", str(path))
    assert done.returncode == 2
    assert "tags: is encrypted" in done.stderr
    assert "CIPHERTEXT" not in done.stderr


def test_a_wrong_file_and_help_load_no_sdk() -> None:
    for arguments in (("plan", "dev", "--set", "pools.core.size=no"), ("--help",), ("schema", "--output", "-"), ("docs", "--output", "-")):
        done = jhub(*arguments, PYTHONPROFILEIMPORTTIME="1")
        loaded = {line.rpartition("|")[2].strip() for line in done.stderr.splitlines() if line.startswith("import time:")}
        assert "click" in loaded, "the list of imports was not printed"
        assert not {name for name in loaded if name.startswith(("pulumi", "grpc"))}, arguments


def test_an_error_of_the_program_is_one_line_with_its_place(tmp_path: Path) -> None:
    for part in ("config", "components", "checks", "ops"):
        shutil.copytree(ROOT / part, tmp_path / part)
    shutil.copy(ROOT / "Pulumi.dev.yaml", tmp_path)
    (tmp_path / "__main__.py").write_text((ROOT / "__main__.py").read_text())
    plan_py = tmp_path / "components" / "network" / "plan.py"
    plan_py.write_text(plan_py.read_text().replace("    vpc = IPv4Network(cidr)", "    vpc = IPv4Network(cidr + 1 / 0)"))
    command = [sys.executable, "-c", "import sys; sys.path.insert(0, '.'); from ops.main import main; main()"]
    done = subprocess.run([*command, "plan", "dev"], cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 2
    assert done.stderr.splitlines()[-1].startswith("jhub: division by zero (at components/network/plan.py:")
    assert "Traceback" not in done.stderr
    done = subprocess.run([*command, "--debug", "plan", "dev"], cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False)
    assert "Traceback" in done.stderr


def test_help_names_the_options() -> None:
    done = jhub("plan", "--help")
    assert done.returncode == 0
    for option in ("--json", "--set", "--as-of", "STACK"):
        assert option in done.stdout


def test_a_reader_that_leaves_early_is_no_error() -> None:
    done = subprocess.run(f"{JHUB} plan dev | head -1", shell=True, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False)  # noqa: S602 -- a pipe is the point
    assert "Traceback" not in done.stderr
    assert "Broken" not in done.stderr
    assert done.stdout.startswith("Pulumi.dev.yaml becomes")
