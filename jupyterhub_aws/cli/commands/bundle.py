"""`jhub bundle`: what an isolated network needs from external hosts, carried in: list, lock, pull,
verify, push, export.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from jupyterhub_aws.cli.about import REGISTRIES, group
from jupyterhub_aws.cli.options import as_json, stack_argument
from jupyterhub_aws.cli.output import data_to_standard_output, to_standard_output
from jupyterhub_aws.config.bundle import Lock, read_lock
from jupyterhub_aws.config.errors import refused

if TYPE_CHECKING:
    from jupyterhub_aws.bundle.inventory import Inventory
    from jupyterhub_aws.bundle.registry import Access
    from jupyterhub_aws.bundle.store import Store

_PLAIN = click.option(
    "--plain-http", is_flag=True, help="The registry speaks HTTP without TLS: for a trial."
)
_AUTHFILE = click.option(
    "--authfile",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="Credentials in Docker's format; default: the tools' own.",
)
_LOCK = click.option(
    "--lock",
    "lock_file",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="The lock; default: bundle/STACK.lock.json, or registry.lock.",
)
_FOLDER = click.argument("folder", type=click.Path(path_type=Path, file_okay=False))


@group("bundle")
def bundle_command() -> None:
    """Carry in what an isolated network needs: images, charts, wheels, the Pulumi CLI and its
    plugins.

    On the connected side: lock, pull. Carry the folder in. Inside: verify, push (a registry) or
    export (nodes).
    """


@bundle_command.command(
    "list",
    examples=(
        ("jhub bundle list airgap-hub", ""),
        ("jhub bundle list airgap-hub --json", ""),
    ),
)
@stack_argument
@as_json()
def list_(stack: str, *, as_json: bool) -> int:
    """Show everything that STACK needs, who needs it, and what it weighs where it is locked."""
    from jupyterhub_aws.bundle.show import as_text, shown

    inventory, lock_file = _needs(stack)
    lock = read_lock(lock_file) if lock_file.is_file() else None
    if as_json:
        to_standard_output(as_text(inventory, lock))
    else:
        shown(inventory, lock)
    return 0


@bundle_command.command(
    "lock",
    needs=REGISTRIES,
    examples=(("jhub bundle lock airgap-hub", ""),),
)
@stack_argument
@_LOCK
@click.option(
    "--refresh",
    multiple=True,
    metavar="KEY",
    help="Take what this item is now, although it was locked otherwise. `*`: everything.",
)
@_AUTHFILE
@_PLAIN
def lock(
    stack: str,
    *,
    lock_file: Path | None,
    refresh: tuple[str, ...],
    authfile: Path | None,
    plain_http: bool,
) -> int:
    """Record the digest of everything that STACK needs. Commit the file."""
    from jupyterhub_aws.bundle.lock import make_lock
    from jupyterhub_aws.bundle.registry import need
    from jupyterhub_aws.bundle.store import write

    need(("skopeo", "helm"))
    inventory, default = _needs(stack)
    target = lock_file or default
    before = read_lock(target) if target.is_file() else None
    made = make_lock(inventory, before, refresh, _access(authfile, plain_http))
    write(target, made.as_text().encode())
    click.echo(
        f"{target}: {len(inventory.items)} items locked, {_weight(made)}. Commit it, and set"
        " registry.lock to its path."
    )
    return 0


@bundle_command.command(
    "pull",
    needs=REGISTRIES,
    examples=(("jhub bundle pull airgap-hub --to /media/bundle", ""),),
    exits={0: "everything is in the folder", 2: "not finished; run it again"},
)
@stack_argument
@click.option(
    "--to",
    "folder",
    required=True,
    type=click.Path(path_type=Path, file_okay=False),
    help="The folder to fill.",
)
@_LOCK
@_AUTHFILE
@_PLAIN
def pull(
    stack: str, *, folder: Path, lock_file: Path | None, authfile: Path | None, plain_http: bool
) -> int:
    """Fill a folder with everything that STACK's lock names. Run again, it goes on where it
    stopped.
    """
    from jupyterhub_aws.bundle.pull import pull as fill
    from jupyterhub_aws.bundle.registry import need
    from jupyterhub_aws.bundle.store import Store

    need(("skopeo", "helm"))
    inventory, default = _needs(stack)
    found = read_lock(lock_file or default)
    copied = fill(inventory, found, Store(folder), _access(authfile, plain_http))
    click.echo(
        f"{folder}: {_counted(copied, 'pulled')}. Carry the folder in, and check it there: jhub"
        f" bundle verify {folder}"
    )
    return 0


@bundle_command.command(
    "verify",
    examples=(
        ("jhub bundle verify /media/bundle", ""),
        (
            "jhub bundle verify /media/bundle --stack airgap-hub",
            "is everything there that a stack needs now?",
        ),
        ("jhub bundle verify /media/bundle --json", ""),
    ),
    exits={
        0: "as the lock says",
        1: "something is wrong with it: do not push it",
        2: "there is no bundle to read",
    },
)
@_FOLDER
@click.option(
    "--stack",
    metavar="STACK",
    help="The stack that it is meant for: is everything there that it needs now?",
)
@as_json()
def verify(folder: Path, *, stack: str | None, as_json: bool) -> int:
    """Read every file of a bundle, and compare it with the lock by its digest."""
    from jupyterhub_aws.bundle.verify import faults

    store = _store(folder)
    found = read_lock(store.lock)
    wrong = faults(store, found, None if stack is None else _needs(stack)[0])
    if as_json:
        from jupyterhub_aws.bundle.show import verdict

        data_to_standard_output(verdict(folder, found, wrong))
        return 1 if wrong else 0
    for problem in wrong:
        click.echo(problem.line(str(folder)), err=True)
    if wrong:
        click.echo(f"{folder}: {len(wrong)} faults; do not push it", err=True)
        return 1
    click.echo(
        f"{folder}: {sum(len(items) for items in found.items.values())} items, {_weight(found)}, as"
        " the lock says"
    )
    return 0


@bundle_command.command(
    "push",
    needs=("skopeo and helm, and network to your registry; no AWS credentials, no cluster"),
    examples=(("jhub bundle push /media/bundle --registry registry.internal/jhub", ""),),
    exits={0: "everything is in the registry", 2: "not finished; run it again"},
)
@_FOLDER
@click.option(
    "--registry",
    required=True,
    metavar="HOST[/PREFIX]",
    help="Where to: `jhub bundle list` says what the stack expects.",
)
@_AUTHFILE
@_PLAIN
def push(folder: Path, *, registry: str, authfile: Path | None, plain_http: bool) -> int:
    """Copy a bundle's images and charts into a registry. It is verified first; what is there is
    not copied again.
    """
    from jupyterhub_aws.bundle.push import push as send
    from jupyterhub_aws.bundle.registry import need
    from jupyterhub_aws.bundle.verify import verified

    if "://" in registry:
        fix = f"write {registry.partition('://')[2]}"
        what = "has a scheme"
        raise refused("jhub bundle push", "registry.more-than-host", "--registry", what, fix)
    need(("skopeo", "helm"))
    store = _store(folder)
    found = read_lock(store.lock)
    verified(store, found)
    copied = send(store, found, registry.rstrip("/"), _access(authfile, plain_http))
    click.echo(f"{registry}: {_counted(copied, 'pushed')}")
    return 0


@bundle_command.command(
    "export",
    needs=("skopeo for --format docker; no credentials, no cluster, no network"),
    examples=(
        ("jhub bundle export /media/bundle --to images.tar", ""),
        ("jhub bundle export /media/bundle --to images --format docker", ""),
    ),
)
@_FOLDER
@click.option(
    "--to",
    "target",
    required=True,
    type=click.Path(path_type=Path),
    help="The archive; with --format docker a folder.",
)
@click.option(
    "--format",
    "kind",
    type=click.Choice(["oci", "docker"]),
    default="oci",
    help="oci: one archive for `ctr images import`. docker: one for each image.",
)
@click.option(
    "--architecture",
    type=click.Choice(["amd64", "arm64"]),
    default="amd64",
    help="With --format docker, which holds one.",
)
def export(folder: Path, *, target: Path, kind: str, architecture: str) -> int:
    """Write a bundle's images as archives, for nodes without a registry."""
    from jupyterhub_aws.bundle.push import export_docker, export_oci
    from jupyterhub_aws.bundle.registry import need
    from jupyterhub_aws.bundle.verify import verified

    store = _store(folder)
    found = read_lock(store.lock)
    verified(store, found)
    if kind == "oci":
        count = export_oci(store, found, target)
        click.echo(
            f"{target}: {count} images. On each node: ctr --namespace k8s.io images import"
            f" --all-platforms {target.name}"
        )
    else:
        need(("skopeo",))
        count = export_docker(store, found, target, architecture)
        click.echo(
            f"{target}: {count} archives. On each node: for f in *.tar; do docker load --input $f;"
            " done"
        )
    return 0


def _needs(stack: str) -> tuple[Inventory, Path]:
    """What a stack needs, and where its lock is."""
    from jupyterhub_aws.bundle.inventory import inventory
    from jupyterhub_aws.cli.arguments import stack_file

    file = stack_file(stack)
    found = inventory(file)
    return found, file.home.working_folder / (found.lock or f"bundle/{found.stack}.lock.json")


def _access(authfile: Path | None, plain_http: bool) -> Access:
    from jupyterhub_aws.bundle.registry import Access

    return Access(authfile=authfile, plain_http=plain_http)


def _store(folder: Path) -> Store:
    from jupyterhub_aws.bundle.store import Store

    return Store(folder.resolve())


def _weight(found: Lock) -> str:
    from jupyterhub_aws.units import amount

    return amount(sum(item.size for items in found.items.values() for item in items.values()))


def _counted(copied: int, verb: str) -> str:
    return f"{copied} items {verb}" if copied else f"nothing {verb}: everything is there"
