"""Stack files that tests write into temporary folders are in a project, as users' are: its Pulumi.yaml is at the top of pytest's own folder."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.stack_files import PULUMI_YAML


@pytest.fixture(scope="session", autouse=True)
def a_project_around_temporary_folders(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of that project. A test without a project goes elsewhere."""
    folder = tmp_path_factory.getbasetemp()
    (folder / "Pulumi.yaml").write_text(PULUMI_YAML, encoding="utf-8")
    return folder
