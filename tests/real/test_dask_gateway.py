"""Dask Gateway's own chart and server with the values of the component: its pods, its limits, and
who it takes a token's holder for.

DASK_GATEWAY_CHART is the chart's folder, DASK_GATEWAY_PYTHON a Python with dask-gateway-server and
kubernetes_asyncio. Neither is among the requirements.
"""

from __future__ import annotations

import copy
import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests
import yaml

from jupyterhub_aws.components.hub.values.hub import hub_values
from jupyterhub_aws.components.hub.values.problems import UNKNOWN
from jupyterhub_aws.components.hub.values.services import token_key
from jupyterhub_aws.config.specs import resolve
from tests.components.test_dask_gateway import SERVICE, spec
from tests.support.directory_stacks import stack_with
from tests.support.hub_boot import Hub, booted, missing_for_a_hub
from tests.support.pod_security import violations

CHART, PYTHON = (os.environ.get(f"DASK_GATEWAY_{name}", "") for name in ("CHART", "PYTHON"))
PROGRAM = Path(__file__).parents[1] / "support" / "dask_program.py"
pytestmark = [
    pytest.mark.real,
    pytest.mark.skipif(
        not (CHART and shutil.which("helm")),
        reason="no chart at DASK_GATEWAY_CHART and no helm: Dask Gateway was not rendered",
    ),
]
server = pytest.mark.skipif(
    not PYTHON, reason="no Python at DASK_GATEWAY_PYTHON: Dask Gateway's server was not asked"
)
PASSWORD = "u" * 12


