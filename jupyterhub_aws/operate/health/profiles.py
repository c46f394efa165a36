"""Which profiles a run may be asked for."""

from __future__ import annotations

from collections.abc import Sequence

from jupyterhub_aws.config.errors import ConfigError, Problem, closest
from jupyterhub_aws.config.specs import resolve
from jupyterhub_aws.config.stack import StackConfig


def known(command: str, stack: StackConfig, hubs: Sequence[str], profiles: Sequence[str]) -> None:
    """Raise ConfigError for a profile that none of these hubs has."""
    there = sorted({profile.name for hub in hubs for profile in resolve(stack).hubs[hub].profiles})
    problems = []
    for name in profiles:
        if name not in there:
            guess = closest(name, there)
            fix = f"did you mean {guess}?" if guess else f"choose from {', '.join(there)}"
            problems.append(Problem(path="--profile", what=f"no hub has {name!r}", fix=fix))
    if problems:
        raise ConfigError(command, problems)
