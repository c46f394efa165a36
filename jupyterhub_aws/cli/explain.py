"""An exception of the program as one line: what it says, and where in this project it comes from."""

from __future__ import annotations

import traceback
from pathlib import Path

_ROOT = Path(__file__).resolve().parents[2]
#: Where the command and the recorder lie: a program's own mistake is above them.
_TOOL = (("jupyterhub_aws", "cli"), ("jupyterhub_aws", "plan"))


def explain(error: BaseException) -> str:
    """The message, and the last line of this project on the way to it."""
    message = " ".join(str(error).split()) or type(error).__name__
    frames = [frame for frame in traceback.extract_tb(error.__traceback__) if _ours(frame.filename)]
    where = f" (at {Path(frames[-1].filename).resolve().relative_to(_ROOT)}:{frames[-1].lineno})" if frames else ""
    return f"jhub: {message[:600]}{where}; run again with --debug for the traceback"


def _ours(filename: str) -> bool:
    path = Path(filename).resolve()
    return path.is_relative_to(_ROOT) and ".venv" not in path.parts and path.relative_to(_ROOT).parts[:2] not in _TOOL
