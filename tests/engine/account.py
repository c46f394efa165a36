"""The imaginary AWS account with its cluster, and what is looked for in it and in a state."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

_RELEASE = "kubernetes:helm.sh/v3:Release"
_SECRET_LENGTH = 8  # shorter texts stand everywhere


@dataclass
class Account:
    """The imaginary AWS account with its cluster: what would be there in reality, whoever made
    it.
    """

    path: Path

    @property
    def records(self) -> list[dict[str, Any]]:
        """Everything in it, with `type`, `id`, `urn` (of whoever made it), `owner` (of what AWS
        made along), `inputs`, `outputs`.
        """
        if not self.path.exists():
            return []
        return list(json.loads(self.path.read_text(encoding="utf-8"))["resources"].values())

    def of_type(self, kind: str) -> list[dict[str, Any]]:
        """What somebody made of this type; not what AWS makes by itself."""
        return [
            record for record in self.records if record["type"] == kind and not record.get("owner")
        ]

    def doubles(self) -> dict[str, list[str]]:
        """What was made more than once and is still there: TYPE::NAME to ids."""
        subjects = {
            f"{record['type']}::{record['urn'].rpartition('::')[2]}"
            for record in self.records
            if record.get("urn") and not record.get("owner")
        }
        return {
            subject: self.made_as(subject)
            for subject in sorted(subjects)
            if len(self.made_as(subject)) > 1
        }

    def secrets(self) -> list[str]:
        """Texts that are secret by their type: what random resources made, and what Kubernetes
        Secrets hold.
        """
        holders = [
            record["outputs"]
            for record in self.records
            if record["type"].startswith("random:") or record["type"] == "kubernetes:core/v1:Secret"
        ]
        values = [
            holder.get(name)
            for holder in holders
            for name in ("result", "hex", "base64", "stringData", "data")
        ]
        texts = [
            text
            for value in values
            for text in (value.values() if isinstance(value, dict) else [value])
        ]
        return [text for text in texts if isinstance(text, str) and len(text) >= _SECRET_LENGTH]

    def helm_left(self, release: str, status: str) -> None:
        """As if Helm had been killed: its release of this resource's name stands under that
        status.
        """
        with self._changed() as records:
            for record in records.values():
                if record["type"] == _RELEASE and record["urn"].endswith(f"::{release}"):
                    record["outputs"]["status"]["status"] = status

    def helm_uninstall(self, release: str) -> None:
        """As `helm uninstall` does it: nothing of the release is left."""
        with self._changed() as records:
            for key in [
                key
                for key, record in records.items()
                if record["type"] == _RELEASE and record["urn"].endswith(f"::{release}")
            ]:
                del records[key]

    @contextmanager
    def _changed(self) -> Iterator[dict[str, Any]]:
        account = json.loads(self.path.read_text(encoding="utf-8"))
        yield account["resources"]
        self.path.write_text(json.dumps(account), encoding="utf-8")

    def made_as(self, subject: str) -> list[str]:
        """Ids of everything that was ever made as TYPE::NAME and is still there."""
        kind, _, name = subject.partition("::")
        return sorted(
            record["id"]
            for record in self.of_type(kind)
            if record.get("urn", "").rpartition("::")[2] == name
        )


def plaintext_secrets(state: Any, secrets: Sequence[str], path: str = "") -> list[str]:
    """Where in a state one of these stands readable, alone or inside other text."""
    if isinstance(state, Mapping):
        return [
            found
            for key, value in state.items()
            for found in plaintext_secrets(value, secrets, f"{path}.{key}" if path else str(key))
        ]
    if isinstance(state, list):
        return [
            found
            for index, value in enumerate(state)
            for found in plaintext_secrets(value, secrets, f"{path}[{index}]")
        ]
    return [path] if isinstance(state, str) and any(secret in state for secret in secrets) else []
