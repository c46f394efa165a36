"""Take the fields of a pod's specification, with everything that it refers to, into
config/data/pod_fields.json, as data.

    python scripts/refresh_pod_fields.py [YYYY-MM-DD]

Run by an interpreter that has `kubernetes`, the API's official client (its models are generated
from the API's own OpenAPI document; version 35 is Kubernetes 1.35). Each kind has its fields with
their types, and those that the API requires. The date is today's unless one is given.
"""

from __future__ import annotations

import datetime
import inspect
import json
import re
import sys
from importlib.metadata import version
from pathlib import Path
from typing import Any

from kubernetes.client import models  # type: ignore[import-not-found]

TARGET = Path(__file__).resolve().parents[1] / "config" / "data" / "pod_fields.json"
_FIRST = "V1PodSpec"
_MODEL = re.compile(r"\bV[0-9]\w+")
_REQUIRED = re.compile(r"Invalid value for `(\w+)`, must not be `None`")


def kind_of(name: str) -> str:
    """`Container` of V1Container."""
    return re.sub(r"^V[0-9]+((alpha|beta)[0-9]+)?", "", name)


def described(name: str) -> tuple[dict[str, Any], set[str]]:
    """One kind, and the models that its fields are of."""
    model = getattr(models, name)
    required = set(_REQUIRED.findall(inspect.getsource(model)))
    fields = {
        model.attribute_map[attribute]: type_ for attribute, type_ in model.openapi_types.items()
    }
    below = {found for type_ in fields.values() for found in _MODEL.findall(type_)}
    kind = {
        "fields": {
            key: _MODEL.sub(lambda match: kind_of(match[0]), fields[key]) for key in sorted(fields)
        }
    }
    if required:
        kind["required"] = sorted(model.attribute_map[attribute] for attribute in required)  # type: ignore[assignment]
    return kind, below


def main(arguments: list[str]) -> int:
    """Write the file."""
    found: dict[str, Any] = {}
    left = {_FIRST}
    while left:
        name = left.pop()
        found[kind_of(name)], below = described(name)
        left |= {model for model in below if kind_of(model) not in found}
    data = {
        "source": (
            f"models of kubernetes {version('kubernetes')}, the API's official Python client"
            " (scripts/refresh_pod_fields.py)"
        ),
        "as_of": (
            arguments[0] if arguments else datetime.datetime.now(tz=datetime.UTC).date().isoformat()
        ),
        "kinds": dict(sorted(found.items())),
    }
    TARGET.write_text(
        json.dumps(data, separators=(",", ":")).replace('},"', '},\n"') + "\n", encoding="utf-8"
    )
    print(f"wrote {len(found)} kinds to {TARGET.name}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
