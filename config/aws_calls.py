"""What each piece of software asks of AWS's APIs, from a table with sources
(config/data/aws_calls.toml).
"""

from __future__ import annotations

import tomllib
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any, Literal

TABLE = Path(__file__).parent / "data" / "aws_calls.toml"
IdentityKind = Literal["pod", "node", "instance", "role", "service", "anonymous", "linked"]


@dataclass(frozen=True, kw_only=True)
class CallingSoftware:
    """Under which identity software calls. `trusted` is the service that takes its role,
    `service_account` the one of its pods.
    """

    name: str
    identity: IdentityKind
    trusted: str = ""
    service_account: str = ""


@dataclass(frozen=True, kw_only=True)
class ApiCall:
    """Calls of one piece of software on one kind of resource. `on` names what of a plan they are
    about, `stops` what does not work without them.

    `through` is the endpoint that they take, where its name is not the action's own service;
    `context` holds further condition keys, with {region} in their values; `anonymous`: the request
    is not signed by an identity of the account.
    """

    software: str
    actions: tuple[str, ...]
    on: str
    stops: str
    source: str
    through: str | None = None
    anonymous: bool = False
    context: Mapping[str, str] = field(default_factory=dict)

    def endpoint(self, action: str) -> str:
        """The service whose endpoint one of the calls takes: `ec2`, `ecr.api`."""
        return self.through or action.partition(":")[0]


@cache
def calling_software() -> Mapping[str, CallingSoftware]:
    """Every piece of software that calls AWS, by name."""
    return {name: CallingSoftware(name=name, **row) for name, row in _table()["software"].items()}


@cache
def api_calls() -> tuple[ApiCall, ...]:
    """Every row of the table, in its order."""
    return tuple(
        ApiCall(
            software=row["software"],
            actions=tuple(row["actions"]),
            on=row["on"],
            stops=row["stops"],
            source=row["source"],
            through=row.get("through"),
            anonymous=row.get("as") == "anonymous",
            context=row.get("context", {}),
        )
        for row in _table()["calls"]
    )


@cache
def _table() -> dict[str, Any]:
    return tomllib.loads(TABLE.read_text(encoding="utf-8"))


# --- Which permissions the AWS provider needs for a type: to look at it, and to make, change and
# delete it.


_FILE = Path(__file__).parent / "data" / "aws_actions.toml"


@cache
def _groups() -> Mapping[str, Mapping[str, Any]]:
    return tomllib.loads(_FILE.read_text(encoding="utf-8"))


@cache
def known_types() -> frozenset[str]:
    """Every type that has a row."""
    return frozenset(kind for group in _groups().values() for kind in group["types"])


def actions(types: Collection[str], which: Literal["read", "write"]) -> tuple[str, ...]:
    """The permissions for these types, sorted. Raises KeyError for a type that has no row."""
    unknown = sorted(set(types) - known_types())
    if unknown:
        raise KeyError(f"no permissions are known for {', '.join(unknown)}")
    wanted = [group for group in _groups().values() if set(types) & set(group["types"])]
    return tuple(sorted({action for group in wanted for action in group[which]}))
