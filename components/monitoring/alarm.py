"""What an alarm is, before AWS makes one: what it watches, when it speaks, and the page that says what to do then."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

Statistic = Literal["Sum", "Average", "Minimum", "Maximum"]
Breaches = Literal["above", "from", "below"]
RUNBOOKS = "docs/runbooks"
_COMPARISONS: Mapping[Breaches, str] = {"above": "GreaterThanThreshold", "from": "GreaterThanOrEqualToThreshold", "below": "LessThanThreshold"}


@dataclass(frozen=True, kw_only=True, eq=False)
class Measure:
    """One metric of CloudWatch. Values of `dimensions` may be known to AWS only."""

    namespace: str
    name: str
    statistic: Statistic
    dimensions: Mapping[str, Any]


@dataclass(frozen=True, kw_only=True, eq=False)
class AlarmSpec:
    """It speaks when the value is `breaches` the threshold in `times` periods of `minutes` one after the other.

    `page` names the alarm's kind and its page in docs/runbooks, `subject` tells those of a kind apart. `measures` are by the name that `expression` gives
    them; without an expression there is one. `silence` is what no value means: most things are well when nothing is said of them, a hub is not.
    """

    page: str
    says: str
    measures: Mapping[str, Measure]
    threshold: float
    minutes: int
    times: int
    subject: str = ""
    expression: str | None = None
    breaches: Breaches = "from"
    silence: Literal["breaching", "notBreaching"] = "notBreaching"

    @property
    def suffix(self) -> str:
        """What tells it from all other alarms of the stack."""
        return f"{self.page}-{self.subject}" if self.subject else self.page

    @property
    def description(self) -> str:
        """What somebody reads in the night; it ends with the page that helps."""
        return f"{self.says} Runbook: {RUNBOOKS}/{self.page}.md"

    @property
    def comparison(self) -> str:
        """The same in CloudWatch's words."""
        return _COMPARISONS[self.breaches]
