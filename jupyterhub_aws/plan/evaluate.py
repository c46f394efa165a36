"""Running a program in this process against the recorder: no engine, no plugin, no credentials,
no network.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import runpy
import sys
from collections.abc import Callable, Collection, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from jupyterhub_aws.checks.program import Note
from jupyterhub_aws.checks.resources import SECRET, Resources
from jupyterhub_aws.plan.source import forget_modules_of_users

if TYPE_CHECKING:
    from jupyterhub_aws.config.project import Program
    from jupyterhub_aws.plan.recorder import Recorder


class _Settings(dict[str, str]):
    """A configuration that knows which of its keys were asked for one by one."""

    def __init__(self, values: Mapping[str, str]) -> None:
        super().__init__(values)
        self.read: set[str] = set()

    def __getitem__(self, key: str) -> str:
        self.read.add(key)
        return super().__getitem__(key)


class ProgramExitError(Exception):
    """The program ended its process before all resources were registered."""


class _Inline(ThreadPoolExecutor):
    """Runs what it is given at once: nothing here waits for a network, and each hand-over to a
    thread costs more than the work.
    """

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        done: Future[Any] = Future()
        try:
            done.set_result(fn(*args, **kwargs))
        except BaseException as error:
            done.set_exception(error)
        return done


@dataclass(frozen=True, kw_only=True)
class Recording:
    """What a run of the program registered and exported; `outer` is the run of the stack whose
    outputs it took over, `notes` what it could not know.

    `settings` are the keys of the configuration that the program asked for one by one, as the
    engine spells them.
    """

    resources: Resources
    outputs: Mapping[str, Any]
    outer: Recording | None = None
    notes: tuple[Note, ...] = ()
    settings: frozenset[str] = frozenset()

    @property
    def everything(self) -> Resources:
        """What this stack and its cloud stack register: what a proof is about."""
        return (
            self.resources
            if self.outer is None
            else Resources([*self.outer.resources, *self.resources])
        )


@dataclass(frozen=True, kw_only=True)
class PlannedProgram:
    """Names of project and stack, the folder of the stack files, and the program."""

    project: str
    stack: str
    folder: Path
    program: Program


def evaluate(
    values: Mapping[str, str],
    *,
    secret: Collection[str],
    where: PlannedProgram,
    outer: Recording | None = None,
) -> Recording:
    """Evaluate the program with a stack's configuration as the engine would hand it over.

    Whatever the program raises comes out as it is. `values` are the plain ones, `secret` the keys
    of the encrypted ones; `outer` answers for the stack that this one refers to.
    """
    from jupyterhub_aws.plan import sdk

    sdk.install()
    from pulumi.runtime import settings
    from pulumi.runtime.config import CONFIG, set_all_config
    from pulumi.runtime.stack import run_in_stack

    from jupyterhub_aws.plan.recorder import Recorder
    from jupyterhub_aws.plan.sdk import recorded_sdk

    recorder = Recorder(where.project, where.stack, {} if outer is None else outer.outputs)
    given = _Settings(
        {**values, **dict.fromkeys(secret, SECRET)}
    )  # an encrypted value is never read, but the program may pass it on
    set_all_config({}, list(secret))
    CONFIG.set(given)
    # Not `set_mocks`: it makes a Stack on a loop of its own, for which the run below would wait for
    # ever.
    settings.configure(_settings(recorder, where))
    settings.set_root_resource(None)  # type: ignore[arg-type]  # a second evaluation in one process needs a stack of its own
    # What an evaluation that failed before this one left behind belongs to a loop that is closed.
    settings.SETTINGS.rpc_manager.clear()
    settings.SETTINGS.outputs.clear()
    with (
        _as_started_by_the_engine(where.program),
        recorded_sdk(recorder.notes.append),
        asyncio.Runner() as runner,
    ):  # after a failure it cancels what waits
        runner.get_loop().set_default_executor(_Inline())
        runner.get_loop().set_exception_handler(
            lambda *_: None
        )  # the failure itself is raised; its echoes in other tasks need no printing
        try:
            runner.run(run_in_stack(lambda: _run(where.program)))
        except SystemExit as error:
            what = (
                f"the program calls sys.exit({'' if error.code is None else repr(error.code)}), so"
                " the engine would not get what it registered"
            )
            raise ProgramExitError(
                f"{what}; raise an exception, or let the program come to its end"
            ).with_traceback(error.__traceback__) from None
    return Recording(
        resources=Resources(recorder.recorded.values()),
        outputs=recorder.outputs,
        outer=outer,
        notes=tuple(recorder.notes),
        settings=frozenset(given.read),
    )


def _settings(recorder: Recorder, where: PlannedProgram) -> Any:
    from google.protobuf.empty_pb2 import Empty
    from pulumi.runtime import mocks

    mock_settings: Any = mocks.MockSettings  # untyped in the SDK
    features: Any = recorder.GetDeploymentInfo
    return mock_settings(
        monitor=recorder,
        monitor_features=set(features(Empty()).supportedFeatures),
        engine=mocks.MockEngine(None),
        project=where.project,
        stack=where.stack,
        dry_run=True,
        # what the engine calls it where the state is in a bucket or a folder
        organization="organization",
        root_directory=str(where.folder),
        callbacks=None,
    )


@contextlib.contextmanager
def _as_started_by_the_engine(program: Program) -> Iterator[None]:
    """In the program's folder, with its modules first; afterwards they are forgotten, because the
    next program may have others of these names.

    What the program prints is a message: standard output belongs to the plan.
    """
    path, here, modules = sys.path[:], Path.cwd(), set(sys.modules)
    try:
        sys.path.insert(0, str(program.folder))
        os.chdir(program.folder)
        with contextlib.redirect_stdout(sys.stderr):
            yield
    finally:
        os.chdir(here)
        sys.path[:] = path
        forget_modules_of_users(set(sys.modules) - modules)


def _run(program: Program) -> None:
    if program.file is not None:
        runpy.run_path(str(program.file), run_name="__main__")
        return
    from jupyterhub_aws import from_stack_file

    from_stack_file()
