"""The entry of `jhub`. Two tricks make it answer before an ordinary process has imported the SDK (benchmarks/): no
garbage collection during a short life full of generated classes, and no interpreter teardown at its end.
"""

from __future__ import annotations

import contextlib
import gc
import io
import os
import sys


def main() -> None:
    """Run the command line and leave at once with its exit code."""
    gc.disable()
    if isinstance(sys.stdout, io.TextIOWrapper):  # None where the shell closed it
        sys.stdout.reconfigure(errors="replace")  # a terminal without arrows and ticks shows question marks
    from jupyterhub_aws.cli.group import run

    code = run(sys.argv[1:])
    with contextlib.suppress(BrokenPipeError):  # `jhub plan dev | head`
        for stream in (sys.stdout, sys.stderr):
            if stream is not None:
                stream.flush()
    os._exit(code)


if __name__ == "__main__":
    main()
