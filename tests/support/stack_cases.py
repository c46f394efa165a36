"""Stack files of tests/config/cases, one for each problem that a stack file can have. A case names
the problem by id and path; how it is worded is in tests/config/wording.txt, all in one file.

Write the wording: python -m tests.support.stack_cases.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

from jupyterhub_aws.components.validated import validated
from jupyterhub_aws.config.cloud_config import Configuration, whole
from jupyterhub_aws.config.errors import ConfigError
from jupyterhub_aws.config.stack import StackConfig
from tests.support.stack_files import (
    ROOT,
    SOURCE,
    changed,
    config_of,
    dev_stack,
    engine_values,
    read_yaml,
)

FOLDER = ROOT / "tests" / "config" / "cases"
CASES = sorted(FOLDER.glob("*.yaml"))
WORDING = ROOT / "tests" / "config" / "wording.txt"


def load_case(case: Mapping[str, Any]) -> StackConfig:
    """The stack of a case. Raises ConfigError."""
    base = dev_stack() if "base" not in case else config_of(ROOT / case["base"])
    return validated_values(
        *engine_values(changed(base, put=case.get("set"), remove=case.get("remove")))
    )


def validated_values(values: Mapping[str, str], secret: Sequence[str]) -> StackConfig:
    """The stack of keys as the engine hands them over. Raises ConfigError."""
    given = Configuration(
        values={key: value for key, value in values.items() if key not in secret},
        secret=tuple(secret),
        source=SOURCE,
    )
    return validated(whole(given, ROOT))


@cache
def recorded_wording() -> dict[str, list[str]]:
    """The lines of each case, by its name."""
    found: dict[str, list[str]] = {}
    for block in WORDING.read_text(encoding="utf-8").split("\n\n"):
        name, *lines = block.strip("\n").split("\n")
        found[name] = lines
    return found


def _worded(path: Path) -> str:
    try:
        load_case(read_yaml(path))
    except ConfigError as error:
        return "\n".join([path.stem, *(problem.line(error.source) for problem in error.problems)])
    raise AssertionError(f"{path.name} has no problem")


if __name__ == "__main__":
    wrong = [path for path in CASES if path.name.startswith("error.")]
    WORDING.write_text("\n\n".join(map(_worded, wrong)) + "\n", encoding="utf-8")
    print(f"wrote {WORDING.relative_to(ROOT)}")
