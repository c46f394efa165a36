"""`jhub can`: may a user's server make a call to AWS, and which statement says so. Offline."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import click

from jupyterhub_aws.cli.arguments import chosen_hub, stack_file
from jupyterhub_aws.cli.options import as_json, what_if
from jupyterhub_aws.config.errors import closest, refused

if TYPE_CHECKING:
    from collections.abc import Collection

    from jupyterhub_aws.checks.identities.servers import Answer
    from jupyterhub_aws.config.specs.hub import HubSpec
    from jupyterhub_aws.config.stack import StackConfig

_COMMAND = "jhub can"
_ACTION = re.compile(r"[a-z][a-z0-9-]*:[A-Za-z0-9]+")


@click.command("can")
@click.argument("stack")
@click.argument("hub")
@click.argument("action")
@click.argument("resource")
@click.option(
    "--profile", metavar="NAME", help="The profile of the server. [default: the hub's first one]"
)
@click.option(
    "--group",
    "groups",
    multiple=True,
    metavar="NAME",
    help="A group of the user, as the sign-in names it. May be repeated.",
)
@click.option(
    "--user",
    default="ada",
    show_default=True,
    metavar="NAME",
    help="The user, for folders of one's own.",
)
@what_if
@as_json()
def can_command(  # noqa: PLR0913 -- what a command line has
    stack: str,
    hub: str,
    action: str,
    resource: str,
    *,
    profile: str | None,
    groups: tuple[str, ...],
    user: str,
    settings: tuple[str, ...],
    as_json: bool,
) -> int:
    r"""Say whether servers of HUB may call ACTION on RESOURCE, and by which statement.

    RESOURCE is BUCKET/KEY, with the bucket's name in the stack file or in AWS; {user} in it is the
    folder of the user. Or an ARN. Exit code 0: yes; 1: no, or it depends on what is not known here.

    \b
    jhub can dev main s3:GetObject lectures/week1.csv
    jhub can dev main s3:PutObject work/{user}/notes.txt --user ada
    jhub can dev main s3:ListBucket work --group jupyter:staff
    """
    import json

    from jupyterhub_aws.checks.identities.servers import ServerRights
    from jupyterhub_aws.config.specs import resolve
    from jupyterhub_aws.plan.plan import recorded

    if not _ACTION.fullmatch(action):
        what, fix = f"is not an action of IAM (got {action!r})", "write it like s3:GetObject"
        raise refused(_COMMAND, "can.action", "ACTION", what, fix)
    found, recording = recorded(stack_file(stack, settings))
    name = chosen_hub(_COMMAND, stack, found.hubs, hub)
    spec = resolve(found).hubs[name]
    chosen = _profile(stack, spec, profile)
    arn, key = _target(found, resource, user)
    answer = ServerRights(found, recording.everything).may(
        name, profile=chosen, groups=groups, action=action, resource=arn, key=key, user=user
    )
    if as_json:
        click.echo(json.dumps(_data(answer), indent=2))
    else:
        _show(answer, _who(chosen, groups, user), action, f"{arn}/{key}" if key else arn)
    return 0 if answer.allowed else 1


def _profile(stack: str, spec: HubSpec, profile: str | None) -> str:
    known = [one.name for one in spec.profiles]
    if profile is None:
        return known[0]
    if profile not in known:
        guess = closest(profile, known)
        fix = f"did you mean {guess}?" if guess else f"choose from {', '.join(known)}"
        what = f"hub {spec.name} has no profile {profile!r}"
        raise refused(_COMMAND, "can.profile", stack, what, fix)
    return profile


def _target(stack: StackConfig, resource: str, user: str) -> tuple[str, str]:
    """The ARN of a bucket and the key in it, or another ARN."""
    from jupyterhub_aws.config.specs import resolve
    from jupyterhub_aws.config.usernames import normalized, pod_name
    from jupyterhub_aws.config.values import partition_of

    filled = resource.replace("{user}", pod_name(normalized(user)))
    if filled.startswith("arn:"):
        head, slash, key = filled.partition("/")
        is_bucket = head.split(":")[2:3] == ["s3"] and bool(slash)
        return (head, key) if is_bucket else (filled, "")
    bucket, _, key = filled.removeprefix("s3://").partition("/")
    spec = resolve(stack).buckets.get(bucket)
    if spec is None and not re.fullmatch(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]", bucket):
        what, fix = f"is neither BUCKET/KEY nor an ARN (got {resource!r})", "write lectures/file"
        raise refused(_COMMAND, "can.resource", "RESOURCE", what, fix)
    arn = f"arn:{partition_of(stack.region)}:s3:::{bucket}" if spec is None else spec.arn
    return arn, key


def _who(profile: str, groups: Collection[str], user: str) -> str:
    among = f"in {' and '.join(groups)}" if groups else "in no group"
    return f"a server of profile {profile}, of {user} {among},"


def _show(answer: Answer, who: str, action: str, target: str) -> None:
    decision = answer.decision
    if decision is None:
        click.echo(f"no: {who} may not {action} {target}")
        click.echo("    it has no access to AWS (aws_access)")
        return
    word = {True: "yes", False: "no", None: "it depends"}[decision.allowed]
    may = {True: "may", False: "may not", None: "may or may not"}[decision.allowed]
    role = (
        "" if answer.role is None or answer.role.role is None else answer.role.role.inputs["name"]
    )
    click.echo(f"{word}: {who} {may} {action} {target}")
    click.echo(f"    role {role}: {decision.by}")
    if decision.allowed and answer.elsewhere:
        click.echo(f"    {answer.elsewhere} must allow it too, and is not known here")


def _data(answer: Answer) -> dict[str, object]:
    decision, role = answer.decision, answer.role
    return {
        "allowed": answer.allowed,
        "access": None if role is None else role.name,
        "role": None if role is None or role.role is None else role.role.inputs["name"],
        "by": None if decision is None else decision.by,
        "also_needed": answer.elsewhere or None,
    }
