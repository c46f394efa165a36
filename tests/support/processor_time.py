"""What a command costs, against another one in the same run: a bound in seconds would say how busy
or how slow a machine is.
"""

from __future__ import annotations

from collections.abc import Callable
from resource import RUSAGE_CHILDREN, getrusage


def compared(call: Callable[[], object], other: Callable[[], object]) -> float:
    """The processor time of processes that `call` starts, as a share of those of `other`: the best
    of three of each, in turn.
    """
    pairs = [(_seconds(call), _seconds(other)) for _ in range(3)]
    return min(first for first, _ in pairs) / min(second for _, second in pairs)


def _seconds(call: Callable[[], object]) -> float:
    before = getrusage(RUSAGE_CHILDREN)
    call()
    after = getrusage(RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
