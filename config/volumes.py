"""Volumes of users' servers besides the home directory: shared directories, scratch space,
existing claims.
"""

from __future__ import annotations

import re
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, model_validator

from jupyterhub_aws.config.aws_access import Prefix
from jupyterhub_aws.config.errors import refuse, shown
from jupyterhub_aws.config.model import Model, option, tag
from jupyterhub_aws.config.values import ShortName

_NEXT_START = "For servers that start later; running ones do not change."
HOME = "/home/jovyan"
_PATH = re.compile(r"(/[A-Za-z0-9_][A-Za-z0-9._-]{0,62}){1,8}")
#: Paths of the image or of Kubernetes: a volume there would hide them, and no server would start.
_TAKEN = (
    "/bin",
    "/boot",
    "/dev",
    "/etc",
    "/lib",
    "/lib64",
    "/opt",
    "/proc",
    "/root",
    "/run",
    "/sbin",
    "/sys",
    "/tmp",  # noqa: S108
    "/usr",
    "/var",
)


def _mount_path(value: str) -> str:
    if not _PATH.fullmatch(value) or ".." in value.split("/"):
        fix = f"write it like {HOME}/shared, or /data"
        raise refuse("mount-path.relative", f"is not an absolute path (got {shown(value)})", fix)
    if value in (HOME, "/home"):
        fix = f"write a directory below it, such as {HOME}/shared"
        raise refuse("mount-path.home", "is the home directory, which has a volume of its own", fix)
    if any(value == taken or value.startswith(f"{taken}/") for taken in _TAKEN):
        what = f"would hide what the image has there (got {value})"
        raise refuse("mount-path.hides-image", what, f"write it like {HOME}/shared, or /data")
    return value


MountPath = Annotated[
    str, AfterValidator(_mount_path), Field(json_schema_extra={"examples": [f"{HOME}/shared"]})
]


_Group = Annotated[str, Field(min_length=1, max_length=255)]


class SharedDirectory(Model):
    """A directory of the file system of homes that every server of the hub sees, under
    `_shared/NAME` there.
    """

    mount_path: MountPath | None = option(
        None, help=f"Mount path in servers. Default: {HOME}/shared/NAME.", changing=_NEXT_START
    )
    writable_by: Literal["administrators", "users", "none"] = option(
        "administrators",
        help=(
            "Who may write; all users may read. `users`: every user of the hub. `none`: no server"
            " may; it is filled by other means."
        ),
        changing=_NEXT_START,
    )
    read_groups: tuple[_Group, ...] = option(
        (),
        help=(
            "Servers of users in these groups mount it to read. With these or `write_groups` other"
            " users' servers do not have it, and only administrators write by `writable_by`."
        ),
        changing=_NEXT_START,
        max_length=50,
    )
    write_groups: tuple[_Group, ...] = option(
        (),
        help="Servers of users in these groups mount it to read and write.",
        changing=_NEXT_START,
        max_length=50,
    )

    @model_validator(mode="after")
    def _one_answer(self) -> SharedDirectory:
        """Who may write is said once."""
        if self.by_group and self.writable_by == "users":
            what = "lets every user write, and lists groups that alone may see it"
            fix = "remove writable_by, or the groups"
            raise refuse("shared-directories.groups-and-users", what, fix)
        twice = next((group for group in self.read_groups if group in self.write_groups), None)
        if twice is not None:
            what = f"has the group {shown(twice)} among readers and writers"
            fix = "remove it from read_groups: a writer reads"
            raise refuse("shared-directories.group-twice", what, fix)
        return self

    @property
    def by_group(self) -> bool:
        """Whether only servers of some groups, and of administrators, mount it."""
        return bool(self.read_groups or self.write_groups)


class ScratchVolume(Model):
    """Space on the node's own disk, deleted when the server stops."""

    kind: Literal["scratch"] = tag(
        "scratch", help="`scratch`: local space for temporary files.", changing=_NEXT_START
    )
    mount_path: MountPath = option(help="Mount path in servers.", changing=_NEXT_START)
    size_gib: int = option(
        help="A server that writes more is stopped by the kubelet.",
        unit="GiB",
        changing=_NEXT_START,
        ge=1,
        le=10000,
    )


class ClaimVolume(Model):
    """An existing claim in the hub's namespace (hub-NAME), with data of yours."""

    kind: Literal["claim"] = tag(
        "claim", help="`claim`: a PersistentVolumeClaim that exists.", changing=_NEXT_START
    )
    mount_path: MountPath = option(help="Mount path in servers.", changing=_NEXT_START)
    claim: ShortName = option(help="The claim's name.", changing=_NEXT_START)
    read_only: bool = option(
        True,
        help="Servers may only read. With false every server writes to the one volume.",
        changing=_NEXT_START,
    )


class BucketVolume(Model):
    """A bucket in S3, or a folder of it, as a read-only directory (Mountpoint for Amazon S3)."""

    kind: Literal["bucket"] = tag(
        "bucket",
        help=(
            "`bucket`: a bucket of the stack file as a read-only directory, by EKS's add-on of"
            " Mountpoint for Amazon S3. For reading large files from the beginning to the end: there"
            " is no writing, no locking, no owner or mode of a file, and listing large folders is"
            " slow."
        ),
        changing=_NEXT_START,
    )
    mount_path: MountPath = option(help="Mount path in servers.", changing=_NEXT_START)
    bucket: ShortName = option(
        help="The bucket, by its name under `buckets` of the stack.",
        changing="Another volume; the old claim is retained.",
    )
    prefix: Prefix = option(
        "",
        help="Only objects below this folder, such as lectures/. Empty: the whole bucket.",
        changing="Another volume; the old claim is retained.",
    )


AnyVolume = ScratchVolume | ClaimVolume | BucketVolume
Volume = Annotated[AnyVolume, Field(discriminator="kind")]


def shared_mount(name: str, directory: SharedDirectory) -> str:
    """The mount path of a shared directory in servers."""
    return directory.mount_path or f"{HOME}/shared/{name}"
