"""Record what the real engine's `pulumi preview --json` prints into tests/fixtures/previews, for
tests that read it without an engine.

    PATH=…engine…:$PATH .venv/bin/python -m tests.support.record_previews

Of the steps that change nothing the first three are kept: all of them would be megabytes. Nothing
else is changed.
"""

from __future__ import annotations

import json
import tempfile
from pathlib import Path

from tests.engine.harness import Engine
from tests.engine.runs import Run
from tests.engine.stand_in.install import install

FOLDER = Path(__file__).resolve().parents[1] / "fixtures" / "previews"
_KEPT_SAME = 3


def _save(name: str, run: Run) -> None:
    data = json.loads(run.stdout[run.stdout.index("{") :])
    same = [step for step in data.get("steps", []) if step["op"] == "same"]
    data["steps"] = [
        step for step in data.get("steps", []) if step["op"] != "same" or step in same[:_KEPT_SAME]
    ]
    if not data["steps"]:
        del data["steps"]  # as the engine leaves it out
    (FOLDER / f"{name}.json").write_text(
        json.dumps(data, separators=(",", ":")) + "\n", encoding="utf-8"
    )
    print(f"{name}: ended with {run.code}, {len(data.get('steps', []))} steps kept", flush=True)


def _preview(engine: Engine, name: str) -> None:
    _save(name, engine.run("preview", "--json", check=False))


def main() -> None:
    """The life of the stack `dev`, with a preview at each turn."""
    FOLDER.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as home:
        engine = Engine(home=Path(home) / "home", plugins=install())
        _preview(engine, "failure")  # its secret is missing
        engine.set_secret("hub-main-client-secret", "recorded-client-secret-5b1e")
        _preview(engine, "create")
        plain = engine.stack_file.read_text(encoding="utf-8")
        imported = {
            "imports": {
                "aws:ec2/vpc:Vpc::network-vpc": engine.seed(
                    "aws:ec2/vpc:Vpc", {"cidrBlock": "10.0.0.0/16"}
                )
            }
        }
        engine.edit(imported)
        _preview(engine, "import")
        engine.stack_file.write_text(plain, encoding="utf-8")
        engine.up()
        _preview(engine, "same")
        turns = {
            "update": {
                "pools.memory.size.max": 12,
                "hubs.main.culling": {"server_idle_minutes": 30},
            },
            "replace": {
                "pools.core.instance_types": ["m7i.xlarge"],
                "pools.memory.instance_types": ["r5n.4xlarge"],
            },
            "encrypted": {"name": "jhub-other"},
            "import-replacement": imported,
        }
        for name, put in turns.items():
            engine.edit(put)
            _preview(engine, name)
            engine.stack_file.write_text(plain, encoding="utf-8")
        engine.edit(remove=["pools.gpu", "hubs.main.profiles.gpu"])
        _preview(engine, "delete")
        engine.stack_file.write_text(plain, encoding="utf-8")
        engine.set_secret("hub-main-client-secret", "another-client-secret-77aa")
        _preview(engine, "secret")


if __name__ == "__main__":
    main()
