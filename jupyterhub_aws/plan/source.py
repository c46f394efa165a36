"""Where in a user's own files something comes from: a registration, or an error."""

from __future__ import annotations

import sys
import sysconfig
import traceback
from collections.abc import Iterable
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from types import FrameType

    from pulumi.runtime.proto.source_pb2 import StackTrace

_LIBRARY = Path(__file__).absolute().parents[1]
#: Folders of Python and of what is installed into it.
_INSTALLED = tuple({sysconfig.get_path(name) for name in ("stdlib", "platstdlib", "purelib", "platlib")})
#: What every package of a Pulumi SDK has: such a package registers itself once in a process.
_SDK = "pulumi-plugin.json"


@lru_cache(maxsize=4096)
def of_user(filename: str) -> bool:
    """Whether a file is a user's own: neither of this library, nor of Python, nor installed."""
    if filename.startswith("<") or filename.startswith(_INSTALLED):
        return False
    path = Path(filename).absolute()
    return _LIBRARY not in path.parents and "site-packages" not in path.parts


def call_position() -> StackTrace:
    """The position of the user's call that is being run, as the engine gets it with a registration; empty where the library runs by itself."""
    from pulumi.runtime.proto import source_pb2

    frame: FrameType | None = sys._getframe()
    while frame is not None:
        if of_user(frame.f_code.co_filename):
            position = source_pb2.SourcePosition(uri=frame.f_code.co_filename, line=frame.f_lineno)
            return source_pb2.StackTrace(frames=[source_pb2.StackFrame(pc=position)])
        frame = frame.f_back
    return source_pb2.StackTrace()


def error_position(error: BaseException) -> tuple[str, bool]:
    """`FILE:LINE` where an error comes from, and whether that is a user's file; empty where neither such a file nor this library is on the way to it."""
    if isinstance(error, SyntaxError) and error.filename and of_user(error.filename):
        return shown_position(error.filename, error.lineno or 0), True
    frames = traceback.extract_tb(error.__traceback__)
    for known, users in ((of_user, True), (_of_library, False)):
        found = next((frame for frame in reversed(frames) if known(frame.filename)), None)
        if found is not None:
            return shown_position(found.filename, found.lineno or 0), users
    return "", False


def _of_library(filename: str) -> bool:
    """Whether a file is of this library, and not of the command and the recorder: a program's own mistake is above them."""
    path = Path(filename).absolute()
    return _LIBRARY in path.parents and path.relative_to(_LIBRARY).parts[0] not in ("cli", "plan")


def shown_position(filename: str, line: int) -> str:
    """A position as a message has it: from where one stands, or from the library's folder."""
    path = Path(filename).absolute()
    base = next((folder for folder in (_LIBRARY.parent if _LIBRARY in path.parents else Path.cwd(), Path.cwd()) if path.is_relative_to(folder)), None)
    return f"{path if base is None else path.relative_to(base)}:{line}"


def forget_modules_of_users(names: Iterable[str]) -> None:
    """Of modules by name, forget those that are users' own, whole packages at a time."""
    mine = {head for head in {name.partition(".")[0] for name in names} if _module_of_user(head)}
    for name in [name for name in sys.modules if name.partition(".")[0] in mine]:
        del sys.modules[name]


def _module_of_user(name: str) -> bool:
    module = sys.modules.get(name)
    places = [getattr(module, "__file__", None) or "", *map(str, getattr(module, "__path__", ()))]
    files = [place for place in places if place]
    if not files or not all(map(of_user, files)):
        return False
    return not (Path(files[0]).parent / _SDK).is_file()
