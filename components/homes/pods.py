"""What pods that run a program of ours over homes have in common. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from jupyterhub_aws.components.hub.values.hub_files import text_of

HOMES = "/homes"
_PROGRAM_FOLDER = "/program"


@dataclass(frozen=True, kw_only=True)
class HomesProgram:
    """A file of components/hub/files, its arguments after the folder of homes, and who it runs
    as (None: the image's rights, 1000:100).
    """

    file: str
    arguments: Sequence[str]
    root_with: Sequence[str] | None = None


def program_data(program: HomesProgram) -> dict[str, str]:
    """The ConfigMap that holds it."""
    return {program.file: text_of(program.file)}


def pod(
    image: str, program: HomesProgram, *, on_core_nodes: bool, claim: str, config_map: str
) -> dict[str, Any]:
    """The pod: with the image of a hub's servers, which has Python and is in every bundle; homes at
    /homes; no network, no token.

    `on_core_nodes`: the cluster is the stack's own, whose core nodes have a label.
    """
    return {
        "restart_policy": "Never",
        "automount_service_account_token": False,
        "enable_service_links": False,
        **({"node_selector": {"hub.jupyter.org/node-purpose": "core"}} if on_core_nodes else {}),
        "security_context": {"seccomp_profile": {"type": "RuntimeDefault"}},
        "containers": [
            {
                "name": "program",
                "image": image,
                "command": [
                    "python3",
                    f"{_PROGRAM_FOLDER}/{program.file}",
                    HOMES,
                    *program.arguments,
                ],
                "security_context": _rights(program),
                "resources": {
                    "requests": {"cpu": "100m", "memory": "128Mi"},
                    "limits": {"cpu": "1", "memory": "1Gi"},
                },
                "volume_mounts": [
                    {"name": "homes", "mount_path": HOMES},
                    {"name": "program", "mount_path": _PROGRAM_FOLDER, "read_only": True},
                ],
            }
        ],
        "volumes": [
            {"name": "homes", "persistent_volume_claim": {"claim_name": claim}},
            {"name": "program", "config_map": {"name": config_map}},
        ],
    }


def _rights(program: HomesProgram) -> dict[str, Any]:
    if program.root_with is None:
        who: dict[str, Any] = {
            "run_as_user": 1000,
            "run_as_group": 100,
            "run_as_non_root": True,
            "capabilities": {"drop": ["ALL"]},
        }
    else:
        who = {
            "run_as_user": 0,
            "run_as_group": 0,
            "capabilities": {"drop": ["ALL"], "add": list(program.root_with)},
        }
    return {**who, "allow_privilege_escalation": False, "read_only_root_filesystem": True}
