"""Nodes, pods and claims as a cluster lists them, with what commands look at."""

from __future__ import annotations

from typing import Any


def node(
    name: str, pool: str, *, spot: bool = True, ready: bool = True, cordoned: bool = False
) -> dict[str, Any]:
    labels = {
        "jupyterhub-aws/pool": pool,
        "node.kubernetes.io/instance-type": "r5n.2xlarge",
        "topology.kubernetes.io/zone": "us-east-1a",
        "eks.amazonaws.com/capacityType": "SPOT" if spot else "ON_DEMAND",
    }
    return {
        "metadata": {
            "name": f"{name}.ec2.internal",
            "labels": labels,
            "creationTimestamp": "2026-11-28T09:00:00Z",
        },
        "spec": {"unschedulable": True} if cordoned else {},
        "status": {
            "conditions": [{"type": "Ready", "status": "True" if ready else "Unknown"}],
            "nodeInfo": {"kubeletVersion": "v1.35.2-eks-1234567"},
        },
    }


def server_pod(user: str, on: str, *, server: str = "") -> dict[str, Any]:
    notes = {
        "hub.jupyter.org/username": user,
        **({"hub.jupyter.org/servername": server} if server else {}),
    }
    return {
        "metadata": {"name": f"jupyter-{user.replace('@', '-')}---abcd", "annotations": notes},
        "spec": {"nodeName": f"{on}.ec2.internal"} if on else {},
        "status": {"phase": "Running" if on else "Pending"},
    }


def waiting_pod(name: str, *, reason: str = "", unschedulable: str = "") -> dict[str, Any]:
    states = [{"state": {"waiting": {"reason": reason}}, "restartCount": 7}] if reason else []
    conditions = (
        [{"type": "PodScheduled", "status": "False", "message": unschedulable}]
        if unschedulable
        else []
    )
    return {
        "metadata": {"name": name},
        "spec": {},
        "status": {"containerStatuses": states, "conditions": conditions},
    }


def claim(name: str, phase: str) -> dict[str, Any]:
    return {"metadata": {"name": name}, "status": {"phase": phase}}


def release(
    number: int, status: str, updated: str = "2026-11-27T08:00:00.5+00:00"
) -> dict[str, Any]:
    return {
        "revision": number,
        "status": status,
        "chart": "jupyterhub-4.4.0",
        "updated": updated,
        "app_version": "5.5.0",
        "description": "",
    }


def person(name: str, *servers: dict[str, Any]) -> dict[str, Any]:
    return {"name": name, "servers": {item["name"]: item for item in servers}}


def hub_server(profile: str, *, name: str = "", pending: str | None = None) -> dict[str, Any]:
    return {
        "name": name,
        "ready": pending is None,
        "pending": pending,
        "started": "2026-11-28T09:00:00.000000Z",
        "last_activity": "2026-11-28T11:30:00.000000Z",
        "user_options": {"profile": profile},
    }
