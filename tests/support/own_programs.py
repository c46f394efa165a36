"""Programs of somebody's own, recorded in a folder of their own."""

from __future__ import annotations

import shutil
from pathlib import Path

from jupyterhub_aws.config.project import Program
from jupyterhub_aws.plan.evaluate import PlannedProgram, Recording, evaluate
from tests.support.stack_files import ROOT
from tests.support.stacks import quiet_sdks

HEAD = "import json, pulumi, pulumi_aws as aws\nfrom pulumi import ResourceOptions as Options\n"
OWN_RESOURCES = ROOT / "tests" / "fixtures" / "own_resources"


def run(folder: Path, program: str, *, secret: tuple[str, ...] = (), **values: str) -> Recording:
    """Record a program alone, with `namespace__key=value` as its configuration."""
    (folder / "__main__.py").write_text(HEAD + program)
    settings = {key.replace("__", ":"): value for key, value in values.items()}
    where = PlannedProgram(
        project="p",
        stack="s",
        folder=folder,
        program=Program(folder=folder, file=folder / "__main__.py"),
    )
    with quiet_sdks():
        return evaluate(settings, secret=secret, where=where)


def of_the_library(program: str) -> str:
    """A program as if a component of this library ran it: strict where a recording cannot know."""
    file = ROOT / "jupyterhub_aws" / "components" / "imagined.py"
    return (
        f"exec(compile({program!r}, {str(file)!r}, 'exec'), {{**globals(), '__name__':"
        " 'jupyterhub_aws.components.imagined'})"
    )


def own_resources(folder: Path, stack_file: str | None = None) -> Path:
    """A copy of the program of tests/fixtures/own_resources beside the stack file `dev`, with a
    secret of its own.
    """
    shutil.copytree(OWN_RESOURCES, folder, dirs_exist_ok=True)
    text = (ROOT / "Pulumi.dev.yaml").read_text() if stack_file is None else stack_file
    (folder / "Pulumi.dev.yaml").write_text(text + SETTINGS)
    return folder


SETTINGS = """
  team:owner: research
  team:password: {secure: AAABAKK}
  team:users: {secure: AAABAKL}
  own-bucket-prefix: lab-
"""
