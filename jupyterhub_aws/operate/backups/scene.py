"""What a backup command works on: the stack, its file, and an account that was tried. Refused
before anything is changed.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from jupyterhub_aws.cli.arguments import stack_file, validated_stack
from jupyterhub_aws.config.backups import AwsBackup, NoBackups
from jupyterhub_aws.config.cluster import EksCluster
from jupyterhub_aws.config.errors import ConfigError, Problem
from jupyterhub_aws.config.stack import StackConfig
from jupyterhub_aws.config.stack_file import StackFile, find, read
from jupyterhub_aws.operate.live.account import Account, connect


@dataclass(frozen=True, kw_only=True)
class BackupContext:
    """The stack, the file that a record lies beside (the outer half's), and the account."""

    command: str
    stack: StackConfig
    file: StackFile
    account: Account

    def elsewhere(self) -> Account | None:
        """The same account in the region of the copies."""
        section = self.stack.backups
        if not isinstance(section, AwsBackup) or section.copy_to_region is None:
            return None
        return replace(self.account, region=section.copy_to_region.region, clients={})


def awake(scene: BackupContext) -> None:
    """Raise ConfigError for a stack that says `paused`: it has no node for the job that sees all
    homes.
    """
    if scene.stack.paused:
        what, fix = (
            "is paused, so there is no node for the job that a restore needs",
            f"bring it back: jhub resume {scene.file.stack}",
        )
        raise ConfigError(scene.command, [Problem(path=scene.file.stack, what=what, fix=fix)])


def scene_of(command: str, stack: str, *, changes: bool) -> BackupContext:
    """The scene of a stack. Raises ConfigError for one without backups, for bad credentials, and
    for another account than the stack's.
    """
    file = stack_file(stack)
    found, _ = validated_stack(stack)
    if found.cloud_stack is not None:  # the inner half's configuration is the outer one's
        file = read(find(found.cloud_stack, file.path.parent))
    if not isinstance(found.cluster, EksCluster):
        what = "the stack makes nothing in AWS, so it backs nothing up there"
        raise ConfigError(
            command,
            [
                Problem(
                    path="cluster.kind",
                    what=what,
                    fix="ask whoever runs the server of homes and the cluster's volumes",
                )
            ],
        )
    if isinstance(found.backups, NoBackups):
        what = f"is none: nothing is backed up ({found.backups.reason})"
        raise ConfigError(
            command,
            [Problem(path="backups.kind", what=what, fix="remove the section, then pulumi up")],
        )
    account = connect(
        command, found.region, expected=next(iter(found.accounts), None), changes=changes
    )
    return BackupContext(command=command, stack=found, file=file, account=account)
