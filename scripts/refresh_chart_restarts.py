"""Measure on the real chart which pods a changed value replaces, and write it to
config/data/z2jh/restarts-VERSION.json.

    .venv/bin/python scripts/refresh_chart_restarts.py CHART_FOLDER VERSION

Each leaf of the chart's values is changed, one at a time, on top of several of our own sets of
values (tests/fixtures/values), and the chart is rendered by `helm`: what differs in a pod template
is a restart of those pods. It takes some minutes. Paths whose leaves all agree are written as one.
A leaf that no change of ours gets past the chart's schema is written as null: unknown.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections import defaultdict
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).resolve().parents[1]
TARGET = ROOT / "config" / "data" / "z2jh"
#: Sets of values that switch on what others leave off: only what is rendered can be seen to change.
BASES = (
    "as-committed",
    "ldap-own-certificate",
    "oidc-postgres",
    "nfs",
    "kubeadm",
    "profiles-derived-from-pools",
    "a-volume-per-person",
)
_KUBE_VERSION = (  # a helm built from source believes in Kubernetes 1.20, which the chart refuses
    "1.35.0"
)

Path_ = tuple[str, ...]


def render(chart: Path, values: dict[str, Any]) -> dict[str, str] | None:
    """What runs pods, by its name, as the text of its pod template; and the rest under an empty
    name. None where the chart refuses.
    """
    command = [
        "helm",
        "template",
        "hub-main",
        str(chart),
        "--namespace",
        "hub-main",
        "--kube-version",
        _KUBE_VERSION,
        "--values",
        "-",
    ]
    done = subprocess.run(  # noqa: S603
        command, input=json.dumps(values), capture_output=True, text=True, timeout=120, check=False
    )
    if done.returncode != 0:
        return None
    found, rest = {}, []
    for item in yaml.load_all(done.stdout, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader)):
        template = (item or {}).get("spec", {}).get("template") if item else None
        if isinstance(template, dict) and "spec" in template:
            found[str(item["metadata"]["name"])] = json.dumps(template, sort_keys=True)
        elif item:
            rest.append(json.dumps(item, sort_keys=True))
    return {**found, "": "\n".join(sorted(rest))}


def leaves(value: Any, path: Path_ = ()) -> Iterator[tuple[Path_, Any]]:
    """Every leaf; a list, and a map that users fill, is one."""
    if isinstance(value, dict) and value:
        for key in sorted(value):
            yield from leaves(value[key], (*path, key))
    else:
        yield path, value


def others(value: Any) -> list[Any]:
    """What a value may be changed to: the first that the chart takes is used."""
    if isinstance(value, bool):
        return [not value]
    if isinstance(value, (int, float)):
        return [value + 1, value + 10, f"{value}1"]
    if isinstance(value, str) and value:
        return [
            other
            for other in (
                value + "x",
                value.replace("Gi", "0Gi"),
                *_words(),
                4242,
                {"changed": "x"},
            )
            if other != value
        ]
    if isinstance(value, list):
        return [
            [*value, "changed"],
            [*value, {"name": "changed"}],
            [*value, {"name": "changed", "emptyDir": {}}],
        ]
    return [
        {"changed": "x"},
        {"changed": {"x": "y"}},
        {"changed": {"name": "x", "tag": "y"}},
        "changed",
        True,
        4242,
        ["changed"],
        [{"name": "changed"}],
        *_words(),
    ]


@cache
def _words() -> list[str]:
    """Every word that the chart's schema lists anywhere: where it takes only some, one of them
    is it.
    """
    (schema,) = TARGET.glob("values.schema-*.json")
    found: set[str] = set()

    def walk(value: Any) -> None:
        for item in (
            value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
        ):
            walk(item)
        if isinstance(value, dict) and isinstance(value.get("enum"), list):
            found.update(item for item in value["enum"] if isinstance(item, str) and item)

    walk(json.loads(schema.read_text(encoding="utf-8")))
    return sorted(found)


def changed(values: dict[str, Any], path: Path_, value: Any) -> dict[str, Any]:
    """The values with one leaf another."""
    copy: dict[str, Any] = json.loads(json.dumps(values))
    here = copy
    for part in path[:-1]:
        below = here.get(part)
        here[part] = below if isinstance(below, dict) else {}
        here = here[part]
    here[path[-1]] = value
    return copy


def restarts(
    chart: Path, base: dict[str, Any], before: dict[str, str], path: Path_, value: Any
) -> set[str] | None:
    """What restarts when one leaf changes."""
    for other in others(value):
        after = render(chart, changed(base, path, other))
        if after is not None:
            return {
                name for name in {*before, *after} if name and before.get(name) != after.get(name)
            }
    return None


def collapsed(found: dict[Path_, Any]) -> dict[str, Any]:
    """Paths whose leaves all agree as one, from the leaves up."""
    table: dict[str, Any] = {}

    def walk(prefix: Path_, below: dict[Path_, Any]) -> None:
        if len({json.dumps(value) for value in below.values()}) == 1:
            table[".".join(prefix)] = next(iter(below.values()))
            return
        heads: dict[str, dict[Path_, Any]] = defaultdict(dict)
        for path, value in below.items():
            heads[path[len(prefix)]][path] = value
        for head, inner in sorted(heads.items()):
            walk((*prefix, head), inner)

    heads: dict[str, dict[Path_, Any]] = defaultdict(dict)
    for path, value in found.items():
        heads[path[0]][path] = value
    for head, inner in sorted(heads.items()):
        walk((head,), inner)
    return table


def measure(chart: Path, defaults: dict[str, Any]) -> dict[Path_, Any]:
    """Every leaf of every base, and what restarts with it."""
    sys.path.insert(0, str(ROOT))
    from jupyterhub_aws.config.chart import merged

    found: dict[Path_, set[str] | None] = {}
    for name in BASES:
        base = yaml.safe_load(
            (ROOT / "tests" / "fixtures" / "values" / f"{name}.yaml").read_text(encoding="utf-8")
        )
        before = render(chart, base)
        if before is None or before != render(chart, base):
            raise SystemExit(f"{name}: the chart refuses it, or renders it differently each time")
        todo = list(leaves(merged(defaults, base)))
        with ThreadPoolExecutor(os.cpu_count() or 2) as pool:
            results = pool.map(lambda item: restarts(chart, base, before, *item), todo)  # noqa: B023 -- used up inside the loop
        for (path, _), result in zip(todo, results, strict=True):
            found[path] = (
                result if found.get(path) is None else (found[path] or set()) | (result or set())
            )
        print(f"{name}: {len(todo)} leaves", file=sys.stderr)
    return {path: None if pods is None else sorted(pods) for path, pods in found.items()}


def main(arguments: list[str]) -> int:
    """Write the table; 2 where the folder is no chart."""
    if (
        len(arguments) != 2 or not (Path(arguments[0]) / "Chart.yaml").is_file()
    ):  # folder and version
        print(__doc__, file=sys.stderr)
        return 2
    chart, version = Path(arguments[0]), arguments[1]
    defaults = json.loads((TARGET / f"values-{version}.json").read_text(encoding="utf-8"))
    table = collapsed(measure(chart, defaults))
    (TARGET / f"restarts-{version}.json").write_text(
        json.dumps(table, indent=1, sort_keys=True) + "\n", encoding="utf-8"
    )
    print(f"wrote restarts-{version}.json: {len(table)} paths")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
