"""What one question to AWS is: a row of the table in jupyterhub_aws/adopt/asks.py and
jupyterhub_aws/adopt/asks_beside.py.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from jupyterhub_aws.adopt.live import Live, Thing

Parameters = Mapping[str, Any]


def _once(_live: Live) -> Sequence[Parameters]:
    return ({},)


def _everything(_live: Live, _thing: Thing) -> bool:
    return True


@dataclass(frozen=True, kw_only=True)
class Ask:
    """One row. `calls` are the parameters of each call, `key` is where the answer's things are
    (empty: the answer itself), `keep` drops what is others'.

    `absent` are AWS's codes that mean that there is nothing; `page` asks for larger pages than
    AWS's default, which IAM counts in hundreds.
    """

    topic: str
    service: str
    operation: str
    key: str = ""
    calls: Callable[[Live], Sequence[Parameters]] = _once
    keep: Callable[[Live, Thing], bool] = _everything
    absent: tuple[str, ...] = ()
    page: int | None = None
