"""Work in steps that can be run again: each looks at what is there, does what is left, and waits
until nothing is.
"""

from __future__ import annotations

import shlex
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from jupyterhub_aws.config.errors import refused, some
from jupyterhub_aws.config.stack_file import StackFile
from jupyterhub_aws.progress import ProgressLine
from jupyterhub_aws.units import duration

_FIRST_WAIT, _LONGEST_WAIT = 0.2, 10.0
#: The descriptor to which another program prints where standard output belongs to data.
STANDARD_ERROR = 2


@dataclass(frozen=True)
class CommandStep:
    """`left` looks and says what is not yet as it should be (nothing: the step is done), `do` asks
    for it, `patience` is how many seconds it may take.

    While something is left, `do` is called again, for what was busy before: it has to be
    idempotent.
    """

    says: str
    left: Callable[[], Sequence[str]]
    do: Callable[[], None]
    patience: float = 900.0


@dataclass(frozen=True)
class TakenStep:
    """A step that came to its end. `subjects`: what was not yet as it should be; empty where there
    was nothing to do.
    """

    says: str
    subjects: tuple[str, ...]

    def as_json(self) -> dict[str, Any]:
        """The step as `--json` prints it."""
        state = "done" if self.subjects else "already so"
        return {"what": self.says, "state": state, "subjects": list(self.subjects)}


def run(command: str, steps: Sequence[CommandStep]) -> list[TakenStep]:
    """Take each step in turn. Raises ConfigError where one does not come to its end: the same
    command goes on from there.
    """
    return [
        TakenStep(step.says, _take(command, step, f"[{number}/{len(steps)}] {step.says}"))
        for number, step in enumerate(steps, 1)
    ]


def _take(command: str, step: CommandStep, says: str) -> tuple[str, ...]:
    """What was left to do before it."""
    found = left = tuple(step.left())
    if not left:
        _say(f"{says}: already so")
        return ()
    _say(f"{says}: {some(left)}")
    began, pause, total = time.monotonic(), _FIRST_WAIT, len(left)
    with ProgressLine(says, patience=step.patience, begun=True) as progress:
        step.do()
        while left := tuple(step.left()):
            if time.monotonic() - began > step.patience:
                what = f"is not done after {duration(step.patience)}: {some(left)}"
                fix = "look why; then run the same command again: it goes on here"
                raise refused(command, "step.not-done", step.says, what, fix)
            total = max(total, len(left))
            progress.now(some(left), count=total - len(left), total=total if total > 1 else 0)
            time.sleep(pause)
            pause = min(1.5 * pause, _LONGEST_WAIT)
            step.do()
    _say(f"{says}: done")
    return found


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


# --- `pulumi up` as a step of a command: shown, run in the terminal that one has, and asked the
# questions it asks.


def there() -> bool:
    """Whether the Pulumi CLI is on PATH."""
    return shutil.which("pulumi") is not None


def up_line(file: StackFile) -> list[str]:
    """`pulumi up` of a stack, which asks."""
    option = ["--config-file", str(file.path)] if file.engine_option else []
    return ["pulumi", "up", "--stack", file.stack, *option]


def up(command: str, file: StackFile, *, yes: bool, data: bool = False) -> None:
    """Run `pulumi up`; it shows its preview and asks, unless `yes`. Standard output belongs to
    `data`: then it prints on standard error. Raises ConfigError where it fails or is declined.
    """
    line = [*up_line(file), *(["--yes"] if yes else [])]
    print(f"  $ {shlex.join(line)}", file=sys.stderr, flush=True)
    out = STANDARD_ERROR if data else None
    done = subprocess.run(line, cwd=file.home.folder, stdout=out, check=False)  # noqa: S603 -- pulumi, with the stack's name
    if done.returncode != 0:
        fix = (
            "fix what it says (a killed one left a lock: pulumi cancel), then run the same command"
            " again: it goes on here"
        )
        what = f"ended with {done.returncode}"
        raise refused(command, "tool.failed", shlex.join(line[:2]), what, fix)
