"""Homes: what of a change would let somebody find an empty one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from jupyterhub_aws.changes.compare import Change
from jupyterhub_aws.changes.effect import EffectContext, Reading


def read(change: Change, context: EffectContext) -> Reading:
    """An access point or a volume that homes, or a database, are mounted through."""
    del context
    reading = Reading(explained={"rootDirectory", "posixUser"})
    if change.old is None or change.new is None:
        return reading
    old, new = (_place(side.inputs) for side in (change.old, change.new))
    for key in sorted({*old, *new}):
        if old.get(key) != new.get(key):
            reading.say(
                change,
                (
                    "endangers data",
                    "data",
                    (
                        f"{change.name}: {key} {old.get(key)} → {new.get(key)}:"
                        f" {_MEANS.get(key, _OTHERWISE)}"
                    ),
                ),
            )
    if any(
        item.keys[:1] == ("spec",) and item.keys[1:2] not in _QUIET for item in change.properties
    ):
        reading.explained.add("spec")
        if not reading.effects:
            says = (
                f"{change.name}: the volume is described otherwise; the API server may refuse it,"
                " or pods get another one"
            )
            reading.say(change, ("endangers data", "data", says))
    return reading


#: What of a volume's description the table speaks about.
_QUIET = (("mountOptions",), ("capacity",))
_OTHERWISE = "pods get something else under the same name"
_MEANS = {
    "directory": "everybody would see an empty home, unless the files are there too",
    "user": "files belong to somebody else than whoever mounts them: nobody could write",
    "volume": (
        "everybody would see an empty home, or an empty database, unless the data is there too"
    ),
    "reclaim policy": "what becomes of the data when the claim goes",
}


def _place(inputs: Mapping[str, Any]) -> dict[str, str]:
    if "rootDirectory" in inputs or "posixUser" in inputs:
        user = inputs.get("posixUser") or {}
        return {
            "directory": str((inputs.get("rootDirectory") or {}).get("path", "/")),
            "user": f"{user.get('uid')}:{user.get('gid')}",
        }
    spec = inputs.get("spec") or {}
    nfs = spec.get("nfs") or {}
    volume = (spec.get("csi") or {}).get("volumeHandle") or (
        f"{nfs.get('server')}:{nfs.get('path')}" if nfs else (spec.get("local") or {}).get("path")
    )
    return {"volume": str(volume), "reclaim policy": str(spec.get("persistentVolumeReclaimPolicy"))}
