"""Changes the owner of homes from root to the user of today's servers, once. Runs as root in a pod
of a Job, while no hub runs, with the homes at ROOT.

    python homes_ownership.py ROOT --marker FILE [--uid 1000] [--gid 100] [--dry-run]

The hubs of 2021 ran servers as root and let the image hand over (CHOWN_HOME). Today servers are
1000:100 from the start, and could not write what is root's. Nothing but Python's standard library,
for any image has that.

It changes owners only where they differ, so a second run changes nothing. Each directory right
below ROOT that is done is a line of the marker, which a run that is killed leaves behind: the next
one goes on there. `complete` is its last line, once nothing failed. Every step goes through the
directory that is open, and no link is followed: one that is put in its way meanwhile leads nowhere.
"""

from __future__ import annotations

import argparse
import os
import stat
import sys
import time

_COMPLETE = "complete"
_FLAGS = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_PROGRESS_SECONDS = 10


class Owner:
    """Hands over one tree after the other."""

    def __init__(self, uid, gid, dry_run):
        self.uid, self.gid, self.dry_run = uid, gid, dry_run
        self.changed, self.seen, self.errors, self.stripped = 0, 0, [], []
        self._said = time.monotonic()

    def tree(self, parent, name, shown, device):
        """Hand over an entry of an open directory, and all below it."""
        try:
            found = os.lstat(name, dir_fd=parent)
            if found.st_dev != device:
                return
            if stat.S_ISDIR(found.st_mode):
                self._below(parent, name, shown, device)
            self._hand_over(parent, name, found, shown)
        except FileNotFoundError:
            return  # gone meanwhile
        except OSError as error:
            self.errors.append(f"{shown}: {error.strerror}")
        except RecursionError:
            self.errors.append(f"{shown}: is nested too deeply; run this once more with it as ROOT")

    def _below(self, parent, name, shown, device):
        folder = os.open(name, _FLAGS, dir_fd=parent)
        try:
            for entry in sorted(os.listdir(folder), key=os.fsencode):
                self.tree(folder, entry, f"{shown}/{text(entry)}", device)
        finally:
            os.close(folder)

    def _hand_over(self, parent, name, found, shown):
        self._progress()
        mode = stat.S_IMODE(found.st_mode)
        wanted = mode | 0o700 if stat.S_ISDIR(found.st_mode) else mode
        owned = (found.st_uid, found.st_gid) == (self.uid, self.gid)
        if not owned and stat.S_ISREG(found.st_mode) and mode & (stat.S_ISUID | stat.S_ISGID):
            wanted &= ~(
                stat.S_ISUID | stat.S_ISGID
            )  # a set-user-ID program of root must not become one of another user
            self.stripped.append(shown)
        if owned and wanted == mode:
            return
        self.changed += 1
        if self.dry_run:
            return
        if not owned:
            os.chown(name, self.uid, self.gid, dir_fd=parent, follow_symlinks=False)
        if not stat.S_ISLNK(found.st_mode) and (
            wanted != mode or mode & 0o6000
        ):  # a new owner takes these bits away by itself, on directories too
            self._chmod(parent, name, wanted)

    def _chmod(self, parent, name, wanted):
        """Through the open file: chmod by name would follow a link."""
        entry = os.open(
            name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC, dir_fd=parent
        )
        try:
            os.fchmod(entry, wanted)
        finally:
            os.close(entry)

    def _progress(self):
        self.seen += 1
        if time.monotonic() - self._said > _PROGRESS_SECONDS:
            self._said = time.monotonic()
            print(f"{self.seen:,} seen, {self.changed:,} handed over", file=sys.stderr, flush=True)


def text(name):
    """A name as one line of text, unambiguous for any bytes."""
    return (
        os.fsencode(name)
        .decode("utf-8", "backslashreplace")
        .replace("\\", "\\\\")
        .replace("\n", "\\n")
    )


def done_before(marker):
    """The lines of the marker; the last one is left out where it was not finished."""
    try:
        with open(marker, encoding="utf-8") as file:
            return {line[:-1] for line in file if line.endswith("\n")}
    except FileNotFoundError:
        return set()


def mark(marker, line):
    """One more line, on the disk before anything else happens. A line that was not finished gets
    an end first.
    """
    with open(marker, "a+b") as file:
        if file.tell() > 0:
            file.seek(-1, os.SEEK_END)
            if file.read(1) != b"\n":
                file.write(b"\n")
        file.write(f"{line}\n".encode())
        file.flush()
        os.fsync(file.fileno())


def run(asked):
    """Hand over everything below the root that the marker does not name. Returns 0 once all of
    it is done.
    """
    marker = os.path.abspath(asked.marker)
    before = done_before(marker)
    if _COMPLETE in before:
        print("complete already: nothing to do")
        return 0
    owner = Owner(asked.uid, asked.gid, asked.dry_run)
    root = os.open(asked.root, _FLAGS)
    device = os.fstat(root).st_dev
    for name in sorted(os.listdir(root), key=os.fsencode):
        line = f"done {text(name)}"
        if line in before or os.path.join(os.path.abspath(asked.root), name) == marker:
            continue
        failed = len(owner.errors)
        owner.tree(root, name, text(name), device)
        if not asked.dry_run and len(owner.errors) == failed:
            mark(marker, line)
    os.close(root)
    print(
        f"{owner.seen:,} seen, {owner.changed:,} {'would be ' if asked.dry_run else ''}handed over"
        f" to {asked.uid}:{asked.gid}"
    )
    for path in owner.stripped:
        print(f"no longer runs as its owner: {path}")
    for line in owner.errors:
        print(f"failed: {line}", file=sys.stderr)
    if owner.errors:
        return 1
    if not asked.dry_run:
        mark(marker, _COMPLETE)
    return 0


def main():
    """Read the arguments and go."""
    parser = argparse.ArgumentParser(
        description="Gives homes that root wrote to their present users, once."
    )
    parser.add_argument("root")
    parser.add_argument(
        "--marker", required=True, help="where the finished directories are written down"
    )
    parser.add_argument("--uid", type=int, default=1000)
    parser.add_argument("--gid", type=int, default=100)
    parser.add_argument("--dry-run", action="store_true", help="only count")
    sys.exit(run(parser.parse_args()))


if __name__ == "__main__":
    main()
