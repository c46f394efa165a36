"""Stack files that tests write into temporary folders are in a project, as users' are: its
Pulumi.yaml is at the top of pytest's own folder.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import settings

from tests.support.stack_files import PULUMI_YAML

settings.register_profile("repeatable", derandomize=True, deadline=None, database=None)
settings.register_profile(
    "search", deadline=None
)  # new examples at each run: HYPOTHESIS_PROFILE=search make test
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "repeatable"))


@pytest.fixture(scope="session", autouse=True)
def a_project_around_temporary_folders(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of that project. A test without a project goes elsewhere."""
    folder = tmp_path_factory.getbasetemp()
    (folder / "Pulumi.yaml").write_text(PULUMI_YAML, encoding="utf-8")
    return folder
