"""What the program keeps safe and running, and an escape hatch could undo: isolation, data, the way in, and a release that ends."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from checks.hub_values.fault import Fault, Path, Values, at
from checks.resources import SECRET, UNKNOWN
from config.entry import FIRST_NODE_PORT, LAST_NODE_PORT
from config.errors import shown

_SECRET_NAME = re.compile(r"(?i)(password|passwd|secret|token|api_?key|private_?key|crypt_?keeper)")
#: Names with such a word that hold no secret: of Secrets, of their keys, and switches.
_HARMLESS = re.compile(r"(?i)(existingSecret|secretName|secret_name.*|secret_mount_path|automount.*|secretSync|.*_url|imagePullSecrets?|pullSecrets)$")


def isolation(values: Values) -> Iterator[Fault]:
    """Servers stay unprivileged, and away from the nodes' credentials."""
    single = at(values, "singleuser") or {}
    for key, bad, why in (
        ("uid", 0, "runs servers as root"),
        ("allowPrivilegeEscalation", True, "lets servers gain rights"),
    ):
        if key in single and (single[key] == bad and type(single[key]) is type(bad)):
            yield Fault(path=("singleuser", key), what=f"{why}: the namespace's Pod Security would refuse every one", fix="remove it")
    if at(single, "cloudMetadata", "blockWithIptables"):
        yield Fault(
            path=("singleuser", "cloudMetadata", "blockWithIptables"),
            what="puts a privileged container into every server: the namespace's Pod Security would refuse it",
            fix="leave it off: network policies and the nodes' hop limit block the metadata",
        )
    context = at(values, "hub", "config", "KubeSpawner", "container_security_context") or {}
    if not context.get("runAsNonRoot") or "ALL" not in (at(context, "capabilities", "drop") or ()) or not at(context, "seccompProfile", "type"):
        yield Fault(
            path=("hub", "config", "KubeSpawner", "container_security_context"),
            what="lacks what Pod Security `restricted` asks for: every server would be refused",
            fix="keep runAsNonRoot: true, capabilities: {drop: [ALL]} and seccompProfile: {type: RuntimeDefault}",
        )
    if at(single, "extraPodConfig", "securityContext") is not None:
        yield Fault(
            path=("singleuser", "extraPodConfig", "securityContext"),
            what="replaces the pod's whole security context, and with it the group that homes belong to",
            fix="use hub.config.KubeSpawner.pod_security_context",
        )
    if single.get("serviceAccountName") and at(values, "hub", "config", "KubeSpawner", "automount_service_account_token") is not False:
        yield Fault(
            path=("singleuser", "serviceAccountName"),
            what="mounts the account's token into every server",
            fix="write hub.config.KubeSpawner.automount_service_account_token: false beside it",
        )


def network_policies(values: Values) -> Iterator[Fault]:
    """The chart's network policies stay on, and the metadata address closed."""
    for path in (("hub",), ("proxy", "chp"), ("singleuser",)):
        if at(values, *path, "networkPolicy", "enabled") is False:
            yield Fault(path=(*path, "networkPolicy", "enabled"), what="opens this part of the hub to every pod of the cluster", fix="remove it")
        if at(values, *path, "networkPolicy", "egressAllowRules", "cloudMetadataServer"):
            yield Fault(
                path=(*path, "networkPolicy", "egressAllowRules", "cloudMetadataServer"), what="lets pods ask for their node's credentials", fix="remove it"
            )


def data(values: Values) -> Iterator[Fault]:
    """Removing a person or a release deletes no data, and a database is where it says."""
    if at(values, "hub", "config", "KubeSpawner", "delete_pvc") is not False:
        yield Fault(path=("hub", "config", "KubeSpawner", "delete_pvc"), what="deletes a person's home with the person", fix="write false")
    database = at(values, "hub", "db") or {}
    kind = database.get("type")
    if kind == "sqlite-pvc" and at(database, "pvc", "annotations", "helm.sh/resource-policy") != "keep":
        yield Fault(path=("hub", "db", "pvc", "annotations"), what="lets Helm delete the database with the release", fix="keep helm.sh/resource-policy: keep")
    if kind in ("postgres", "mysql", "other") and not database.get("url"):
        yield Fault(
            path=("hub", "db", "url"),
            what=f"is missing with {kind}: JupyterHub would quietly use a file that is lost at every restart",
            fix="use database.kind: postgres, or write the URL without its password",
        )


