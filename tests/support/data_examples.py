"""Examples of data that only a running stack prints: the answer to the stand-ins of a test. Written
again by those tests where RECORD_DATA is set.
"""

from __future__ import annotations

import json
import os
from typing import Any

from tests.support.data_keys import faults
from tests.support.stack_files import ROOT

FOLDER = ROOT / "tests" / "fixtures" / "data_formats"


def described(name: str, text: str) -> Any:
    """The data of a command that printed it, and nothing else, with the keys of
    docs/data-formats.md.
    """
    data = json.loads(text)
    wrong = faults(name, data)
    assert not wrong, wrong
    if os.environ.get("RECORD_DATA") and name != "problems":
        place = FOLDER / f"{name.replace(' ', '-')}.json"
        place.write_text(json.dumps(data, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    return data


def recorded_example(name: str) -> Any:
    """What a test recorded of a command; None where there is nothing."""
    place = FOLDER / f"{name.replace(' ', '-')}.json"
    return json.loads(place.read_text(encoding="utf-8")) if place.is_file() else None
