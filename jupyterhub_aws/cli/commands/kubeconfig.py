"""`jhub kubeconfig STACK`: how kubectl and helm reach the cluster."""

from __future__ import annotations

import shlex
from pathlib import Path

import click


@click.command("kubeconfig")
@click.argument("stack")
@click.option(
    "--out",
    "target",
    metavar="FILE",
    help="Write it there, merged with what the file has. Default: print it.",
)
def command(stack: str, target: str | None) -> int:
    """Print or merge a kubeconfig for the cluster of STACK, under a context of the cluster's
    name. It holds no credential: each call asks the aws CLI.
    """
    from jupyterhub_aws.cli.arguments import validated_stack
    from jupyterhub_aws.cli.output import to_standard_output
    from jupyterhub_aws.config.cluster import ExistingCluster
    from jupyterhub_aws.operate.daily.kubeconfig import as_yaml, merged, write
    from jupyterhub_aws.operate.live.account import connect
    from jupyterhub_aws.operate.live.cluster import kubeconfig

    command_name = "jhub kubeconfig"
    found, _ = validated_stack(stack)
    if isinstance(found.cluster, ExistingCluster):
        where = found.cluster.kubeconfig or "$KUBECONFIG or ~/.kube/config"
        click.echo(
            f"The cluster was there before: its kubeconfig is yours ({where},"
            f" {found.cluster.context or 'the current context'}). Nothing was written."
        )
        return 0
    account = connect(
        command_name, found.region, expected=next(iter(found.accounts), None), changes=False
    )
    document = kubeconfig(command_name, found, account)
    if target is None:
        to_standard_output(as_yaml(document))
        return 0
    path = Path(target).expanduser()
    write(command_name, path, as_yaml(merged(command_name, path, document)))
    click.echo(
        f"{path}: context {found.name}. Try it: kubectl --kubeconfig {shlex.quote(str(path))}"
        f" --context {found.name} get nodes"
    )
    return 0
