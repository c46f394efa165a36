"""What the makers of all topics have in common: the recording, what was made of it so far, and
clients.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from jupyterhub_aws.checks.resources import Resources
from tests.support.adopt_lacking import Lacking, client_of
from tests.support.cloud import ACCOUNT, Cloud

#: How a thing of a type is made of its name and its inputs; the answer are the outputs that others
#: refer to.
Makers = Mapping[str, Callable[[str, dict[str, Any]], dict[str, str] | None]]


class Builder:
    """Makes what moto can make of a recording, in the order of its dependencies; placeholders
    are filled with what was made. Each topic has its makers.
    """

    def __init__(
        self, account: Cloud, recorded: Resources, skip: Callable[[str, str], bool]
    ) -> None:
        self.account, self.skip = account, skip
        self.recorded = Resources(
            replace(
                item,
                inputs=json.loads(json.dumps(dict(item.inputs)).replace("${aws.account}", ACCOUNT)),
            )
            for item in recorded
        )
        self.made: dict[tuple[str, str, str], str] = {}  # type, name, output
        self.lacking = Lacking()

    def build(self) -> None:
        for kind, make in self._makers().items():
            for resource in self.recorded.of(kind):
                if not self.skip(kind, resource.name):
                    for output, value in (
                        make(resource.name, self._filled(dict(resource.inputs))) or {}
                    ).items():
                        self.made[kind, resource.name, output] = value

    def _filled(self, value: Any, key: str = "") -> Any:
        if isinstance(value, dict):
            return {name: self._filled(item, name) for name, item in value.items()}
        if isinstance(value, list):
            return [self._filled(item, key) for item in value]
        return (
            re.sub(
                r"\$\{([^.}]+)\.([^}]+)\}",
                lambda found: self._of(found[1], found[2], key, found[0]),
                value,
            )
            if isinstance(value, str)
            else value
        )

    def _of(self, name: str, output: str, key: str, otherwise: str) -> str:
        found = {
            kind: value
            for (kind, other, what), value in self.made.items()
            if other == name and what == output
        }
        lowered = (
            key.lower()
            .removesuffix("s")
            .removesuffix("id")
            .removesuffix("arn")
            .removesuffix("node")
        )
        near = [value for kind, value in found.items() if lowered and lowered in kind.lower()]
        return near[0] if len(found) > 1 and near else next(iter(found.values()), otherwise)

    def _makers(self) -> Makers:
        raise NotImplementedError

    def _client(self, service: str) -> Any:
        return client_of(self.account.url, service)

    @property
    def _ec2(self) -> Any:
        return self._client("ec2")

    @property
    def _iam(self) -> Any:
        return self._client("iam")

    @property
    def _kms(self) -> Any:
        return self._client("kms")

    @property
    def _efs(self) -> Any:
        return self._client("efs")

    def _ignore(self, _answer: Any) -> None:
        return None


def flag(value: Any) -> Any:
    return value == "true" if value in ("true", "false") else value


def tagged(kind: str, given: dict[str, Any]) -> list[dict[str, Any]]:
    return (
        [
            {
                "ResourceType": kind,
                "Tags": [
                    {"Key": key, "Value": value} for key, value in given.get("tags", {}).items()
                ],
            }
        ]
        if given.get("tags")
        else []
    )
