"""What each measure that makes `jhub plan` fast is worth: the command with all of them, and with
one at a time switched off. A measure that gains nothing goes.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping

from benchmarks.processes import Command

#: Each measure, and the code that switches it off before `jhub` starts.
_OFF: Mapping[str, str] = {
    "no garbage collection (cli/main.py)": "import gc; gc.disable = lambda: None",
    "no teardown at the end (cli/main.py)": "import os, sys; os._exit = sys.exit",
    "SDK loaded class by class (plan/sdk.py)": (
        "from jupyterhub_aws.plan import sdk; sdk.install = lambda: None"
    ),
    "look-ups and files in line (plan/evaluate.py)": (
        "from concurrent.futures import ThreadPoolExecutor\n"
        "from jupyterhub_aws.plan import evaluate; evaluate._Inline = ThreadPoolExecutor"
    ),
}


def without_each(*words: str) -> dict[str, Command]:
    """The command with one measure off, by the measure; under "" with none off."""
    return {name: _started(code, words) for name, code in {"": "", **_OFF}.items()}


def _started(code: str, words: tuple[str, ...]) -> Command:
    program = f"{code}\nimport sys; sys.argv[1:] = {list(words)!r}\n"
    program += "from jupyterhub_aws.cli.main import main; main()"
    return Command(words=(sys.executable, "-c", program))
