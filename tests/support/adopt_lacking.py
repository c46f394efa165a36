"""What moto lacks of an account to adopt, and the door past which everything is asked.

moto knows no add-ons, access entries, pod identities, policies of file systems and of vaults, and
selections of backups: `Lacking` answers for them, and botocore's own service model has to be
content with each answer.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from typing import Any

import botocore.session

from tests.support.cloud import Cloud, counted

#: What a scan may ask: nothing else is ever called.
READS = re.compile(r"(Describe|List|Get)\w*|GET /.*")
TAGS = {
    "owner": "platform-team",
    "environment": "dev",
    "cost-center": "research-computing",
    "managed-by": "jupyterhub-aws",
}


@dataclass
class Lacking:
    """What moto lacks, by cluster, file system, vault or plan. Each answer is parsed by botocore
    with its own model of the operation.
    """

    addons: dict[str, list[str]] = field(default_factory=dict)
    entries: dict[str, list[str]] = field(default_factory=dict)
    administrators: dict[str, list[str]] = field(default_factory=dict)
    identities: dict[str, list[tuple[str, str]]] = field(default_factory=dict)
    clusters: dict[str, dict[str, Any]] = field(default_factory=dict)
    backups: dict[str, str] = field(default_factory=dict)
    policies: dict[str, str] = field(default_factory=dict)
    vault_policies: dict[str, str] = field(default_factory=dict)
    selections: dict[str, list[dict[str, Any]]] = field(default_factory=dict)

    def answer(self, method: str, path: str) -> tuple[int, bytes] | None:  # noqa: PLR0911 -- one for each operation
        """The answer to a request that moto does not know; None where moto is asked."""
        plain, _, query = path.partition("?")
        policy = re.fullmatch(
            r"/2015-02-01/file-systems/(fs-[0-9a-f]+)/(backup-policy|policy)", plain
        )
        if policy:
            return self._of_file_system(*policy.groups())
        if plain.startswith("/backup"):
            return self._of_backups(plain) if method == "GET" else None
        match = re.fullmatch(
            r"/clusters/([^/]+)(?:/(addons|access-entries|pod-identity-associations)(?:/([^/]+))?)?",
            plain,
        )
        if method != "GET" or not match or match[1] not in self.clusters:
            return None
        name, what, item = match[1], match[2], match[3]
        if what is None:
            return _valid("DescribeCluster", {"cluster": self.clusters[name]})
        if what == "addons" and item:
            found = {
                "addonName": item,
                "clusterName": name,
                "addonVersion": "v1.0.0-eksbuild.1",
                "status": "ACTIVE",
                "tags": {},
            }
            return _valid("DescribeAddon", {"addon": found})
        if what == "addons":
            return _valid("ListAddons", {"addons": self.addons.get(name, [])})
        if what == "access-entries":
            known = self.administrators if "associatedPolicyArn" in query else self.entries
            return _valid("ListAccessEntries", {"accessEntries": known.get(name, [])})
        found = [
            {
                "clusterName": name,
                "namespace": space,
                "serviceAccount": account,
                "associationId": f"a-{index:017d}",
            }
            for index, (space, account) in enumerate(self.identities.get(name, []))
        ]
        return _valid("ListPodIdentityAssociations", {"associations": found})

    def _of_file_system(self, name: str, what: str) -> tuple[int, bytes]:
        known = self.backups if what == "backup-policy" else self.policies
        if name not in known:
            return _absent("PolicyNotFound")
        if what == "backup-policy":
            return _valid("DescribeBackupPolicy", {"BackupPolicy": {"Status": known[name]}}, "efs")
        return _valid(
            "DescribeFileSystemPolicy", {"FileSystemId": name, "Policy": known[name]}, "efs"
        )

    def _of_backups(self, path: str) -> tuple[int, bytes] | None:
        if policy := re.fullmatch(r"/backup-vaults/([^/]+)/access-policy", path):
            if policy[1] not in self.vault_policies:
                return _absent("ResourceNotFoundException")
            found = {"BackupVaultName": policy[1], "Policy": self.vault_policies[policy[1]]}
            return _valid("GetBackupVaultAccessPolicy", found, "backup")
        if not (asked := re.fullmatch(r"/backup/plans/([^/]+)/selections/([^/]*)", path)):
            return None
        chosen = {
            f"selection-{index}": item
            for index, item in enumerate(self.selections.get(asked[1], []))
        }
        if asked[2]:
            return _valid(
                "GetBackupSelection",
                {
                    "BackupPlanId": asked[1],
                    "SelectionId": asked[2],
                    "BackupSelection": chosen[asked[2]],
                },
                "backup",
            )
        listed = [
            {
                "SelectionId": key,
                "SelectionName": item["SelectionName"],
                "BackupPlanId": asked[1],
                "IamRoleArn": item["IamRoleArn"],
            }
            for key, item in chosen.items()
        ]
        return _valid("ListBackupSelections", {"BackupSelectionsList": listed}, "backup")


class RefusingLacking(Lacking):
    """The same, but whoever asks for a path that begins so is refused with a code of AWS's."""

    def __init__(self, other: Lacking, begin: str, code: str) -> None:
        super().__init__(**vars(other))
        self._begin, self._code = begin, code

    def answer(self, method: str, path: str) -> tuple[int, bytes] | None:
        if path.startswith(self._begin):
            return (
                400,
                json.dumps(
                    {
                        "__type": self._code,
                        "ErrorCode": self._code,
                        "code": self._code,
                        "message": "no",
                    }
                ).encode(),
            )
        return super().answer(method, path)


def _absent(code: str) -> tuple[int, bytes]:
    """That there is none. AWS says its code in a header; botocore takes it from the body as
    well.
    """
    return 404, json.dumps({"__type": code, "ErrorCode": code, "Message": "There is none"}).encode()


def _valid(operation: str, answer: dict[str, Any], service: str = "eks") -> tuple[int, bytes]:
    """The answer as JSON. Fails where the service model has other members."""
    shape = (
        botocore.session.get_session()
        .get_service_model(service)
        .operation_model(operation)
        .output_shape
    )
    _check(shape, answer, operation)
    return 200, json.dumps(answer).encode()


def _check(shape: Any, value: Any, path: str) -> None:
    if shape.type_name == "structure":
        assert set(value) <= set(shape.members), (
            f"{path}: {sorted(set(value) - set(shape.members))} are no members"
        )
        for key, item in value.items():
            _check(shape.members[key], item, f"{path}.{key}")
    elif shape.type_name == "list":
        for item in value:
            _check(shape.member, item, f"{path}[]")
    elif shape.type_name == "map":
        assert all(isinstance(item, str) for pair in value.items() for item in pair), path
    else:
        kinds = {
            "string": str,
            "boolean": bool,
            "integer": int,
            "long": int,
            "timestamp": (int, float),
        }
        assert isinstance(value, kinds[shape.type_name]), (
            f"{path}: {value!r} is no {shape.type_name}"
        )


@contextmanager
def watched(account: Cloud, lacking: Lacking) -> Iterator[str]:
    """The address of the account with all that moto lacks; what is asked there is written down,
    and must be reads.
    """
    account.calls.clear()
    account.answers = lacking.answer
    try:
        with counted(account) as url:
            yield url
    finally:
        account.answers = lambda _method, _path: None
        wrong = [call for call in account.calls if not READS.fullmatch(call)]
        assert wrong == [], f"a scan only reads: {wrong}"


@cache
def client_of(url: str, service: str) -> Any:
    """A client past the counter, made once: botocore takes a third of a second for one of EC2."""
    return Cloud(url=url).client(service)
