"""Makes config/data/replacements.json: of each type its inputs, and those that force a new
resource.

    .venv/bin/python scripts/refresh_replacements.py

Types of AWS are those of scripts/data/provider_replaces.json: what the schema of
terraform-provider-aws 6.58.0 says (pulumi-aws 7.51 bridges something a little newer), read out of
the provider itself. provider_replaces_conditional.json beside it has what its CustomizeDiff
functions decide by the values; there `aws:*` holds for every type that has the property. Other
types are those of config/data/replacements.toml, and what their SDK's documentation says. The toml
completes it by hand. Run it after another version of an SDK was locked.
"""

from __future__ import annotations

import importlib
import inspect
import json
import re
import sys
import tomllib
import warnings
from importlib.metadata import version
from pathlib import Path
from typing import Any

DATA = Path(__file__).resolve().parents[1] / "config" / "data"
PROVIDER = Path(__file__).resolve().parent / "data"
_EVERY = "aws:*"
PACKAGES = ("pulumi-aws", "pulumi-kubernetes", "pulumi-random")
#: A property of a docstring: its name and everything up to the next one.
_PROPERTY = re.compile(r":param (?:[^:\n]*?)(\w+): (.*?)(?=\n\s*:param|\Z)", re.DOTALL)
_FORCES = re.compile(
    r"forc(?:e|es|ing) (?:\w+ ){0,4}?(?:new|creation|recreat|re-creat|replac)|requires? (?:\w+"
    r" ){0,2}?(?:replacement|re-?creation)"
    r"|cannot be (?:changed|modified) after",
    re.I,
)


def resource_class(token: str) -> type | None:
    """The SDK's class of a type, None for types that are no class of an SDK."""
    package, module, name = token.split(":")
    if package == "pulumi":
        return None
    module = (
        module.partition("/")[0]
        if package == "aws"
        else module.replace(".k8s.io", "").replace("helm.sh", "helm").replace("/", ".")
    )
    path = f"pulumi_{package}" + ("" if module.startswith("index") else f".{module}")
    found = getattr(importlib.import_module(path), name)
    return found if isinstance(found, type) else None


def inputs_of(cls: type) -> dict[str, str]:
    """Names of a resource's inputs on the wire, by their names in Python."""
    from pulumi._types import _py_properties

    wire = {python: name for python, name, _ in _py_properties(cls)}
    source = inspect.getsource(cls._internal_init)  # type: ignore[attr-defined]
    set_ = re.findall(r'__props__\.__dict__\["(\w+)"\] = (.+)', source)
    return {python: wire.get(python, python) for python, value in set_ if value.strip() != "None"}


def forcing(cls: type) -> set[str]:
    """Names in Python of the inputs whose documentation says so."""
    text = inspect.getdoc(vars(cls)["__init__"]) or ""
    module = sys.modules[cls.__module__]
    args = getattr(module, f"{cls.__name__}Args", None) or getattr(
        module, f"{cls.__name__}InitArgs", None
    )
    text += "\n" + (inspect.getdoc(vars(args)["__init__"]) or "" if args else "")
    return {match[1] for match in _PROPERTY.finditer(text) if _FORCES.search(match[2])}


def _loaded(name: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((PROVIDER / name).read_text(encoding="utf-8"))
    return found


def tokens() -> list[str]:
    """Every type of the table that is a class of an SDK."""
    by_hand = tomllib.loads((DATA / "replacements.toml").read_text(encoding="utf-8"))
    return sorted(
        token
        for token in {*by_hand, *_loaded("provider_replaces.json")}
        if not token.startswith("pulumi:")
    )


def row(token: str) -> dict[str, Any]:
    """What the table says of a type. Raises LookupError for a type of AWS that the provider's
    data lacks.
    """
    cls = resource_class(token)
    if cls is None:
        raise LookupError(f"{token} is no class of an SDK")
    names = inputs_of(cls)
    if token.startswith("aws:"):
        return {"inputs": sorted(names.values()), **_of_provider(token, set(names.values()))}
    return {
        "inputs": sorted(names.values()),
        "replaces": sorted(names[name] for name in forcing(cls) if name in names),
    }


def _of_provider(token: str, inputs: set[str]) -> dict[str, Any]:
    """`replaces` by a property's own value; `blocks` when a whole block comes or goes, while
    what is inside has rows of its own; `engine` by the values.
    """
    paths, conditional = (
        _loaded("provider_replaces.json"),
        _loaded("provider_replaces_conditional.json"),
    )
    if token not in paths:
        raise LookupError(
            f"{token} is not in {PROVIDER / 'provider_replaces.json'}: read it out of the"
            " provider's schema"
        )
    known = paths[token]
    blocks = {path for path in known if any(other.startswith(f"{path}.") for other in known)}
    everywhere = {path for path in conditional[_EVERY] if path in inputs}
    engine = {
        path: f"replaced or not by its values ({why})"
        for path, why in conditional.get(token, {}).items()
        if path not in known
    }
    return {
        "replaces": sorted({*known, *everywhere} - blocks),
        "blocks": sorted(blocks),
        "engine": engine,
    }


def made() -> str:
    """The file's text."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        table = {
            "sdk": {name: version(name) for name in PACKAGES},
            "types": {token: row(token) for token in tokens()},
        }
    return json.dumps(table, indent=1, sort_keys=True) + "\n"


def main() -> int:
    """Write the file."""
    (DATA / "replacements.json").write_text(made(), encoding="utf-8")
    print(f"wrote {len(tokens())} types to {DATA / 'replacements.json'}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
