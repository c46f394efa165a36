"""The entry of `jhub`. Two tricks make it answer before an ordinary process has imported the SDK (benchmarks/): no
garbage collection during a short life full of generated classes, and no interpreter teardown at its end.
"""

from __future__ import annotations

import gc
import os
import sys


def main() -> None:
    """Run the command line and leave at once with its exit code."""
    gc.disable()
    from ops.cli import run

    code = run(sys.argv[1:])
    try:
        sys.stdout.flush()
        sys.stderr.flush()
    except BrokenPipeError:  # `jhub plan dev | head`
        code = code or 0
    os._exit(code)


if __name__ == "__main__":
    main()
