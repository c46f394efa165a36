"""Where home directories are stored. The kind decides what the cluster needs: CSI drivers, and
node groups per zone.
"""

from __future__ import annotations

import re
from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from jupyterhub_aws.config.errors import closest, did_you_mean, refuse, shown
from jupyterhub_aws.config.model import Model, option, tag
from jupyterhub_aws.config.traits import FIELD
from jupyterhub_aws.config.values import HOST, aws_id

_NEVER = "Home directories are not migrated: users would find empty homes."
_EXPORT = re.compile(r"(/[\w.@+=:-]+)+|/", re.ASCII)
_OPTION = re.compile(r"[a-z_]+(=[\w.:/-]+)?", re.ASCII)
#: nfs(5): the mount options that make sense for homes on a node. Any other option is refused below,
#: with its reason.
_NFS_OPTIONS = (
    "nfsvers", "vers", "minorversion", "hard", "timeo", "retrans", "rsize", "wsize", "proto", "port", "noresvport", "resvport", "nconnect",
    "sec", "ac", "noac", "actimeo", "acregmin", "acregmax", "acdirmin", "acdirmax", "lookupcache", "nolock", "lock", "local_lock", "noatime",
    "relatime", "nodiratime", "ro", "rw", "nosuid", "nodev", "noexec", "sync", "async", "fsc", "nofsc", "xprtsec", "mountport", "mountproto",
    "mountvers", "nosharecache", "sharecache", "clientaddr", "tcp",
)  # fmt: skip
_REFUSED_OPTIONS = {
    "bg": (
        (
            "sends the mount into the background: kubelet would start the server before its home is"
            " mounted"
        ),
        "remove it; kubelet tries again by itself",
    ),
    "fg": ("is what kubelet does anyway", "remove it"),
    "soft": ("gives up after a while and loses what was being written", "write hard"),
    "softerr": ("gives up after a while and loses what was being written", "write hard"),
    "softreval": ("serves old directory entries while the server is away", "remove it"),
    "intr": ("has meant nothing since Linux 2.6.25", "remove it"),
    "_netdev": ("is for /etc/fstab, which kubelet does not read", "remove it"),
    "noauto": ("is for /etc/fstab, which kubelet does not read", "remove it"),
    "defaults": ("is for /etc/fstab, which kubelet does not read", "remove it"),
    "udp": ("is no longer in the kernel of AL2023", "remove it: TCP is what the client uses"),
}
#: KubeSpawner 7, `_expand_user_properties`: fields that identify one user, even after the loss of
#: the database.
DIRECTORY_FIELDS = ("safe_username", "escaped_username", "unescaped_username")
_DIRECTORY = re.compile(r"[\w.@+=/{}-]+", re.ASCII)


def _nfs_server(value: str) -> str:
    if re.search(r"(^|\.)fs-[0-9a-f]+\.efs\.", value) or re.fullmatch(r"fs-[0-9a-f]+", value):
        raise refuse(
            "homes.efs-as-nfs",
            f"is an EFS file system (got {shown(value)}): mounted as plain NFS it is neither"
            " encrypted in transit nor bound to an access point",
            "write kind: efs; to use a file system that exists, adopt it with imports",
        )
    if not HOST.fullmatch(value):
        what = f"is not the name or address of a server (got {shown(value)})"
        fix = "write it without scheme and path, such as nfs.example.org"
        raise refuse("homes.server", what, fix)
    return value


def _export(value: str) -> str:
    if not _EXPORT.fullmatch(value) or ".." in value.split("/"):
        what = f"is not an absolute path of an export (got {shown(value)})"
        raise refuse("homes.export", what, "write it like /ifs/homes, without a slash at its end")
    return value


def _mount_option(value: str) -> str:
    name, _, argument = value.partition("=")
    if name in _REFUSED_OPTIONS or (name == "proto" and argument.startswith("udp")):
        what, fix = _REFUSED_OPTIONS["udp" if name == "proto" else name]
        raise refuse("homes.mount-option-refused", f"{what} (got {shown(value)})", fix)
    if "," in value:
        what = f"holds several options in one (got {shown(value)})"
        fix = f"write a list: [{', '.join(value.split(','))}]"
        raise refuse("homes.mount-options-joined", what, fix)
    if not _OPTION.fullmatch(value) or name not in _NFS_OPTIONS:
        what = f"is not a mount option of NFS (got {shown(value)})"
        fix = did_you_mean(name, _NFS_OPTIONS, "see nfs(5) for those that exist")
        raise refuse("homes.mount-option", what, fix)
    if name in ("nfsvers", "vers") and argument not in ("3", "4", "4.0", "4.1", "4.2"):
        fix = "write nfsvers=4.1, or nfsvers=3 for an old server"
        raise refuse("homes.nfs-version", f"is not a version of NFS (got {shown(value)})", fix)
    return value


