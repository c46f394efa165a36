"""The AWS account that a command works in: credentials that were tried, and no other account
than the stack's.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    ConnectionError,
    HTTPClientError,
    NoCredentialsError,
    NoRegionError,
    PartialCredentialsError,
    ProfileNotFound,
    SSOError,
    TokenRetrievalError,
)

from jupyterhub_aws.config.errors import ConfigError, Problem, refused
from jupyterhub_aws.config.stack import StackConfig

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


def account_of(command: str, stack: StackConfig, *, changes: bool) -> Account:
    """The account that a stack is in, as `connect` finds it."""
    expected = next(iter(stack.accounts), None)
    return connect(command, stack.region, expected=expected, changes=changes)


def connect(command: str, region: str, *, expected: str | None, changes: bool) -> Account:
    """The account that the caller's credentials are of. Raises ConfigError for none, for bad ones,
    and for another account than `expected`.

    A command that `changes` something needs to know which account is meant.
    """
    import boto3

    with translate_aws_errors(command):
        session = boto3.session.Session()  # names a profile that is not there at once
        found = _client(session, "sts", region).get_caller_identity()
    account, caller = str(found["Account"]), str(found["Arn"])
    if expected is None and changes:
        what = "is missing, so it is not known in which account this stack is"
        fix = (
            f"if it is {account} (your credentials: {caller}), add: aws:allowedAccountIds:"
            f' ["{account}"]'
        )
        raise refused(command, "account.unknown", "aws:allowedAccountIds", what, fix)
    if expected is not None and account != expected:
        what = (
            f"the stack is in account {expected}, and your credentials are of {account} ({caller});"
            " nothing was changed"
        )
        fix = "choose another profile: AWS_PROFILE, or `aws sso login`"
        raise refused(command, "account.other", "credentials", what, fix)
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
    with translate_aws_errors("jhub"):
        return session.client(service, config=settings)


@contextlib.contextmanager
def translate_aws_errors(command: str) -> Iterator[None]:
    """What AWS's client raises as a ConfigError with what to do."""
    from botocore.exceptions import BotoCoreError, ClientError

    try:
        yield
    except (BotoCoreError, ClientError) as error:
        raise ConfigError(command, [problem_of(error)]) from error


# --- What AWS's client raises, as what the operator can do about it. No message holds a credential:
# botocore's own never do, and only its words are taken.


_AGAIN = "what was done stays done: run the same command again, and it goes on"
#: By AWS's own codes (Common errors, API reference of each service): what is wrong, and what to do.
_CODES = {
    "ExpiredToken": ("have expired", "sign in again: aws sso login, or new temporary credentials"),
    "ExpiredTokenException": (
        "have expired",
        "sign in again: aws sso login, or new temporary credentials",
    ),
    "RequestExpired": (
        "have expired, or this machine's clock is wrong",
        "sign in again, and compare the clock: date -u",
    ),
    "InvalidClientTokenId": (
        "are not known to AWS",
        "look at AWS_ACCESS_KEY_ID and AWS_PROFILE: aws sts get-caller-identity",
    ),
    "UnrecognizedClientException": (
        "are not known to AWS",
        "look at AWS_ACCESS_KEY_ID and AWS_PROFILE: aws sts get-caller-identity",
    ),
    "AuthFailure": (
        "are not known to AWS",
        "look at AWS_ACCESS_KEY_ID and AWS_PROFILE: aws sts get-caller-identity",
    ),
    "SignatureDoesNotMatch": (
        "do not fit: the secret key is another one, or this machine's clock is wrong",
        "compare the clock: date -u; then set the key again",
    ),
}
_FORBIDDEN = (
    "AccessDenied",
    "AccessDeniedException",
    "UnauthorizedOperation",
    "UnauthorizedException",
    "NotAuthorized",
)
_THROTTLED = (
    "Throttling",
    "ThrottlingException",
    "ThrottledException",
    "RequestLimitExceeded",
    "TooManyRequestsException",
    "RequestThrottled",
    "SlowDown",
)


#: What goes wrong before AWS answers, by the first of these classes that an error is of; {} is
#: botocore's own sentence.
_BEFORE: tuple[tuple[tuple[type[Exception], ...], str, str, str, str], ...] = (
    (
        (NoCredentialsError, PartialCredentialsError),
        "credentials.missing",
        "credentials",
        "there are none, or only a part of them",
        "sign in: aws sso login, or set AWS_PROFILE",
    ),
    (
        (SSOError, TokenRetrievalError),
        "credentials.expired",
        "credentials",
        "your sign-in has expired",
        "sign in again: aws sso login",
    ),
    (
        (ProfileNotFound,),
        "credentials.profile",
        "AWS_PROFILE",
        "{}",
        "choose one from ~/.aws/config, or unset it",
    ),
    (
        (NoRegionError,),
        "region.missing",
        "region",
        "none is named",
        "set AWS_REGION, or aws:region in the stack file",
    ),
    (
        (ConnectionError, HTTPClientError),
        "aws.unreachable",
        "AWS",
        "does not answer from here ({})",
        f"look at network, proxy and VPN; {_AGAIN}",
    ),
)


def problem_of(error: BotoCoreError | ClientError) -> Problem:
    """The error in a line with its remedy."""
    if isinstance(error, ClientError):
        return _answered(error)
    plain = " ".join(str(error).split())[:200]
    for classes, which, path, what, fix in _BEFORE:
        if isinstance(error, classes):
            return Problem(id=which, path=path, what=what.format(plain), fix=fix)
    return Problem(id="aws.failed", path="AWS", what=plain, fix=_AGAIN)


def code_of(error: ClientError) -> str:
    """AWS's own code of an error."""
    return str(error.response.get("Error", {}).get("Code", ""))


def _answered(error: ClientError) -> Problem:
    code, operation = code_of(error), error.operation_name
    if code in _CODES:
        what, fix = _CODES[code]
        return Problem(id="credentials.refused", path="credentials", what=what, fix=fix)
    if code in _FORBIDDEN:
        return Problem(
            id="aws.not-allowed",
            path=operation,
            what=f"is not allowed for you ({_said(error)})",
            fix=f"ask for that permission; {_AGAIN}",
        )
    if code in _THROTTLED:
        return Problem(
            id="aws.throttled",
            path=operation,
            what=(
                "was refused"
                f" {error.response.get('ResponseMetadata', {}).get('RetryAttempts', 0) + 1} times:"
                " too many calls"
            ),
            fix=_AGAIN,
        )
    return Problem(
        id="aws.failed", path=operation, what=f"AWS answers {code} ({_said(error)})", fix=_AGAIN
    )


def _said(error: ClientError) -> str:
    # An encoded authorization message is long, and not readable.
    text = " ".join(str(error.response.get("Error", {}).get("Message", "")).split()).partition(
        " Encoded authorization failure message"
    )[0]
    return text[:300] or "it gave no reason"
