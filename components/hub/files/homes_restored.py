"""Makes a restored directory a user's own, or compares it with the present files. Runs as root in a
pod of a Job, with the file system at ROOT.

    python homes_restored.py ROOT hand-over --item hubs/main/ada --target hubs/main/ada/restored-2026-11-27t0300z --since TIME --until TIME
    python homes_restored.py ROOT compare --item hubs/main/ada --taken TIME --since TIME --until TIME

AWS Backup restores into aws-backup-restore_TIME/ITEM below the root of the file system, and does
not say which TIME it was: the one between `--since` and `--until`, when its job ran, is taken.
Nothing is overwritten: an existing target and all present files are left unchanged. Every step goes
through the directory that is open, and no link is followed. The last line of the output is JSON.
Nothing but Python's standard library.
"""

from __future__ import annotations

import argparse
import datetime
import hashlib
import json
import os
import re
import stat
import sys

from homes_ownership import Owner

_FLAGS = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_SIDE = re.compile(r"aws-backup-restore_(\d{4}-\d\d-\d\d)T(\d\d)-(\d\d)-(\d\d)")
#: Clocks differ, and the directory is made some time before its job ends.
_SLACK = datetime.timedelta(minutes=10)
_BLOCK = 1024 * 1024
_LISTED = 20


class Refused(Exception):  # noqa: N818 -- it is no error of this program
    """What keeps this from being done, in a sentence."""


def opened(root, path, make=None):
    """The open directory at a path below an open one. With `make`, an owner, what is missing is
    made and becomes theirs.
    """
    here = os.dup(root)
    for part in path.split("/"):
        if part in ("", ".", ".."):
            raise Refused(f"{path} is no path below the file system")
        try:
            below = os.open(part, _FLAGS, dir_fd=here)
        except FileNotFoundError:
            if make is None:
                os.close(here)
                raise
            os.mkdir(part, 0o750, dir_fd=here)
            below = os.open(part, _FLAGS, dir_fd=here)
            os.fchown(below, *make)
        os.close(here)
        here = below
    return here


def there(root, path):
    """Whether something is at a path."""
    above, _, name = path.rpartition("/")
    try:
        folder = opened(root, above) if above else os.dup(root)
    except FileNotFoundError:
        return False
    try:
        os.lstat(name, dir_fd=folder)
        return True
    except FileNotFoundError:
        return False
    finally:
        os.close(folder)


def sides(root, asked):
    """The side directories of that job which hold the item."""
    found = []
    for name in sorted(os.listdir(root)):
        match = _SIDE.match(name)
        if match is None:
            continue
        made = datetime.datetime.fromisoformat(f"{match[1]}T{match[2]}:{match[3]}:{match[4]}+00:00")
        if asked.since - _SLACK <= made <= asked.until + _SLACK and there(
            root, f"{name}/{asked.item}"
        ):
            found.append(name)
    return found


def side(root, asked):
    """The one of that job. Raises Refused for none and for several."""
    found = sides(root, asked)
    if len(found) > 1:
        raise Refused(
            f"several restores hold {asked.item}: {', '.join(found)}; move or remove what is not"
            " wanted, then run this again"
        )
    if not found:
        raise Refused(
            f"no directory aws-backup-restore_* of that time holds {asked.item}: was it in the"
            " backup?"
        )
    return found[0]


def hand_over(root, asked):
    """Move the restored directory to its target, once, and change its owner to the user of
    servers.
    """
    owner = Owner(asked.uid, asked.gid, False)
    device = os.fstat(root).st_dev
    above, _, name = asked.target.rpartition("/")
    moved = not there(root, asked.target)
    if moved:
        source = f"{side(root, asked)}/{asked.item}"
        folder, from_folder = (
            opened(root, above, make=(asked.uid, asked.gid)),
            opened(root, source.rpartition("/")[0]),
        )
        os.rename(source.rpartition("/")[2], name, src_dir_fd=from_folder, dst_dir_fd=folder)
        os.close(from_folder)
    elif sides(root, asked):
        raise Refused(
            f"{asked.target} is there already, and nothing is written over: rename it, or run with"
            " another --attempt"
        )
    else:
        folder = opened(root, above)
    owner.tree(folder, name, asked.target, device)
    os.close(folder)
    if owner.errors:
        raise Refused(
            f"{len(owner.errors)} entries could not be handed over: {'; '.join(owner.errors[:3])}"
        )
    return {
        "target": asked.target,
        "moved": moved,
        "entries": owner.seen,
        "handed_over": owner.changed,
    }


