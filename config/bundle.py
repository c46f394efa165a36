"""The lock of a bundle: the digest of each name, and what an image is called in a private
registry. Pure except for reading the file.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Any

from jupyterhub_aws.config.errors import refused

FORMAT = "jupyterhub-aws/bundle/1"
KINDS = ("image", "chart", "file", "wheels")
#: Among the details of an image: its bytes by platform (`linux/arm64`), as they are pulled. Locks
#: before it lack it, and are read as they are.
PLATFORM_SIZES = "platform_sizes"
_DIGEST = re.compile(r"sha256:[0-9a-f]{64}")
_DOCKER_HUB = "docker.io"


@dataclass(frozen=True, kw_only=True, slots=True)
class Locked:
    """One item of a bundle. `digest` is `sha256:…` of an image's manifest list, a chart's archive,
    a file, or a list of files; `size` in bytes.

    `files` maps the names of several files (wheels, or the only one of a chart or download) to
    digest and size.
    """

    digest: str
    size: int
    files: Mapping[str, tuple[str, int]] = field(default_factory=dict)
    details: Mapping[str, Any] = field(default_factory=dict)

    @property
    def platforms(self) -> tuple[str, ...] | None:
        """What an image is built for, such as `linux/arm64`; None where the lock does not say."""
        found = self.details.get("platforms")
        return None if not isinstance(found, list) else tuple(map(str, found))

    def pulled_bytes(self, platform: str) -> int | None:
        """What a node of this platform pulls, compressed; None where the lock does not say."""
        sizes = self.details.get(PLATFORM_SIZES)
        found = sizes.get(platform) if isinstance(sizes, Mapping) else None
        return found if isinstance(found, int) else None


@dataclass(frozen=True, kw_only=True)
class Lock:
    """What a lock file of `jhub bundle lock` says, by kind and key of the item: the digest of
    every image, chart and file.
    """

    stack: str
    items: Mapping[str, Mapping[str, Locked]]

    def digest(self, kind: str, key: str) -> str | None:
        """The digest of an item; None where the lock does not have it."""
        found = self.items.get(kind, {}).get(key)
        return None if found is None else found.digest

    def image(self, name: str) -> Locked | None:
        """An image by its publisher's name with its tag, or with its digest in the place of it;
        None where the lock does not have it.
        """
        for key, item in self.items.get("image", {}).items():
            repository = destination("", key)
            if normalized(name) == normalized(key) or (
                destination("", name) == repository and name.endswith(f"@{item.digest}")
            ):
                return item
        return None

    def keys(self, kind: str) -> tuple[str, ...]:
        """The keys of a kind, sorted."""
        return tuple(sorted(self.items.get(kind, {})))

    def as_text(self) -> str:
        """The lock as it is written: JSON, sorted, with a newline at its end."""
        items = {
            kind: {
                key: {
                    "digest": item.digest,
                    "size": item.size,
                    **(
                        {
                            "files": {
                                name: {"digest": digest, "size": size}
                                for name, (digest, size) in sorted(item.files.items())
                            }
                        }
                        if item.files
                        else {}
                    ),
                    **({"details": dict(item.details)} if item.details else {}),
                }
                for key, item in sorted(self.items.get(kind, {}).items())
            }
            for kind in KINDS
        }
        return (
            json.dumps(
                {"format": FORMAT, "stack": self.stack, "items": items}, indent=2, sort_keys=True
            )
            + "\n"
        )


def read_lock(path: Path) -> Lock:
    """The lock in a file that `jhub bundle lock` wrote. Raises ConfigError for a file that is
    missing or is not a lock.
    """
    try:
        return parse_lock(path.read_text(encoding="utf-8"))
    except OSError as error:
        what = f"cannot be read ({error.strerror})"
        fix = "create it: jhub bundle lock STACK"
        raise refused(path.name, "lock.unreadable", "", what, fix) from None
    except ValueError as error:
        what = f"is not the lock of a bundle: {error}"
        fix = "create it again: jhub bundle lock STACK"
        raise refused(path.name, "lock.malformed", "", what, fix) from None


def parse_lock(text: str) -> Lock:
    """The lock in a text. Raises ValueError, with a line that says what is wrong, for text that
    is not a lock.
    """
    document = json.loads(text)
    if not isinstance(document, dict) or document.get("format") != FORMAT:
        raise ValueError(f"its format is not {FORMAT}")
    items = document.get("items")
    if not isinstance(items, dict) or set(items) - set(KINDS):
        raise ValueError(f"items are not a map of {', '.join(KINDS)}")
    parsed = {
        kind: MappingProxyType(
            {str(key): _item(kind, key, value) for key, value in dict(items.get(kind, {})).items()}
        )
        for kind in KINDS
    }
    return Lock(stack=str(document.get("stack", "")), items=MappingProxyType(parsed))


def _item(kind: str, key: object, value: Any) -> Locked:
    if (
        not isinstance(value, dict)
        or not _DIGEST.fullmatch(str(value.get("digest")))
        or not isinstance(value.get("size"), int)
        or value["size"] < 0
    ):
        raise ValueError(f"{kind} {key} has no digest and size")
    files = {}
    for name, facts in dict(value.get("files", {})).items():
        if (
            not isinstance(facts, dict)
            or not _DIGEST.fullmatch(str(facts.get("digest")))
            or not isinstance(facts.get("size"), int)
        ):
            raise ValueError(f"{kind} {key}: the file {name} has no digest and size")
        if "/" in name or name in ("", ".", ".."):
            raise ValueError(f"{kind} {key}: {name!r} is not a file's name")
        files[name] = (str(facts["digest"]), int(facts["size"]))
    return Locked(
        digest=value["digest"],
        size=value["size"],
        files=MappingProxyType(files),
        details=MappingProxyType(dict(value.get("details", {}))),
    )


def normalized(reference: str) -> str:
    """An image's reference with its host: `traefik:v3` is docker.io/library/traefik:v3
    (distribution/reference, "Docker Hub names").
    """
    head, slash, _ = reference.partition("/")
    if slash and ("." in head or ":" in head or head == "localhost"):
        return reference
    return f"{_DOCKER_HUB}/{reference}" if slash else f"{_DOCKER_HUB}/library/{reference}"


def destination(registry: str, reference: str) -> str:
    """The repository of an image in a private registry, without tag and digest: below the
    publisher's host, so that images of two publishers never collide.

    `quay.io/jupyterhub/k8s-hub:4.4.0` in `registry.corp.example/x` is
    `registry.corp.example/x/quay.io/jupyterhub/k8s-hub`.
    """
    bare = normalized(reference).partition("@")[0]
    head, _, last = bare.rpartition("/")
    name = f"{head}/{last.partition(':')[0]}"
    host, slash, path = name.partition("/")
    return f"{registry}/{host.replace(':', '-')}{slash}{path}"
