"""Where home directories live. The kind decides what the cluster needs for it: drivers, and groups per zone."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from config.model import Model, option
from config.values import ShortName

_NEVER = "Home directories do not move with it: people would find theirs empty."


class EfsHomes(Model):
    """One elastic file system for everybody, reachable from every zone."""

    kind: Literal["efs"] = option(help="`efs`: a shared file system that the stack makes.", changing=_NEVER)


class EbsHomes(Model):
    """One volume per person. A volume lives in one zone, so every pool gets a group of nodes for each zone."""

    kind: Literal["ebs"] = option(help="`ebs`: one volume per person.", changing=_NEVER)


class NfsHomes(Model):
    """An NFS server that exists already."""

    kind: Literal["nfs"] = option(help="`nfs`: a server of yours, for example isilon.", changing=_NEVER)


class EphemeralHomes(Model):
    """No home directories: everything is gone when a server stops."""

    kind: Literal["ephemeral"] = option(help="`ephemeral`: nothing is kept.", changing=_NEVER)


Homes = Annotated[EfsHomes | EbsHomes | NfsHomes | EphemeralHomes, Field(discriminator="kind")]


class Hub(Model):
    """A JupyterHub of its own on the shared cluster."""

    pools: tuple[ShortName, ...] = option((), help="User pools that its people may use. Empty: all of them.", changing="In place; running servers stay.")
