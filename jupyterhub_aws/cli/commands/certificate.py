"""`jhub certificate`: make a key with a certificate or a signing request, and look at one as
browsers will.
"""

from __future__ import annotations

from pathlib import Path

import click

from jupyterhub_aws.cli import complete
from jupyterhub_aws.cli.about import group
from jupyterhub_aws.cli.options import as_json

_FILE = click.Path(dir_okay=False, path_type=Path)
_SUFFIXES = (".pem", ".crt", ".cer", ".der")


@group("certificate")
def certificate_command() -> None:
    """Make and inspect certificates for hubs with `tls.kind: certificate`. Needs neither account
    nor network.
    """


@certificate_command.command(
    "new",
    examples=(
        ("jhub certificate new hub.example.edu", "one that signs itself, for a trial"),
        ("jhub certificate new hub.example.edu --request", "a request for your authority"),
    ),
)
@click.argument("hostname")
@click.option("--also", multiple=True, metavar="NAME", help="Further names that it is for.")
@click.option(
    "--days",
    default=397,
    show_default=True,
    type=click.IntRange(1, 398),
    metavar="DAYS",
    help="How long it is valid, where it signs itself.",
)
@click.option(
    "--request",
    is_flag=True,
    help="Make a signing request for your authority instead of a certificate that signs itself.",
)
@click.option(
    "--folder",
    type=click.Path(file_okay=False, exists=True, path_type=Path),
    default=Path(),
    help="Where HOSTNAME.key and .crt (or .csr) go. Default: here.",
)
def new(hostname: str, *, also: tuple[str, ...], days: int, request: bool, folder: Path) -> int:
    """Make a private key for HOSTNAME, and a certificate that signs itself, or a request that
    your authority signs.
    """
    from jupyterhub_aws.operate.certificate import checked
    from jupyterhub_aws.operate.certificate import new as make

    names = checked([hostname, *also])
    safe = names[0].replace("*", "wildcard")
    key_file = folder / f"{safe}.key"
    certificate_file = folder / f"{safe}.{'csr' if request else 'crt'}"
    make(names, days=days, request=request, key_file=key_file, certificate_file=certificate_file)
    click.echo(f"{key_file}  the private key: keep it secret, commit it nowhere")
    click.echo(
        f"{certificate_file}  {'the request' if request else 'the certificate'} for"
        f" {', '.join(names)}: not secret"
    )
    click.echo("\nThen:")
    if request:
        click.echo(
            "  have your authority sign the request; take its answer with the chain, in PEM form"
        )
    click.echo(
        "  paste the certificate (the server's first, then its chain) under"
        " hubs.NAME.entry.tls.certificate"
    )
    click.echo(f"  pulumi config set --secret hub-NAME-tls-key -s STACK < {key_file}")
    click.echo(f"  jhub certificate inspect STACK --key-file {key_file}")
    return 0


@certificate_command.command(
    "inspect",
    examples=(
        ("jhub certificate inspect dev", "of a stack's hub"),
        (
            "jhub certificate inspect hub.crt --hostname hub.example.edu --key-file hub.key",
            "of a file, with its key",
        ),
        ("jhub certificate inspect dev --json | jq '.certificates[0].days_left'", "for an alarm"),
    ),
    exits={
        0: "browsers accept it",
        1: "browsers would refuse it, or the key is not its own",
        2: "wrong input",
    },
)
@click.argument("what", metavar="STACK|FILE", shell_complete=complete.stacks)
@click.option(
    "--hub",
    metavar="NAME",
    shell_complete=complete.hubs,
    help="Which hub of a stack, where several have a certificate.",
)
@click.option("--hostname", metavar="HOST", help="With a file: the name that users type.")
@click.option("--key-file", type=_FILE, help="Say whether this private key belongs to it.")
@click.option("--as-of", metavar="YYYY-MM-DD", help="Judge as of this day. Default: today.")
@as_json()
def inspect(
    what: str,
    *,
    hub: str | None,
    key_file: Path | None,
    as_json: bool,
    **judged: str | None,
) -> int:
    """Look at the certificate of a stack's hub, or of a file, as browsers will."""
    from jupyterhub_aws.checks.certificates import faults, key_fault
    from jupyterhub_aws.cli.arguments import day
    from jupyterhub_aws.cli.console import Terminal
    from jupyterhub_aws.cli.output import data_to_standard_output
    from jupyterhub_aws.operate.certificate import (
        as_data,
        of_file,
        of_stack,
        private_key,
        show,
        show_faults,
    )

    when = day(judged["as_of"])
    named = what.lower().endswith(_SUFFIXES)
    pem, host = of_file(Path(what), judged["hostname"]) if named else of_stack(what, hub)
    wrong = list(faults(pem, host, when)) if host else []
    fits = None if key_file is None else key_fault(pem, private_key(key_file))
    code = 1 if fits or any(fault.status == "fail" for fault in wrong) else 0
    if as_json:
        key = None if key_file is None else {"file": str(key_file), "fits": not fits, "why": fits}
        data_to_standard_output({**as_data(pem, host, when, wrong), "key": key})
        return code
    console = Terminal()
    show(pem, when, console)
    show_faults(wrong, console)
    if key_file is not None:
        console.print(
            (
                f"[red]✗[/red] {key_file} is not its key: {fits}"
                if fits
                else f"[green]✓[/green] {key_file} is its key"
            ),
            soft_wrap=True,
        )
    return code
