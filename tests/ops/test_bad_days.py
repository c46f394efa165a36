"""An AWS that lets nobody in, or is asked too much: the same words and exit code 2 from whatever asks it, after the tries that are due."""

from __future__ import annotations

import shutil
from pathlib import Path
from unittest import mock

import pytest

from tests.support.cluster_tools import Tools
from tests.support.in_process import in_process
from tests.support.live import environment
from tests.support.refusing import refusing
from tests.support.stack_files import ROOT

COMMANDS = [
    ("health", "dev"),
    ("who", "dev"),
    ("nodes", "dev"),
    ("doctor", "dev"),
    ("logs", "dev", "main"),
    ("history", "dev", "main"),
    ("kubeconfig", "dev"),
    ("orphans", "dev"),
]


@pytest.mark.parametrize(
    ("code", "status", "words", "tries"),
    [
        ("ExpiredToken", 403, "credentials: have expired; sign in again", 1),
        ("InvalidClientTokenId", 403, "credentials: are not known to AWS", 1),
        ("Throttling", 400, "was refused 3 times: too many calls", 3),
    ],
)
def test_every_command_says_so(tmp_path: Path, code: str, status: int, words: str, tries: int) -> None:
    shutil.copy(ROOT / "Pulumi.dev.yaml", tmp_path)
    tools = Tools(tmp_path / "bin")
    with refusing(code, status) as (url, calls), mock.patch("ops.live.account._ATTEMPTS", 3), mock.patch("botocore.retries.standard.time.sleep"):
        known = environment(url) | tools.environment
        known.pop("AWS_PROFILE")
        for command in COMMANDS:
            calls.clear()
            done = in_process(command, tmp_path, known)
            assert done.returncode == 2 and words in done.stderr and done.stdout == "", (command, done)
            assert len(calls) == tries and tools.asked == [], command
