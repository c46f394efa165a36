"""What a hub's values say in a network without the internet: through which proxy its pods ask, and where packages come from."""

from __future__ import annotations

from typing import Any

from jupyterhub_aws.config.hub import Hub
from jupyterhub_aws.config.neighbours import ProxyEgress
from jupyterhub_aws.config.network import OpenNetwork
from jupyterhub_aws.config.proxy import no_proxy, proxy_environment
from jupyterhub_aws.config.registry import OnNodes
from jupyterhub_aws.config.stack import StackConfig

_FOLDER = "/etc/jupyterhub-aws"
#: How each tool is told of its mirror: the variable that names its configuration file, the file, and what is in it.
_PIP_VARIABLE = "PIP_INDEX_URL"
_CONDA_FILE, _R_FILE, _APT_FILE = f"{_FOLDER}/condarc", f"{_FOLDER}/Rprofile", "/etc/apt/sources.list.d/mirror.sources"


def closed_values(stack: StackConfig, hub: Hub) -> dict[str, Any]:
    """Values over those of an open hub; empty where nothing differs."""
    found: dict[str, Any] = {}
    environment = proxy_variables(stack)
    if environment:
        found = {"hub": {"extraEnv": environment}}
    env, files = _mirrors(hub)
    if env or files or environment:
        single = found.setdefault("singleuser", {})
        single["extraEnv"] = {**environment, **env}
        single["extraFiles"] = files
    return found


def proxy_variables(stack: StackConfig) -> dict[str, str]:
    """The variables that tell a program of the corporate proxy; none where there is none."""
    network = stack.network
    if isinstance(network, OpenNetwork) or not isinstance(network.egress, ProxyEgress):
        return {}
    ranges = [*network.ranges, stack.cluster.service_cidr]
    return proxy_environment(network.egress, no_proxy(network.egress, ranges=ranges, internal_hosts=network.internal_hosts, region=stack.region))


def pull_policy(stack: StackConfig) -> dict[str, str]:
    """`pullPolicy` of an image map: nothing is asked for where images lie on the nodes."""
    return {"pullPolicy": "Never"} if isinstance(stack.registry, OnNodes) else {}


def _mirrors(hub: Hub) -> tuple[dict[str, str], dict[str, Any]]:
    """Environment and files that tell pip, conda, R and apt of their mirrors."""
    mirrors, env, files = hub.package_mirrors, {}, {}
    if mirrors.pip is not None:
        env[_PIP_VARIABLE] = mirrors.pip
    if mirrors.conda is not None:
        env["CONDARC"] = _CONDA_FILE
        channels = f"channel_alias: {mirrors.conda}\ndefault_channels:\n  - {mirrors.conda}/conda-forge\nchannels:\n  - conda-forge\n"
        files["conda-mirror"] = {"mountPath": _CONDA_FILE, "stringData": channels}
    if mirrors.cran is not None:
        env["R_PROFILE"] = _R_FILE
        files["cran-mirror"] = {"mountPath": _R_FILE, "stringData": f'options(repos = c(CRAN = "{mirrors.cran}"))\n'}
    if mirrors.apt is not None:
        text = f"Types: deb\nURIs: {mirrors.apt}\nSuites: {mirrors.apt_suite}\nComponents: main universe\n"
        files["apt-mirror"] = {"mountPath": _APT_FILE, "stringData": text}
    return env, files
