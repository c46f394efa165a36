"""`pulumi up` as a step of a command: shown, run in the terminal that one has, and asked the
questions it asks.
"""

from __future__ import annotations

import shlex
import shutil
import subprocess
import sys

from jupyterhub_aws.config.errors import ConfigError, Problem
from jupyterhub_aws.config.stack_file import StackFile


def there() -> bool:
    """Whether the Pulumi CLI is on PATH."""
    return shutil.which("pulumi") is not None


def up(command: str, file: StackFile, *, yes: bool) -> None:
    """Run `pulumi up`; it shows its preview and asks, unless `yes`. Raises ConfigError where it
    fails or is declined.
    """
    line = [
        "pulumi",
        "up",
        "--stack",
        file.stack,
        *(["--config-file", str(file.path)] if file.engine_option else []),
        *(["--yes"] if yes else []),
    ]
    print(f"  $ {shlex.join(line)}", file=sys.stderr, flush=True)
    done = subprocess.run(line, cwd=file.home.folder, check=False)  # noqa: S603 -- pulumi, with the stack's name
    if done.returncode != 0:
        fix = (
            "mend what it says (a killed one left a lock: pulumi cancel), then run the same command"
            " again: it goes on here"
        )
        raise ConfigError(
            command,
            [Problem(path=shlex.join(line[:2]), what=f"ended with {done.returncode}", fix=fix)],
        )
