"""The hub's heartbeat: one line in its log each minute, for a metric filter (docs/monitoring.md).

A file of the hub's own pod, beside the chart's configuration. It runs in the event loop in which
the hub answers requests: a hub that hangs is silent, and so is one that cannot start. The line is
JSON of its own, so that CloudWatch finds its parts.
"""

from __future__ import annotations

import asyncio
import json
import os

SECONDS = 60
_BEATING = []


def line(folder):
    """The content of a heartbeat: that the hub runs, and how full the volume of its database is,
    if it has one.
    """
    said = {"jupyterhub_aws": "alive"}
    if folder is not None:
        found = os.statvfs(folder)
        said["database_used_percent"] = round(100 * (1 - found.f_bavail / found.f_blocks), 1)
    return json.dumps(said)


async def beat(folder, seconds=SECONDS, say=print):
    """Write heartbeats until the hub stops, also when the volume cannot be read."""
    while True:
        await asyncio.sleep(seconds)
        try:
            text = line(folder)
        except OSError:
            text = line(None)
        say(text, flush=True)


def configure(settings):
    """Begin, where the stack is watched: `settings` are None where it is not. The hub reads its
    configuration inside its loop; other commands have none.
    """
    if settings is None or _BEATING:
        return
    try:
        loop = asyncio.get_running_loop()
    except RuntimeError:
        return
    _BEATING.append(loop.create_task(beat(settings.get("databaseFolder"))))
