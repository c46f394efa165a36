"""A plan or a stack file from before a migration, compared with one from after it: names are no
change, and limits of cost stay limits.
"""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from jupyterhub_aws.changes.difference import difference
from jupyterhub_aws.changes.gate import judged
from jupyterhub_aws.changes.side import side_of
from tests.support.in_process import in_process

REAL = Path(__file__).parent / "format-1"


def _plan(
    monthly: float, gate: dict[str, Any] | None = None, **configuration: Any
) -> dict[str, Any]:
    bill = {
        "maximum_monthly": monthly,
        "idle_monthly": monthly,
        "paused_monthly": monthly,
        "lines": [],
        "prices_of": "2026-11-01",
        "not_priced": [],
    }
    return {
        "format": "jupyterhub-aws/plan/1", "project": "jupyterhub-aws", "stack": "dev", "as_of": "2026-11-23", "resources": [], "cost": bill,
        **({} if gate is None else {"gate": gate}), **({"configuration": configuration} if configuration else {}),
    }  # fmt: skip


def test_limits_of_an_older_plan_shut_the_gate() -> None:
    """A base branch that still says `at_most` would otherwise limit nothing."""
    limits = {"allow": ["routine", "costs more"], "cost": {"at_most": 100, "at_rest": 100}}
    for configuration in ({}, {"jupyterhub-aws:gate": limits}):
        found = difference(
            side_of(_plan(90, limits, **configuration), "old"), side_of(_plan(110, limits), "new")
        )
        verdict = judged(found)
        assert not verdict.passes and set(verdict.missing[0].limits) == {
            "gate.cost.maximum is 100",
            "gate.cost.idle is 100",
        }
    assert judged(
        difference(side_of(_plan(90, limits), "old"), side_of(_plan(99, limits), "new"))
    ).passes


def test_configuration_is_read_in_todays_words() -> None:
    before = {
        "jupyterhub-aws:watch": {"kind": "none"},
        "aws:region": "x",
        "jupyterhub-aws:pools": {"a": {"capacity": "given"}},
    }
    after = {
        "jupyterhub-aws:monitoring": {"kind": "none"},
        "aws:region": "x",
        "jupyterhub-aws:pools": {"a": {"capacity": "existing"}},
    }
    assert (
        side_of(_plan(1, **before), "old").configuration
        == after
        == side_of(_plan(1, **after), "new").configuration
    )
    new = side_of(
        _plan(
            1, **{"jupyterhub-aws:format": 2, "jupyterhub-aws:pools": {"a": {"capacity": "given"}}}
        ),
        "new",
    )
    assert new.configuration == {"jupyterhub-aws:pools": {"a": {"capacity": "given"}}}, (
        "what says today's format is taken at its word"
    )
    both = {"jupyterhub-aws:watch": {"kind": "none"}, "jupyterhub-aws:monitoring": {"kind": "none"}}
    assert side_of(_plan(1, **both), "both").configuration == both


@pytest.mark.real
@pytest.mark.parametrize("project", ["before", "after"])
def test_a_migration_is_no_change_against_the_commit_before(tmp_path: Path, project: str) -> None:
    """In a folder of the user's own: planned by this library, or, where the commit has no
    project yet, compared as a stack file.
    """
    for path in REAL.glob("Pulumi.airgap*.yaml"):
        (tmp_path / path.name).write_bytes(path.read_bytes())
    if project == "before":
        (tmp_path / "Pulumi.yaml").write_text("name: jupyterhub-aws\nruntime: python\n")
    git = ("git", "-c", "user.name=t", "-c", "user.email=t@example.org")
    for command in (("init", "-q"), ("add", "-A"), ("commit", "-qm", "before")):
        subprocess.run([*git, *command], cwd=tmp_path, check=True)
    (tmp_path / "Pulumi.yaml").write_text("name: jupyterhub-aws\nruntime: python\n")
    assert in_process(["migrate", "--write"], tmp_path).returncode == 0
    target = tmp_path / "difference.json"
    done = in_process(["plan", "airgap", "--against", "HEAD", "--json", str(target)], tmp_path)
    assert done.returncode == 0, done
    found = json.loads(target.read_text())
    assert found["old"]["kind"] == ("plan" if project == "before" else "configuration")
    assert not any(found[key] for key in ("configuration", "changes", "effects")), (
        "names that changed, and the line `format`, are no difference"
    )
