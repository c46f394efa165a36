"""Take the default values, the JSON schema and the names of jupyterhub_config.py of a
zero-to-jupyterhub chart into config/data/z2jh, as data.

    .venv/bin/python scripts/refresh_chart.py CHART_FOLDER VERSION

CHART_FOLDER is the unpacked chart (`helm pull --untar`), whose folder has values.yaml and
values.schema.json; or give the two files' folder of a checkout, where the publisher's placeholder
tags stand in for the version. Names are taken where files/hub is there. Afterwards change the
version in config/data/versions.toml, and run the tests with JHUB_CHART set to the same folder: they
compare both.
"""

from __future__ import annotations

import json
import symtable
import sys
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

TARGET = Path(__file__).resolve().parents[1] / "config" / "data" / "z2jh"
_PLACEHOLDER = "set-by-chartpress"


def defaults(text: str, version: str) -> Any:
    """The default values, with the version where the publisher puts it when a chart is packed."""
    return YAML(typ="safe", pure=True).load(text.replace(_PLACEHOLDER, version))


def names(text: str) -> list[str]:
    """The names that a module binds, whatever way it takes: what code sees that is executed at
    its end.
    """
    return sorted(
        symbol.get_name()
        for symbol in symtable.symtable(text, "jupyterhub_config.py", "exec").get_symbols()
        if symbol.is_local()
    )


def main(arguments: list[str]) -> int:
    """Write both files; 2 where the folder is no chart."""
    if len(arguments) != 2:  # folder and version
        print(__doc__, file=sys.stderr)
        return 2
    folder, version = Path(arguments[0]), arguments[1]
    sources = [
        next(iter(sorted(folder.glob(pattern))), None)
        for pattern in ("values*.yaml", "values.schema*.json")
    ]
    if None in sources:
        print(
            f"{folder}: has no values.yaml and values.schema.json; unpack the chart there",
            file=sys.stderr,
        )
        return 2
    values, schema = (
        source.read_text(encoding="utf-8") for source in sources if source is not None
    )
    TARGET.mkdir(exist_ok=True)
    (TARGET / f"values-{version}.json").write_text(
        json.dumps(defaults(values, version), indent=1) + "\n", encoding="utf-8"
    )
    (TARGET / f"values.schema-{version}.json").write_text(
        json.dumps(json.loads(schema), indent=1) + "\n", encoding="utf-8"
    )
    configuration = folder / "files" / "hub" / "jupyterhub_config.py"
    if configuration.exists():
        found = names(configuration.read_text(encoding="utf-8"))
        (TARGET / f"names-{version}.json").write_text(
            json.dumps(found, indent=1) + "\n", encoding="utf-8"
        )
    print(f"wrote values-{version}.json and values.schema-{version}.json to {TARGET}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
