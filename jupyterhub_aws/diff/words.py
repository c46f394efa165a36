"""Values as words: short, one line, and harmless wherever they are shown."""

from __future__ import annotations

import difflib
import json
import re
import unicodedata
from typing import Any

_LONGEST = 100
_INVISIBLE = re.compile(r"[\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff]")


def value(item: Any, longest: int = _LONGEST) -> str:
    """A value on one line, cut where it is long."""
    text = (
        "(none)"
        if item is None
        else item
        if isinstance(item, str)
        else json.dumps(item, sort_keys=True, ensure_ascii=False)
    )
    text = clean(" ".join(text.split())) or '""'
    return clipped(text, longest)


def clipped(text: str, longest: int) -> str:
    """Text, cut where it is long."""
    return text if len(text) <= longest else f"{text[: longest - 1]}…"


def clean(text: str) -> str:
    """Text without control characters and without what turns or hides other text: it may come
    from somebody who means harm.
    """
    text = _INVISIBLE.sub("", text)
    return "".join(
        char if char in "\n\t" or unicodedata.category(char)[0] != "C" else "�" for char in text
    )


def unified(old: Any, new: Any, most: int = 40) -> list[str]:
    """Two values as lines of a diff: texts of several lines by line, everything else as a whole."""
    if isinstance(old, str) and isinstance(new, str) and "\n" in f"{old}{new}":
        lines = [
            clean(line)
            for line in list(
                difflib.unified_diff(old.splitlines(), new.splitlines(), lineterm="", n=1)
            )[2:]
        ]
    else:
        lines = [
            f"{sign} {value(side, 300)}"
            for sign, side in (("-", old), ("+", new))
            if side is not None
        ]
    return lines if len(lines) <= most else [*lines[:most], f"  … {len(lines) - most} lines more"]