def _directory(value: str) -> str:
    if "{servername}" in value or "{user_server}" in value:
        what = f"gives each named server a home of its own (got {shown(value)})"
        raise refuse("homes.directory-per-server", what, "use {safe_username} alone")
    if "{username}" in value:
        raise refuse(
            "homes.directory-ambiguous",
            "does not say how names become directories: what {username} means changed with chart 4,"
            " and old homes would look empty",
            f"write {value.replace('{username}', '{safe_username}')}, or"
            f" {value.replace('{username}', '{escaped_username}')} for homes of a chart before 4.0",
        )
    if value.split("/")[0].startswith("_"):
        what = f"begins with an underscore (got {shown(value)}), as only shared directories do"
        raise refuse("homes.directory-underscore", what, "write another name")
    for name in FIELD.findall(value):
        if name not in DIRECTORY_FIELDS:
            guess = closest(name, DIRECTORY_FIELDS)
            raise refuse(
                "homes.directory-field",
                f"has a field that is not allowed in a home's path (got {{{name}}}): KubeSpawner"
                " would fail at every start, or a user's home would change later",
                f"did you mean {{{guess}}}?"
                if guess
                else f"use one of {', '.join('{' + field + '}' for field in DIRECTORY_FIELDS)}",
            )
    if not FIELD.search(value):
        what = f"is the same directory for all users (got {shown(value)})"
        raise refuse("homes.directory-shared", what, "put {safe_username} into it")
    plain = FIELD.sub("x", value)
    if (
        not _DIRECTORY.fullmatch(plain)
        or "{" in plain
        or "}" in plain
        or value.startswith("/")
        or value.endswith("/")
        or {"", ".", ".."} & set(plain.split("/"))
    ):
        what = f"is not a relative path (got {shown(value)})"
        fix = "write it like {safe_username}, or home/{escaped_username} for homes of 2021"
        raise refuse("homes.directory-absolute", what, fix)
    return value


NfsServer = Annotated[
    str, AfterValidator(_nfs_server), Field(json_schema_extra={"examples": ["isilon.example.org"]})
]
ExportPath = Annotated[
    str, AfterValidator(_export), Field(json_schema_extra={"examples": ["/ifs/homes"]})
]
MountOption = Annotated[
    str, AfterValidator(_mount_option), Field(json_schema_extra={"examples": ["nfsvers=4.1"]})
]
#: The directory of one user, relative to the hub's root on the file system.
HomeDirectory = Annotated[
    str,
    AfterValidator(_directory),
    Field(json_schema_extra={"examples": ["{safe_username}", "home/{escaped_username}"]}),
]


_SCHEDULE = re.compile(r"(\S+\s+){4}\S+")
_CRON_FIELD = re.compile(
    r"(\*|[0-9]{1,2}(-[0-9]{1,2})?)(/[0-9]{1,2})?(,(\*|[0-9]{1,2}(-[0-9]{1,2})?)(/[0-9]{1,2})?)*"
)


def _schedule(value: str) -> str:
    if not _SCHEDULE.fullmatch(value) or not all(
        _CRON_FIELD.fullmatch(part) for part in value.split()
    ):
        what = f"is not a schedule of five fields (got {shown(value)})"
        fix = 'write it quoted, as minute, hour, day, month, weekday: "0 4 * * 0"'
        raise refuse("schedule.malformed", what, fix)
    return value


class UsageReport(Model):
    """A job in each hub's namespace that measures the size of each home. Neither EFS nor a plain
    NFS export has quotas: this report is the substitute.
    """

    schedule: Annotated[str, AfterValidator(_schedule)] = option(
        "0 4 * * 0",
        help=(
            "When it runs (cron, UTC). It reads every file's metadata, which EFS bills as requests."
        ),
        changing="In place.",
    )


class AdoptedHomes(Model):
    """Existing homes, on a file system that the stack adopts (imports) or mounts."""

    path: ExportPath = option(
        help=(
            "Directory on the file system that holds them, such as /home. The only hub of the stack"
            " uses it as its root."
        ),
        changing=_NEVER,
    )
    owner: Literal["users", "root"] = option(
        help=(
            "Who owns the files: `users`, 1000:100 already; `root`, as the hubs of 2021 wrote them"
            " (CHOWN_HOME, uid 0)."
        ),
        changing="See `ownership`.",
    )
    ownership: Literal["pending", "done"] = option(
        "pending",
        help=(
            "With owner `root`: `pending` creates a job that changes the owner, and no hub until it"
            " has finished; then write `done`. The job is idempotent."
        ),
        changing="`done` creates the hub, and removes the job and its access to the files.",
    )

    @property
    def pending(self) -> bool:
        """Whether users cannot write into their homes yet."""
        return self.owner == "root" and self.ownership == "pending"


