"""`singleuser.storage` as `homes` and the hub's `home_directory`: old home directories keep their
paths.

What `{username}` became on a file system is in the facts of KubeSpawner (config/usernames.py):
before version 7, in charts before 4.0, the escaped name; since then a slug, unless
`KubeSpawner.slug_scheme` is `escape`.
"""

from __future__ import annotations

import re
from typing import Any

from jupyterhub_aws.adopt.z2jh.taken import Taking
from jupyterhub_aws.config.stack_text import fill

_GIB = {"Gi": 1.0, "G": 1.0, "Ti": 1024.0, "T": 1024.0, "Mi": 1 / 1024, "M": 1 / 1024}
_STORAGE = ("singleuser", "storage")
_KEEPS_NOTHING = ("none", "sqlite-memory", "hostPath", "ephemeral")
#: The chart from which on `{username}` is a slug.
_SLUGS_SINCE = 4
#: What `{username}` is by a scheme, as a stack file says it.
_NAMES = {"escaped": "escaped_username", "safe": "safe_username", "unknown": "escaped_username"}
#: Fields with the name of a server in them, and the same without it.
_WITH_SERVER = {
    "{username}{servername}": "{username}",
    "{username}-{servername}": "{username}",
    "{user_server}": "{username}",
    "{escaped_user_server}": "{escaped_username}",
}


def homes_of(taking: Taking) -> tuple[dict[str, Any], Any]:
    """The section `homes`, and the hub's `home_directory` (None where homes are no directories)."""
    kind = taking.text(*_STORAGE, "type") or "dynamic"
    scheme = scheme_of(taking)
    if kind not in ("static", "dynamic", *_KEEPS_NOTHING):
        why = "is no type of storage that charts have: a volume for each user is taken"
        taking.drop((*_STORAGE, "type"), why)
    if kind == "static":
        return _static(taking, scheme)
    if kind in _KEEPS_NOTHING:
        if kind != "none":
            taking.notes.append(
                f"singleuser.storage.type {kind} kept nothing: neither does homes.kind ephemeral"
            )
        return {"kind": "ephemeral"}, None
    return _dynamic(taking, scheme), None


def scheme_of(taking: Taking) -> str:
    """`escaped`, `safe`, or `unknown` where nothing in the values says of which chart they are."""
    said = taking.text("hub", "config", "KubeSpawner", "slug_scheme")
    if said is not None:
        return "escaped" if said == "escape" else "safe"
    # `auth`: charts before 0.10 only.
    if taking.look("auth") is not None or any(path[0] == "auth" for path in taking.ledger):
        return "escaped"
    if taking.chart is not None:
        return "safe" if int(taking.chart.lstrip("v").split(".")[0]) >= _SLUGS_SINCE else "escaped"
    return "unknown"


def _static(taking: Taking, scheme: str) -> tuple[dict[str, Any], Any]:
    claim = taking.text(*_STORAGE, "static", "pvcName") or "the claim of homes"
    path = taking.text(*_STORAGE, "static", "subPath") or "{username}"
    how = f"see kubectl get pv -o yaml, at the one of claim {claim[:60]}"
    homes = {
        "kind": fill("nfs", "nfs; or efs_access_point where the old volume is on EFS"),
        "server": fill("nfs.example.org", f"`spec.nfs.server`: {how}"),
        "path": fill("/exports/homes", f"`spec.nfs.path`: {how}"),
    }
    taking.to_fill_in(*_STORAGE, "static", "pvcName", where="homes.server and homes.path")
    taking.settle(*_STORAGE, "capacity", why="means nothing with one volume for all users")
    _owners(taking)
    return homes, _directory(taking, path, scheme)


def _directory(taking: Taking, path: str, scheme: str) -> Any:
    """The old path in the new words. Where the chart's version is uncertain, it is not guessed:
    every user would find an empty home.
    """
    plain = path.strip("/")
    for field, user in _WITH_SERVER.items():
        if field in plain:
            taking.notes.append("named servers had homes of their own: from now on a user has one")
            plain = plain.replace(field, user)
    found = plain.replace("{username}", f"{{{_NAMES[scheme]}}}")
    if "{username}" in plain and scheme == "unknown":
        other = plain.replace("{username}", "{safe_username}")
        taking.to_fill_in(*_STORAGE, "static", "subPath", where="home_directory")
        return fill(
            found, f"so for a chart before 4.0 (helm list shows it); for 4.0 and later: {other}"
        )
    return found


def _owners(taking: Taking) -> None:
    """Homes that root wrote: said, because no hub here runs as root."""
    root = taking.look("singleuser", "uid") in (0, "0")
    for name in ("CHOWN_HOME", "NB_UID", "NB_GID", "GRANT_SUDO", "CHOWN_HOME_OPTS"):
        if taking.look("singleuser", "extraEnv", name) is not None:
            root = True
            why = "needs a container that starts as root, which no hub here runs"
            taking.drop_all("singleuser", "extraEnv", name, why=why)
    if root:
        taking.drop_all("singleuser", "uid", why="servers run as 1000:100, never as root")
        taking.drop_all("singleuser", "fsGid", why="servers run as 1000:100")
        taking.notes.append(
            "homes were written by root (uid 0): give them to 1000:100 before the first sign-in"
            " (docs/adopting.md, Homes)"
        )


def _dynamic(taking: Taking, scheme: str) -> dict[str, Any]:
    """A volume for each user: users keep them where the claims keep their names."""
    capacity = taking.text(*_STORAGE, "capacity")
    size = gib(capacity)
    if capacity is not None and size is None:
        taking.drop((*_STORAGE, "capacity"), "is not a size in GiB")
    template = taking.text(*_STORAGE, "dynamic", "pvcNameTemplate")
    old = template or "claim-{username}{servername}"
    why = "a name inside the pod, without effect"
    taking.drop_all(*_STORAGE, "dynamic", "volumeNameTemplate", why=why)
    why = "homes.kind ebs has a class of its own; volumes that are there keep theirs"
    taking.drop_all(*_STORAGE, "dynamic", "storageClass", why=why)
    if "{username}" in old and (template or scheme != "safe"):
        claims = re.sub(r"-?\{servername\}", "", old).replace("{username}", f"{{{_NAMES[scheme]}}}")
        taking.put(claims, *_STORAGE, "dynamic", "pvcNameTemplate")
        taking.notes.append(
            f"claims keep their names: {claims}; compare with kubectl get pvc before any user signs"
            " in"
        )
        if scheme == "unknown":
            taking.notes.append(
                "that is how charts before 4.0 named them; for 4.0 and later take the line"
                " pvcNameTemplate away"
            )
    elif template:
        taking.put(template, *_STORAGE, "dynamic", "pvcNameTemplate")
    note = "a volume for each user, by the EBS CSI driver; elsewhere than in AWS: nfs"
    return {"kind": fill("ebs", note), **({"size_gib": size} if size else {})}


def gib(text: str | None) -> int | None:
    """A size of Kubernetes in whole GiB, at least one; None for what is none."""
    match = re.fullmatch(r"(\d+(?:\.\d+)?)\s*([GTM]i?)", text or "")
    return None if match is None else min(max(round(float(match[1]) * _GIB[match[2]]), 1), 16384)
