"""Shared directories by group in pods of the real KubeSpawner, with the real chart's
configuration.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.support.chart import missing_for_the_chart
from tests.support.pod_security import violations
from tests.support.spawner import spawned_pods
from tests.support.stacks import record

pytestmark = [
    pytest.mark.real,
    pytest.mark.skipif(bool(missing_for_the_chart()), reason=missing_for_the_chart()),
]
DIRECTORIES = {
    "course": {
        "write_groups": ["example-org:instructors"],
        "read_groups": ["example-org:students"],
        "writable_by": "none",
    },
    "data": {},
    "grading": {"write_groups": ["example-org:instructors"]},
}
#: A user's groups and whether they are an administrator, and for each directory of their server
#: whether it can only be read there.
USERS: tuple[tuple[list[str], bool, dict[str, bool]], ...] = (
    ([], False, {"data": True}),
    (["example-org:others"], False, {"data": True}),
    (["example-org:students"], False, {"data": True, "course": True}),
    (["example-org:instructors"], False, {"data": True, "course": False, "grading": False}),
    ([], True, {"data": False, "grading": False}),
)


def test_members_have_the_directory_and_others_do_not(tmp_path: Path) -> None:
    setting = f"hubs.main.shared_directories={json.dumps(DIRECTORIES)}"
    (release,) = [
        item
        for item in record(setting).resources.of("kubernetes:helm.sh/v3:Release")
        if item.name == "hub-main-release"
    ]
    text = json.dumps(release.inputs["values"]).replace('"[secret]"', json.dumps("0" * 64))
    cases = [{"user": "ada", "groups": groups, "admin": admin} for groups, admin, _ in USERS]
    pods = spawned_pods(json.loads(text), cases, tmp_path)
    assert [shared(pod) for pod in pods] == [expected for *_, expected in USERS]
    for pod in pods:
        assert violations(pod) == []
        (server,) = pod["spec"]["containers"]
        for mount in server["volumeMounts"]:
            if mount["mountPath"].startswith("/home/jovyan/shared/"):
                name = mount["mountPath"].rpartition("/")[2]
                assert (mount["name"], mount["subPath"]) == ("home", f"_shared/{name}")


def shared(pod: dict[str, Any]) -> dict[str, bool]:
    (server,) = pod["spec"]["containers"]
    return {
        mount["mountPath"].rpartition("/")[2]: bool(mount.get("readOnly"))
        for mount in server["volumeMounts"]
        if mount["mountPath"].startswith("/home/jovyan/shared/")
    }
