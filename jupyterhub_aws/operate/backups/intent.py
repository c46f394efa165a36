"""What a restore would do: which backup, of what, into which side path. Decided before anything
is asked of AWS, shown by `restore plan`. Pure.
"""

from __future__ import annotations

import datetime
import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass

from jupyterhub_aws.operate.backups.points import Point
from jupyterhub_aws.operate.backups.when import stamp


@dataclass(frozen=True, kw_only=True)
class FromFileSystem:
    """`item` and `target` are paths from the root of the file system; `file_system` its id;
    `person` None for everything of a hub.
    """

    point: Point
    hub: str
    person: str | None
    file_system: str
    item: str
    attempt: str

    @property
    def token(self) -> str:
        """What makes the same restore the same: asked for twice, AWS does it once."""
        return hashlib.sha256(f"{self.point.arn} {self.item} {self.attempt}".encode()).hexdigest()[
            :32
        ]

    @property
    def target(self) -> str:
        """Beside what is alive: in the person's own home, where they find it; for a hub below
        `_restored`, which is nobody's home.
        """
        when = stamp(self.point.made) + ("" if self.attempt == "1" else f"-{self.attempt}")
        return (
            f"{self.item}/_restored/{when}"
            if self.person is None
            else f"{self.item}/restored-{when}"
        )

    @property
    def metadata(self) -> Mapping[str, str]:
        """AWS Backup developer guide, "Restore an Amazon EFS file system", and API reference,
        StartRestoreJob: into the same file system, one item.
        """
        return {
            "file-system-id": self.file_system,
            "newFileSystem": "false",
            "Encrypted": "true",
            "PerformanceMode": "generalPurpose",
            "CreationToken": self.token,
            "ItemsToRestore": json.dumps([f"/{self.item}"]),
        }

    @property
    def job(self) -> str:
        """The job inside the cluster."""
        return f"restore-{self.token[:12]}"


@dataclass(frozen=True, kw_only=True)
class FromVolume:
    """`volume` is the one that is alive, `zone` its zone, `claim` its claim in `namespace`."""

    point: Point
    hub: str
    person: str
    volume: str
    zone: str
    size_gib: int
    claim: str
    namespace: str
    attempt: str

    @property
    def token(self) -> str:
        """As above."""
        return hashlib.sha256(f"{self.point.arn} {self.claim} {self.attempt}".encode()).hexdigest()[
            :32
        ]

    @property
    def target(self) -> str:
        """The claim of another name."""
        when = stamp(self.point.made) + ("" if self.attempt == "1" else f"-{self.attempt}")
        return f"restored-{when}-{self.token[:8]}"


Intent = FromFileSystem | FromVolume


def comparing(intent: FromFileSystem) -> list[str]:
    """Arguments of the program that compares."""
    return ["compare", "--item", intent.item, "--taken", _iso(intent.point.made)]


def handing_over(intent: FromFileSystem) -> list[str]:
    """Arguments of the program that hands over."""
    return ["hand-over", "--item", intent.item, "--target", intent.target]


def between(since: datetime.datetime, until: datetime.datetime) -> list[str]:
    """When the job of AWS ran: by it the program knows which side directory is meant."""
    return ["--since", _iso(since), "--until", _iso(until)]


def _iso(when: datetime.datetime) -> str:
    return when.astimezone(datetime.UTC).isoformat()
