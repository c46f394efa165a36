"""Write jupyterhub_aws/config/data/region_types.json anew: which EC2 instance types each region has.

    .venv/bin/python scripts/refresh_region_types.py

It reads what moto carries of DescribeInstanceTypeOfferings (a development dependency; `make test`
installs it) and opens no connection. Regions that moto lacks are not in the table, and no type is
judged there.
"""

from __future__ import annotations

import gzip
import importlib.metadata
import json
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
DATA = ROOT / "jupyterhub_aws" / "config" / "data"
TABLE = DATA / "region_types.json"


def offerings(folder: Path) -> dict[str, set[str]]:
    """The types of each region."""
    return {
        path.name.split(".")[0]: {
            row["InstanceType"] for row in json.loads(gzip.decompress(path.read_bytes()))
        }
        for path in folder.glob("*.json.gz")
    }


def table(offered: Mapping[str, set[str]], types: Iterable[str], source: str) -> dict[str, Any]:
    """The whole file. The regions of a type are one number in hexadecimal: the bit of a region is
    its place in `regions`.
    """
    regions = sorted(offered)
    masks = {
        kind: sum(1 << place for place, region in enumerate(regions) if kind in offered[region])
        for kind in sorted(types)
    }
    return {
        "source": source,
        "regions": regions,
        "types": {kind: f"{mask:x}" for kind, mask in masks.items() if mask},
    }


def rendered(document: Mapping[str, Any]) -> str:
    """The file's text: a line for each family of types."""
    families: dict[str, list[str]] = {}
    for kind, mask in document["types"].items():
        families.setdefault(kind.split(".")[0], []).append(f'"{kind}":"{mask}"')
    head = json.dumps({name: document[name] for name in ("source", "regions")})[1:-1]
    lines = ",\n".join(",".join(kinds) for kinds in families.values())
    return f'{{{head},\n"types": {{\n{lines}\n}}}}\n'


def main() -> int:
    """Write the file."""
    import moto

    folder = Path(moto.__file__).parent / "ec2" / "resources" / "instance_type_offerings" / "region"
    types = json.loads((DATA / "ec2_types.json").read_bytes())["types"]
    version = importlib.metadata.version("moto")
    source = f"DescribeInstanceTypeOfferings as carried by moto {version}"
    found = table(offerings(folder), types, source)
    TABLE.write_text(rendered(found), encoding="utf-8")
    print(f"{len(found['types'])} types, {len(found['regions'])} regions", file=sys.stderr)
    return 0


if __name__ == "__main__":
    sys.exit(main())