def files(folder):
    """Every regular file below an open directory: its path, its stat, and its open directory's
    descriptor while one looks.
    """
    waiting = [("", os.dup(folder))]
    while waiting:
        prefix, here = waiting.pop()
        try:
            for name in sorted(os.listdir(here), key=os.fsencode):
                found = os.lstat(name, dir_fd=here)
                if stat.S_ISDIR(found.st_mode):
                    waiting.append((f"{prefix}{name}/", os.open(name, _FLAGS, dir_fd=here)))
                elif stat.S_ISREG(found.st_mode):
                    yield f"{prefix}{name}", found, (here, name)
        finally:
            os.close(here)


def digest(place):
    """SHA-256 of a file's content."""
    found = hashlib.sha256()
    descriptor = os.open(place[1], os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=place[0])
    with os.fdopen(descriptor, "rb") as file:
        while block := file.read(_BLOCK):
            found.update(block)
    return found.hexdigest()


def compare(root, asked):
    """Compare each restored file with the present one. Files that were changed since the backup
    prove nothing, and are counted separately.
    """
    taken = asked.taken.timestamp()
    restored = opened(root, f"{side(root, asked)}/{asked.item}")
    count = {"files": 0, "bytes": 0, "same": 0, "changed": 0, "differences": 0}
    names, seen = [], set()
    try:
        alive = opened(root, asked.item)
    except FileNotFoundError:
        raise Refused(f"{asked.item} is not there any more: nothing to compare with") from None
    for path, found, place in files(restored):
        seen.add(path)
        count["files"] += 1
        count["bytes"] += found.st_size
        verdict = judged(alive, path, found, place, taken)
        count[verdict] += 1
        if verdict == "differences":
            names.append(path)
    for path, found, _ in files(alive):
        if path not in seen and found.st_ctime < taken:  # it was there when the backup was taken
            count["differences"] += 1
            names.append(path)
    os.close(alive)
    os.close(restored)
    for path in names[:_LISTED]:
        print(f"differs: {os.fsencode(path).decode('utf-8', 'backslashreplace')!r}")
    return count


def judged(alive, path, found, place, taken):
    """`same`, `changed` since the backup, or one of the `differences`."""
    above, _, name = path.rpartition("/")
    try:
        folder = opened(alive, above) if above else os.dup(alive)
    except (FileNotFoundError, NotADirectoryError):
        return "changed"
    try:
        live = os.lstat(name, dir_fd=folder)
        if live.st_ctime >= taken or not stat.S_ISREG(live.st_mode):
            return "changed"
        same = live.st_size == found.st_size and digest((folder, name)) == digest(place)
        return "same" if same else "differences"
    except FileNotFoundError:
        return "changed"
    finally:
        os.close(folder)


def moment(text):
    """An ISO time with its zone."""
    return datetime.datetime.fromisoformat(text)


def main():
    """Read the arguments and go."""
    parser = argparse.ArgumentParser(description="Hands a restored directory over, or compares it.")
    parser.add_argument("root")
    parser.add_argument("what", choices=["hand-over", "compare"])
    parser.add_argument(
        "--item", required=True, help="what was restored, from the root of the file system"
    )
    parser.add_argument("--target", help="where it goes")
    parser.add_argument(
        "--since", type=moment, required=True, help="when the job that restored it began"
    )
    parser.add_argument("--until", type=moment, required=True, help="when it ended")
    parser.add_argument("--taken", type=moment, help="when the backup was taken")
    parser.add_argument("--uid", type=int, default=1000)
    parser.add_argument("--gid", type=int, default=100)
    asked = parser.parse_args()
    root = os.open(asked.root, _FLAGS)
    try:
        found = hand_over(root, asked) if asked.what == "hand-over" else compare(root, asked)
    except Refused as refused:
        print(json.dumps({"refused": str(refused)}))
        sys.exit(1)
    except OSError as error:
        print(json.dumps({"refused": f"{error.strerror}: {error.filename}"}))
        sys.exit(1)
    finally:
        os.close(root)
    print(json.dumps(found))


if __name__ == "__main__":
    main()
