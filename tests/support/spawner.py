"""Pods that the real KubeSpawner would post for people of a hub, by the chart's own
configuration of the hub.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

from jupyterhub_aws.components.hub.values.hub_files import HUB_FOLDER
from tests.support.chart import chart_folder, mounted, rendered

_PROGRAM = Path(__file__).parent / "spawn_pods.py"


class SpawnError(AssertionError):
    """What KubeSpawner, JupyterHub, or the chart's configuration of the hub, said against the
    values.
    """


def spawned_pods(
    values: Mapping[str, Any],
    cases: Sequence[tuple[str, str | None] | Mapping[str, Any]],
    folder: Path,
    *,
    release: str = "hub-main",
    existing: Mapping[str, Any] | None = None,
) -> list[dict[str, Any]]:
    """The pod of each case, a person and a profile's slug (None: no choice). `existing` is
    `values.yaml` of the hub's own Secret.

    A case may also be a map: `user`, `options` (what the form sends), `groups` and `admin` of the
    person.
    """
    files = mounted(rendered(values, release=release))
    files["existing-secret"] = {"values.yaml": yaml.safe_dump(dict(existing))} if existing else {}
    return list(
        _answer(values, files, folder, {"namespace": release, "cases": list(cases)})["pods"]
    )


def authenticator(values: Mapping[str, Any], folder: Path, *, release: str = "hub-main") -> str:
    """The class that lets people in, made by the real JupyterHub. Raises SpawnError where it, or
    the hub, does not know an option.
    """
    return str(
        _answer(
            values,
            mounted(rendered(values, release=release)),
            folder,
            {"namespace": release, "cases": None},
        )["authenticator"]
    )


def _answer(
    values: Mapping[str, Any],
    files: Mapping[str, Mapping[str, str]],
    folder: Path,
    asked: Mapping[str, Any],
) -> dict[str, Any]:
    for item in (values.get("hub", {}).get("extraFiles") or {}).values():
        place = Path(item["mountPath"])
        if place.is_relative_to(
            HUB_FOLDER
        ):  # where the hub imports from; the rest nobody opens here
            (folder / place.relative_to(HUB_FOLDER)).parent.mkdir(parents=True, exist_ok=True)
            (folder / place.relative_to(HUB_FOLDER)).write_text(item["stringData"])
    for name, content in files.items():
        (folder / name).mkdir(parents=True, exist_ok=True)
        for key, text in content.items():
            (folder / name / key).write_text(text)
    request = folder / "request.json"
    request.write_text(
        json.dumps(
            {"folder": str(folder), "hub_files": str(chart_folder() / "files" / "hub"), **asked}
        )
    )
    done = subprocess.run(
        [sys.executable, str(_PROGRAM), str(request)],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    if not done.stdout.strip():
        raise SpawnError(done.stderr[-3000:])
    answer: dict[str, Any] = json.loads(done.stdout.strip().splitlines()[-1])
    if "error" in answer:
        raise SpawnError(answer["error"])
    return answer
