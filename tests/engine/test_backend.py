"""The place of the state on the real engine: made once, quiet, moved to another backend, and not
to be destroyed.
"""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.engine.harness import ROOT, Engine

pytestmark = pytest.mark.real


@pytest.fixture(scope="module")
def engine(new_engine: Callable[..., Engine]) -> Engine:
    engine = new_engine(stack="backend", program=ROOT / "examples" / "backend")
    for name in ("documents.py", "settings.py"):
        (engine.project / name).write_bytes((ROOT / "examples" / "backend" / name).read_bytes())
    return engine


def test_it_is_made_and_then_quiet(engine: Engine) -> None:
    made = {call.type.rpartition(":")[2] for call in engine.up().finished("Create")}
    assert {"Bucket", "Key", "BucketPolicy", "BucketVersioning", "Policy"} <= made
    assert engine.preview("--expect-no-changes").changes == {}


def test_its_state_moves_to_another_place_as_the_readme_says(engine: Engine) -> None:
    exported, elsewhere = engine.home / "backend.json", engine.home / "elsewhere"
    elsewhere.mkdir()
    engine.run("stack", "export", "--file", str(exported))
    there = {
        "PULUMI_BACKEND_URL": f"file://{elsewhere}",
        "PULUMI_CONFIG_PASSPHRASE": "another-passphrase",
    }
    stack_file = engine.stack_file.read_text()
    engine.stack_file.write_text(
        "\n".join(line for line in stack_file.splitlines() if not line.startswith("encryptionsalt"))
        + "\n"
    )
    try:
        engine.run("stack", "init", "backend", **there)
        engine.run("stack", "import", "--file", str(exported), **there)
        assert engine.preview("--expect-no-changes", **there).changes == {}
    finally:
        engine.stack_file.write_text(stack_file)


def test_destroy_keeps_bucket_and_key(engine: Engine) -> None:
    refusal = engine.refused("destroy", "--yes", "--skip-preview")
    assert "protect" in refusal
    left = {resource["type"].rpartition(":")[2] for resource in engine.resources()}
    assert {"Bucket", "Key"} <= left
