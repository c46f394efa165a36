"""Running `__main__.py` in this process against the recorder: no engine, no plugin, no credentials, no network."""

from __future__ import annotations

import asyncio
import os
import runpy
import sys
from collections.abc import Callable, Collection, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from jupyterhub_aws.checks.resources import Resources
from jupyterhub_aws.project import ROOT

if TYPE_CHECKING:
    from jupyterhub_aws.plan.recorder import Recorder

PROGRAM = ROOT
#: Stands for every encrypted value: it is never read, but the program may pass it on.
_SEALED = "[secret]"


class _Inline(ThreadPoolExecutor):
    """Runs what it is given at once: nothing here waits for a network, and each hand-over to a thread costs more than the work."""

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:  # noqa: ANN401 -- the executor's own signature
        done: Future[Any] = Future()
        try:
            done.set_result(fn(*args, **kwargs))
        except BaseException as error:
            done.set_exception(error)
        return done


@dataclass(frozen=True, kw_only=True)
class Recording:
    """What a run of the program registered and exported; `outer` is the run of the stack whose outputs it took over."""

    resources: Resources
    outputs: Mapping[str, Any]
    outer: Recording | None = None

    @property
    def everything(self) -> Resources:
        """What this stack and the one that it stands on register: what a proof is about."""
        return self.resources if self.outer is None else Resources([*self.outer.resources, *self.resources])


@dataclass(frozen=True, kw_only=True)
class Where:
    """Names of project and stack, the folder of the stack files, and the folder of `__main__.py`."""

    project: str
    stack: str
    folder: Path = PROGRAM
    program: Path = PROGRAM


def evaluate(values: Mapping[str, str], *, secret: Collection[str], where: Where, outer: Recording | None = None) -> Recording:
    """Evaluate the program with a stack's configuration as the engine would hand it over.

    Whatever the program raises comes out as it is. `values` are the plain ones, `secret` the keys of the encrypted ones;
    `outer` answers for the stack that this one refers to.
    """
    from jupyterhub_aws.plan import lazy_sdk

    lazy_sdk.install()
    from pulumi.runtime import settings
    from pulumi.runtime.config import set_all_config
    from pulumi.runtime.stack import run_in_stack

    from jupyterhub_aws.plan.recorder import Recorder

    recorder = Recorder(where.project, where.stack, {} if outer is None else outer.outputs)
    set_all_config({**values, **dict.fromkeys(secret, _SEALED)}, list(secret))
    # Not `set_mocks`: it makes a Stack on a loop of its own, for which the run below would wait for ever.
    settings.configure(_settings(recorder, where))
    settings.set_root_resource(None)  # type: ignore[arg-type]  # a second evaluation in one process needs a stack of its own
    # What an evaluation that failed before this one left behind belongs to a loop that is closed.
    settings.SETTINGS.rpc_manager.clear()
    settings.SETTINGS.outputs.clear()
    _spared_work()
    before, here = sys.path[:], Path.cwd()
    try:
        sys.path.insert(0, str(where.program))
        os.chdir(where.program)
        with asyncio.Runner() as runner:  # after a failure it cancels what still waits
            runner.get_loop().set_default_executor(_Inline())
            runner.get_loop().set_exception_handler(lambda *_: None)  # the failure itself is raised; its echoes in other tasks need no printing
            runner.run(run_in_stack(lambda: _run(where.program)))
    finally:
        os.chdir(here)
        sys.path[:] = before
    return Recording(resources=Resources(recorder.recorded.values()), outputs=recorder.outputs, outer=outer)


def _settings(recorder: Recorder, where: Where) -> Any:  # noqa: ANN401 -- the SDK's MockSettings takes any attribute
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
        organization="organization",  # what the engine calls it where the state is in a bucket or a folder
        root_directory=str(where.folder),
        callbacks=None,
    )


def _spared_work() -> None:
    """Keep the SDK from what a recording has no use for, or needs once: walking the stack for the source position of each
    resource, and reading a class's type hints again for each of its instances. A quarter of an evaluation, by measurement.
    """
    from pulumi import _types
    from pulumi.runtime import resource
    from pulumi.runtime.proto import source_pb2

    nowhere = source_pb2.StackTrace()
    resource._get_stack_trace = lambda: nowhere
    if not hasattr(_types._types_from_py_properties, "cache_info"):
        _types._types_from_py_properties = cache(_types._types_from_py_properties)


def _run(program: Path) -> None:
    runpy.run_path(str(program / "__main__.py"), run_name="__main__")
