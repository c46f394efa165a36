"""Texts that policies write, compared with those of a request: wildcards, what stands for itself,
and the account that only AWS knows.

Answers have three values: what is not known is never taken for true. Knows nothing of this project.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from functools import lru_cache

#: True, False, or None where it depends on what is not known.
Truth = bool | None
#: How the account is written where only AWS knows it. A written account number may be it or not.
ACCOUNT = "${aws.account}"
_NUMBER = re.compile(r"(?<![0-9])[0-9]{12}(?![0-9])")
#: Stand for a `*`, `?` and `$` that are meant as such, in patterns and in texts that are compared
#: with them.
LITERAL = {"*": "\ue000", "?": "\ue001", "$": "\ue002"}


def either(found: Iterable[Truth]) -> Truth:
    """True if one is, None if one may be, else False."""
    unknown = False
    for value in found:
        if value:
            return True
        unknown = unknown or value is None
    return None if unknown else False


def every(found: Iterable[Truth]) -> Truth:
    """False if one is, None if one may be, else True."""
    return negated(either(map(negated, found)))


def negated(value: Truth) -> Truth:
    """The opposite; what is not known stays so."""
    return None if value is None else not value


@lru_cache(maxsize=8192)
def glob(pattern: str, text: str) -> bool:
    """Whether a text matches a pattern in which `*` stands for any characters and `?` for one.
    Case counts.
    """
    head = pattern.split("*", 1)[0].split("?", 1)[0]
    if len(head) == len(pattern) or not text.startswith(
        head
    ):  # most patterns end here: they are of another service
        return pattern == text
    at = mark = len(head)
    star, start = -1, 0
    while at < len(text):
        if mark < len(pattern) and pattern[mark] == "*":
            star, start, mark = mark, at, mark + 1
        elif mark < len(pattern) and pattern[mark] in ("?", text[at]):
            at, mark = at + 1, mark + 1
        elif star >= 0:
            start += 1
            at, mark = start, star + 1
        else:
            return False
    return not pattern[mark:].strip("*")


def literal(text: str) -> str:
    """A text in which `*`, `?` and `$` stand for themselves when it becomes part of a pattern,
    or is compared with one.
    """
    return (
        "".join(LITERAL.get(char, char) for char in text)
        if any(char in text for char in LITERAL)
        else text
    )


def matches(pattern: str, text: str) -> Truth:
    """Whether a text matches a pattern; None where a written account number decides, and the
    account is not known.
    """
    return _decided(lambda one, other: glob(one, literal(other)), pattern, text)


def equals(written: str, text: str) -> Truth:
    """Whether both are the same; None where a written account number decides, and the account is
    not known.
    """
    return _decided(lambda one, other: one == literal(other), written, text)


def _decided(same: Callable[[str, str], bool], written: str, text: str) -> Truth:
    if same(written, text):
        return True
    if ACCOUNT in text and same(_NUMBER.sub(literal(ACCOUNT), written), text):
        return None
    return False
