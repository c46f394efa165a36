"""A kubeconfig for kubectl and helm, by itself or merged into a file that has others. It holds
no credential: the aws CLI is asked for a token each time.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Mapping
from io import StringIO
from pathlib import Path
from typing import Any

from jupyterhub_aws.config.errors import refused

_LISTS = ("clusters", "users", "contexts")


def as_yaml(document: Mapping[str, Any]) -> str:
    """The document as text."""
    from ruamel.yaml import YAML

    yaml, out = YAML(typ="safe"), StringIO()
    yaml.default_flow_style = False
    yaml.dump(dict(document), out)
    return out.getvalue()


def merged(command: str, path: Path, new: Mapping[str, Any]) -> dict[str, Any]:
    """What is in a file already, with ours over entries of the same name; its current context
    stays. Raises ConfigError for what is no kubeconfig.
    """
    if not path.exists() or not path.read_text(encoding="utf-8").strip():
        return dict(new)
    from ruamel.yaml import YAML
    from ruamel.yaml.error import YAMLError

    try:
        old = YAML(typ="safe").load(path.read_text(encoding="utf-8"))
    except (YAMLError, UnicodeDecodeError):
        old = None
    if not isinstance(old, dict) or old.get("kind") != "Config":
        what = f"{path} is there and is no kubeconfig"
        raise refused(command, "kubeconfig.malformed", "--out", what, "name another file")
    found = dict(old)
    for key in _LISTS:
        mine = {item["name"] for item in new[key]}
        found[key] = [item for item in old.get(key) or [] if item.get("name") not in mine] + list(
            new[key]
        )
    found["current-context"] = old.get("current-context") or new["current-context"]
    return found


def write(command: str, path: Path, text: str) -> None:
    """Write it at once, readable for its owner only. Raises ConfigError where it cannot be."""
    try:
        place = path.resolve()  # where a link leads: it stays one
        place.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(dir=place.parent, prefix=".jhub-")  # 0600 from the start
        try:
            with os.fdopen(handle, "w", encoding="utf-8") as out:
                out.write(text)
            Path(name).replace(place)
        finally:
            Path(name).unlink(missing_ok=True)
    except OSError as error:
        what = f"cannot write {path} ({error.strerror})"
        fix = "name a file that you may write"
        raise refused(command, "file.not-written", "--out", what, fix) from None
