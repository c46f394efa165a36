"""What a stack may say about one JupyterHub."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import AfterValidator

from jupyterhub_aws.config.aws_access import AwsAccess
from jupyterhub_aws.config.database import Database, SqliteDatabase
from jupyterhub_aws.config.entry import Entry
from jupyterhub_aws.config.errors import dotted, refuse
from jupyterhub_aws.config.homes import HomeDirectory
from jupyterhub_aws.config.maintenance import MaintenancePage
from jupyterhub_aws.config.mirrors import PackageMirrors
from jupyterhub_aws.config.model import Model, option
from jupyterhub_aws.config.pages import HubPages
from jupyterhub_aws.config.profiles import Image, ImageChoice, Memory, Profile
from jupyterhub_aws.config.services import Services
from jupyterhub_aws.config.sign_in import SignIn
from jupyterhub_aws.config.tree import leaves
from jupyterhub_aws.config.unlisted_image import UnlistedImage
from jupyterhub_aws.config.values import ShortName
from jupyterhub_aws.config.volumes import SharedDirectory, Volume


def _one_default(profiles: dict[str, Any]) -> dict[str, Any]:
    """Of profiles or images."""
    chosen = [name for name, profile in profiles.items() if profile.default]
    if len(chosen) > 1:
        what = f"has more than one default: {', '.join(chosen)}"
        raise refuse("choice.several-defaults", what, "keep `default: true` on one of them")
    return profiles


def _no_nulls(values: dict[str, Any]) -> dict[str, Any]:
    found = next((path for path, value in leaves(values) if value is None), None)
    if found is not None:
        raise refuse(
            "helm-values.null",
            f"has a null at {dotted(found)}, which is lost between Pulumi and Helm: the chart's"
            " default would stay",
            "write what should be there instead: false, 0, [] or {}",
        )
    return values


class Culling(Model):
    """Culling of idle servers: a node is removed after its last server has stopped, and costs
    nothing from then on.
    """

    server_idle_minutes: int = option(
        60,
        help="A server without activity for so long is stopped. 0: never.",
        unit="minutes",
        changing="The hub restarts; running servers are not affected.",
        ge=0,
        le=10080,
    )
    kernel_idle_minutes: int = option(
        60,
        help=(
            "A kernel that is idle for so long, and is open in no browser, is ended, and its memory"
            " is lost. 0: never."
        ),
        unit="minutes",
        changing="For servers that start later.",
        ge=0,
        le=10080,
    )
    max_age_hours: int = option(
        0,
        help="A server is stopped at this age even when it is busy. 0: never.",
        unit="hours",
        changing="The hub restarts.",
        ge=0,
        le=2160,
    )


class Hub(Model):
    """A JupyterHub of its own on the shared cluster."""

    sign_in: SignIn = option(help="Who may sign in.", changing="See its options.")
    entry: Entry = option(help="How users reach it.", changing="See its options.")
    database: Database = option(
        SqliteDatabase(kind="sqlite"),
        help="Where the hub stores sessions and servers.",
        changing="See its options.",
    )
    pools: tuple[ShortName, ...] = option(
        (),
        help="User pools that its users may use. Empty: all of them.",
        changing="In place; running servers are not affected.",
    )
    image: Image | None = option(
        None,
        help=(
            "Image of users' servers; its JupyterHub must be of major version 5. Without it the"
            " chart's own sample."
        ),
        changing="For servers that start later.",
    )
    image_choices: Annotated[dict[ShortName, ImageChoice], AfterValidator(_one_default)] = option(
        {},
        help=(
            "Instead of `image`: images to choose from, in each profile that names neither `image`"
            " nor `images`."
        ),
        changing="For servers that start later; running ones do not change.",
        max_length=30,
    )
    unlisted_image: UnlistedImage | None = option(
        None,
        help=(
            "Beside `image_choices`: a text field for another image, from registries that are"
            " listed, in the same profiles."
        ),
        changing="See its options.",
    )
    pre_pull_pools: tuple[ShortName, ...] = option(
        (),
        help=(
            "User pools whose new nodes pull the images of their profiles before a user needs them"
            " (the chart's continuous image puller). Several pools share one set of images. Empty:"
            " a node pulls an image when the first server needs it."
        ),
        changing="Nodes that exist pull at once. Running servers are not affected.",
        max_length=20,
    )
    profiles: Annotated[dict[ShortName, Profile], AfterValidator(_one_default)] = option(
        {},
        help=(
            "What users may choose. Empty: one for each pool, with up to 4 cores and 32 GiB, or"
            " one GPU."
        ),
        changing="At once, for servers that start later.",
        max_length=30,
    )
    home_directory: HomeDirectory = option(
        "{safe_username}",
        help=(
            "A user's directory on the file system (kinds efs, nfs and efs_access_point), by the"
            " scheme of its name: `safe`, `escaped` (homes of a chart before 4.0), or `unescaped`,"
            " the name as it is, which needs a rule in `sign_in.usernames`."
        ),
        changing=(
            "Users whose directory gets another name find an empty home; the old directory still"
            " exists: `jhub homes map` shows whose it is."
        ),
    )
    shared_directories: dict[ShortName, SharedDirectory] = option(
        {},
        help=(
            "Directories of the file system of homes (kinds efs, nfs and efs_access_point) that all"
            " servers mount."
        ),
        changing="For servers that start later.",
        max_length=20,
    )
    volumes: dict[ShortName, Volume] = option(
        {},
        help="Further volumes of every server.",
        changing="For servers that start later.",
        max_length=20,
    )
    aws_access: AwsAccess | None = option(
        None,
        help=(
            "What users' servers may do in AWS: buckets, managed policies, statements. Without it"
            " nothing. Profiles can say another one."
        ),
        changing="The hub restarts; for servers that start later.",
    )
    shared_memory: Memory | None = option(
        None,
        help=(
            "Size of /dev/shm, which counts as memory of the server: PyTorch's data loaders need"
            " some GiB. Without it 64 MiB."
        ),
        changing="For servers that start later.",
    )
    named_servers: int = option(
        0,
        help="Number of named servers that a user may have besides the default one. 0: none.",
        unit="servers",
        changing="The hub restarts.",
        ge=0,
        le=20,
    )
    services: Services = option(
        {},
        help=(
            "Programs beside the hub: what their tokens may do, and which users may open them at"
            " /services/NAME/."
        ),
        changing="The hub restarts.",
        max_length=20,
    )
    package_mirrors: PackageMirrors = option(
        PackageMirrors(),
        help="Where servers get packages from.",
        changing="For servers that start later.",
    )
    culling: Culling = option(
        Culling(), help="When servers and kernels are stopped.", changing="See its options."
    )
    pages: HubPages | None = option(
        None,
        help="Logo, title, links and terms on the hub's pages, or templates of your own.",
        changing="See its options.",
    )
    maintenance_page: MaintenancePage | None = option(
        None,
        help=(
            "A page that users get, with HTTP 503, while the hub restarts or is upgraded. Without it"
            " they read `Service Unavailable`."
        ),
        changing="The hub and its proxy restart; open connections break once.",
    )
    helm_values: Annotated[dict[str, Any], AfterValidator(_no_nulls)] = option(
        {},
        help=(
            "Values of the chart, merged last: maps merge, lists replace, nulls are refused; rules"
            " of `networkPolicy.egress` and `ingress` are added to ours. Checked like everything"
            " else."
        ),
        changing="Depends on the value; `jhub plan` shows it.",
    )

    @property
    def named_groups(self) -> tuple[str, ...]:
        """Every group that decides over something in the hub: profiles, written images, shared
        directories, services, and what servers may do in AWS. Sorted.
        """
        found = {group for profile in self.profiles.values() for group in profile.groups}
        for limited in (
            self.unlisted_image,
            *(one.unlisted_image for one in self.profiles.values()),
        ):
            found |= set() if limited is None else set(limited.groups)
        for directory in self.shared_directories.values():
            found |= {*directory.read_groups, *directory.write_groups}
        for service in self.services.values():
            found |= set(service.groups)
        for access in (self.aws_access, *(one.aws_access for one in self.profiles.values())):
            for entry in () if access is None else access.by_group:
                found |= set(entry.groups)
        return tuple(sorted(found))
