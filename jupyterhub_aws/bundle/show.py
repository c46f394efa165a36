"""What a bundle holds, as text and as data."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from jupyterhub_aws.bundle.inventory import Inventory, Item
from jupyterhub_aws.cli.console import Terminal
from jupyterhub_aws.config.bundle import Lock, Locked
from jupyterhub_aws.config.errors import Problem
from jupyterhub_aws.units import amount

_TITLES = {"image": "Images", "chart": "Charts", "file": "Pulumi", "wheels": "Python"}


LIST_FORMAT, VERIFY_FORMAT = "jupyterhub-aws/bundle-list/1", "jupyterhub-aws/bundle-verify/1"


def verdict(folder: Path, lock: Lock, wrong: Sequence[Problem]) -> dict[str, Any]:
    """What `jhub bundle verify` found, as data."""
    return {
        "format": VERIFY_FORMAT,
        "folder": str(folder),
        "items": sum(len(items) for items in lock.items.values()),
        "bytes": sum(item.size for items in lock.items.values() for item in items.values()),
        "problems": [problem.as_json() for problem in wrong],
    }


def as_text(inventory: Inventory, lock: Lock | None) -> str:
    """The inventory as JSON, sorted, with a newline at its end."""
    items = [
        {
            "kind": item.kind,
            "key": item.key,
            "needed_by": list(item.needed_by),
            "digest": None if (found := _locked(item, lock)) is None else found.digest,
            "size": None if found is None else found.size,
        }
        for item in inventory.items
    ]
    document = {
        "format": LIST_FORMAT,
        "stack": inventory.stack,
        "registry": inventory.registry,
        "items": items,
        "provided_by_eks": list(inventory.provided),
    }
    return json.dumps(document, indent=2, sort_keys=True, ensure_ascii=False) + "\n"


def shown(inventory: Inventory, lock: Lock | None) -> None:
    """Print the inventory."""
    console = Terminal()
    for kind, title in _TITLES.items():
        items = [item for item in inventory.items if item.kind == kind]
        if items:
            console.print(f"[bold]{title}[/bold]")
        for item in items:
            found = _locked(item, lock)
            size = "" if found is None else f"{amount(found.size)}, "
            console.print(f"  {item.key}", soft_wrap=True)
            console.print(f"    {size}for {', '.join(item.needed_by)}", style="dim", soft_wrap=True)
    if lock is None:
        console.print(
            f"\nNothing is locked yet: jhub bundle lock {inventory.stack}", soft_wrap=True
        )
    if inventory.provided:
        console.print(
            "\n[bold]Not copied[/bold]: EKS serves its add-ons' images in the region, through ECR's"
            " endpoints"
        )
        for name in inventory.provided:
            console.print(f"  {name}", soft_wrap=True)
    where = (
        inventory.registry
        or "nowhere: this stack has no registry of its own (`jhub bundle export` writes archives for nodes)"
    )
    console.print(f"\n`jhub bundle push` puts images and charts into {where}", soft_wrap=True)


def _locked(item: Item, lock: Lock | None) -> Locked | None:
    return None if lock is None else lock.items.get(item.kind, {}).get(item.key)
