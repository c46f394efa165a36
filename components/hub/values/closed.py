"""What a hub's values say in a network without the internet: through which proxy its pods ask,
and where packages come from.
"""

from __future__ import annotations

from typing import Any

from jupyterhub_aws.config.hub import Hub
from jupyterhub_aws.config.specs.hub import HubSpec

_FOLDER = "/etc/jupyterhub-aws"
#: How each tool is told of its mirror: the variable that names its configuration file, the file,
#: and what is in it.
_PIP_VARIABLE = "PIP_INDEX_URL"
_CONDA_FILE, _R_FILE, _APT_FILE = (
    f"{_FOLDER}/condarc",
    f"{_FOLDER}/Rprofile",
    "/etc/apt/sources.list.d/mirror.sources",
)


def closed_values(hub: HubSpec) -> dict[str, Any]:
    """Values over those of an open hub; empty where nothing differs."""
    found: dict[str, Any] = {}
    environment = dict(hub.proxy_variables)
    if environment:
        found = {"hub": {"extraEnv": environment}}
    env, files = _mirrors(hub.options)
    if env or files or environment:
        single = found.setdefault("singleuser", {})
        single["extraEnv"] = {**environment, **env}
        single["extraFiles"] = files
    return found


def _mirrors(hub: Hub) -> tuple[dict[str, str], dict[str, Any]]:
    """Environment and files that tell pip, conda, R and apt of their mirrors."""
    mirrors, env, files = hub.package_mirrors, {}, {}
    if mirrors.pip is not None:
        env[_PIP_VARIABLE] = mirrors.pip
    if mirrors.conda is not None:
        env["CONDARC"] = _CONDA_FILE
        channels = (
            f"channel_alias: {mirrors.conda}\ndefault_channels:\n  -"
            f" {mirrors.conda}/conda-forge\nchannels:\n  - conda-forge\n"
        )
        files["conda-mirror"] = {"mountPath": _CONDA_FILE, "stringData": channels}
    if mirrors.cran is not None:
        env["R_PROFILE"] = _R_FILE
        files["cran-mirror"] = {
            "mountPath": _R_FILE,
            "stringData": f'options(repos = c(CRAN = "{mirrors.cran}"))\n',
        }
    if mirrors.apt is not None:
        text = (
            f"Types: deb\nURIs: {mirrors.apt}\nSuites: {mirrors.apt_suite}\nComponents: main"
            " universe\n"
        )
        files["apt-mirror"] = {"mountPath": _APT_FILE, "stringData": text}
    return env, files
