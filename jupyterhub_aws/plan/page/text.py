"""Text in pictures: how wide it is at most in any common font, so that it never leaves its box;
what a node has; and the order of names.
"""

from __future__ import annotations

import re

from jupyterhub_aws.config.instance_types import InstanceType

_NARROW = frozenset("iljtfrI.,:;'|()[]!/- ·")
_WIDE = frozenset("mwMW@%→–—")
#: Shares of the font size: of DejaVu Sans, the widest face that `system-ui` means on common
#: systems.
_SHARE_NARROW, _SHARE_WIDE, _SHARE_CAPITAL, _SHARE_OTHER, _SHARE_FULL = (
    0.38,
    0.99,
    0.70,
    0.635,
    1.05,
)
_BOLD = 1.1
_LAST_NARROW_SCRIPT = 0x2E80


def width(text: str, size: float, *, bold: bool = False) -> float:
    """At most so many pixels."""
    return sum(map(_share, text)) * size * (_BOLD if bold else 1)


def _share(char: str) -> float:
    if char in _NARROW:
        return _SHARE_NARROW
    if char in _WIDE:
        return _SHARE_WIDE
    if ord(char) >= _LAST_NARROW_SCRIPT:
        return _SHARE_FULL
    return _SHARE_CAPITAL if char.isupper() or char.isdigit() else _SHARE_OTHER


def fitted(text: str, room: float, size: float, *, bold: bool = False) -> str:
    """The text, cut with an ellipsis where it is wider than its room."""
    if width(text, size, bold=bold) <= room:
        return text
    while text and width(text + "…", size, bold=bold) > room:
        text = text[:-1]
    return text.rstrip() + "…"


def wrapped(text: str, room: float, size: float, most: int) -> list[str]:
    """The text in at most so many lines, broken between words; in a word that is wider than a line
    after a comma, dot, slash or hyphen, as in a name of a directory.
    """
    lines: list[str] = []
    words = text.split()
    while words:
        line = words.pop(0)
        head = "" if len(lines) == most - 1 else _head(line, room, size)
        if head:
            lines.append(head)
            words.insert(0, line.removeprefix(head))
            continue
        while words and (len(lines) == most - 1 or width(f"{line} {words[0]}", size) <= room):
            line = f"{line} {words.pop(0)}"
        lines.append(fitted(line, room, size))
    return lines


_BREAKS = re.compile(r"[,./-]")


def _head(word: str, room: float, size: float) -> str:
    """What of a word goes on a line of its own; nothing where the whole word fits, or no part."""
    if width(word, size) <= room:
        return ""
    ends = [found.end() for found in _BREAKS.finditer(word)]
    fit = [end for end in ends if end < len(word) and width(word[:end], size) <= room]
    return word[: max(fit, default=0)]


def shape(kind: InstanceType) -> str:
    """What a node of this type has: `8 vCPUs, 64 GiB`."""
    gpus = f", {kind.gpus} × {kind.gpu}" if kind.gpus else ""
    return f"{kind.vcpus} vCPUs, {kind.memory_mib / 1024:g} GiB{gpus}"


def natural(name: str) -> tuple[tuple[int, str], ...]:
    """A key for natural sorting of names: pool2 before pool10."""
    return tuple(
        (int(part), "") if part.isdecimal() else (-1, part)
        for part in re.split(r"(\d+)", name)
        if part
    )
