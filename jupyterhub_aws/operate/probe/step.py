"""One step of a probe: what was tried, how it went, and what to change where it failed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, kw_only=True)
class ProbeStep:
    """`state`: ok; failed, and nothing after it can work; no, a plain answer (not a member, not let
    in); skipped, as it needs something that is missing.

    `path` is the option of the stack file to change, `fix` what to do.
    """

    what: str
    state: Literal["ok", "failed", "no", "skipped"]
    said: str
    fix: str | None = None
    path: str | None = None
