"""What AWS's client raises, as what a person can do about it. No message holds a credential:
botocore's own never do, and only its words are taken.
"""

from __future__ import annotations

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

from jupyterhub_aws.config.errors import Problem

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
_BEFORE: tuple[tuple[tuple[type[Exception], ...], str, str, str], ...] = (
    (
        (NoCredentialsError, PartialCredentialsError),
        "credentials",
        "there are none, or only a part of them",
        "sign in: aws sso login, or set AWS_PROFILE",
    ),
    (
        (SSOError, TokenRetrievalError),
        "credentials",
        "your sign-in has expired",
        "sign in again: aws sso login",
    ),
    ((ProfileNotFound,), "AWS_PROFILE", "{}", "choose one from ~/.aws/config, or unset it"),
    (
        (NoRegionError,),
        "region",
        "none is named",
        "set AWS_REGION, or aws:region in the stack file",
    ),
    (
        (ConnectionError, HTTPClientError),
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
    for classes, path, what, fix in _BEFORE:
        if isinstance(error, classes):
            return Problem(path=path, what=what.format(plain), fix=fix)
    return Problem(path="AWS", what=plain, fix=_AGAIN)


def code_of(error: ClientError) -> str:
    """AWS's own code of an error."""
    return str(error.response.get("Error", {}).get("Code", ""))


def _answered(error: ClientError) -> Problem:
    code, operation = code_of(error), error.operation_name
    if code in _CODES:
        what, fix = _CODES[code]
        return Problem(path="credentials", what=what, fix=fix)
    if code in _FORBIDDEN:
        return Problem(
            path=operation,
            what=f"is not allowed for you ({_said(error)})",
            fix=f"ask for that permission; {_AGAIN}",
        )
    if code in _THROTTLED:
        return Problem(
            path=operation,
            what=(
                "was refused"
                f" {error.response.get('ResponseMetadata', {}).get('RetryAttempts', 0) + 1} times:"
                " too many calls"
            ),
            fix=_AGAIN,
        )
    return Problem(path=operation, what=f"AWS answers {code} ({_said(error)})", fix=_AGAIN)


def _said(error: ClientError) -> str:
    # An encoded authorization message is long, and nobody can read it.
    text = " ".join(str(error.response.get("Error", {}).get("Message", "")).split()).partition(
        " Encoded authorization failure message"
    )[0]
    return text[:300] or "it gave no reason"
