"""Sizes and durations as operators read them."""

from __future__ import annotations

import pytest

from jupyterhub_aws.units import amount, duration


@pytest.mark.parametrize(
    ("size", "text"),
    [
        (0, "0 B"),
        (1023, "1023 B"),
        (1024, "1.0 KiB"),
        (1.4 * 2**30, "1.4 GiB"),
        (3 * 2**50, "3072.0 TiB"),
    ],
)
def test_sizes(size: float, text: str) -> None:
    assert amount(size) == text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0.9, "0 s"), (59, "59 s"), (60, "1 min 0 s"), (200, "3 min 20 s"), (7500, "2 h 5 min")],
)
def test_durations(seconds: float, text: str) -> None:
    assert duration(seconds) == text
