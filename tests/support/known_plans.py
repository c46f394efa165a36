"""What was evaluated once in a run of the tests is not evaluated again: a third of a second for
each stack. The tests that are about the evaluation itself do without.
"""

from __future__ import annotations

import hashlib
import json
import os
import pickle
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any
from unittest import mock

from jupyterhub_aws.plan import evaluate as evaluation
from jupyterhub_aws.plan.evaluate import PlannedProgram, Recording

Outputs = Mapping[str, Mapping[str, Any]]
#: Where the processes of one run leave their recordings for each other; None: nowhere.
FOLDER: Path | None = None
_KNOWN: dict[str, Recording] = {}
#: What the components of a recording registered as their outputs, by the `id` of the recording.
_OUTPUTS: dict[int, Outputs] = {}


@contextmanager
def known_plans() -> Iterator[None]:
    """While it lasts, the same program with the same configuration is evaluated once."""
    anew = evaluation.evaluate

    def evaluate(
        values: Mapping[str, str],
        *,
        secret: Collection[str],
        where: PlannedProgram,
        outer: Recording | None = None,
    ) -> Recording:
        key = _key(values, secret, where, outer)
        if key not in _KNOWN:
            from tests.support.stacks import listening

            found = _told(key)
            if found is None:
                with listening() as kept:
                    found = anew(values, secret=secret, where=where, outer=outer), kept
                _tell(key, found)
            _KNOWN[key] = replace(found[0], outer=outer)
            _OUTPUTS[id(_KNOWN[key])] = found[1]
        return _KNOWN[key]

    with mock.patch.object(evaluation, "evaluate", evaluate):
        yield


def outputs_of_components(recording: Recording) -> Outputs:
    """Of a recording that was made among known plans, and of the one of its cloud stack."""
    outer = {} if recording.outer is None else outputs_of_components(recording.outer)
    return {**outer, **_OUTPUTS[id(recording)]}


def _key(
    values: Mapping[str, str],
    secret: Collection[str],
    where: PlannedProgram,
    outer: Recording | None,
) -> str:
    """Everything that an evaluation depends on, but for the code."""
    of = [
        dict(values),
        sorted(secret),
        *(where.project, where.stack, where.folder, where.program.folder, where.program.file),
        None if outer is None else [outer.outputs, outer.resources.all],
    ]
    return hashlib.sha256(json.dumps(of, sort_keys=True, default=repr).encode()).hexdigest()


def _told(key: str) -> tuple[Recording, Outputs] | None:
    path = None if FOLDER is None else FOLDER / key
    if path is None or not path.exists():
        return None
    found: tuple[Recording, Outputs] = pickle.loads(path.read_bytes())  # noqa: S301 -- a process of this run wrote it
    return found


def _tell(key: str, found: tuple[Recording, Outputs]) -> None:
    """Written beside and moved: the other process reads it whole."""
    if FOLDER is not None:
        FOLDER.mkdir(exist_ok=True)
        beside = FOLDER / f"{key}.{os.getpid()}"
        beside.write_bytes(pickle.dumps((replace(found[0], outer=None), dict(found[1]))))
        beside.rename(FOLDER / key)
