"""Run as a program by a Python that has dask-gateway-server, which is none of ours: what the
gateway's own code makes of a configuration.

    python dask_program.py pods CONFIG   ->   {"scheduler": POD, "worker": POD, "refused": [TEXT]}
    python dask_program.py user CONFIG URL TOKEN [TOKEN]   ->   [{"name": …, "groups": […]} or {"status": 401}]

CONFIG is the file dask_gateway_config.py that the chart renders.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
from types import SimpleNamespace


def loaded(path):
    from traitlets.config import PyFileConfigLoader

    return PyFileConfigLoader(os.path.basename(path), path=os.path.dirname(path)).load_config()


async def pods(config):
    """The pods of a cluster with the least and the most that a user may choose."""
    from dask_gateway_server.backends.kubernetes.controller import KubeController
    from dask_gateway_server.models import User

    backend = config.DaskGateway.backend_class(config=config)
    controller = KubeController(
        config=config,
        gateway_instance="dask-gateway",
        api_url="http://api-dask-gateway.dask-gateway:8000/api",
    )
    ada, refused = User("ada"), []
    for wrong in ({"worker_cores": 99}, {"worker_memory": 4096.0}, {"image": "evil:1"}):
        try:
            await backend.process_cluster_options(ada, wrong)
        except Exception as error:
            refused.append(str(error))
    _, made = await backend.process_cluster_options(ada, {"worker_cores": 1})
    backend.username_to_clusters = {"ada": {"one": SimpleNamespace(status=0)}}
    backend.clusters = {}
    try:
        await backend.start_cluster(ada, {})
    except Exception as error:
        refused.append(str(error))
    limits = {
        name: getattr(made, name)
        for name in (
            "cluster_max_workers",
            "cluster_max_cores",
            "cluster_max_memory",
            "idle_timeout",
        )
    }
    return {
        "scheduler": controller.make_pod("dask-gateway", "c1", made),
        "worker": controller.make_pod("dask-gateway", "c1", made, is_worker=True),
        "refused": refused,
        "limits": limits,
    }


async def users(config, url, tokens):
    """Who the gateway takes the holders of these tokens for."""
    from aiohttp import web
    from dask_gateway_server.auth import JupyterHubAuthenticator

    config.JupyterHubAuthenticator.jupyterhub_api_url = url
    gate = JupyterHubAuthenticator(config=config)
    await gate.setup(None)
    found = []
    for token in tokens:
        request = SimpleNamespace(headers={"Authorization": f"jupyterhub {token}"})
        try:
            user = await gate.authenticate(request)
            found.append({"name": user.name, "groups": sorted(user.groups)})
        except web.HTTPException as error:
            found.append({"status": error.status})
    await gate.cleanup()
    return found


if __name__ == "__main__":
    what, path, *rest = sys.argv[1:]
    os.environ.setdefault("JUPYTERHUB_API_TOKEN", "0" * 64)
    work = pods(loaded(path)) if what == "pods" else users(loaded(path), rest[0], rest[1:])
    print(json.dumps(asyncio.run(work)))
