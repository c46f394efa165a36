"""What no state knows and a destroyed stack leaves behind: by the stack's shape, how to find it,
and how to end it. Pure.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any

from jupyterhub_aws.config.backups import TAG, AwsBackup, Snapshots
from jupyterhub_aws.config.cluster import EksCluster
from jupyterhub_aws.config.database import PostgresDatabase
from jupyterhub_aws.config.entry import AcmTls, LoadBalancerEntry
from jupyterhub_aws.config.homes import EbsHomes, EfsHomesSection, NfsHomes
from jupyterhub_aws.config.sign_in import CognitoSignIn, GitHubSignIn, OidcSignIn
from jupyterhub_aws.config.specs import resolve
from jupyterhub_aws.config.specs.names import HubNames
from jupyterhub_aws.config.stack import StackConfig
from jupyterhub_aws.operate.backups.points import EFS_VAULT


@dataclass(frozen=True, kw_only=True)
class Left:
    """Something that stays although no state knows it. `find` is a command that lists it; empty
    where only somebody knows. `blocks`: AWS refuses to delete the network while it is there, so it
    goes before.
    """

    what: str
    why: str
    find: str = ""
    blocks: bool = False

    def as_json(self) -> dict[str, Any]:
        """The same as data."""
        return asdict(self)


def left_behind(stack: StackConfig) -> list[Left]:
    """Everything of that kind for a stack; for one in halves, of both."""
    return [
        *_of_cluster(stack),
        *_of_homes(stack),
        *_of_backups(stack),
        *_of_databases(stack),
        *_outside(stack),
    ]


def _of_cluster(stack: StackConfig) -> Iterator[Left]:
    if not isinstance(stack.cluster, EksCluster):
        yield Left(
            what="nodes' labels, imported images, and whatever you prepared by hand",
            why="the cluster was there before, and stays as it is",
            find="kubectl get nodes --show-labels",
        )
        return
    region = f"--region {stack.region}"
    yield Left(
        what="balancers of Services that somebody else made in the cluster",
        why=(
            "AWS made them for Kubernetes, and only Kubernetes deletes them: delete the Services"
            " first"
        ),
        find="kubectl get services --all-namespaces | grep LoadBalancer",
        blocks=True,
    )
    yield Left(
        what="volumes of claims that somebody else made",
        why="the EBS driver deletes a volume when its claim goes, not when the cluster does",
        find="kubectl get pvc --all-namespaces",
    )
    yield Left(
        what="network interfaces of nodes that ended in a hurry",
        why="the VPC CNI tags them with the cluster's name, and cleans up only while a node runs",
        find=(
            f"aws ec2 describe-network-interfaces {region} --filters"
            f" Name=tag:cluster.k8s.amazonaws.com/name,Values={stack.name}"
            " Name=status,Values=available"
        ),
        blocks=True,
    )
    yield Left(
        what=f"the log group /aws/eks/{stack.name}/cluster, again",
        why="EKS makes it anew, without a limit, when it writes once more after ours went",
        find=(
            f"aws logs describe-log-groups {region} --log-group-name-prefix /aws/eks/{stack.name}/"
        ),
    )


def _of_homes(stack: StackConfig) -> Iterator[Left]:
    homes = stack.homes
    if isinstance(homes, EbsHomes):
        yield Left(
            what=f"every person's home: a volume of {homes.size_gib} GiB each",
            why="its class says Retain: no command of this project deletes a home",
            find=(
                f"aws ec2 describe-volumes --region {stack.region} --filters"
                f" Name=tag:stack,Values={stack.name}"
            ),
        )
    elif isinstance(homes, NfsHomes):
        yield Left(
            what=f"the homes on {homes.server}:{homes.path}",
            why="the server is yours, and nothing there is touched",
        )


def _of_backups(stack: StackConfig) -> Iterator[Left]:
    """Where the stack's own backups lie, and EFS's where its own plan is on: its vault has one
    name in every account (EFS user guide, "Backing up").
    """
    if not isinstance(stack.cluster, EksCluster):
        return
    homes, backups, spec = stack.homes, stack.backups, resolve(stack).backups
    if isinstance(backups, AwsBackup):
        yield _points("recovery points of homes and databases", stack.region, spec.vault_name)
        if spec.copy_region is not None:
            yield _points("their copies", spec.copy_region, spec.copy_vault_name)
    elif isinstance(backups, Snapshots):
        yield Left(
            what="snapshots of volumes",
            why="with their policy gone nothing deletes them on their day any more",
            find=(
                f"aws ec2 describe-snapshots --region {stack.region} --owner-ids self --filters"
                f" Name=tag:{TAG},Values={spec.selection[TAG]}"
            ),
        )
    if isinstance(homes, EfsHomesSection) and spec.efs_plan(homes):
        yield _points("recovery points of the homes' file system", stack.region, EFS_VAULT)


def _points(what: str, region: str, vault: str) -> Left:
    return Left(
        what=f"{what}, in the vault {vault} ({region})",
        why="AWS Backup keeps them until their day, also when what they are of is gone",
        find=(
            f"aws backup list-recovery-points-by-backup-vault --region {region} --backup-vault-name"
            f" {vault}"
        ),
    )


def _of_databases(stack: StackConfig) -> Iterator[Left]:
    for name, hub in sorted(stack.hubs.items()):
        identifier = f"{HubNames(stack=stack.name, hub=name).physical}-database"
        if isinstance(hub.database, PostgresDatabase):
            yield Left(
                what=f"snapshots of {identifier}, a last one too if it is deleted later",
                why="RDS keeps snapshots without their instance",
                find=(
                    f"aws rds describe-db-snapshots --region {stack.region}"
                    f" --db-instance-identifier {identifier}"
                ),
            )


def _outside(stack: StackConfig) -> Iterator[Left]:
    for name, hub in sorted(stack.hubs.items()):
        entry = hub.entry
        if isinstance(entry, LoadBalancerEntry) and (
            entry.route53_zone is None or not entry.record
        ):
            yield Left(
                what=f"the DNS record of {entry.hostname} (hubs.{name})",
                why="you made it; it would lead to an address that somebody else may get",
                find=f"dig +short {entry.hostname}",
            )
        if (
            isinstance(entry, LoadBalancerEntry)
            and isinstance(entry.tls, AcmTls)
            and entry.tls.certificate_arn is not None
        ):
            why = "it was there before; it costs nothing"
            yield Left(
                what=f"the certificate of {entry.hostname}",
                why=why,
                find=f"aws acm describe-certificate --certificate-arn {entry.tls.certificate_arn}",
            )
        if isinstance(hub.sign_in, (OidcSignIn, CognitoSignIn, GitHubSignIn)):
            yield Left(
                what=(
                    f"the application {hub.sign_in.client_id} at the identity provider"
                    f" (hubs.{name})"
                ),
                why="you registered it there, with a secret",
            )
    why = (
        "pulumi keeps a stack's history until: pulumi stack rm --preserve-config, which leaves the"
        " stack's file"
    )
    yield Left(what="the stack's state and its encrypted secrets", why=why, find="pulumi stack ls")
