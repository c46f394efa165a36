"""The hubs' PostgreSQL instances: stopped and started. AWS starts a stopped one by itself after
seven days (RDS user guide, "Stopping an instance").
"""

from __future__ import annotations

from typing import Any

from jupyterhub_aws.config.database import PostgresDatabase
from jupyterhub_aws.config.specs.names import HubNames
from jupyterhub_aws.config.stack import StackConfig
from jupyterhub_aws.operate.live.account import Account, kindly


def database_identifier(stack: str, hub: str) -> str:
    """The name that RDS knows a hub's instance by (components/hub/database.py)."""
    return f"{HubNames(stack=stack, hub=hub).physical}-database"


class Databases:
    """The instances of this stack's hubs, by their names. One that is not there is nothing to
    wait for.
    """

    def __init__(self, command: str, account: Account, stack: StackConfig) -> None:
        self._command, self._account = command, account
        self.names = [
            database_identifier(stack.name, name)
            for name, hub in sorted(stack.hubs.items())
            if isinstance(hub.database, PostgresDatabase)
        ]

    def running(self) -> list[str]:
        """Those that do not stand still, with their state."""
        return [
            f"{name} ({status})" for name, status in self._states().items() if status != "stopped"
        ]

    def standing(self) -> list[str]:
        """Those that do not answer yet."""
        return [
            f"{name} ({status})"
            for name, status in self._states().items()
            if status in ("stopped", "stopping", "starting")
        ]

    def stop(self) -> None:
        """Ask for it. One that is busy (a backup, a change) is asked again later."""
        self._each("available", "stop_db_instance")

    def start(self) -> None:
        """Ask for it. One that is still stopping is asked again later."""
        self._each("stopped", "start_db_instance")

    def _each(self, state: str, operation: str) -> None:
        with kindly(self._command):
            for name, status in self._states().items():
                if status == state:
                    getattr(self._account.client("rds"), operation)(DBInstanceIdentifier=name)

    def _states(self) -> dict[str, str]:
        with kindly(self._command):
            return {
                name: status for name in self.names if (status := self._state(name)) is not None
            }

    def _state(self, name: str) -> str | None:
        client: Any = self._account.client("rds")
        try:
            found = client.describe_db_instances(DBInstanceIdentifier=name)["DBInstances"]
        except client.exceptions.DBInstanceNotFoundFault:
            return None
        return str(found[0]["DBInstanceStatus"])