def in_memory(values: Values) -> Iterator[Fault]:
    """A database in memory is only had by its long name."""
    if at(values, "hub", "db", "type") == "sqlite-memory":
        yield Fault(
            path=("hub", "db", "type"), what="forgets every session when the hub restarts", fix="say so: database.kind: sqlite_memory_that_loses_sessions"
        )


def way_in(values: Values) -> Iterator[Fault]:
    """People come in by the stack's entry, not by a balancer that Kubernetes would make beside it."""
    service = at(values, "proxy", "service") or {}
    if service.get("type") != "ClusterIP":
        yield Fault(
            path=("proxy", "service", "type"), what=f"opens a way in that the plan does not see (got {shown(service.get('type'))})", fix="use the hub's entry"
        )
    for name, port in (service.get("nodePorts") or {}).items():
        if port is not None and not FIRST_NODE_PORT <= port <= LAST_NODE_PORT:
            yield Fault(
                path=("proxy", "service", "nodePorts", name),
                what=f"is outside the range of node ports (got {port})",
                fix=f"use {FIRST_NODE_PORT} to {LAST_NODE_PORT}",
            )
    https = at(values, "proxy", "https") or {}
    if https.get("enabled") and https.get("type") == "letsencrypt" and not https.get("hosts"):
        yield Fault(path=("proxy", "https", "hosts"), what="is empty: the proxy would quietly speak plain HTTP", fix="use the entry's tls")


def release_ends(values: Values) -> Iterator[Fault]:
    """Nothing in the release waits for user nodes, of which there may be none; and the chart's templates take it."""
    for path in (("prePuller", "hook", "enabled"), ("prePuller", "continuous", "enabled")):
        if at(values, *path):
            yield Fault(path=path, what="waits for user nodes, and every `pulumi up` with it", fix="remove it: nodes pull an image when a server needs it")
    if at(values, "scheduling", "userPlaceholder", "enabled") and at(values, "scheduling", "userPlaceholder", "replicas"):
        yield Fault(
            path=("scheduling", "userPlaceholder", "replicas"),
            what="waits for user nodes, and every `pulumi up` with it",
            fix="raise size.min of the pool to have nodes ready",
        )
    for refused, fix in ((("hub", "fsGid"), "use hub.podSecurityContext.fsGroup"), (("rbac", "enabled"), "use rbac.create")):
        if at(values, *refused) is not None:
            yield Fault(path=refused, what="is refused by the chart's templates", fix=fix)
    for name in ("fullnameOverride", "nameOverride"):
        if at(values, name):
            yield Fault(path=(name,), what="renames what the entry and the network policies look for", fix="remove it")
    if at(values, "imagePullSecret", "create"):
        yield Fault(
            path=("imagePullSecret", "create"), what="holds a password in the release's values", fix="make the Secret yourself and name it in imagePullSecrets"
        )


def images(values: Values) -> Iterator[Fault]:
    """Images by a fixed tag."""
    for path, value in _maps(values, ()):
        if path[-1:] == ("image",) and value.get("tag") == "latest":
            yield Fault(path=(*path, "tag"), what="follows latest", fix="name a version")


def _maps(value: Any, path: Path) -> Iterator[tuple[Path, Mapping[str, Any]]]:  # noqa: ANN401 -- any JSON value
    if isinstance(value, Mapping):
        yield path, value
        for key, inner in value.items():
            yield from _maps(inner, (*path, key))


def clear_text(values: Values) -> Iterator[Fault]:
    """No secret in clear text among the values: it would stand in the plan, the state and the stack file."""
    for path, value in _texts(values, ()):
        name = str(path[-1])
        if _SECRET_NAME.search(name) and not _HARMLESS.match(name) and value not in ("", SECRET, UNKNOWN):
            yield Fault(path=path, what="looks like a secret in clear text", fix="use the option that takes it as a secret of the stack")
        elif "PRIVATE KEY-----" in value:
            yield Fault(path=path, what="holds a private key in clear text", fix="use entry.tls, which takes it as a secret of the stack")


def _texts(value: Any, path: Path) -> Iterator[tuple[Path, str]]:  # noqa: ANN401 -- any JSON value
    if isinstance(value, Mapping):
        for key, inner in value.items():
            yield from _texts(inner, (*path, key))
    elif isinstance(value, (list, tuple)):
        for index, inner in enumerate(value):
            yield from _texts(inner, (*path, index))
    elif isinstance(value, str) and path:
        yield path, value


RULES = (isolation, network_policies, data, way_in, release_ends, images, clear_text)
