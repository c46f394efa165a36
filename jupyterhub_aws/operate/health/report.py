"""What was tried of a hub, stage by stage: how long it took, and where it failed what was said
and what to look at.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from jupyterhub_aws.config.errors import ConfigError, Problem, did_you_mean
from jupyterhub_aws.config.specs import resolve
from jupyterhub_aws.config.stack import StackConfig
from jupyterhub_aws.progress import ProgressLine

FORMAT = "jupyterhub-aws/health/1"


class StageStatus(StrEnum):
    """What came of a stage."""

    OK = "ok"
    FAILED = "failed"
    SKIPPED = "not tried"


class FailedError(Exception):
    """A stage that failed: `said` is what was seen or what the hub said, `look` what to look at
    next.
    """

    def __init__(self, said: str, look: str) -> None:
        super().__init__(said)
        self.said, self.look = said, look


@dataclass(frozen=True, kw_only=True)
class Stage:
    """One stage. `seconds` is how long it took; `said` what came of it, `look` where to look if
    it failed.
    """

    name: str
    status: StageStatus
    seconds: float
    said: str
    look: str = ""

    def as_json(self) -> dict[str, Any]:
        """The stage as data."""
        return {
            "stage": self.name,
            "status": self.status,
            "seconds": round(self.seconds, 2),
            "said": self.said,
            "look": self.look,
        }


@dataclass(kw_only=True)
class HealthReport:
    """All that was tried of one hub, in order. `stays` is what no run takes away, by intent."""

    hub: str
    url: str
    progress: ProgressLine
    stages: list[Stage] = field(default_factory=list)
    stays: list[str] = field(default_factory=list)

    @property
    def healthy(self) -> bool:
        """Whether nothing failed."""
        return not any(stage.status == StageStatus.FAILED for stage in self.stages)

    def take(self, name: str, work: Callable[[], str], patience: float | None = None) -> bool:
        """Do one stage, which is given up after `patience` seconds, and write down what came of it;
        whether it went well.
        """
        self.progress.limit(patience)
        self.progress.now(f"{self.hub}: {name} …")
        began, look, status = time.monotonic(), "", StageStatus.OK
        try:
            said = work()
        except FailedError as error:
            said, status, look = error.said, StageStatus.FAILED, error.look
        except ConfigError as error:  # what the hub's API or kubectl answered
            problem = error.problems[0]
            said, status, look = f"{problem.path} {problem.what}", StageStatus.FAILED, problem.fix
        self.stages.append(
            Stage(name=name, status=status, seconds=time.monotonic() - began, said=said, look=look)
        )
        return status == StageStatus.OK

    def skip(self, name: str, because: str) -> None:
        """Say that a stage was not tried, and why."""
        self.stages.append(
            Stage(
                name=name,
                status=StageStatus.SKIPPED,
                seconds=0.0,
                said=f"not tried, because {because}",
            )
        )

    def as_json(self) -> dict[str, Any]:
        """The report as data."""
        return {
            "hub": self.hub,
            "url": self.url,
            "healthy": self.healthy,
            "stages": [stage.as_json() for stage in self.stages],
            "stays": list(self.stays),
        }


# --- Which profiles a run may be asked for.


def known(command: str, stack: StackConfig, hubs: Sequence[str], profiles: Sequence[str]) -> None:
    """Raise ConfigError for a profile that none of these hubs has."""
    there = sorted({profile.name for hub in hubs for profile in resolve(stack).hubs[hub].profiles})
    problems = []
    for name in profiles:
        if name not in there:
            fix = did_you_mean(name, there, f"choose from {', '.join(there)}")
            problems.append(
                Problem(
                    id="profile.unknown", path="--profile", what=f"no hub has {name!r}", fix=fix
                )
            )
    if problems:
        raise ConfigError(command, problems)
