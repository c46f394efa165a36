"""What follows from `homes`: the file system in EFS with a directory for each hub, or the
storage class of a volume for each user. Pure.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from jupyterhub_aws.config.homes import EbsHomes, EfsHomesSection
from jupyterhub_aws.config.specs.backups import BackupSpec

#: The user and group of every image of the Jupyter project, and of the access points of homes.
UID, GID = 1000, 100
NFS_PORT = 2049


def homes_name(name: str) -> str:
    """Of homes of the stack `name`: the file system in EFS and its creation token, or the
    storage class of volumes, which is cluster-wide.
    """
    return f"{name}-homes"


def restore_name(name: str) -> str:
    """Of homes in EFS: the access point that shows all of them, and the role that alone may use
    it.
    """
    return f"{name}-homes-restore"


@dataclass(frozen=True, kw_only=True)
class EfsSpec:
    """A file system of homes. `name` is the prefix of physical names, `hubs` have a directory each,
    `backups` says how it is backed up; None: EFS's own daily plan is on, unless `options.backup`
    says otherwise.
    """

    name: str
    options: EfsHomesSection
    hubs: tuple[str, ...]
    backups: BackupSpec | None = None

    @property
    def file_system_name(self) -> str:
        """Name and creation token of the file system, and the name of its mount targets'
        security group.
        """
        return homes_name(self.name)

    @property
    def restore_name(self) -> str:
        """The access point that shows all homes, and the role that alone may use it."""
        return restore_name(self.name)

    @property
    def backup_tags(self) -> Mapping[str, str]:
        """The tag by which the file system is backed up; none where no backup service selects by
        it.
        """
        return {} if self.backups is None else self.backups.tags

    @property
    def own_plan(self) -> bool:
        """Whether EFS's own daily plan is on."""
        return (
            self.options.backup is not False
            if self.backups is None
            else self.backups.efs_plan(self.options)
        )

    @property
    def lifecycle_policies(self) -> list[dict[str, str]]:
        """When files go to the cheaper storage class, and when they come back (EFS API
        reference, PutLifecycleConfiguration).
        """
        days = self.options.infrequent_access_days
        if not days:
            return []
        return [
            {"transition_to_ia": f"AFTER_{days}_DAY{'S' if days > 1 else ''}"},
            {"transition_to_primary_storage_class": "AFTER_1_ACCESS"},
        ]

    @property
    def ownership_path(self) -> str | None:
        """The directory whose owner a job changes from root to the user of servers; None where
        no owner has to be changed.
        """
        adopted = self.options.adopted
        return adopted.path if adopted is not None and adopted.pending else None

    def root_directory(self, hub: str) -> str:
        """The directory on the file system that this hub mounts as its root."""
        return hub_directory(self.options, hub)


def hub_directory(options: EfsHomesSection, hub: str) -> str:
    """The directory on the file system that holds the homes of this hub."""
    return f"/hubs/{hub}" if options.adopted is None else options.adopted.path


@dataclass(frozen=True, kw_only=True)
class VolumeClassSpec:
    """The storage class of which each user gets a volume. `name` is the prefix of physical
    names.
    """

    name: str
    options: EbsHomes
    backups: BackupSpec | None = None

    @property
    def class_name(self) -> str:
        """Its name in the cluster."""
        return homes_name(self.name)

    def volume_tags(self, tags: Mapping[str, str]) -> dict[str, str]:
        """The tags of each volume that it makes: these, EC2's name, and the one by which it is
        backed up.
        """
        return {
            **tags,
            "Name": f"{self.name}-home",
            **({} if self.backups is None else self.backups.tags),
        }
