"""What the program keeps safe and running, and an escape hatch could undo: isolation, data, the
way in, and a release that ends.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from typing import Any

from jupyterhub_aws.checks.hub_values.fault import ValueFault, Values, items, maps
from jupyterhub_aws.checks.resources import SECRET, UNKNOWN
from jupyterhub_aws.config.entry import FIRST_NODE_PORT, LAST_NODE_PORT
from jupyterhub_aws.config.errors import names_secret, shown
from jupyterhub_aws.config.tree import KeyPath, at, leaves
from jupyterhub_aws.config.unlisted_image import is_image_pattern

_URL_WITH_PASSWORD = re.compile(r"[a-z][a-z0-9+.-]*://[^\s/:@]*:[^\s/@]+@")
#: Pod Security `restricted`, in the words of Kubernetes: what no container or pod may ask for.
_UNRESTRICTED = {
    "privileged": True,
    "allowPrivilegeEscalation": True,
    "runAsUser": 0,
    "runAsNonRoot": False,
}
_NODE_ACCESS = {"hostNetwork": True, "hostPID": True, "hostIPC": True}
_REFUSED_IN_PODS = {**_UNRESTRICTED, **_NODE_ACCESS}
#: `allow_privilege_escalation` is a trait of KubeSpawner too, of which other rules speak.
_SNAKE = {
    "host_network": "hostNetwork",
    "host_pid": "hostPID",
    "host_ipc": "hostIPC",
    "run_as_user": "runAsUser",
    "run_as_non_root": "runAsNonRoot",
}


def isolation(values: Values) -> Iterator[ValueFault]:
    """Servers stay unprivileged, and away from the nodes' credentials."""
    single = at(values, "singleuser") or {}
    if _same(single.get("uid"), 0):
        what = "runs servers as root: the namespace's Pod Security would refuse every one"
        yield ValueFault("helm-values.servers-as-root", ("singleuser", "uid"), what, "remove it")
    if single.get("allowPrivilegeEscalation") is not False:
        what = "lets servers gain rights: the namespace's Pod Security would refuse every one"
        path: KeyPath = ("singleuser", "allowPrivilegeEscalation")
        yield ValueFault("helm-values.privilege-escalation", path, what, "remove it")
    if at(single, "cloudMetadata", "blockWithIptables"):
        what = (
            "puts a privileged container into every server: the namespace's Pod Security would"
            " refuse it"
        )
        fix = "leave it off: network policies and the nodes' hop limit block the metadata"
        path = ("singleuser", "cloudMetadata", "blockWithIptables")
        yield ValueFault("helm-values.privileged-container", path, what, fix)
    context = at(values, "hub", "config", "KubeSpawner", "container_security_context")
    if (
        at(context, "runAsNonRoot") is not True
        or "ALL" not in items(at(context, "capabilities", "drop"))
        or not {*map(str, items(at(context, "capabilities", "add")))} <= {"NET_BIND_SERVICE"}
        or at(context, "seccompProfile", "type") not in ("RuntimeDefault", "Localhost")
    ):
        what = "lacks what Pod Security `restricted` asks for: every server would be refused"
        fix = (
            "keep runAsNonRoot: true, capabilities: {drop: [ALL]} and seccompProfile: {type:"
            " RuntimeDefault}"
        )
        path = ("hub", "config", "KubeSpawner", "container_security_context")
        yield ValueFault("helm-values.security-context", path, what, fix)
    if at(single, "extraPodConfig", "securityContext") is not None:
        what = (
            "replaces the pod's whole security context, and with it the group that homes belong to"
        )
        fix = "use hub.config.KubeSpawner.pod_security_context"
        path = ("singleuser", "extraPodConfig", "securityContext")
        yield ValueFault("helm-values.pod-security-context", path, what, fix)


def _same(value: object, bad: object) -> bool:
    return value == bad and type(value) is type(bad)  # 0 and False are equal


def privileges(values: Values) -> Iterator[ValueFault]:
    """No pod of the chart or of a user asks for what the namespace's Pod Security refuses."""
    for path, found in maps(values):
        for key, value in found.items():
            # KubeSpawner takes both spellings inside a pod's parts (kubespawner/utils.py,
            # get_k8s_model); a trait of its own is another rule's.
            nested = path[-1:] in (("securityContext",), ("security_context",))
            bad = _REFUSED_IN_PODS.get(
                "allowPrivilegeEscalation"
                if nested and key == "allow_privilege_escalation"
                else _SNAKE.get(key, key)
            )
            if (
                bad is not None
                and _same(value, bad)
                and (*path, key) != ("singleuser", "allowPrivilegeEscalation")
            ):
                what = "is what Pod Security `restricted` refuses: such a pod would never be made"
                yield ValueFault("helm-values.pod-security", (*path, key), what, "remove it")
        for key in ("hostPath", "host_path"):
            if not isinstance(found.get(key), Mapping):
                continue
            what = "opens a directory of the node, which Pod Security `restricted` refuses"
            yield ValueFault("helm-values.host-path", (*path, key), what, "use another volume")


