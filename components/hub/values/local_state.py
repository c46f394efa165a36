"""What a server keeps on its node instead of in a home on a network: SQLite files, sockets and
locks. Pure data.

SQLite's own documentation ("How To Corrupt An SQLite Database File", 2.1) and Jupyter's say: not on
NFS. What is kept so is gone with the server: IPython's history of input, which notebooks were
trusted, which file had which id. Notebooks and files are not among it.
tests/real/test_local_state.py starts the real server and kernel with these files.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

#: Of the server's own container, and there in every image: IPython ends where the folder of its
#: history is missing.
_LOCAL = "/tmp"  # noqa: S108 -- nobody else is in there
#: Where both programs look whoever starts them (jupyter_core.paths, SYSTEM_CONFIG_PATH;
#: IPython.core.application, SYSTEM_CONFIG_DIRS).
SERVER_CONFIG_PATH = "/etc/jupyter/jupyter_server_config.json"
IPYTHON_CONFIG_PATH = "/etc/ipython/ipython_config.json"
_FILE_IDS = {"db_path": f"{_LOCAL}/jupyter-file-ids.db"}
LOCAL_SERVER_STATE: Mapping[str, Any] = {
    "BaseFileIdManager": _FILE_IDS,
    "LocalFileIdManager": _FILE_IDS,
    "ArbitraryFileIdManager": _FILE_IDS,
    "NotebookNotary": {"db_file": f"{_LOCAL}/jupyter-signatures.db"},
    "SQLiteYStore": {"db_path": f"{_LOCAL}/jupyter-collaboration.db"},
}
LOCAL_KERNEL_STATE: Mapping[str, Any] = {
    "HistoryManager": {"hist_file": f"{_LOCAL}/ipython-history.sqlite"}
}
#: Jupyter makes this folder by itself, for its owner alone (jupyter_core.utils, ensure_dir_exists).
LOCAL_ENVIRONMENT: Mapping[str, str] = {"JUPYTER_RUNTIME_DIR": f"{_LOCAL}/jupyter-runtime"}
