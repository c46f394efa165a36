"""`lock`, `pull` and `push` of an inventory that stands in a file: for tests whose registries
are their own, and that kill what they start.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

from jupyterhub_aws.bundle.inventory import Chart, File, Image, Inventory, Wheels
from jupyterhub_aws.bundle.lock import make_lock
from jupyterhub_aws.bundle.pull import pull
from jupyterhub_aws.bundle.push import push
from jupyterhub_aws.bundle.registry import Access
from jupyterhub_aws.bundle.store import Store, write
from jupyterhub_aws.config.bundle import read_lock
from jupyterhub_aws.config.errors import ConfigError

KINDS = {"image": Image, "chart": Chart, "file": File, "wheels": Wheels}
ACCESS = Access(plain_http=True)


def inventory_of(path: Path) -> Inventory:
    items = []
    for item in json.loads(path.read_text()):
        if "folder" in item:
            item["folder"] = Path(item["folder"])
        items.append(KINDS[item.pop("kind")](**item, needed_by=("a test",)))
    return Inventory(stack="test", items=tuple(items), registry=None)


def main(verb: str, *arguments: str) -> int:
    first, second, *rest = map(Path, arguments)
    try:
        if verb == "lock":
            before = read_lock(second) if second.is_file() else None
            write(
                second,
                make_lock(inventory_of(first), before, tuple(map(str, rest)), ACCESS)
                .as_text()
                .encode(),
            )
        elif verb == "pull":
            print(pull(inventory_of(first), read_lock(second), Store(rest[0]), ACCESS))
        elif verb == "push":
            print(push(Store(first), read_lock(first / "bundle.lock.json"), str(second), ACCESS))
    except ConfigError as error:
        print(error, file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
