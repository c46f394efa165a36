"""An upgrade of a stack of the folder: refused where it must be, else with everything that its
steps ask for.
"""

from __future__ import annotations

import datetime
import json
from collections.abc import Mapping
from typing import Any

from jupyterhub_aws.changes.side import Side
from jupyterhub_aws.cli.arguments import stack_file, validated_stack
from jupyterhub_aws.config.errors import ConfigError
from jupyterhub_aws.config.versions import kubernetes_versions
from jupyterhub_aws.operate.upgrade.path import refused
from jupyterhub_aws.operate.upgrade.steps import Upgrade


def planned_upgrade(
    command: str, stack: str, target: str, as_of: datetime.date
) -> tuple[Upgrade, list[str]]:
    """The upgrade, and the Kubernetes APIs that the program uses. Raises ConfigError for what
    EKS refuses.
    """
    from jupyterhub_aws.diff.sides import of_plan
    from jupyterhub_aws.plan.plan import make_plan

    found, name = validated_stack(stack)
    known = sorted(kubernetes_versions(), key=lambda minor: tuple(map(int, minor.split("."))))
    problem = refused(found, target, known)
    if problem is not None:
        raise ConfigError(command, [problem])
    sides: dict[str, Side] = {}

    def planned(settings: Mapping[str, Any]) -> Side:
        key = json.dumps(settings, sort_keys=True)
        if key not in sides:
            sides[key] = of_plan(
                make_plan(
                    stack_file(
                        stack, [f"{path}={json.dumps(value)}" for path, value in settings.items()]
                    ),
                    as_of,
                )
            )
        return sides[key]

    return Upgrade(stack=found, name=name, target=target, known=known, planned=planned), apis_of(
        planned({})
    )


def apis_of(side: Side) -> list[str]:
    """The Kubernetes APIs that this program itself writes, as group, version and kind. What
    charts write is theirs.
    """
    kinds = {
        resource.type
        for resource in side.everything
        if resource.type.startswith("kubernetes:") and "helm.sh" not in resource.type
    }
    return sorted(f"{kind.split(':')[1]} {kind.split(':')[2]}" for kind in kinds)
