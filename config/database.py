"""The database of a hub: sessions and running servers. Losing it ends every session; homes are
stored elsewhere.
"""

from __future__ import annotations

import re
from typing import Annotated, Literal

from pydantic import AfterValidator, BeforeValidator, Field

from jupyterhub_aws.config.errors import refuse, shown
from jupyterhub_aws.config.model import Model, option, tag

_MOVES = (
    "The hub starts with an empty database: all users sign in again, and running servers must be"
    " stopped first."
)
_SNAPSHOT = re.compile(r"snap-[0-9a-f]{8,17}")
_KUBERNETES_NAME = re.compile(r"[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?")
_CLASS = re.compile(r"db\.[a-z0-9-]+\.[a-z0-9-]+")


def _snapshot(value: str) -> str:
    if not _SNAPSHOT.fullmatch(value):
        what = f"is not the id of an EBS snapshot (got {shown(value)})"
        raise refuse("database.snapshot", what, "write it like snap-0123456789abcdef0")
    return value


def _instance_class(value: str) -> str:
    if not _CLASS.fullmatch(value):
        what = f"is not an RDS instance class (got {shown(value)})"
        raise refuse("database.instance-class", what, "write it like db.t4g.small")
    return value


def _major(value: object) -> object:
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        what = f"must be a quoted string (got the number {shown(value)})"
        raise refuse("version.number", what, f'write it in quotes: "{int(value)}"')
    return value


def _node(value: str) -> str:
    if not _KUBERNETES_NAME.fullmatch(value):
        fix = "copy it from `kubectl get nodes`"
        raise refuse("database.node", f"is not a node's name (got {shown(value)})", fix)
    return value


def _path(value: str) -> str:
    if (
        not re.fullmatch(r"(/[\w.@+-]+){2,}", value, re.ASCII)
        or ".." in value.split("/")
        or value.startswith(("/etc/", "/proc/", "/sys/", "/dev/", "/run/"))
    ):
        what = f"is not a directory of its own (got {shown(value)})"
        fix = "write an absolute path, such as /srv/jupyterhub/main"
        raise refuse("database.directory", what, fix)
    return value


def _class(value: str) -> str:
    if not _KUBERNETES_NAME.fullmatch(value):
        what = f"is not the name of a storage class (got {shown(value)})"
        raise refuse("database.storage-class", what, "copy it from `kubectl get storageclass`")
    return value


class SqliteDatabase(Model):
    """A file on a small gp3 volume in the core pool's zone. Enough for some hundred users; the
    hub is one pod either way.
    """

    kind: Literal["sqlite"] = tag(
        "sqlite",
        help="`sqlite`: a file on a volume of its own, retained when the hub is deleted.",
        changing=_MOVES,
    )
    size_gib: int = option(
        2,
        help="Size of the volume.",
        unit="GiB",
        changing="Grows in place (at most once in six hours); never shrinks.",
        ge=1,
        le=100,
    )
    snapshot: Annotated[str, AfterValidator(_snapshot)] | None = option(
        None,
        help=(
            "Make the volume from this EBS snapshot: how a database moves to another zone"
            " (docs/operations.md)."
        ),
        changing="Makes another volume; the old one is retained, and has to be unprotected first.",
    )


class SqliteOnNode(Model):
    """A file in a directory of one node: for clusters without volumes. The hub runs on that node
    and nowhere else.
    """

    kind: Literal["sqlite_on_node"] = tag(
        "sqlite_on_node",
        help="`sqlite_on_node`: a file in a directory of one node.",
        changing=_MOVES,
    )
    node: Annotated[str, AfterValidator(_node)] = option(
        help="The node's name, as `kubectl get nodes` shows it.", changing=_MOVES
    )
    path: Annotated[str, AfterValidator(_path)] = option(
        help=(
            "A directory there that exists and belongs to 1000:1000 (chown it once). Back it up"
            " like any disk of yours."
        ),
        changing=_MOVES,
    )


class SqliteOnClass(Model):
    """A file on a volume of a storage class that the cluster has."""

    kind: Literal["sqlite_on_class"] = tag(
        "sqlite_on_class",
        help="`sqlite_on_class`: a file on a volume of a storage class.",
        changing=_MOVES,
    )
    storage_class: Annotated[str, AfterValidator(_class)] = option(
        help="The class. Block storage: SQLite on NFS loses data.", changing=_MOVES
    )
    size_gib: int = option(
        2, help="Size of the volume.", unit="GiB", changing="As the class allows.", ge=1, le=100
    )


class PostgresDatabase(Model):
    """PostgreSQL on RDS, made by the stack: survives the loss of a zone with `multi_az`, and has
    automatic backups of its own.
    """

    kind: Literal["postgres"] = tag(
        "postgres", help="`postgres`: an RDS instance for this hub.", changing=_MOVES
    )
    instance_class: Annotated[str, AfterValidator(_instance_class)] = option(
        "db.t4g.small", help="RDS instance class.", changing="Some minutes of outage."
    )
    version: Annotated[Literal["15", "16", "17", "18"], BeforeValidator(_major)] = option(
        "17",
        help=(
            'Major version of PostgreSQL, quoted: "17". AWS applies minor ones in the maintenance'
            " window."
        ),
        changing="Upward only, some minutes of outage.",
    )
    size_gib: int = option(
        20,
        help="Storage. Grows by itself up to five times.",
        unit="GiB",
        changing="Grows in place.",
        ge=20,
        le=1000,
    )
    multi_az: bool = option(
        False,
        help="A standby in another zone: twice the price, a minute of outage instead of hours.",
        changing="In place.",
    )
    backup_days: int = option(
        7,
        help="Retention of automatic backups.",
        unit="days",
        changing="In place; 0 is not offered.",
        ge=1,
        le=35,
    )


class MemoryDatabase(Model):
    """Nothing is persisted: after each restart of the hub all users sign in again, and running
    servers are forgotten but still cost money.
    """

    kind: Literal["sqlite_memory"] = tag(
        "sqlite_memory",
        help="`sqlite_memory`: every session is lost when the hub restarts. For tests only.",
        changing=_MOVES,
    )


Database = Annotated[
    SqliteDatabase | SqliteOnNode | SqliteOnClass | PostgresDatabase | MemoryDatabase,
    Field(discriminator="kind"),
]