def data(values: Values) -> Iterator[ValueFault]:
    """Removing a user or a release deletes no data, and a database is where it says."""
    if at(values, "hub", "config", "KubeSpawner", "delete_pvc") is not False:
        what, fix = "deletes a user's home with the user", "write false"
        yield ValueFault(
            "helm-values.homes-deleted", ("hub", "config", "KubeSpawner", "delete_pvc"), what, fix
        )
    database = at(values, "hub", "db") or {}
    kind = database.get("type")
    if (
        kind == "sqlite-pvc"
        and at(database, "pvc", "annotations", "helm.sh/resource-policy") != "keep"
    ):
        what = "lets Helm delete the database with the release"
        fix = "keep helm.sh/resource-policy: keep"
        yield ValueFault(
            "helm-values.database-deleted", ("hub", "db", "pvc", "annotations"), what, fix
        )
    if str(database.get("url")).startswith("sqlite"):
        what = "is a file inside the container, and lost at every restart"
        fix = "use database.kind: sqlite, which has a volume"
        yield ValueFault("helm-values.database-lost", ("hub", "db", "url"), what, fix)
    if kind in ("postgres", "mysql", "other") and not database.get("url"):
        what = (
            f"is missing with {kind}: JupyterHub would silently use a file that is lost at"
            " every restart"
        )
        fix = "use database.kind: postgres, or write the URL without its password"
        yield ValueFault("helm-values.database-lost", ("hub", "db", "url"), what, fix)


def in_memory(values: Values) -> Iterator[ValueFault]:
    """A database in memory is only had by its long name."""
    if at(values, "hub", "db", "type") == "sqlite-memory":
        what = "loses every session when the hub restarts"
        fix = "say so: database.kind: sqlite_memory"
        yield ValueFault("helm-values.sessions-lost", ("hub", "db", "type"), what, fix)


def way_in(values: Values) -> Iterator[ValueFault]:
    """Users reach the hub by the stack's entry, not by a load balancer that Kubernetes would make
    beside it.
    """
    service = at(values, "proxy", "service") or {}
    if service.get("type") != "ClusterIP":
        what = f"opens an ingress that the plan does not see (got {shown(service.get('type'))})"
        fix = "use the hub's entry"
        yield ValueFault("helm-values.unseen-ingress", ("proxy", "service", "type"), what, fix)
    for name, port in (service.get("nodePorts") or {}).items():
        if port is not None and not FIRST_NODE_PORT <= port <= LAST_NODE_PORT:
            what = f"is outside the range of node ports (got {port})"
            fix = f"use {FIRST_NODE_PORT} to {LAST_NODE_PORT}"
            yield ValueFault(
                "helm-values.node-port", ("proxy", "service", "nodePorts", name), what, fix
            )
    if at(service, "externalIPs"):
        what = "opens an ingress that the plan does not see"
        fix = "use entry.external_ips of kind node_port"
        yield ValueFault(
            "helm-values.unseen-ingress", ("proxy", "service", "externalIPs"), what, fix
        )
    if at(values, "hub", "service", "type") not in (None, "ClusterIP"):
        what = "opens a path around the proxy, without encryption"
        yield ValueFault("helm-values.around-proxy", ("hub", "service", "type"), what, "remove it")
    for name in ("ingress", "httpRoute"):
        if at(values, name, "enabled"):
            what = "opens an ingress that the plan does not see"
            fix = "use the hub's entry"
            yield ValueFault("helm-values.unseen-ingress", (name, "enabled"), what, fix)
    https = at(values, "proxy", "https") or {}
    if https.get("enabled") and https.get("type") == "letsencrypt" and not https.get("hosts"):
        what = "is empty: the proxy would silently serve plain HTTP"
        fix = "use the entry's tls"
        yield ValueFault("helm-values.plain-http", ("proxy", "https", "hosts"), what, fix)


def release_ends(values: Values) -> Iterator[ValueFault]:
    """Nothing in the release waits for user nodes, of which there may be none; and the chart's
    templates take it.
    """
    if at(values, "prePuller", "hook", "enabled"):
        what = "waits for user nodes, and every `pulumi up` with it"
        fix = "remove it: nodes pull an image when a server needs it, or earlier by pre_pull_pools"
        where = ("prePuller", "hook", "enabled")
        yield ValueFault("helm-values.waits-for-nodes", where, what, fix)
    placeholder = at(values, "scheduling", "userPlaceholder")
    if at(placeholder, "enabled") and at(placeholder, "replicas"):
        what = "waits for user nodes, and every `pulumi up` with it"
        fix = "raise size.min of the pool to have nodes ready"
        where = ("scheduling", "userPlaceholder", "replicas")
        yield ValueFault("helm-values.waits-for-nodes", where, what, fix)
    for refused, instead in (
        (("hub", "fsGid"), "use hub.podSecurityContext.fsGroup"),
        (("rbac", "enabled"), "use rbac.create"),
    ):
        if at(values, *refused) is not None:
            what = "is refused by the chart's templates"
            yield ValueFault("helm-values.chart-refuses", refused, what, instead)
    for name in ("fullnameOverride", "nameOverride"):
        if at(values, name):
            what = "renames what the entry and the network policies look for"
            yield ValueFault("helm-values.names", (name,), what, "remove it")
    if at(values, "imagePullSecret", "create"):
        what = "holds a password in the release's values"
        fix = "make the Secret yourself and name it in imagePullSecrets"
        yield ValueFault("helm-values.password-in-values", ("imagePullSecret", "create"), what, fix)


