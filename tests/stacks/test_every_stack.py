"""Every stack that the tests know, in each way that it may be divided: no check fails on what is
right.
"""

from __future__ import annotations

import datetime

import pytest

from jupyterhub_aws.checks.all import run_checks
from jupyterhub_aws.config.stack_file import read
from jupyterhub_aws.plan.plan import recorded
from tests.support.stack_files import ROOT
from tests.support.stacks import ALL_STACKS, quiet_sdks, without_gc

pytestmark = pytest.mark.real

#: A closed stack made as one: the checks of what is inside the cluster see everything.
_WHOLE = {
    f"{name}, whole": (*settings, "parts=all")
    for name, settings in ALL_STACKS.items()
    if settings[:1] == ("stack=airgap",)
}


@pytest.mark.parametrize(
    "settings", [*ALL_STACKS.values(), *_WHOLE.values()], ids=[*ALL_STACKS, *_WHOLE]
)
def test_no_check_fails(settings: tuple[str, ...]) -> None:
    named = bool(settings) and settings[0].startswith("stack=")
    stack = settings[0].removeprefix("stack=") if named else "dev"
    file = read(
        ROOT / stack if stack.endswith(".yaml") else ROOT / f"Pulumi.{stack}.yaml", settings[named:]
    )
    with quiet_sdks(), without_gc():
        found, recording = recorded(file)
    findings = run_checks(found, recording.everything, datetime.date(2026, 11, 24))
    assert [finding for finding in findings if finding.status == "fail"] == []
