"""The whole of a stack file as one validated object, and the rules that hold between its
sections.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Literal, Self

from pydantic import PrivateAttr

from jupyterhub_aws.config import (
    access_rules,
    backups,
    hub_rules,
    image_rules,
    infrastructure_rules,
    isolated_rules,
    monitoring,
    pause,
    service_rules,
)
from jupyterhub_aws.config.backups import AwsBackup, Backups
from jupyterhub_aws.config.buckets import Bucket
from jupyterhub_aws.config.cluster import Cluster, EksCluster
from jupyterhub_aws.config.errors import Problem, Rules, dotted
from jupyterhub_aws.config.formats import Format
from jupyterhub_aws.config.gate import Gate
from jupyterhub_aws.config.homes import EfsHomesSection, Homes
from jupyterhub_aws.config.hub import Hub
from jupyterhub_aws.config.image_repositories import ImageRepository
from jupyterhub_aws.config.model import Model, option
from jupyterhub_aws.config.monitoring import CloudWatchWatch, Watch
from jupyterhub_aws.config.network import Network, UnmanagedNetworkSection, Vpc
from jupyterhub_aws.config.pause import Dropped, Pause, Paused
from jupyterhub_aws.config.pools import Pools
from jupyterhub_aws.config.project import PROJECT as PROJECT
from jupyterhub_aws.config.registry import Registry, UpstreamRegistry, registry_of
from jupyterhub_aws.config.runner import RunnerSection
from jupyterhub_aws.config.tags import Tags
from jupyterhub_aws.config.values import AccountId, Region, ShortName, StackName

#: `aws:region` and `aws:allowedAccountIds` are the provider's own keys; all other keys have the
#: project's name as prefix.
PROVIDER_KEYS = {"region": "aws:region", "accounts": "aws:allowedAccountIds"}


def file_key(name: str) -> str:
    """A section's key as it is in a stack file: `aws:region`, `jupyterhub-aws:pools`."""
    return PROVIDER_KEYS.get(name, f"{PROJECT}:{name}")


class StackConfig(Model):
    """All sections of a stack. Pulumi.dev.yaml explains each of them."""

    _folder: Path = PrivateAttr(default=Path())

    region: Region = option(
        "",
        help=(
            "AWS region (`aws:region` in the stack file). Required, except with an existing"
            " cluster."
        ),
        changing="Never: another region is another stack.",
    )
    accounts: tuple[AccountId, ...] = option(
        (),
        help=(
            "The AWS account of the stack, quoted, as a list of one (`aws:allowedAccountIds` in the"
            " stack file). The provider refuses any other at `up`, and `jhub` before it changes"
            " resources in AWS."
        ),
        changing="Nothing by itself.",
        max_length=1,
    )
    format: Format = option(
        1,
        help=(
            "The format of the file: 2 is the current one. A file without this line is read in the"
            " current format, unless it has option names of format 1: then `jhub migrate` writes"
            " the current names and this line."
        ),
        changing="Nothing. Only `jhub migrate` changes it.",
    )
    parts: Literal["all", "cloud", "cluster"] = option(
        "all",
        help=(
            "`all`: one stack. `cloud`: the outer of two split stacks, with the resources of AWS's"
            " own API; the inner stack has those inside the cluster, and its file says only"
            " `cloud_stack: NAME` (which implies `cluster`)."
        ),
        changing=(
            "From `all` to `cloud` all objects inside the cluster would be deleted: choose once."
        ),
    )
    cloud_stack: str | None = option(
        None,
        help=(
            "The outer stack of this inner one, such as airgap. Its file is read too, and its"
            " outputs are taken from the state."
        ),
        changing="Another cluster.",
        min_length=1,
    )
    name: StackName = option(
        help="Name of the cluster, and prefix of all names in AWS. At most 24 characters.",
        changing="Replaces everything. Choose once.",
    )
    tags: Tags = option(help="Tags of every resource.", changing="In place.")
    network: Network = option(help="The network of the nodes.", changing="See its options.")
    cluster: Cluster = option(help="The EKS cluster.", changing="See its options.")
    pools: Pools = option(
        help="The nodes: `core`, and user pools under names of your choice.",
        changing="See its options.",
    )
    homes: Homes = option(
        EfsHomesSection(kind="efs"),
        help="Where home directories are stored.",
        changing="Never on a stack in use.",
    )
    backups: Backups = option(
        AwsBackup(kind="aws_backup"),
        help="How homes, volumes and databases are backed up.",
        changing=(
            "Backups are retained until they expire. Another kind: `up` refuses until the vault,"
            " its policy and its key are unprotected; they are retained in AWS."
        ),
    )
    buckets: dict[ShortName, Bucket] = option(
        {},
        help=(
            "Buckets in S3 for users' data, by names of your choice: those that the stack makes,"
            " and those that exist. `aws_access` of a hub says who may use them."
        ),
        changing="See its options. A removed bucket with users' data is retained in AWS.",
        max_length=50,
    )
    hubs: dict[ShortName, Hub] = option(
        {},
        help="JupyterHubs on this cluster, by name.",
        changing="Adding a hub does not affect the others.",
        max_length=100,
    )
    registry: Registry = option(
        UpstreamRegistry(kind="upstream"),
        help="Where images and charts come from.",
        changing="See its options.",
    )
    image_repositories: dict[ShortName, ImageRepository] = option(
        {},
        help=(
            "Repositories in ECR for images of your own, by name; the output `image_repositories`"
            " has their addresses."
        ),
        changing=(
            "A further one is made. One that is removed here is retained in AWS with its images:"
            " `up` refuses until it is unprotected."
        ),
        max_length=50,
    )
    runner: RunnerSection | None = option(
        None,
        help=(
            "An EC2 instance in an isolated network that runs `pulumi` there. None unless this"
            " section exists."
        ),
        changing="See its options.",
    )
    paused: Paused = option(
        False,
        help=(
            "true: no nodes, no servers, no autoscaler. Homes, databases, secrets and addresses are"
            " retained, and so are all sizes in this file. `jhub pause` notifies users first and"
            " stops their servers."
        ),
        changing="true ends every server and node; false restores the former state.",
    )
    pause: Pause = option(
        Pause(), help="What a pause does in addition.", changing="See its options."
    )
    monitoring: Watch = option(
        CloudWatchWatch(kind="cloudwatch"),
        help="Logs and alarms.",
        changing="See its options.",
    )
    gate: Gate = option(
        Gate(),
        help="What a pull request may change without an acknowledgement.",
        changing="Counts from the merge on.",
    )
    imports: dict[str, str] = option(
        {},
        help=(
            "Adopt or repair: `TYPE::NAME` (the end of the resource's URN) to the id of an existing"
            " resource."
        ),
        changing="The next `up` imports it instead of making it. An unused entry is an error.",
    )

    def at(self, folder: Path) -> Self:
        """The same stack, whose relative paths start in a folder; without this they start in the
        working directory.
        """
        found = self.model_copy()
        found._folder = folder
        return found

    @property
    def folder(self) -> Path:
        """Where relative paths of the stack file start: the folder of the program."""
        return self._folder

    @property
    def eks(self) -> EksCluster:
        """The cluster that the stack makes. Raises TypeError for a stack with an existing
        cluster.
        """
        if not isinstance(self.cluster, EksCluster):
            raise TypeError("this stack makes no cluster")
        return self.cluster

    @property
    def vpc(self) -> Vpc:
        """The network of the cluster that the stack makes. Raises TypeError for a stack with an
        existing cluster.
        """
        if isinstance(self.network, UnmanagedNetworkSection):
            raise TypeError("this stack has no network")
        return self.network

    @property
    def alarms(self) -> CloudWatchWatch | None:
        """The section `monitoring`; None where there are no alarms: by the stack file, or
        because the cluster exists already.
        """
        return (
            self.monitoring
            if isinstance(self.monitoring, CloudWatchWatch) and isinstance(self.cluster, EksCluster)
            else None
        )

    def drops(self, what: Dropped) -> bool:
        """Whether the stack is paused and this is removed while it is."""
        return self.paused and what in self.pause.drop

    @property
    def hubs_inside(self) -> Mapping[str, Hub]:
        """The hubs whose objects in the cluster this stack makes: none as long as users cannot
        write into their homes.
        """
        return {} if self.parts == "cloud" or self.ownership_pending else self.hubs

    @property
    def ownership_pending(self) -> bool:
        """Whether homes that root owns still need a new owner."""
        return (
            isinstance(self.homes, EfsHomesSection)
            and self.homes.adopted is not None
            and self.homes.adopted.pending
        )

    @property
    def own_registry(self) -> str | None:
        """Where images and charts are, as `HOST[/PREFIX]`; None where they are not in a registry
        of yours.
        """
        return registry_of(self.registry, region=self.region, stack=self.name)


