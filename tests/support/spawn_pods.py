"""Run as a program: the chart's own hub configuration and the real KubeSpawner, up to the pod that
it would post.

    python spawn_pods.py REQUEST.json   ->   {"pods": [...]}, {"authenticator": "..."} or {"error": "..."} on standard output

The request has `folder` (with `secret`, `existing-secret` and `config` below it, as the hub's pod
has them under /usr/local/etc/jupyterhub), `hub_files` (the chart's files/hub) and `cases`: pairs of
a person and a profile's slug or null, or maps (tests/support/spawner.py). Without `cases` the real
JupyterHub and its authenticator are made from the configuration instead. No Kubernetes API is
asked. What the hub would only log (a misspelt trait) is an error here.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import os
import sys
import types
from pathlib import Path

_MOUNTED = "/usr/local/etc/jupyterhub"


#: What we do all the same. A service of the hub's is a process of its own, and cannot change what
#: the hub's pages say.
_KNOWN = ("Authenticator.db", "JupyterHub.extra_handlers is deprecated")


class _Strict(logging.Handler):
    """Collects the warnings about traits that nobody knows."""

    def __init__(self):
        super().__init__(logging.WARNING)
        self.found = []

    def emit(self, record):
        text = record.getMessage()
        # What nativeauthenticator does is its makers' to change; a trait of ours is ours.
        if ("not recognized" in text or "deprecated" in text) and not any(
            known in text for known in _KNOWN
        ):
            self.found.append(text)


def load(folder, hub_files):
    """The traitlets configuration, made by the chart's own files."""
    for name in ("jupyterhub_config.py", "z2jh.py"):
        (folder / name).write_text((hub_files / name).read_text().replace(_MOUNTED, str(folder)))
    sys.path.insert(0, str(folder))
    for port in (
        "HUB_SERVICE_PORT",
        "PROXY_API_SERVICE_PORT",
        "PROXY_PUBLIC_SERVICE_PORT",
        "PROXY_HTTP_SERVICE_PORT",
    ):
        os.environ[port] = "8081"
    os.environ["POD_NAMESPACE"] = json.loads((folder / "request.json").read_text())["namespace"]
    os.environ["HUB_SERVICE_HOST"] = "10.0.0.1"
    os.environ["CONFIGPROXY_AUTH_TOKEN"] = "x" * 64
    from tornado.httpclient import AsyncHTTPClient
    from traitlets.config import PyFileConfigLoader

    AsyncHTTPClient.configure = lambda *_, **__: (
        None
    )  # the chart wants curl, which no pod depends on
    with contextlib.redirect_stdout(sys.stderr):  # it prints what it loads
        return PyFileConfigLoader("jupyterhub_config.py", path=str(folder)).load_config()


def kubeconfig(folder):
    """A cluster that nobody asks: KubeSpawner wants to know of one."""
    path = folder / "kubeconfig"
    cluster = {
        "clusters": [{"name": "c", "cluster": {"server": "https://127.0.0.1:1"}}],
        "users": [{"name": "u", "user": {"token": "t"}}],
    }
    context = {
        "current-context": "c",
        "contexts": [{"name": "c", "context": {"cluster": "c", "user": "u"}}],
    }
    path.write_text(json.dumps({"apiVersion": "v1", "kind": "Config", **context, **cluster}))
    return path


def database(names):
    """A session of the hub's database that knows these users."""
    from jupyterhub import orm

    session = orm.new_session_factory("sqlite:///:memory:")()
    session.add_all(orm.User(name=name) for name in dict.fromkeys(names))
    session.commit()
    return session


async def pod(config, case):
    from jupyterhub.utils import maybe_future
    from kubernetes_asyncio.client import ApiClient
    from traitlets.utils.importstring import import_item

    asked = (
        case
        if isinstance(case, dict)
        else {"user": case[0], "options": {"profile": case[1]} if case[1] else {}}
    )
    user_name, groups = (
        asked["user"],
        [types.SimpleNamespace(name=name) for name in asked.get("groups", [])],
    )
    named = {"name": user_name, "url": f"/user/{user_name}/", "escaped_name": user_name}
    user = types.SimpleNamespace(
        **named, id=1, settings={}, groups=groups, admin=asked.get("admin", False)
    )
    hub = types.SimpleNamespace(
        public_host="",
        url="http://hub:8081/hub/",
        base_url="/hub/",
        api_url="http://hub:8081/hub/api",
    )
    watch = _Strict()
    logger = logging.getLogger("spawner")
    logger.addHandler(watch)
    spawner = import_item(config.JupyterHub.spawner_class)(
        config=config, user=user, hub=hub, _mock=True, log=logger
    )
    spawner.db = database([user_name, *asked.get("others", [])])
    spawner.api_token = "0" * 32
    spawner.server = types.SimpleNamespace(base_url=f"/user/{user_name}/", port=8888, ip="")
    spawner.user_options = asked.get("options", {})
    await spawner.load_user_options()
    made = await spawner.get_pod_manifest()
    if spawner.modify_pod_hook:
        made = await maybe_future(spawner.modify_pod_hook(spawner, made))
    manifest = ApiClient().sanitize_for_serialization(made)
    if watch.found:
        raise ValueError("; ".join(sorted(set(watch.found))))
    return steady(manifest)


def authenticator(config):
    """The name of the class that lets people in, once the hub and it have taken the
    configuration.
    """
    from jupyterhub.app import JupyterHub

    watch = _Strict()
    logger = logging.getLogger("hub")
    logger.addHandler(watch)
    hub = JupyterHub(log=logger)
    hub.config = config
    hub.db_url = "sqlite://"
    hub.init_db()  # accounts of the hub's own are in it
    name = type(hub.authenticator_class(parent=hub, _deprecated_db_session=hub.db)).__name__
    if watch.found:
        raise ValueError("; ".join(sorted(set(watch.found))))
    return name


def steady(manifest):
    """The manifest without what is different at every start."""
    for container in manifest["spec"]["containers"]:
        for variable in container.get("env", []):
            if variable["name"].endswith("TOKEN"):
                variable["value"] = "[token]"
    return manifest


async def main(request):
    folder = Path(request["folder"])
    os.environ["KUBECONFIG"] = str(kubeconfig(folder))
    config = load(folder, Path(request["hub_files"]))
    if request["cases"] is None:
        return {"authenticator": authenticator(config)}
    return {"pods": [await pod(config, case) for case in request["cases"]]}


if __name__ == "__main__":
    asked = json.loads(Path(sys.argv[1]).read_text())
    try:
        answer = asyncio.run(main(asked))
    except Exception as error:
        answer = {"error": f"{type(error).__name__}: {error}"}
    print(json.dumps(answer))