class EfsHomesSection(Model):
    """One elastic file system for all users, reachable from every zone. Each hub mounts only its
    own access point.
    """

    kind: Literal["efs"] = tag(
        "efs", help="`efs`: a shared file system that the stack makes.", changing=_NEVER
    )
    infrequent_access_days: Literal[0, 1, 7, 14, 30, 60, 90, 180, 270, 365] = option(
        30,
        help=(
            "Files that were not opened for so long move to the cheaper storage class, and back"
            " when they are opened. 0: never."
        ),
        unit="days",
        changing="In place.",
    )
    usage_report: UsageReport | None = option(
        None,
        help="A regular report of the size of each home. None unless this section exists.",
        changing="In place.",
    )
    adopted: AdoptedHomes | None = option(
        None,
        help="Homes that exist already. None: every user starts with an empty home.",
        changing=_NEVER,
    )
    backup: bool | None = option(
        None,
        help=(
            "EFS's own daily plan, with a retention of 35 days. None: as `backups` needs it, which"
            " is on with `kind: snapshots` and off with the others. With `kind: aws_backup` it"
            " cannot be set: that plan covers homes."
        ),
        changing="In place; existing backups are retained.",
    )


class EbsHomes(Model):
    """One volume per user. A volume is in one zone, so every pool gets a node group in each
    zone.
    """

    kind: Literal["ebs"] = tag("ebs", help="`ebs`: one volume per user.", changing=_NEVER)
    size_gib: int = option(
        10,
        help="Size of a new user's volume.",
        unit="GiB",
        changing="For new users; existing volumes do not change.",
        ge=1,
        le=16384,
    )
    iops: int = option(
        3000,
        help="Reads and writes per second of each volume.",
        unit="IOPS",
        changing="For new users.",
        ge=3000,
        le=16000,
    )
    throughput: int = option(
        125,
        help="Throughput of each volume.",
        unit="MiB/s",
        changing="For new users.",
        ge=125,
        le=1000,
    )


class NfsHomes(Model):
    """An NFS server that exists already, for example isilon.

    The kubelet creates a new user's directory as root, and servers run as 1000:100. So the export
    has to map every client to that owner (Linux: `all_squash,anonuid=1000,anongid=100`; isilon:
    "map all users"): then no pod needs root.
    """

    kind: Literal["nfs"] = tag(
        "nfs", help="`nfs`: a server of yours, for example isilon.", changing=_NEVER
    )
    server: NfsServer = option(
        help="Its name or address, reachable from the nodes on port 2049.", changing=_NEVER
    )
    path: ExportPath = option(help="The exported path.", changing=_NEVER)
    mount_options: tuple[MountOption, ...] = option(
        ("nfsvers=4.1", "hard", "timeo=600", "retrans=2", "noresvport"),
        help=(
            "As in nfs(5). With `hard` an NFS server outage makes users wait; without it they lose"
            " what they write."
        ),
        changing="For pods that start later.",
        max_length=20,
    )
    usage_report: UsageReport | None = option(
        None,
        help="A regular report of the size of each home. None unless this section exists.",
        changing="In place.",
    )


class EfsAccessPointHomes(Model):
    """An existing EFS file system, through one of its access points: for an EKS cluster that the
    stack did not create.

    The access point sets the owner of the files that servers write (POSIX user 1000:100) and their
    root directory. The cluster needs the EFS CSI driver (the add-on aws-efs-csi-driver), and the
    file system's mount targets have to let its nodes in.
    """

    kind: Literal["efs_access_point"] = tag(
        "efs_access_point",
        help="`efs_access_point`: an existing EFS file system, with an existing cluster.",
        changing=_NEVER,
    )
    file_system: Annotated[str, aws_id("fs")] = option(help="Its id.", changing=_NEVER)
    access_point: Annotated[str, aws_id("fsap")] = option(
        help=(
            "Id of an access point whose root directory holds the homes and whose posix user is"
            " 1000:100."
        ),
        changing=_NEVER,
    )
    usage_report: UsageReport | None = option(
        None,
        help="A regular report of the size of each home. None unless this section exists.",
        changing="In place.",
    )


class EphemeralHomes(Model):
    """No home directories: all files are lost when a server stops."""

    kind: Literal["ephemeral"] = tag(
        "ephemeral", help="`ephemeral`: no file is kept.", changing=_NEVER
    )


#: Kinds in which a home is a directory of one file system.
DIRECTORY_HOMES = (EfsHomesSection, NfsHomes, EfsAccessPointHomes)
#: Those that exist already: each hub uses their directories as they are.
GIVEN_HOMES = (NfsHomes, EfsAccessPointHomes)
Homes = Annotated[
    EfsHomesSection | EbsHomes | NfsHomes | EfsAccessPointHomes | EphemeralHomes,
    Field(discriminator="kind"),
]
