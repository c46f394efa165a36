"""What servers are told by files, read by the real Jupyter Server and the real IPython kernel:
when kernels end, and what stays off a home on a network.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.support.hub_cases import release

pytestmark = pytest.mark.real

_KERNEL = """
import os
from jupyter_client.manager import start_new_kernel
manager, client = start_new_kernel(kernel_name="python3")
said = []
client.execute_interactive("print(get_ipython().history_manager.hist_file)", timeout=60, output_hook=lambda m: said.append(m["content"].get("text", "")))
manager.shutdown_kernel(now=True)
client.stop_channels()
print("".join(said).strip())
"""
_SERVER = """
from jupyter_server.serverapp import ServerApp
from nbformat.sign import NotebookNotary
app = ServerApp()
app.initialize(argv=["--no-browser", "--ServerApp.allow_root=True"])
app.web_app.settings["file_id_manager"].index("a.ipynb")
print(app.kernel_manager.cull_idle_timeout, app.runtime_dir, NotebookNotary(parent=app).db_file, app.web_app.settings["file_id_manager"].db_path)
"""


def ran(program: str, home: Path) -> str:
    """The program with the files as a server of the committed stack has them, in a home of its
    own.
    """
    single: dict[str, Any] = release("as committed").inputs["values"]["singleuser"]
    for item in single["extraFiles"].values():
        # /etc/jupyter and /etc/ipython, into which both look whoever starts them, are other folders
        # here.
        place = home / "mounted" / Path(item["mountPath"]).relative_to("/etc")
        place.parent.mkdir(parents=True)
        place.write_text(json.dumps(item["data"]))
    ipython = home / ".ipython" / "profile_default"
    ipython.mkdir(parents=True)
    (home / "mounted" / "ipython" / "ipython_config.json").rename(ipython / "ipython_config.json")
    env = {
        **os.environ,
        **single["extraEnv"],
        "HOME": str(home),
        "JUPYTER_CONFIG_PATH": str(home / "mounted" / "jupyter"),
        "PYTHONWARNINGS": "ignore",
    }
    done = subprocess.run(
        [sys.executable, "-c", program],
        cwd=home,
        env=env,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    return done.stdout.strip().splitlines()[-1]


def databases(home: Path) -> list[str]:
    return sorted(
        str(path.relative_to(home))
        for pattern in ("*.db", "*.sqlite", "*.sqlite-*", "*.lock")
        for path in home.rglob(pattern)
    )


def test_a_kernel_starts_and_keeps_its_history_on_the_node(tmp_path: Path) -> None:
    assert ran(_KERNEL, tmp_path) == "/tmp/ipython-history.sqlite"
    assert databases(tmp_path) == []


def test_a_server_starts_ends_idle_kernels_and_keeps_its_databases_on_the_node(
    tmp_path: Path,
) -> None:
    assert (
        ran(_SERVER, tmp_path)
        == "3600 /tmp/jupyter-runtime /tmp/jupyter-signatures.db /tmp/jupyter-file-ids.db"
    )
    assert databases(tmp_path) == []
