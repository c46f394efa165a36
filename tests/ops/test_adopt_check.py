"""`jhub adopt check`: success only where each entry is an import and nothing is lost."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.support.data_examples import described
from tests.support.in_process import Done, in_process
from tests.support.stack_files import ROOT

PREVIEWS = ROOT / "tests" / "fixtures" / "previews"
VPC = "aws:ec2/vpc:Vpc::network-vpc"
KEY = "aws:kms/key:Key::cluster-key"


def _stack(folder: Path, imports: dict[str, str]) -> Path:
    path = folder / "Pulumi.dev.yaml"
    path.write_text(
        (ROOT / "Pulumi.dev.yaml").read_text()
        + (f"  jupyterhub-aws:imports: {json.dumps(imports)}\n" if imports else "")
    )
    return path


def _check(folder: Path, preview: Any, imports: dict[str, str]) -> Done:
    (folder / "preview.json").write_text(json.dumps(preview))
    return in_process(
        ["adopt", "check", str(_stack(folder, imports)), "--preview", str(folder / "preview.json")],
        folder,
        {"COLUMNS": "80"},
    )


def _step(op: str, subject: str, **more: Any) -> dict[str, Any]:
    kind, _, name = subject.partition("::")
    state = {"custom": True, "protect": True, "inputs": {}, "type": kind, **more.pop("state", {})}
    sides = {
        "delete": {"oldState": state},
        "create": {"newState": state},
        "import": {"newState": state},
    }.get(op, {"oldState": state, "newState": state})
    return {
        "op": op,
        "urn": f"urn:pulumi:dev::jupyterhub-aws::jupyterhub-aws:x:X${kind}::{name}",
        **sides,
        **more,
    }


def _preview(*steps: dict[str, Any]) -> dict[str, Any]:
    return {"steps": list(steps), "changeSummary": {"same": 1}}


@pytest.mark.parametrize(
    ("steps", "code", "verdict", "faults"),
    [
        ([_step("import", VPC)], 0, "adopts", []),
        ([_step("delete", VPC)], 1, "wrong", [VPC]),
    ],
)
def test_the_verdict_as_data(
    tmp_path: Path, steps: list[dict[str, Any]], code: int, verdict: str, faults: list[str]
) -> None:
    (tmp_path / "preview.json").write_text(json.dumps(_preview(*steps)))
    stack = _stack(tmp_path, {VPC: "vpc-0123456789abcdef0"})
    line = ["adopt", "check", str(stack), "--preview", str(tmp_path / "preview.json"), "--json"]
    done = in_process(line, tmp_path)
    found = described("adopt check", done.stdout)
    assert (done.returncode, found["verdict"]) == (code, verdict), done.stderr
    assert sorted({item["subject"] for item in found["faults"]}) == faults


def test_each_entry_an_import_and_nothing_lost_is_a_success(tmp_path: Path) -> None:
    preview = _preview(
        _step("import", VPC),
        _step("create", KEY),
        _step("update", "aws:efs/fileSystem:FileSystem::homes-file-system"),
    )
    done = _check(tmp_path, preview, {VPC: "vpc-1"})
    assert (
        done.returncode == 0
        and "would be adopted" in done.stdout
        and "1 imported, protected" in done.stdout
    )
    assert max(map(len, done.stdout.splitlines())) <= 80


def test_afterwards_only_no_change_at_all_is_one(tmp_path: Path) -> None:
    assert _check(tmp_path, _preview(_step("same", VPC)), {VPC: "vpc-1"}).returncode == 0
    left_out = _check(
        tmp_path, _preview(_step("same", KEY)), {VPC: "vpc-1"}
    )  # the engine leaves out what stays the same
    assert left_out.returncode == 0 and "is adopted" in left_out.stdout
    more = _check(tmp_path, _preview(_step("same", VPC), _step("update", KEY)), {VPC: "vpc-1"})
    assert more.returncode == 1 and "still changes something" in more.stdout


@pytest.mark.parametrize(
    ("steps", "said"),
    [
        ([_step("import", VPC), _step("delete", KEY)], "would be deleted"),
        (
            [_step("import", VPC), _step("replace", KEY, replaceReasons=["policy"])],
            "because of policy",
        ),
        (
            [_step("import", VPC), _step("create-replacement", KEY), _step("delete-replaced", KEY)],
            "would be replaced",
        ),
        ([_step("import-replacement", VPC)], "would be replaced"),
        ([_step("create", VPC)], "would be recreated"),
        ([_step("import", VPC, state={"protect": False})], "without protection"),
        ([_step("import", VPC, state={"importID": "vpc-2"})], "imported from vpc-2"),
        ([_step("import", VPC), _step("import", KEY)], "no entry of the stack file"),
    ],
)
def test_anything_else_is_none_and_says_what_to_change(
    tmp_path: Path, steps: list[dict[str, Any]], said: str
) -> None:
    done = _check(tmp_path, _preview(*steps), {VPC: "vpc-1"})
    assert done.returncode == 1 and "would NOT be adopted" in done.stdout
    assert (
        said in " ".join(done.stdout.split())
        and "→" in done.stdout
        and "Do not run pulumi up" in done.stdout
    )


@pytest.mark.real
@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("create", 0),
        ("same", 0),
        ("replace", 1),
        ("delete", 1),
        ("import-replacement", 1),
        ("failure", 2),
        ("encrypted", 2),
    ],
)
def test_recordings_of_the_engine_are_judged(tmp_path: Path, name: str, code: int) -> None:
    done = _check(tmp_path, json.loads((PREVIEWS / f"{name}.json").read_text()), {})
    assert done.returncode == code, done.stdout + done.stderr


@pytest.mark.parametrize(
    ("preview", "which"),
    [
        ([], "plan.neither"),
        ({"steps": 1}, "preview.failed"),
        (_preview({"op": "x", "urn": "y"}), "preview.unknown-step"),
    ],
)
def test_what_is_no_preview_is_refused(tmp_path: Path, preview: Any, which: str) -> None:
    done = _check(tmp_path, preview, {})
    assert done.returncode == 2 and f"[{which}]" in done.stderr and "Traceback" not in done.stderr


def test_a_preview_of_another_stack_is_refused(tmp_path: Path) -> None:
    preview = json.loads(
        json.dumps(_preview(_step("same", VPC))).replace("urn:pulumi:dev::", "urn:pulumi:other::")
    )
    done = _check(tmp_path, preview, {})
    assert done.returncode == 2 and "[preview.other-stack]" in done.stderr


def test_a_plan_is_no_preview(tmp_path: Path) -> None:
    from tests.support.differences import plan

    done = _check(tmp_path, plan(), {})
    assert done.returncode == 2 and "--preview: " in done.stderr
    assert "[preview.is-a-plan]" in done.stderr


def test_without_the_engine_it_says_how(tmp_path: Path) -> None:
    done = in_process(
        ["adopt", "check", str(_stack(tmp_path, {}))], tmp_path, {"PATH": str(tmp_path)}
    )
    assert done.returncode == 2 and "pulumi: " in done.stderr and "[tool.missing]" in done.stderr
