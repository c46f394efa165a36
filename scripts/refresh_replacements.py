"""Take what the installed SDKs say about their types into config/data/replacements.json: every input, and those that are said to force a new resource.

    .venv/bin/python scripts/refresh_replacements.py

The types are those of config/data/replacements.toml, which completes it by hand. Run it after another version of an SDK was locked.
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

DATA = Path(__file__).resolve().parents[1] / "config" / "data"
PACKAGES = ("pulumi-aws", "pulumi-kubernetes", "pulumi-random")
#: A property of a docstring: its name and everything up to the next one.
_PROPERTY = re.compile(r":param (?:[^:\n]*?)(\w+): (.*?)(?=\n\s*:param|\Z)", re.DOTALL)
_FORCES = re.compile(
    r"forc(?:e|es|ing) (?:\w+ ){0,4}?(?:new|creation|recreat|re-creat|replac)|requires? (?:\w+ ){0,2}?(?:replacement|re-?creation)"
    r"|cannot be (?:changed|modified) after",
    re.I,
)


def resource_class(token: str) -> type | None:
    """The SDK's class of a type, None for types that are no class of an SDK."""
    package, module, name = token.split(":")
    if package == "pulumi":
        return None
    module = module.partition("/")[0] if package == "aws" else module.replace(".k8s.io", "").replace("helm.sh", "helm").replace("/", ".")
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
    args = getattr(module, f"{cls.__name__}Args", None) or getattr(module, f"{cls.__name__}InitArgs", None)
    text += "\n" + (inspect.getdoc(vars(args)["__init__"]) or "" if args else "")
    return {match[1] for match in _PROPERTY.finditer(text) if _FORCES.search(match[2])}


def main() -> int:
    """Write the file."""
    warnings.simplefilter("ignore", DeprecationWarning)
    types = tomllib.loads((DATA / "replacements.toml").read_text(encoding="utf-8"))
    found = {}
    for token in sorted(types):
        cls = resource_class(token)
        if cls is None:
            continue
        names, forced = inputs_of(cls), forcing(cls)
        found[token] = {"inputs": sorted(names.values()), "replaces": sorted(names[name] for name in forced if name in names)}
    table = {"sdk": {name: version(name) for name in PACKAGES}, "types": found}
    (DATA / "replacements.json").write_text(json.dumps(table, indent=1, sort_keys=True) + "\n", encoding="utf-8")
    print(f"wrote {len(found)} types to {DATA / 'replacements.json'}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