def image_puller(values: Values, pools: Collection[str]) -> Iterator[ValueFault]:
    """The chart's continuous puller pulls on the nodes of `pre_pull_pools`, and is off without
    them.
    """
    where = ("prePuller", "continuous", "enabled")
    if bool(at(values, *where)) != bool(pools):
        what = "contradicts pre_pull_pools, which says on which nodes images are pulled in advance"
        if not pools:
            what = (
                "would pull the images of all profiles, and onto the nodes of the first profile's"
                " pool alone"
            )
        yield ValueFault(
            "helm-values.image-puller", where, what, "remove it, and use pre_pull_pools"
        )


def images(values: Values) -> Iterator[ValueFault]:
    """Images by a fixed tag, and a free choice only by an expression that has two ends."""
    for path, value in maps(values):
        if path[-1:] == ("unlisted_choice",) and at(value, "enabled"):
            over = at(value, "kubespawner_override")
            if any("image" in str(key) for key in over or ()) and not is_image_pattern(
                value.get("validation_regex")
            ):
                what = (
                    "lets users write an image by an expression that this program did not check:"
                    " KubeSpawner compares the beginning alone"
                )
                fix = "remove it, and use unlisted_image, which lists registries"
                yield ValueFault("helm-values.unlisted-image", path, what, fix)
        if "unlisted_choice" in path:
            continue
        if path[-1:] == ("image",) and value.get("tag") == "latest":
            what = "follows latest: it would change without notice"
            yield ValueFault("helm-values.image-latest", (*path, "tag"), what, "name a version")
        image = value.get("image")
        if (
            isinstance(image, str)
            and image
            and "@" not in image
            and image.rpartition("/")[2].partition(":")[2] in ("", "latest")
        ):
            has = "follows latest" if image.endswith(":latest") else "has no tag"
            what = f"{has} (got {shown(image)}): it would change without notice"
            yield ValueFault("helm-values.image-unpinned", (*path, "image"), what, "name a version")


def clear_text(values: Values) -> Iterator[ValueFault]:
    """No secret in clear text among the values: it would be in the plan, the state and the
    stack file.
    """
    for path, value in leaves(values):
        if not isinstance(value, str) or value in ("", SECRET, UNKNOWN):
            continue
        if _under_secret_name(path) or _named_beside(values, path):
            what = "looks like a secret in clear text"
            yield ValueFault("helm-values.secret", path, what, _kept_elsewhere(path))
        elif "PRIVATE KEY-----" in value:
            what = "holds a private key in clear text"
            fix = "use entry.tls, which takes it as a secret of the stack"
            yield ValueFault("helm-values.private-key", path, what, fix)
        elif _URL_WITH_PASSWORD.search(value):
            what = "holds a password in clear text"
            fix = "leave the password out of the address, and use the option that takes it"
            yield ValueFault("helm-values.password", path, what, fix)


#: Secrets that the stack makes by itself, once for each hub (components/hub/secrets.py).
_MADE = (
    ("hub", "cookieSecret"),
    ("proxy", "secretToken"),
    ("hub", "config", "CryptKeeper"),
    ("hub", "config", "JupyterHub", "cookie_secret"),
)


def _kept_elsewhere(path: KeyPath) -> str:
    """Where a secret belongs, by its place. A service's token:
    templates/hub/_helpers-passwords.tpl of the chart makes one where none is given.
    """
    if path[:2] == ("hub", "services"):
        return (
            "leave it out: write hubs.NAME.services instead, whose token is a secret of the stack"
        )
    if any(path[: len(made)] == made for made in _MADE):
        return "leave it out: the stack makes one and keeps it as a secret"
    if path[:3] == ("hub", "db", "password"):
        return (
            "leave it out, and write database.kind: postgres: the stack makes database and password"
        )
    if path[:2] == ("hub", "config"):
        return "leave it out: sign_in takes it by `pulumi config set --secret`, as the plan says"
    return "put it into a Secret of your own in the hub's namespace, and name that Secret here"


def _under_secret_name(path: KeyPath) -> bool:
    """Of a list, the name above it: `CryptKeeper.keys` are all secret, and so are `tokens`."""
    names = [part for part in path if isinstance(part, str)]
    return bool(names) and (
        names_secret(names[-1])
        or (isinstance(path[-1], int) and any(map(names_secret, names[-2:])))
    )


def _named_beside(values: Any, path: KeyPath) -> bool:
    """A variable as Kubernetes lists it: `{name: API_TOKEN, value: …}`."""
    if path[-1] != "value":
        return False
    for part in path[:-1]:
        values = values[part]
    return isinstance(values.get("name"), str) and names_secret(values["name"])


RULES = (isolation, privileges, data, way_in, release_ends, images, clear_text)
