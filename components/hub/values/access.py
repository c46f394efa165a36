"""What the hub needs to give servers their identity in AWS: our file in its pod, and its settings."""

from __future__ import annotations

from typing import Any

from jupyterhub_aws.components.hub.values.hub_files import file_of_hub
from jupyterhub_aws.config.specs.server_access import AccessSpec, HubServerAccess


def access_files() -> dict[str, dict[str, str]]:
    """The files of a hub whose servers may use AWS."""
    return {
        **file_of_hub("51-jupyterhub-aws-access.py"),
        **file_of_hub("jupyterhub_aws_access.py"),
    }


def access_settings(access: HubServerAccess) -> dict[str, Any]:
    """`custom.jupyterhubAws.awsAccess`. An empty name is no access: Helm drops nulls."""
    return {
        "choices": {
            name: {
                "otherwise": _name(choice.otherwise),
                "byGroup": [[sorted(groups), _name(one)] for groups, one in choice.by_group],
            }
            for name, choice in sorted(access.choices.items())
        },
        "accesses": {
            one.name: {
                "serviceAccount": one.service_account,
                "environment": dict(one.environment),
                "perUser": one.per_user,
            }
            for one in access.accesses
        },
    }


def _name(access: AccessSpec | None) -> str:
    return "" if access is None else access.name
