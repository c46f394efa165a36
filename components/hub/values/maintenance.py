"""The maintenance page among a hub's values: a container beside the proxy, which the proxy asks for
the page of an error.

The chart mounts no files into the proxy's pod, and always gives the proxy an error target, with
which it refuses a folder of pages (configurable-http-proxy 5.2.0, bin/configurable-http-proxy).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from jupyterhub_aws.components.hub.values.hub_files import text_of
from jupyterhub_aws.config.chart import default_values
from jupyterhub_aws.config.errors import Problem, dotted
from jupyterhub_aws.config.hub import Hub
from jupyterhub_aws.config.maintenance import page
from jupyterhub_aws.config.tree import at

NAME = "maintenance-page"
#: The proxy has 8000, 8001 and 8443 (chart 4.4.0, templates/proxy/deployment.yaml). Only this pod
#: reaches it.
_PORT = 8002
_RESOURCES = {
    "requests": {"cpu": "10m", "memory": "64Mi"},
    "limits": {"cpu": "100m", "memory": "128Mi"},
}
_RELOAD_SECONDS = 20


def maintenance_values(hub: Hub) -> dict[str, Any]:
    """`proxy.chp` of a hub with such a page; empty without one."""
    section = hub.maintenance_page
    if section is None:
        return {}
    chp = default_values()["proxy"]["chp"]
    title = "Please come back in some minutes"
    text = " ".join(filter(None, (section.text, section.contact)))
    environment = {
        # As the chart has it (templates/proxy/deployment.yaml): a hub's Service is always `hub`.
        "HUB_ERROR_URL": "http://hub:8081/hub/error",
        "MAINTENANCE_PAGE": page(
            title, section.text, section.contact, reload_seconds=_RELOAD_SECONDS
        ),
        "MAINTENANCE_TEXT": text,
        "MAINTENANCE_PORT": str(_PORT),
    }
    container = {
        "name": NAME,
        "image": f"{chp['image']['name']}:{chp['image']['tag']}",
        # It runs beside the proxy, and never ends with an error of its own the proxy's
        # (Kubernetes documentation, "Sidecar Containers").
        "restartPolicy": "Always",
        "command": ["node", "-e", text_of("maintenance.js")],
        "env": [{"name": key, "value": _plain(value)} for key, value in environment.items()],
        "resources": _RESOURCES,
        "securityContext": {**chp["containerSecurityContext"], "readOnlyRootFilesystem": True},
    }
    return {
        "errorTarget": f"http://127.0.0.1:{_PORT}",
        "extraPodSpec": {"initContainers": [container]},
    }


def _plain(value: str) -> str:
    """A value that Kubernetes does not expand (Kubernetes API, EnvVar: `$$(NAME)`)."""
    return value.replace("$(", "$$(")


def maintenance_problems(
    name: str, before: Mapping[str, Any], after: Mapping[str, Any]
) -> Iterator[Problem]:
    """Values in `helm_values` that take the page away: `before` is what the options alone become,
    `after` what Helm gets.
    """
    for path in (
        ("proxy", "chp", "errorTarget"),
        ("proxy", "chp", "extraPodSpec", "initContainers"),
    ):
        if at(after, *path) != at(before, *path):
            yield Problem(
                id="maintenance.replaced",
                path=dotted(("hubs", name, "helm_values", *path)),
                what="replaces what maintenance_page sets: users would not get that page",
                fix=f"remove it, or remove hubs.{name}.maintenance_page",
            )
