"""The real chart, rendered by the real Helm: what it makes of values."""

from __future__ import annotations

import base64
import json
import os
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml

#: A helm built from source believes in Kubernetes 1.20, which the chart refuses.
KUBE_VERSION = "1.35.0"
_NOT_RUN = "the values were not rendered by the real chart"


def chart_folder() -> Path:
    """The unpacked chart at JHUB_CHART."""
    return Path(os.environ["JHUB_CHART"])


def missing_for_the_chart() -> str:
    """What is not on this machine, and that the tests which need it did not run; empty where all
    of it is there.
    """
    missing = [] if os.environ.get("JHUB_CHART") else ["no chart at JHUB_CHART"]
    missing += [] if shutil.which("helm") else ["no helm on PATH"]
    return f"{' and '.join(missing)}: {_NOT_RUN}" if missing else ""


def rendered(values: Mapping[str, Any], *, release: str) -> list[dict[str, Any]]:
    """Every object that a release of these values makes. Raises AssertionError with Helm's own
    words where it refuses.
    """
    command = [
        "helm",
        "template",
        release,
        str(chart_folder()),
        "--namespace",
        release,
        "--kube-version",
        KUBE_VERSION,
        "--values",
        "-",
    ]
    done = subprocess.run(
        command, input=json.dumps(values), capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stderr[-3000:]
    return [document for document in yaml.safe_load_all(done.stdout) if document]


def pod_templates(objects: list[dict[str, Any]]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Kind and name of everything that runs pods, with the pod's template."""
    for item in objects:
        template = item.get("spec", {}).get("template")
        if isinstance(template, dict) and "spec" in template:
            yield f"{item['kind']}/{item['metadata']['name']}", template
        elif item["kind"] == "Pod":
            yield f"Pod/{item['metadata']['name']}", item


def mounted(objects: list[dict[str, Any]]) -> dict[str, dict[str, str]]:
    """What the hub's pod finds under /usr/local/etc/jupyterhub: folder to files."""
    (secret,) = [
        item for item in objects if item["kind"] == "Secret" and item["metadata"]["name"] == "hub"
    ]
    (config,) = [
        item
        for item in objects
        if item["kind"] == "ConfigMap" and item["metadata"]["name"] == "hub"
    ]
    return {
        "secret": {key: base64.b64decode(value).decode() for key, value in secret["data"].items()},
        "config": dict(config["data"]),
    }
