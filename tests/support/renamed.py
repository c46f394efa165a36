"""The program of tests/engine/renamed_program, recorded under its old names or its new ones."""

from __future__ import annotations

import os
from pathlib import Path
from unittest import mock

from jupyterhub_aws.checks.resources import Resources
from jupyterhub_aws.plan.evaluate import PlannedProgram, evaluate

PROGRAM = Path(__file__).parents[1] / "engine" / "renamed_program"


def recording(names: str) -> Resources:
    """What it registers with NAMES=old or NAMES=new."""
    from jupyterhub_aws.config.project import project_of

    with mock.patch.dict(os.environ, {"NAMES": names}):
        where = PlannedProgram(
            project="renamed", stack="dev", folder=PROGRAM, program=project_of(PROGRAM).program()
        )
        return evaluate({}, secret=(), where=where).resources
