"""IAM policies that AWS maintains: which exist, and the documents of those that identities of
this program have.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from jupyterhub_aws.config.errors import closest

_DATA = Path(__file__).parent / "data"
DOCUMENTS, NAMES = _DATA / "managed_policies.json", _DATA / "managed_policy_names.json"
_ARN = re.compile(r"arn:(aws|aws-cn|aws-us-gov):iam::aws:policy/(.+)")


@dataclass(frozen=True, kw_only=True)
class ManagedPolicy:
    """`path` is path and name as they end the ARN; `version` and `updated` are AWS's, `document`
    the policy itself, in the ARN's partition.
    """

    path: str
    version: str
    updated: str
    document: str


def managed_path(arn: str) -> str | None:
    """Path and name of a policy of AWS's own, such as `service-role/AmazonEFSCSIDriverPolicy`;
    None for any other ARN.
    """
    found = _ARN.fullmatch(arn)
    return None if found is None else found[2]


@cache
def managed_policy(arn: str) -> ManagedPolicy | None:
    """What is known of an AWS managed policy; None where its document is not in the data.

    The data has AWS's documents of the partition `aws`; those of another partition have its name in
    their ARNs.
    """
    found = _ARN.fullmatch(arn)
    row = None if found is None else _documents().get(found[2])
    if found is None or row is None:
        return None
    document = json.dumps(row["document"]).replace("arn:aws:", f"arn:{found[1]}:")
    return ManagedPolicy(
        path=found[2], version=row["version"], updated=row["updated"], document=document
    )


def managed_policy_exists(path: str) -> bool:
    """Whether AWS has a managed policy of this path and name."""
    return path in _documents() or path in _names()


def same_name(path: str) -> str | None:
    """The policy of the same name under its real path, where there is one."""
    name = path.rpartition("/")[2]
    return next(
        (known for known in (*_documents(), *_names()) if known.rpartition("/")[2] == name), None
    )


def closest_policy(path: str) -> str | None:
    """The policy whose path and name a misspelt one most probably means, None where none is
    near.
    """
    return closest(path, (*_documents(), *_names()), cutoff=0.85)


@cache
def _documents() -> Mapping[str, Any]:
    found: Mapping[str, Any] = json.loads(DOCUMENTS.read_text(encoding="utf-8"))["policies"]
    return found


@cache
def _names() -> frozenset[str]:
    return frozenset(json.loads(NAMES.read_text(encoding="utf-8"))["names"])