#: A hub's release, as components/hub/hub.py names it.
_HUB_RELEASE = re.compile(r"kubernetes:helm\.sh/v3:Release::hub-.+-release")


def _imports_have_form(imports: Mapping[str, str]) -> Iterator[Problem]:
    for key, value in imports.items():
        kind, separator, name = key.partition("::")
        if not separator or kind.count(":") != 2 or not name:  # package:module:Type
            yield Problem(
                id="imports.key",
                path=dotted(("imports", key)),
                what="is not of the form TYPE::NAME",
                fix="copy the last two parts of the URN, such as aws:ec2/vpc:Vpc::network-vpc",
            )
        if _HUB_RELEASE.fullmatch(key):
            hub = name.removesuffix("-release")
            what = (
                "is a hub's Helm release, which cannot be imported: previews would print its live"
                " tokens, and an unfinished release cannot be changed"
            )
            lines = (
                f"helm uninstall {hub} --namespace {hub} (claims and volumes stay), pulumi refresh"
                " --yes --clear-pending-creates, pulumi up"
            )
            yield Problem(
                id="imports.helm-release",
                path=dotted(("imports", key)),
                what=what,
                fix=f"remove the entry; if the release blocks `up`: {lines}",
            )
        if not value:
            yield Problem(
                id="imports.empty",
                path=dotted(("imports", key)),
                what="has an empty id",
                fix="write the id that AWS shows, such as vpc-0123456789abcdef0",
            )


#: Rules between sections, each with the sections that it needs. A rule runs when all of them are
#: valid by themselves.
RULES: Rules = (
    *infrastructure_rules.RULES,
    *hub_rules.RULES,
    *access_rules.RULES,
    *service_rules.RULES,
    (("imports",), _imports_have_form),
    *pause.RULES,
    *monitoring.RULES,
    *backups.RULES,
    *isolated_rules.RULES,
    *image_rules.RULES,
)


def broken_rules(sections: Mapping[str, Any]) -> Iterator[Problem]:
    """The problems between sections that are valid by themselves."""
    for needs, rule in RULES:
        if all(section in sections for section in needs):
            yield from rule(*(sections[section] for section in needs))
