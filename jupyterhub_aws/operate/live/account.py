"""The AWS account that a command works in: credentials that were tried, and no other account
than the stack's.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from jupyterhub_aws.config.errors import ConfigError, Problem

#: botocore, "Retries": `standard` waits longer after each of them, up to 20 seconds, and covers
#: throttling and connections that broke.
_ATTEMPTS = 8
_CONNECT_SECONDS, _READ_SECONDS = 5, 30


@dataclass(frozen=True, kw_only=True)
class Account:
    """An account and region whose credentials work. Clients are made once; all of them retry
    with back-off.
    """

    id: str
    region: str
    caller: str
    session: Any
    clients: dict[str, Any] = field(default_factory=dict)

    def client(self, service: str) -> Any:
        """The client of a service, such as `autoscaling`."""
        if service not in self.clients:
            self.clients[service] = _client(self.session, service, self.region)
        return self.clients[service]

    def all(self, service: str, operation: str, key: str, **parameters: Any) -> Iterator[Any]:
        """Every item under `key` of an operation's answer, page after page, where AWS pages at
        all.
        """
        client = self.client(service)
        if not client.can_paginate(operation):
            yield from getattr(client, operation)(**parameters).get(key) or []
            return
        for page in client.get_paginator(operation).paginate(**parameters):
            yield from page.get(key) or []


def connect(command: str, region: str, *, expected: str | None, changes: bool) -> Account:
    """The account that the caller's credentials are of. Raises ConfigError for none, for bad ones,
    and for another account than `expected`.

    A command that `changes` something needs to know which account is meant.
    """
    import boto3

    with kindly(command):
        session = boto3.session.Session()  # names a profile that is not there at once
        found = _client(session, "sts", region).get_caller_identity()
    account, caller = str(found["Account"]), str(found["Arn"])
    if expected is None and changes:
        what = "is missing, so it is not known in which account this stack is"
        fix = (
            f"if it is {account} (your credentials: {caller}), add: aws:allowedAccountIds:"
            f' ["{account}"]'
        )
        raise ConfigError(command, [Problem(path="aws:allowedAccountIds", what=what, fix=fix)])
    if expected is not None and account != expected:
        what = (
            f"the stack is in account {expected}, and your credentials are of {account} ({caller});"
            " nothing was changed"
        )
        raise ConfigError(
            command,
            [
                Problem(
                    path="credentials",
                    what=what,
                    fix="choose another profile: AWS_PROFILE, or `aws sso login`",
                )
            ],
        )
    return Account(id=account, region=region, caller=caller, session=session)


def _client(session: Any, service: str, region: str) -> Any:
    from botocore.config import Config

    settings = Config(
        region_name=region,
        connect_timeout=_CONNECT_SECONDS,
        read_timeout=_READ_SECONDS,
        retries={"mode": "standard", "total_max_attempts": _ATTEMPTS},
        user_agent_extra="jupyterhub-aws",
    )
    with kindly("jhub"):
        return session.client(service, config=settings)


@contextlib.contextmanager
def kindly(command: str) -> Iterator[None]:
    """What AWS's client raises as a ConfigError with what to do."""
    from botocore.exceptions import BotoCoreError, ClientError

    try:
        yield
    except (BotoCoreError, ClientError) as error:
        from jupyterhub_aws.operate.live.aws_errors import problem_of

        raise ConfigError(command, [problem_of(error)]) from error