@pytest.fixture(scope="module")
def objects() -> list[dict[str, Any]]:
    command = ["helm", "template", "dask-gateway", CHART, "--namespace", "dask-gateway"]
    done = subprocess.run(
        [*command, "--kube-version", "1.35.0", "--values", "-"],
        input=json.dumps(spec().values),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    return [item for item in yaml.safe_load_all(done.stdout) if item]


def of(objects: list[dict[str, Any]], kind: str) -> dict[str, dict[str, Any]]:
    return {item["metadata"]["name"]: item for item in objects if item["kind"] == kind}


def test_the_chart_makes_the_deployments_that_the_component_patches(
    objects: list[dict[str, Any]],
) -> None:
    made, wanted = of(objects, "Deployment"), spec().deployments
    assert set(made) == set(wanted.values())
    for part, name in wanted.items():
        template = copy.deepcopy(made[name]["spec"]["template"])
        (container,) = template["spec"]["containers"]
        assert container["name"] == part
        assert template["spec"]["serviceAccountName"] == spec().account(part)
        assert spec()._labels(part).items() <= template["metadata"]["labels"].items()
        assert violations(template), "the chart by itself: the patch is needed"
        container["securityContext"] = {
            **container.get("securityContext", {}),
            **_patch(),
        }
        assert violations(template) == []
        for kind in ("requests", "limits"):
            assert set(container["resources"][kind]) == {"cpu", "memory"}
    assert template["spec"]["nodeSelector"]["hub.jupyter.org/node-purpose"] == "core"


def _patch() -> dict[str, Any]:
    from jupyterhub_aws.config.specs.dask_gateway import CONTAINER_SECURITY

    return dict(CONTAINER_SECURITY)


def test_the_chart_gives_no_right_and_no_address_of_its_own(objects: list[dict[str, Any]]) -> None:
    kinds = {item["kind"] for item in objects}
    assert not kinds & {"ClusterRole", "ClusterRoleBinding", "ServiceAccount", "Secret"}
    services = of(objects, "Service")
    assert {item["spec"]["type"] for item in services.values()} == {"ClusterIP"}
    (web,) = services["traefik-dask-gateway"]["spec"]["ports"]
    assert (web["port"], web["targetPort"]) == (80, SERVICE["pods"]["port"])


def test_the_token_is_that_of_the_service(objects: list[dict[str, Any]]) -> None:
    (container,) = of(objects, "Deployment")["api-dask-gateway"]["spec"]["template"]["spec"][
        "containers"
    ]
    (variable,) = container["env"]
    assert variable["valueFrom"]["secretKeyRef"] == {
        "name": "service-dask-gateway",
        "key": "JUPYTERHUB_API_TOKEN",
    }


@pytest.fixture
def config(objects: list[dict[str, Any]], tmp_path: Path) -> Path:
    path = tmp_path / "dask_gateway_config.py"
    path.write_text(of(objects, "ConfigMap")["api-dask-gateway"]["data"][path.name])
    return path


def asked(*words: str) -> Any:
    done = subprocess.run(
        [PYTHON, str(PROGRAM), *words], capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stderr[-3000:]
    return json.loads(done.stdout)


@server
def test_pods_of_clusters_run_where_they_should_and_pass_restricted(config: Path) -> None:
    found = asked("pods", str(config))
    for kind, pool in (("worker", "gpu"), ("scheduler", "memory")):
        pod = found[kind]
        assert violations(pod) == []
        assert pod["spec"]["nodeSelector"]["jupyterhub-aws/pool"] == pool
        assert {"hub.jupyter.org/dedicated"} <= {item["key"] for item in pod["spec"]["tolerations"]}
        assert pod["spec"]["automountServiceAccountToken"] is False
        labels = pod["metadata"]["labels"]
        assert labels["app.kubernetes.io/component"] == f"dask-{kind}"
        assert labels["app.kubernetes.io/name"] == "dask-gateway"
        assert "app.kubernetes.io/instance" not in labels, "else the hub would take it for ours"
    (worker,) = found["worker"]["spec"]["containers"]
    assert worker["resources"]["limits"] == {"cpu": "1.000", "memory": str(8 * 2**30)}
    assert worker["image"] == "ghcr.io/dask/dask-gateway:2026.3.0"


@server
def test_a_user_has_no_more_than_the_limits(config: Path) -> None:
    found = asked("pods", str(config))
    assert found["limits"] == {
        "cluster_max_workers": 10,
        "cluster_max_cores": 21.0,
        "cluster_max_memory": 82 * 2**30,
        "idle_timeout": 1800.0,
    }
    cores, memory, image, second = found["refused"]
    assert "worker_cores" in cores and "worker_memory" in memory and "image" in image
    assert "You have 1 cluster(s) already" in second


# --- the real hub ---

#: In place of a server: it says the token that a notebook there would send.
TELLS_ITS_TOKEN = """
import http.server, os
from urllib.parse import urlsplit

class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.end_headers()
        self.wfile.write(os.environ["JUPYTERHUB_API_TOKEN"].encode())
    def log_message(self, *_):
        pass

at = urlsplit(os.environ["JUPYTERHUB_SERVICE_URL"])
http.server.ThreadingHTTPServer((at.hostname, at.port), Handler).serve_forever()
"""


@pytest.fixture(scope="module")
def hub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hub]:
    if missing_for_a_hub():
        pytest.skip(missing_for_a_hub())
    services = {"dask-gateway": {**SERVICE, "groups": [], "users": ["ada"]}}
    stack = stack_with(
        {"kind": "shared_password", "usernames": "simple"},
        f"hubs.main.services={json.dumps(services)}",
    )
    text = json.dumps(hub_values(resolve(stack).hubs["main"], UNKNOWN, resolve(stack).images))
    with booted(
        json.loads(text.replace('"[secret]"', json.dumps("0" * 64))),
        tmp_path_factory.mktemp("dask") / "hub",
        secret={"hub": {"config": {"SharedPasswordAuthenticator": {"user_password": PASSWORD}}}},
        secret_keys={token_key("dask-gateway"): "d" * 64},
        server_text=TELLS_ITS_TOKEN,
    ) as found:
        yield found


@server
def test_the_token_of_a_server_opens_the_gateway_for_members_and_no_others(
    hub: Hub, config: Path
) -> None:
    from tests.real.test_hub_booted import start

    tokens = []
    for user in ("ada", "bob"):
        _, session = hub.sign_in(user, PASSWORD)
        start(hub, session, user)
        tokens.append(requests.get(f"{hub.url}/user/{user}/", timeout=10).text)
    assert len(set(tokens)) == 2
    found = asked("user", str(config), f"{hub.url}/hub/api", *tokens, "f" * 32)
    assert found[0] == {"name": "ada", "groups": []}
    assert found[1] == {"status": 401}, "a user of the hub who may not open the service"
    assert found[2]["status"] in (401, 500), "no token of the hub's"
