"""`jhub destroy hub`: everything that asks before it goes, at once, and the ids by which the hub
comes back.
"""

from __future__ import annotations

import json
import shutil
import stat
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from jupyterhub_aws.config.load import load
from jupyterhub_aws.config.stack_file import read
from jupyterhub_aws.operate.teardown.hub import kept_of
from tests.support.data_examples import described
from tests.support.in_process import Done, in_process
from tests.support.stack_files import ROOT
from tests.support.stacks import record

PROTECTED = ("cluster.protected=true",)


def state(hub: str = "main") -> list[dict[str, Any]]:
    """What the engine would have after an `up` of the sample, with more than one hub of similar
    names.
    """
    second = json.dumps(
        {
            "sign_in": {"kind": "shared_password"},
            "entry": {"kind": "port_forward"},
            "database": {"kind": "postgres"},
        }
    )
    recording = record(*PROTECTED, f"hubs.main-2={second}")
    return [
        {
            "urn": item.urn,
            "id": f"id-{item.name}",
            "custom": item.custom,
            "protect": item.protect,
            "retainOnDelete": item.retain_on_delete,
        }
        for item in recording.resources
    ]


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in ("Pulumi.dev.yaml", "Pulumi.yaml"):
        shutil.copy(ROOT / name, tmp_path / name)
    (tmp_path / "bin").mkdir()
    program = tmp_path / "bin" / "pulumi"
    (tmp_path / "state.json").write_text(json.dumps({"deployment": {"resources": state()}}))
    program.write_text(
        '#!/bin/sh\n[ "$*" = "stack export --stack dev --non-interactive" ] || { echo "error: no'
        f' stack named" >&2; exit 1; }}\ncat {tmp_path}/state.json\n'
    )
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}:/usr/bin:/bin")
    return tmp_path


def hub(place: Path, *arguments: str) -> Done:
    return in_process(["destroy", "hub", *arguments], place)


@pytest.mark.real
def test_everything_of_one_hub_and_nothing_of_another(place: Path) -> None:
    said = described("destroy hub", hub(place, "dev", "main", "--json").stdout)
    assert {entry.rpartition("::")[2] for entry in said["imports"]} == {
        "homes-access-point-main", "hub-main-cloud-database-a", "hub-main-database-volume-a",
        "hub-main-homes-claim", "hub-main-homes-volume", "hub-main-namespace",
    }  # fmt: skip
    assert len(said["unprotect"]) == 6 and all(
        line.startswith("pulumi state unprotect 'urn:pulumi:dev::")
        and line.endswith(" -s dev --yes")
        for line in said["unprotect"]
    )
    other = json.loads(hub(place, "dev", "main-2", "--json").stdout)
    assert any(
        entry.startswith("aws:rds/instance:Instance::hub-main-2-cloud-database")
        for entry in other["imports"]
    )
    assert not said["imports"].keys() & other["imports"].keys()


def test_what_is_kept_by_the_program_is_what_it_names() -> None:
    """Whatever a hub retains is found: a component that retains something further, under another
    name, fails here.
    """
    mine = {
        item["urn"]
        for item in state()
        if item["retainOnDelete"] and "main" in item["urn"].rpartition("::")[2]
    } - {item["urn"] for item in state() if item["urn"].rpartition("::")[2].startswith("backups-")}
    found = {item.urn for name in ("main", "main-2") for item in kept_of(state(), name)}
    assert found == mine


@pytest.mark.real
def test_the_text_is_a_stack_files_lines(place: Path) -> None:
    text = hub(place, "dev", "main").stdout
    lines = [line for line in text.splitlines() if not line.startswith("pulumi ")]
    imports = YAML(typ="safe").load("\n".join(lines))
    (file := place / "Pulumi.dev.yaml").write_text(
        file.read_text().replace(
            "config:\n",
            f"config:\n  {json.dumps(next(iter(imports)))}:"
            f" {json.dumps(next(iter(imports.values())))}\n",
            1,
        )
    )
    read_again = read(file)
    stack = load(read_again.values, secret=read_again.secret, source=read_again.source)
    assert stack.imports == json.loads(hub(place, "dev", "main", "--json").stdout)["imports"]


@pytest.mark.real
def test_what_is_wrong_is_said_in_a_line(place: Path) -> None:
    done = hub(place, "dev", "mian")
    assert done.returncode == 2 and "hubs.mian: " in done.stderr
    assert "[teardown.not-in-state]" in done.stderr
    (place / "bin" / "pulumi").write_text(
        "#!/bin/sh\necho 'error: no stack named dev found' >&2\nexit 255\n"
    )
    done = hub(place, "dev", "main")
    assert (
        done.returncode == 2
        and "its state is not readable (error: no stack named dev found)" in done.stderr
        and "[teardown.state-unreadable]" in done.stderr
    )
