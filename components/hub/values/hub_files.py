"""Files of this library in the hub's own pod, and their mount paths."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path

from jupyterhub_aws.config.hub_code import CONFIGURATION_FOLDER, OWN_CONFIGURATION

FOLDER = Path(__file__).resolve().parents[1] / "files"
#: The chart puts its own configuration here, and the folder on Python's path
#: (files/hub/jupyterhub_config.py of chart 4.4.0);
#: what lies in `jupyterhub_config.d` is executed with that configuration in scope.
HUB_FOLDER = "/usr/local/etc/jupyterhub"


@dataclass(frozen=True, kw_only=True)
class HubFile:
    """`key` is the file's name in hub.extraFiles, `mount_path` where the pod has it."""

    key: str
    mount_path: str


LDAP_CA = HubFile(key="ldap-ca", mount_path="/etc/jupyterhub-aws/ldap-ca.crt")
#: The key below `custom` under which the chart passes our settings to them.
OWN_SETTINGS = "jupyterhubAws"
_MODULES = (
    "jupyterhub_aws_heartbeat",
    "jupyterhub_aws_notice",
    "jupyterhub_aws_people",
    "jupyterhub_aws_spawner",
)


def file_of_hub(name: str) -> dict[str, dict[str, str]]:
    """`hub.extraFiles` for one file of components/hub/files: a module that the hub can import,
    or a configuration that it executes.
    """
    folder = CONFIGURATION_FOLDER if name[0].isdigit() else HUB_FOLDER
    return {
        name.removesuffix(".py").replace("_", "-"): {
            "mountPath": f"{folder}/{name}",
            "stringData": text_of(name),
        }
    }


@cache
def text_of(name: str) -> str:
    """The text of a file of components/hub/files."""
    return (FOLDER / name).read_text(encoding="utf-8")


def files_of_every_hub() -> dict[str, dict[str, str]]:
    """The files of every hub, independent of its sign-in."""
    return {
        **file_of_hub(OWN_CONFIGURATION),
        **{key: file for name in _MODULES for key, file in file_of_hub(f"{name}.py").items()},
    }
