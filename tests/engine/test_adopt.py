"""Adopting on the real engine: what a hub is made of stands in the account, the map imports it,
protected, and then nothing changes any more.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.engine.harness import Engine
from tests.engine.runs import Run
from tests.support.in_process import Done, in_process
from tests.support.stacks import record

pytestmark = pytest.mark.real

#: What somebody would cry over, and what it stands in; by type and name, in the order in which one
#: needs the other.
SEEDED = (
    ("aws:ec2/vpc:Vpc", "network-vpc"),
    *(
        ("aws:ec2/subnet:Subnet", f"network-{kind}-{zone}")
        for kind in ("private", "public")
        for zone in "abc"
    ),
    ("aws:ec2/internetGateway:InternetGateway", "network-internet-gateway"),
    ("aws:kms/key:Key", "cluster-key"),
    ("aws:cloudwatch/logGroup:LogGroup", "cluster-logs"),
    ("aws:iam/role:Role", "cluster-role"),
    ("aws:iam/role:Role", "pools-core-node"),
    ("aws:eks/cluster:Cluster", "cluster-control-plane-eksCluster"),
    ("aws:ec2/securityGroup:SecurityGroup", "homes-security-group"),
    ("aws:efs/fileSystem:FileSystem", "homes-file-system"),
    ("aws:efs/accessPoint:AccessPoint", "homes-access-point-main"),
    ("aws:ebs/volume:Volume", "hub-main-cloud-database-a"),
    ("aws:kms/key:Key", "backups-main-key"),
    ("aws:backup/vault:Vault", "backups-main-vault"),
    ("aws:cloudwatch/logGroup:LogGroup", "watch-logs-application"),
    ("aws:sns/topic:Topic", "watch-alarms-topic"),
)
#: The token of a file system that somebody made by hand.
BY_HAND = {"aws:efs/fileSystem:FileSystem": {"creationToken": "console-1f2e3d"}}
DATA = (
    "homes-file-system",
    "homes-access-point-main",
    "hub-main-cloud-database-a",
    "cluster-key",
    "backups-main-key",
    "backups-main-vault",
)


def _seed(engine: Engine) -> dict[str, str]:
    """The account of somebody who built by hand what the program would have built: the map of
    it.
    """
    recorded = {(item.type, item.name): dict(item.inputs) for item in record().resources}
    made: dict[str, dict[str, Any]] = {}
    entries: dict[str, str] = {}
    for kind, name in SEEDED:
        text = re.sub(
            r"\$\{([^.}]+)\.([^}]+)\}",
            lambda found: str(made.get(found[1], {}).get(found[2], "by-hand")),
            json.dumps(recorded[kind, name]),
        )
        identity = engine.seed(kind, {**json.loads(text), **BY_HAND.get(kind, {})})
        record_ = next(
            item
            for item in engine.account.records
            if item["type"] == kind and item["id"] == identity
        )
        made.setdefault(name, {**record_["outputs"], "id": identity})
        entries[f"{kind}::{name}"] = identity
    return entries


@pytest.fixture(scope="module")
def engine(new_engine: Callable[..., Engine]) -> Engine:
    made = new_engine()
    made.set_secret("hub-main-client-secret", "planted-client-secret-77aa")
    made.edit({"imports": _seed(made)})
    return made


@pytest.fixture(scope="module")
def first(engine: Engine) -> Run:
    return engine.preview().run


@pytest.fixture(scope="module")
def adopted(engine: Engine, first: Run) -> Run:
    return engine.up()


def _check(engine: Engine, run: Run, folder: Path) -> Done:
    """`jhub adopt check` of what the engine printed."""
    (folder / "preview.json").write_text(run.stdout, encoding="utf-8")
    return in_process(
        ["adopt", "check", str(engine.stack_file), "--preview", str(folder / "preview.json")],
        folder,
    )


def _resources(engine: Engine) -> dict[str, dict[str, Any]]:
    return {
        f"{item['type']}::{item['urn'].rpartition('::')[2]}": item for item in engine.resources()
    }


def test_the_preview_imports_and_makes_and_does_nothing_else(
    engine: Engine, first: Run, tmp_path: Path
) -> None:
    operations: dict[str, set[str]] = {}
    for step in json.loads(first.stdout[first.stdout.index("{") :])["steps"]:
        operations.setdefault(step["urn"], set()).add(step["op"])
    assert [
        found
        for found in operations.values()
        if not found <= {"create"}
        and not found <= {"import", "update"}
        and not found <= {"same", "read"}
    ] == []
    assert sum("import" in found for found in operations.values()) == len(SEEDED), (
        "imported, and updated in the same breath where something differs"
    )
    done = _check(engine, first, tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    assert f"{len(SEEDED)} imported, protected" in done.stdout and "pulumi up" in done.stdout


def test_up_makes_nothing_twice_and_protects_all_that_it_took_over(
    engine: Engine, adopted: Run
) -> None:
    created = adopted.changed()["Create"]
    assert [f"{kind}::{name}" for kind, name in SEEDED if f"{kind}::{name}" in created] == []
    found = _resources(engine)
    assert [name for kind, name in SEEDED if not found[f"{kind}::{name}"].get("protect")] == []
    assert engine.account.doubles() == {}


def test_the_second_check_says_that_nothing_changes_any_more(
    engine: Engine, adopted: Run, tmp_path: Path
) -> None:
    done = _check(engine, engine.preview("--expect-no-changes").run, tmp_path)
    assert done.returncode == 0 and "no change at all" in done.stdout, done.stdout + done.stderr


def test_the_program_itself_runs_the_preview(
    engine: Engine, adopted: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    done = in_process(["adopt", "check", engine.stack], engine.project, engine._environment({}))
    assert done.returncode == 0 and "is adopted" in done.stdout, done.stdout + done.stderr
    assert "$ pulumi preview --json" in done.stderr


def test_without_the_map_nothing_changes_and_data_stays_protected(
    engine: Engine, adopted: Run
) -> None:
    engine.edit(remove=["imports"])
    assert engine.preview("--expect-no-changes").changes == {}
    engine.up()
    found = {key.partition("::")[2]: item for key, item in _resources(engine).items()}
    assert [name for name in DATA if not found[name].get("protect")] == []
    assert not found["homes-security-group"].get("protect"), (
        "the rest is managed like anything else"
    )


def test_an_entry_that_would_be_replaced_is_refused_by_the_engine_and_by_the_check(
    new_engine: Callable[..., Engine], tmp_path: Path
) -> None:
    engine = new_engine()
    engine.set_secret("hub-main-client-secret", "planted-client-secret-77aa")
    engine.edit(
        {
            "imports": {
                "aws:ec2/vpc:Vpc::network-vpc": engine.seed(
                    "aws:ec2/vpc:Vpc", {"cidrBlock": "10.99.0.0/16"}
                )
            }
        }
    )
    done = _check(engine, engine.run("preview", "--json", check=False), tmp_path)
    assert done.returncode in (1, 2) and "would be adopted:" not in done.stdout, (
        done.stdout + done.stderr
    )
