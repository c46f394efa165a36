"""The `kubectl` of a cluster in a file (tests/support/nodes_of_a_cluster.py): nodes, people's
servers, and an autoscaler that takes empty nodes.
"""

from __future__ import annotations

import base64
import contextlib
import fcntl
import json
import os
import sys
import threading
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

TOKEN = "operators-token-of-a-test"


@contextlib.contextmanager
def changing(file: str | os.PathLike[str]) -> Iterator[dict[str, Any]]:
    """The state, held while the block runs, written at its end."""
    with open(file, "r+", encoding="utf-8") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        state = json.load(handle)
        yield state
        handle.seek(0)
        handle.truncate()
        json.dump(state, handle)


def kubectl(file: str, arguments: Sequence[str]) -> None:
    """What the script on PATH does."""
    words = [word for word in arguments if not word.startswith("--request-timeout")]
    words = words[2:] if words[:1] == ["--context"] else words
    with changing(file) as state:
        state["calls"].append(" ".join(words))
        kill = state["kill"]
        now = kill is not None and len(state["calls"]) == kill["call"]
        if now:
            state["kill"] = None
        printed = "" if now and not kill["after"] else _answer(state, words)
    if now:
        os.kill(os.getppid(), 9)
        return
    if "port-forward" in words:
        print(f"Forwarding from 127.0.0.1:{state['port']} -> 8081", flush=True)
        threading.Event().wait()
    sys.stdout.write(printed)


def _answer(state: dict[str, Any], words: Sequence[str]) -> str:
    if "port-forward" in words or "/readyz" in words:
        return "ok"
    if words[:1] == ["cordon"]:
        for name in words[1:]:
            state["nodes"][name]["cordoned"] = True
        return "cordoned"
    if "secret" in words:
        return json.dumps(
            {
                "data": {
                    "hub.services.jupyterhub-aws-operator.apiToken": (
                        base64.b64encode(TOKEN.encode()).decode()
                    )
                }
            }
        )
    _time_passes(state, words)
    selector = words[words.index("--selector") + 1] if "--selector" in words else ""
    if "nodes" in words:
        wanted = selector.split(",")
        return json.dumps(
            {
                "items": [
                    _node(name, item)
                    for name, item in state["nodes"].items()
                    if f"jupyterhub-aws/pool={item['pool']}" in wanted
                ]
            }
        )
    if "pods" in words:
        return json.dumps(
            {
                "items": [
                    _pod(name, item)
                    for name, item in state["pods"].items()
                    if not selector or item["kind"] == "server"
                ]
            }
        )
    raise SystemExit(f"kubectl of the test does not know {words}")


def _time_passes(state: dict[str, Any], words: Sequence[str]) -> None:
    """Each look at the pods brings culling and stopping on by a step, each look at the nodes the
    autoscaler.
    """
    if "pods" in words:
        for name, item in list(state["pods"].items()):
            for key in ("ends_after", "stops_after"):
                if item[key] is not None:
                    item[key] -= 1
                    if item[key] < 0:
                        state["pods"].pop(name, None)
    if "nodes" in words and state["autoscaler"]:
        busy = {item["node"] for item in state["pods"].values() if item["kind"] != "daemon"}
        for name, item in list(state["nodes"].items()):
            if item["cordoned"] and name not in busy:
                item["looks"] -= 1
                if item["looks"] < 0:
                    del state["nodes"][name]


def _node(name: str, item: Mapping[str, Any]) -> dict[str, Any]:
    labels = {
        "jupyterhub-aws/pool": item["pool"],
        **(
            {}
            if item["generation"] == 1
            else {"jupyterhub-aws/generation": str(item["generation"])}
        ),
    }
    spec = {
        "providerID": f"aws:///us-east-1a/{item['instance']}",
        **({"unschedulable": True} if item["cordoned"] else {}),
    }
    return {"metadata": {"name": name, "labels": labels}, "spec": spec}


def _pod(name: str, item: Mapping[str, Any]) -> dict[str, Any]:
    annotations = {
        "hub.jupyter.org/username": item["user"],
        "hub.jupyter.org/servername": item["server"],
    }
    owners = [{"kind": "DaemonSet"}] if item["kind"] == "daemon" else []
    meta = {
        "name": name,
        "namespace": item["namespace"],
        "annotations": annotations,
        "ownerReferences": owners,
    }
    return {
        "metadata": meta,
        "spec": {"nodeName": item["node"]},
        "status": {"phase": item.get("phase", "Running")},
    }


if __name__ == "__main__":
    kubectl(sys.argv[1], sys.argv[2:])
