"""The policy pack run by the real engine: it lets the program through, and stops what a check
would fail.
"""

from __future__ import annotations

import sys
from collections.abc import Callable

import pytest

from tests.engine.harness import Engine

pytestmark = pytest.mark.real


@pytest.fixture(scope="module")
def engine(new_engine: Callable[..., Engine]) -> Engine:
    engine = new_engine()
    engine.set_secret("hub-main-client-secret", "planted-secret-5d1f")
    settings = engine.project / "policy" / "PulumiPolicy.yaml"
    settings.write_text(
        settings.read_text(encoding="utf-8").replace("../.venv", sys.prefix), encoding="utf-8"
    )
    return engine


def test_a_file_system_in_clear_stops_the_first_preview(engine: Engine) -> None:
    source = engine.project / "components" / "homes" / "efs.py"
    before = source.read_text(encoding="utf-8")
    source.write_text(before.replace("encrypted=True", "encrypted=False"), encoding="utf-8")
    try:
        text = engine.refused("preview", "--policy-pack", "policy")
    finally:
        source.write_text(before, encoding="utf-8")
    assert (
        "[mandatory]  everything-encrypted" in text
        and "homes-file-system" in text
        and "is not encrypted" in text
    )


def test_preview_and_up_and_preview_again_pass(engine: Engine) -> None:
    for command in (("preview",), ("up", "--yes", "--skip-preview"), ("preview",)):
        run = engine.run(*command, "--policy-pack", "policy")
        assert (
            "jupyterhub-aws@" in run.stdout
            and "[mandatory]" not in run.stdout
            and "can't run policy" not in run.text
        ), run.text[-3000:]
        assert "planted-secret" not in run.text
