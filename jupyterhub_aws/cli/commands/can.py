"""`jhub can`: may a user's server make a call to AWS, and which statement says so. Offline."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import click

from jupyterhub_aws.cli import complete
from jupyterhub_aws.cli.about import command
from jupyterhub_aws.cli.arguments import chosen_hub, stack_file
from jupyterhub_aws.cli.options import as_json, hub_argument, stack_argument, what_if
from jupyterhub_aws.cli.output import data_to_standard_output, say
from jupyterhub_aws.config.errors import closest, did_you_mean, refused

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence

    from jupyterhub_aws.checks.identities.servers import AccessAnswer
    from jupyterhub_aws.config.specs.hub import HubSpec
    from jupyterhub_aws.config.specs.server_access import AccessSpec
    from jupyterhub_aws.config.stack import StackConfig

_COMMAND = "jhub can"
FORMAT = "jupyterhub-aws/can/1"
_ACTION = re.compile(r"[a-z][a-z0-9-]*:[A-Za-z0-9]+")


@command(
    "can",
    examples=(
        ("jhub can dev main s3:GetObject lectures/week1.csv", ""),
        ("jhub can dev main s3:PutObject work/{user}/notes.txt --user ada", "the folder of a user"),
        (
            "jhub can dev main s3:ListBucket work/home/{user}/ --group jupyter:staff",
            "a folder that is listed, for members of a group",
        ),
    ),
    exits={0: "yes", 1: "no, or it depends on what is not known here", 2: "wrong input"},
)
@stack_argument
@hub_argument
@click.argument("action")
@click.argument("resource")
@click.option(
    "--profile",
    metavar="NAME",
    shell_complete=complete.profiles,
    help="The profile of the server. Default: the hub's first one.",
)
@click.option(
    "--group",
    "groups",
    shell_complete=complete.groups,
    multiple=True,
    metavar="NAME",
    help="A group of the user, as the sign-in names it. May be repeated.",
)
@click.option(
    "--user",
    shell_complete=complete.users,
    default="ada",
    show_default=True,
    metavar="NAME",
    help="Which user, for folders of users.",
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
    """Say whether servers of HUB may call ACTION on RESOURCE, and by which statement.

    RESOURCE is BUCKET/KEY, with the bucket's name in the stack file or in AWS; {user} in it is the
    folder of the user, and of s3:ListBucket the key is the folder that is listed. Or an ARN.
    """
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
    notes = list(_notes(spec, groups, action, arn, key))
    started = _may_start(spec, chosen, groups)
    allowed = answer.allowed if started else False
    if as_json:
        data = {
            "format": FORMAT,
            **_data(answer),
            "allowed": allowed,
            "may_start": started,
            "notes": notes,
        }
        data_to_standard_output(data)
        return 0 if allowed else 1
    if not started:
        wanted = ", ".join(sorted(spec.profile(chosen).options.groups))
        say(f"no: {user} may not start profile {chosen}, which is for members of {wanted}")
    else:
        _show(answer, _who(chosen, groups, user), action, f"{arn}/{key}" if key else arn)
    for note in notes:
        say(note, begins="    ")
    return 0 if allowed else 1


def _may_start(spec: HubSpec, profile: str, groups: Collection[str]) -> bool:
    """Whether a user in these groups, who is no administrator, is offered the profile."""
    wanted = spec.profile(profile).options.groups
    return not wanted or bool(set(wanted) & set(groups))


def _notes(
    spec: HubSpec, groups: Collection[str], action: str, arn: str, key: str
) -> Iterator[str]:
    """What an answer alone would hide: words that were probably mistyped, and another way by which
    users read the same.
    """
    known = spec.named_groups
    for group in sorted(set(groups) - set(known)):
        guess = closest(group, known)
        yield f"no option of this hub names the group {group}" + (
            f"; did you mean {guess}?" if guess else ""
        )
    calls = [item for access in _accesses(spec) for item in access.actions]
    if action not in calls:
        guess = closest(action, calls, cutoff=0.85)
        if guess:
            yield f"no statement of this hub names {action}; did you mean {guess}?"
    for item in spec.mounted:
        reads = action in ("s3:GetObject", "s3:ListBucket") and arn == item.bucket.arn
        if reads and key.startswith(item.options.prefix):
            path = item.options.mount_path
            yield f"every server of this hub reads it at {path} (volumes.{item.name}), whatever its role"


def _accesses(spec: HubSpec) -> Sequence[AccessSpec]:
    return () if spec.access is None else spec.access.accesses


def _profile(stack: str, spec: HubSpec, profile: str | None) -> str:
    known = [one.name for one in spec.profiles]
    if profile is None:
        return known[0]
    if profile not in known:
        fix = did_you_mean(profile, known, f"choose from {', '.join(known)}")
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
    buckets = resolve(stack).buckets
    spec = buckets.get(bucket)
    names = {one.bucket_name for one in buckets.values()}
    guess = None if spec is not None or bucket in names else closest(bucket, buckets)
    if guess is not None:
        what, fix = f"is no bucket of this stack (got {bucket!r})", f"did you mean {guess}?"
        raise refused(_COMMAND, "can.bucket", "RESOURCE", what, fix)
    if spec is None and not re.fullmatch(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]", bucket):
        what, fix = f"is neither BUCKET/KEY nor an ARN (got {resource!r})", "write lectures/file"
        raise refused(_COMMAND, "can.resource", "RESOURCE", what, fix)
    arn = f"arn:{partition_of(stack.region)}:s3:::{bucket}" if spec is None else spec.arn
    return arn, key


def _who(profile: str, groups: Collection[str], user: str) -> str:
    among = f"in {' and '.join(groups)}" if groups else "in no group"
    return f"a server of profile {profile}, of {user} {among},"


def _show(answer: AccessAnswer, who: str, action: str, target: str) -> None:
    decision = answer.decision
    if decision is None:
        say(f"no: {who} may not {action} {target}")
        say("it has no access to AWS (aws_access)", begins="    ")
        return
    word = {True: "yes", False: "no", None: "it depends"}[decision.allowed]
    may = {True: "may", False: "may not", None: "may or may not"}[decision.allowed]
    role = (
        "" if answer.role is None or answer.role.role is None else answer.role.role.inputs["name"]
    )
    say(f"{word}: {who} {may} {action} {target}")
    say(f"role {role}: {decision.by}", begins="    ")
    if decision.allowed and answer.elsewhere:
        say(f"{answer.elsewhere} must allow it too, and is not known here", begins="    ")


def _data(answer: AccessAnswer) -> dict[str, object]:
    decision, role = answer.decision, answer.role
    return {
        "allowed": answer.allowed,
        "access": None if role is None else role.name,
        "role": None if role is None or role.role is None else role.role.inputs["name"],
        "by": None if decision is None else decision.by,
        "also_needed": answer.elsewhere or None,
    }
