"""What the stack file of the backend may say, and everything that is wrong with it at once."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

_BUCKET = re.compile(r"[a-z0-9][a-z0-9-]{1,61}[a-z0-9]")
_PRINCIPAL = re.compile(r"arn:aws(-cn|-us-gov)?:iam::[0-9]{12}:(role|user)/[\w+=,.@/-]+", re.ASCII)
_ENDPOINT = re.compile(r"vpce-[0-9a-f]{8,17}")


@dataclass(frozen=True, kw_only=True)
class Settings:
    """`administrators` come in from anywhere, even where a `vpc_endpoint` keeps everybody else
    out.
    """

    bucket: str
    owner: str
    principals: tuple[str, ...] = ()
    vpc_endpoint: str | None = None
    administrators: tuple[str, ...] = ()


def read(values: Mapping[str, object]) -> Settings:
    """The settings of these values. Raises ValueError with a line for each problem: path, what
    is wrong, what to do.
    """
    problems = [
        f"{key}: is not an option; remove it"
        for key in sorted(set(values) - set(Settings.__dataclass_fields__))
    ]
    bucket, owner = str(values.get("bucket") or ""), str(values.get("owner") or "")
    if not _BUCKET.fullmatch(bucket):
        problems.append(
            f"bucket: is not the name of a bucket (got {bucket!r}); write 3 to 63 lower-case"
            " letters, digits and dashes"
        )
    if not owner:
        problems.append(
            "owner: is missing; add it: who is asked when something is wrong with the state"
        )
    lists = {
        key: _listed(values.get(key), key, problems) for key in ("principals", "administrators")
    }
    endpoint = values.get("vpc_endpoint")
    if endpoint is not None and not _ENDPOINT.fullmatch(str(endpoint)):
        problems.append(
            f"vpc_endpoint: is not the id of an endpoint (got {endpoint!r}); write it like"
            " vpce-0123456789abcdef0"
        )
    if endpoint is not None and not lists["administrators"]:
        problems.append(
            "administrators: is empty, so that nobody could mend the bucket from outside the VPC;"
            " list at least one role"
        )
    if problems:
        raise ValueError("\n".join(sorted(problems)))
    return Settings(
        bucket=bucket,
        owner=owner,
        vpc_endpoint=None if endpoint is None else str(endpoint),
        **lists,
    )


def _listed(value: object, key: str, problems: list[str]) -> tuple[str, ...]:
    if value is None:
        return ()
    if not isinstance(value, list):
        problems.append(
            f"{key}: must be a list (got {value!r}); write [arn:aws:iam::123456789012:role/NAME]"
        )
        return ()
    for index, item in enumerate(value):
        if not _PRINCIPAL.fullmatch(str(item)):
            problems.append(
                f"{key}[{index}]: is not the ARN of a role or user (got {item!r}); write it like"
                " arn:aws:iam::123456789012:role/NAME"
            )
    return tuple(map(str, value))
