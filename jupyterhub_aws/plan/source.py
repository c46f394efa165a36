"""The position in a user's own files of a registration, or of an error."""

from __future__ import annotations

import asyncio
import sys
import sysconfig
import traceback
from collections.abc import Iterable
from contextvars import ContextVar
from functools import cache, lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

if TYPE_CHECKING:
    from types import CodeType, FrameType

    from pulumi.runtime.proto.source_pb2 import StackTrace

_LIBRARY = Path(__file__).absolute().parents[1]
#: Folders of Python and of what is installed into it.
_INSTALLED = tuple(
    {sysconfig.get_path(name) for name in ("stdlib", "platstdlib", "purelib", "platlib")}
)
#: What every package of a Pulumi SDK has: such a package registers itself once in a process.
_SDK = "pulumi-plugin.json"


@lru_cache(maxsize=4096)
def of_user(filename: str) -> bool:
    """Whether a file is a user's own: neither of this library, nor of Python, nor installed."""
    if filename.startswith("<") or filename.startswith(_INSTALLED):
        return False
    path = Path(filename).absolute()
    return _LIBRARY not in path.parents and "site-packages" not in path.parts


class Caller(NamedTuple):
    """Who is at work: `position` is the call in a user's file, as `FILE:LINE`, empty where there is
    none; `library` says that the library itself asks or registers, perhaps because that call made
    one of its components.
    """

    position: str
    library: bool


NO_CALLER = Caller("", library=False)


def caller() -> Caller:
    """Who is at work now. In a task of the event loop it is the maker of the resource with
    the constructor that began the task.
    """
    frame: FrameType | None = sys._getframe(1)
    constructor: FrameType | None = None
    library: bool | None = None
    while frame is not None and frame.f_code is not _TASK:
        code = frame.f_code
        constructor = frame if code is _constructor() else constructor
        home = _home(code.co_filename, frame.f_globals.get("__name__", ""))
        if home == "tool":
            break
        if home == "library":
            library = True if library is None else library
        elif home == "user" and not _same_object(frame, constructor):
            return Caller(shown_position(code.co_filename, frame.f_lineno), bool(library))
        frame = frame.f_back
    before = _MAKER.get()
    return before if library is None else Caller(before.position if before.library else "", library)


#: Who made the last resource: what its constructor leaves to tasks belongs to it too.
_MAKER: ContextVar[Caller] = ContextVar("maker", default=NO_CALLER)
#: What runs a task of the event loop: below it are the frames that wait for the loop.
_TASK = asyncio.Handle._run.__code__
_MARK = "library"


@lru_cache(maxsize=4096)
def _home(filename: str, module: str) -> Literal["user", "library", "tool", "between"]:
    """The owner of a frame. Between a user and the engine are Python, installed packages and SDKs,
    also those that lie in a user's folder; and `plan.sdk`.
    """
    path = Path(filename).absolute()
    if _LIBRARY in path.parents:
        head = path.relative_to(_LIBRARY).parts
        return (
            "between" if head in _BETWEEN else "tool" if head[0] in ("cli", "plan") else "library"
        )
    return (
        "user"
        if of_user(filename)
        and module.partition(".")[0] != "pulumi"
        and not (module.startswith("pulumi_") and "." in module)
        else "between"
    )


_BETWEEN = (("plan", "sdk.py"), ("plan", "source.py"))


@cache
def _constructor() -> CodeType:
    from pulumi import Resource

    return Resource.__init__.__code__


def _same_object(frame: FrameType, constructor: FrameType | None) -> bool:
    """Whether a frame is the constructor of the very resource that is made: the line that called
    it tells more.
    """
    return (
        constructor is not None
        and frame.f_code.co_name == "__init__"
        and frame.f_locals.get("self") is constructor.f_locals["self"]
    )


def call_position() -> StackTrace:
    """The position of the user's call that is being run, as the engine gets it with a registration;
    empty where there is none.

    A second frame marks what the library registers.
    """
    from pulumi.runtime.proto import source_pb2

    found = caller()
    _MAKER.set(found)
    file, _, line = found.position.rpartition(":")
    frames = [source_pb2.StackFrame(pc=source_pb2.SourcePosition(uri=file, line=int(line or 0)))]
    return source_pb2.StackTrace(
        frames=(
            [*frames, source_pb2.StackFrame(pc=source_pb2.SourcePosition(uri=_MARK))]
            if found.library
            else frames
        )
    )


def registered_at(request: Any) -> str:
    """Where in a user's file a registration is written, as `FILE:LINE`; empty where it is
    unknown.
    """
    found = request.sourcePosition
    return f"{found.uri}:{found.line}" if found.uri else ""


def registered_by_library(request: Any) -> bool:
    """Whether a registration is this library's own."""
    return any(frame.pc.uri == _MARK for frame in request.stackTrace.frames[1:])


def error_position(error: BaseException) -> tuple[str, bool]:
    """`FILE:LINE` where an error comes from, and whether that is a user's file; empty where
    neither such a file nor this library is on the way to it.
    """
    if isinstance(error, SyntaxError) and error.filename and of_user(error.filename):
        return shown_position(error.filename, error.lineno or 0), True
    frames = traceback.extract_tb(error.__traceback__)
    for known, users in ((of_user, True), (_of_library, False)):
        found = next((frame for frame in reversed(frames) if known(frame.filename)), None)
        if found is not None:
            return shown_position(found.filename, found.lineno or 0), users
    return "", False


def _of_library(filename: str) -> bool:
    """Whether a file is of this library, and not of the command and the recorder: a program's
    own mistake is above them.
    """
    path = Path(filename).absolute()
    return _LIBRARY in path.parents and path.relative_to(_LIBRARY).parts[0] not in ("cli", "plan")


def shown_position(filename: str, line: int) -> str:
    """A position as a message has it: from the current folder, or from the library's folder."""
    path = Path(filename).absolute()
    base = next(
        (
            folder
            for folder in (_LIBRARY.parent if _LIBRARY in path.parents else Path.cwd(), Path.cwd())
            if path.is_relative_to(folder)
        ),
        None,
    )
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
