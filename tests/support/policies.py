"""IAM documents of a recorded program, made concrete, and parliament to judge them."""

from __future__ import annotations

import hashlib
import importlib.util
import json
import re
import sys
import types
import warnings
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

from jupyterhub_aws.plan.evaluate import Recording

ACCOUNT, REGION = "123456789012", "us-east-1"
#: What the ARN of a resource looks like once it exists, by type. `{name}` and `{id}` tell those of
#: one type apart.
_ARNS = {
    "aws:backup/vault:Vault": f"arn:aws:backup:{REGION}:{ACCOUNT}:backup-vault:{{name}}",
    "aws:kms/key:Key": f"arn:aws:kms:{REGION}:{ACCOUNT}:key/1234abcd-12ab-34cd-56ef-1234567890ab",
    "aws:cloudwatch/logGroup:LogGroup": f"arn:aws:logs:{REGION}:{ACCOUNT}:log-group:/a/b",
    "aws:s3/bucket:Bucket": "arn:aws:s3:::some-bucket",
    "aws:efs/fileSystem:FileSystem": (
        f"arn:aws:elasticfilesystem:{REGION}:{ACCOUNT}:file-system/fs-0123456789abcdef0"
    ),
    "aws:efs/accessPoint:AccessPoint": (
        f"arn:aws:elasticfilesystem:{REGION}:{ACCOUNT}:access-point/fsap-{{id}}"
    ),
    "aws:cloudwatch/eventRule:EventRule": f"arn:aws:events:{REGION}:{ACCOUNT}:rule/{{name}}",
    "aws:sns/topic:Topic": f"arn:aws:sns:{REGION}:{ACCOUNT}:{{name}}",
    "aws:iam/role:Role": f"arn:aws:iam::{ACCOUNT}:role/{{name}}",
}


def documents(recording: Recording) -> Iterator[tuple[str, dict[str, Any]]]:
    """Every IAM document of a program, wherever an input holds one: what it belongs to, and the
    document with real ARNs in it.
    """
    for resource in recording.resources:
        for key, value in resource.inputs.items():
            if isinstance(value, str) and '"Statement"' in value:
                yield f"{resource.label} {key}", json.loads(concrete(recording, value))


#: Variables that IAM fills in at each request, with what a server of ada would have there.
_VARIABLES = {
    "aws:PrincipalAccount": ACCOUNT,
    "aws:PrincipalTag/kubernetes-pod-name": "jupyter-ada",
}


def concrete(recording: Recording, text: str) -> str:
    """A text with something real in place of every placeholder. Raises KeyError for one that
    this module does not know.
    """

    def real(match: re.Match[str]) -> str:
        if match[0] == "${aws.account}":
            return ACCOUNT
        if match[1].startswith("aws:"):
            return _VARIABLES[match[1]]
        name, _, output = match[1].partition(".")
        (arn,) = {
            _ARNS[found.type]
            for found in recording.resources
            if found.name == name and found.type in _ARNS
        } or {None}
        if output != "arn" or arn is None:
            raise KeyError(match[0])
        return arn.format(name=name, id=hashlib.sha256(name.encode()).hexdigest()[:17])

    return re.sub(r"\$\{([^}]+)\}", real, text)


@cache
def parliament() -> types.ModuleType:
    """The linter. It asks `pkg_resources`, which setuptools no longer has, for two paths beside
    itself, and leaves both files open.
    """
    if "pkg_resources" not in sys.modules and importlib.util.find_spec("pkg_resources") is None:
        stand_in = types.ModuleType("pkg_resources")
        home = Path(str(importlib.util.find_spec("parliament").origin)).parent  # type: ignore[union-attr] -- it is installed
        stand_in.resource_filename = lambda _, name: str(home / name)  # type: ignore[attr-defined] -- made here
        sys.modules["pkg_resources"] = stand_in
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import parliament as linter
    return linter


def findings(document: dict[str, Any]) -> set[tuple[str, str]]:
    """What parliament finds in an identity policy: statement and issue, whatever its severity."""
    linter = parliament()
    found = set()
    for statement in document["Statement"]:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of its own code, not of the policy
            judged = linter.analyze_policy_string(
                json.dumps({**document, "Statement": [statement]}), include_community_auditors=True
            )
        for finding in judged.findings:
            found.add((statement.get("Sid", ""), finding.issue))
    return found
