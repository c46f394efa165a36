"""The size of each user's home. Runs in a pod of a CronJob, as 1000:100, with the homes of one
hub at ROOT.

    python homes_usage.py ROOT [--depth N] [--report FILE]

Nothing but Python's standard library, for any image has that. The sum is what files occupy
(st_blocks); EFS bills the same blocks in steps of 4 KiB and metadata besides, and moves old files
to a cheaper class: so it says who takes how much, not what the bill is. Links are not followed,
other file systems not entered, a file with several names counts once. Directories that cannot be
read, and files that vanish meanwhile, are counted and named.
"""

from __future__ import annotations

import argparse
import json
import os
import stat
import sys
import time

_BLOCK = 512
_PROGRESS_SECONDS = 10


class Counter:
    """Sums one tree after the other; files with several names are remembered across all of them."""

    def __init__(self, device):
        self.device, self.seen, self.unread, self.files = device, set(), [], 0
        self._said = time.monotonic()

    def tree(self, path):
        """Bytes and files below a directory, itself included."""
        size, files, waiting = self._own(path), 0, [path]
        while waiting:
            for entry in self._entries(waiting.pop()):
                found = self._stat(entry)
                if found is None or found.st_dev != self.device:
                    continue
                size += self._bytes(found)
                if entry.is_dir(follow_symlinks=False):
                    waiting.append(entry.path)
                else:
                    files += 1
        return size, files

    def _own(self, path):
        try:
            return self._bytes(os.lstat(path))
        except OSError:
            return 0

    def _entries(self, path):
        try:
            with os.scandir(path) as entries:
                return list(entries)
        except OSError as error:
            self.unread.append(f"{shown(path)}: {error.strerror}")
            return []

    def _stat(self, entry):
        try:
            return entry.stat(follow_symlinks=False)
        except OSError as error:
            if not isinstance(error, FileNotFoundError):  # deleted meanwhile
                self.unread.append(f"{shown(entry.path)}: {error.strerror}")
            return None

    def _bytes(self, found):
        self._progress()
        if found.st_nlink > 1 and not stat.S_ISDIR(found.st_mode):
            if found.st_ino in self.seen:
                return 0
            self.seen.add(found.st_ino)
        return found.st_blocks * _BLOCK

    def _progress(self):
        self.files += 1
        if time.monotonic() - self._said > _PROGRESS_SECONDS:
            self._said = time.monotonic()
            print(f"{self.files:,} files and directories so far", file=sys.stderr, flush=True)


def shown(path):
    """A path as text, whatever bytes it is made of."""
    return os.fsencode(path).decode("utf-8", "backslashreplace")


def homes(root, depth):
    """The directories that are homes: `depth` levels below the root."""
    found = [root]
    for _ in range(depth):
        found = [
            entry.path
            for folder in found
            for entry in sorted(os.scandir(folder), key=lambda entry: entry.name)
            if entry.is_dir(follow_symlinks=False)
        ]
    return found


def report(root, depth):
    """The report as data: homes from large to small."""
    began = time.time()
    counter = Counter(os.lstat(root).st_dev)
    rows = []
    for home in homes(root, depth):
        size, files = counter.tree(home)
        rows.append({"home": shown(os.path.relpath(home, root)), "bytes": size, "files": files})
    rows.sort(key=lambda row: (-row["bytes"], row["home"]))
    total = {"bytes": sum(row["bytes"] for row in rows), "files": sum(row["files"] for row in rows)}
    at = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(began))
    return {
        "at": at,
        "seconds": round(time.time() - began, 1),
        "total": total,
        "homes": rows,
        "unread": counter.unread,
    }


def write(path, data):
    """The report in a file, whole or not at all."""
    os.makedirs(os.path.dirname(os.path.abspath(path)), exist_ok=True)
    with open(f"{path}.new", "w", encoding="utf-8") as file:
        json.dump(data, file, indent=1)
        file.flush()
        os.fsync(file.fileno())
    os.replace(f"{path}.new", path)


def main():
    """Print a table, and write the report where it is asked for."""
    parser = argparse.ArgumentParser(description="How much each person's home takes.")
    parser.add_argument("root")
    parser.add_argument("--depth", type=int, default=1, help="how far below ROOT homes are")
    parser.add_argument("--report", help="write the report here, as JSON")
    asked = parser.parse_args()
    data = report(asked.root, asked.depth)
    for row in data["homes"]:
        print(f"{row['bytes'] / 2**30:10.2f} GiB {row['files']:12,} files  {row['home']}")
    print(
        f"{data['total']['bytes'] / 2**30:10.2f} GiB {data['total']['files']:12,} files  in all,"
        f" {data['seconds']} s"
    )
    for line in data["unread"]:
        print(f"not read: {line}", file=sys.stderr)
    if asked.report:
        write(asked.report, data)


if __name__ == "__main__":
    main()
