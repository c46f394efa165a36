"""The chart's complete values for one hub: those that Helm gets, and those in the hub's own
Secret.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from jupyterhub_aws.checks.hub_values.pods import image_maps, nested
from jupyterhub_aws.checks.hub_values.policies import WHO
from jupyterhub_aws.components.hub.values.access import access_files, access_settings
from jupyterhub_aws.components.hub.values.hub_files import OWN_SETTINGS, files_of_every_hub
from jupyterhub_aws.components.hub.values.images import (
    puller_placement,
    puller_values,
    unlisted_image_groups,
)
from jupyterhub_aws.components.hub.values.maintenance import maintenance_values
from jupyterhub_aws.components.hub.values.pages import page_values
from jupyterhub_aws.components.hub.values.servers import (
    CONTAINER_SECURITY,
    group_directories,
    singleuser_values,
)
from jupyterhub_aws.components.hub.values.services import (
    hub_ingress,
    proxy_egress,
    servers_egress,
    service_values,
)
from jupyterhub_aws.components.hub.values.sign_in import sign_in_values
from jupyterhub_aws.components.hub.values.sign_in_parts import profile_groups
from jupyterhub_aws.config.chart import merged
from jupyterhub_aws.config.database import (
    PostgresDatabase,
    SqliteDatabase,
    SqliteOnClass,
    SqliteOnNode,
)
from jupyterhub_aws.config.entry import own_certificate
from jupyterhub_aws.config.hub import Hub
from jupyterhub_aws.config.specs.hub import HubSpec
from jupyterhub_aws.config.specs.images import Images
from jupyterhub_aws.config.specs.names import (
    SECRETS,
    SERVER_ENVIRONMENT,
    SERVER_SECRETS,
    TLS_SECRET,
    VOLUME_LABEL,
    HubNames,
)
from jupyterhub_aws.config.specs.network_policies import NO_WIDE_RULE
from jupyterhub_aws.config.tree import at
from jupyterhub_aws.config.volumes import shared_mount

# --- A hub's values in an isolated network: the proxy of its pods, and the package mirrors.


_FOLDER = "/etc/jupyterhub-aws"
#: The configuration of each tool for its mirror: the variable that names its configuration file,
#: the file, and what is in it.
_PIP_VARIABLE = "PIP_INDEX_URL"
_CONDA_FILE, _R_FILE, _APT_FILE = (
    f"{_FOLDER}/condarc",
    f"{_FOLDER}/Rprofile",
    "/etc/apt/sources.list.d/mirror.sources",
)


def closed_values(hub: HubSpec) -> dict[str, Any]:
    """Values over those of an open hub; empty where nothing differs."""
    found: dict[str, Any] = {}
    environment = dict(hub.proxy_variables)
    if environment:
        found = {"hub": {"extraEnv": environment}}
    env, files = _mirrors(hub.options)
    if env or files or environment:
        single = found.setdefault("singleuser", {})
        single["extraEnv"] = {**environment, **env}
        single["extraFiles"] = files
    return found


def _mirrors(hub: Hub) -> tuple[dict[str, str], dict[str, Any]]:
    """Environment and files that tell pip, conda, R and apt of their mirrors."""
    mirrors, env, files = hub.package_mirrors, {}, {}
    if mirrors.pip is not None:
        env[_PIP_VARIABLE] = mirrors.pip
    if mirrors.conda is not None:
        env["CONDARC"] = _CONDA_FILE
        channels = (
            f"channel_alias: {mirrors.conda}\ndefault_channels:\n  -"
            f" {mirrors.conda}/conda-forge\nchannels:\n  - conda-forge\n"
        )
        files["conda-mirror"] = {"mountPath": _CONDA_FILE, "stringData": channels}
    if mirrors.cran is not None:
        env["R_PROFILE"] = _R_FILE
        files["cran-mirror"] = {
            "mountPath": _R_FILE,
            "stringData": f'options(repos = c(CRAN = "{mirrors.cran}"))\n',
        }
    if mirrors.apt is not None:
        text = (
            f"Types: deb\nURIs: {mirrors.apt}\nSuites: {mirrors.apt_suite}\nComponents: main"
            " universe\n"
        )
        files["apt-mirror"] = {"mountPath": _APT_FILE, "stringData": text}
    return env, files


#: The service of the hub's API that `jhub` uses: it lists and stops servers, and sets a notice; it
#: starts and accesses only those of one test user.
OPERATOR = "jupyterhub-aws-operator"
HEALTH_USER = "jhub-health"
OPERATOR_SCOPES = (
    "read:hub", "list:users", "read:users:name", "read:users:activity", "read:servers", "delete:servers", "custom:jupyterhub-aws:notice",
    *(f"{scope}!user={HEALTH_USER}" for scope in ("admin:users", "servers", "access:servers")),
)  # fmt: skip
#: Where the chart mounts the volume of a SQLite database (templates/hub/deployment.yaml of chart
#: 4.4.0).
DATABASE_FOLDER = "/srv/jupyterhub"
DATABASE_NAME = DATABASE_USER = "jupyterhub"
#: Requests are what these pods were measured with at rest (hub 194 MiB with one user) and room for
#: some hundred users; the
#: zero-to-jupyterhub guide, "Optimizations", gives 500m/2Gi as an example for large hubs. CPU
#: limits are far above: they stop a runaway.
_HUB = {"requests": {"cpu": "200m", "memory": "512Mi"}, "limits": {"cpu": "2", "memory": "2Gi"}}
_PROXY = {"requests": {"cpu": "100m", "memory": "128Mi"}, "limits": {"cpu": "1", "memory": "512Mi"}}
_SMALL = {
    "requests": {"cpu": "10m", "memory": "32Mi"},
    "limits": {"cpu": "100m", "memory": "128Mi"},
}
_SCHEDULER = {
    "requests": {"cpu": "30m", "memory": "128Mi"},
    "limits": {"cpu": "500m", "memory": "512Mi"},
}


@dataclass(frozen=True, kw_only=True)
class HubSecretInputs:
    """Values that are known only at `up`: ids from AWS and generated secrets. In the program they
    are Outputs, secret ones where noted.

    `auth_token` of the proxy, `cookie_secret`, `auth_state_key` and `operator_token` are secrets:
    the chart would generate missing ones at each upgrade, and hub and proxy would restart.
    `checksum`: changes with the hub's Secret, which the chart does not watch. `database_url`: of
    PostgreSQL, without its password; None with another database.
    """

    auth_token: Any
    cookie_secret: Any
    auth_state_key: Any
    operator_token: Any
    checksum: Any
    database_url: Any = None


def hub_values(hub: HubSpec, given: HubSecretInputs, images: Images) -> dict[str, Any]:
    """Values of a hub's release: with `helm_values`, and every image under the name that it has
    for this stack.
    """
    values = upstream_values(hub, given)
    never = {} if images.pull_policy is None else {"pullPolicy": images.pull_policy}
    if images.registry is None and not never:
        return values
    # Those of the chart's own values too: every image gets its name in the registry, whether it is
    # used or not.
    for path, image in image_maps(values):
        values = merged(values, nested(path, {"name": image["name"], "tag": image["tag"], **never}))
    return images.values(values)


def upstream_values(hub: HubSpec, given: HubSecretInputs) -> dict[str, Any]:
    """The same under the publishers' names of images, for the inventory."""
    ours, theirs = rendered(hub, given), hub.options.helm_values
    return merged(ours, _rules_added(ours, theirs))


def _rules_added(ours: Mapping[str, Any], theirs: Mapping[str, Any]) -> Mapping[str, Any]:
    """`helm_values` with the stack's own rules of network policies before its own: a further
    rule must not remove DNS and the internet.
    """
    added = theirs
    for part in WHO:
        for direction in ("egress", "ingress"):
            path = (*part, "networkPolicy", direction)
            further, own = at(theirs, *path), at(ours, *path)
            if isinstance(further, (list, tuple)) and own:
                added = merged(added, nested(path, [*own, *further]))
    return added


def rendered(hub: HubSpec, given: HubSecretInputs) -> dict[str, Any]:
    """What the stack file becomes without its `helm_values`."""
    values = merged(merged(_open_values(hub, given), _network_policies(hub)), closed_values(hub))
    return merged(values, puller_placement(hub))


def _network_policies(hub: HubSpec) -> dict[str, Any]:
    """The `networkPolicy` of hub, proxy and servers: the chart's wide rules off, and the narrow
    ones of the spec.
    """

    def policy(rules: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
        return {"networkPolicy": {"egressAllowRules": NO_WIDE_RULE, "egress": list(rules)}}

    proxy = policy(hub.egress.proxy)
    found = {
        "hub": policy(hub.egress.hub),
        "proxy": {"chp": proxy, "traefik": proxy},
        "singleuser": policy(hub.egress.servers),
    }
    if served := proxy_egress(hub):
        found["proxy"] = {**found["proxy"], "chp": policy([*hub.egress.proxy, *served])}
    if called := servers_egress(hub):
        found["singleuser"] = policy([*hub.egress.servers, *called])
    if callers := hub_ingress(hub):
        found["hub"]["networkPolicy"]["ingress"] = callers
    return found


def _open_values(hub: HubSpec, given: HubSecretInputs) -> dict[str, Any]:
    return {
        "hub": _hub(hub, given),
        "proxy": _proxy(hub.options),
        "singleuser": singleuser_values(hub),
        "scheduling": _scheduling(hub),
        "prePuller": puller_values(hub),
        "cull": _cull(hub.options),
        "custom": {OWN_SETTINGS: _own_settings(hub)},
    }


def _hub(hub: HubSpec, given: HubSecretInputs) -> dict[str, Any]:
    sign_in, services = sign_in_values(hub.options, hub.url), service_values(hub)
    config: dict[str, Any] = {
        **sign_in.config,
        "JupyterHub": {
            **sign_in.config["JupyterHub"],
            # A deprecated switch (JupyterHub documentation, "Application configuration"), which
            # does not keep administrators out of servers: the role `admin` has `access:servers`
            # (the same, "RBAC: Roles").
            "admin_access": False,
            "public_url": hub.url,
            "cookie_secret": given.cookie_secret,
            # It would look from the hub's own pod, which reaches no service, and log a warning a
            # minute.
            **({"service_check_interval": 0} if hub.options.services else {}),
        },
        "ConfigurableHTTPProxy": {"auth_token": given.auth_token},
        "CryptKeeper": {"keys": [given.auth_state_key]},
        "KubeSpawner": {
            "container_security_context": CONTAINER_SECURITY,
            "delete_pvc": False,  # removing a user never deletes a home
            # A service account gives servers an identity in AWS (JupyterHub.add_role), never one in
            # the cluster.
            "automount_service_account_token": False,
            # What a program adds beside the stack file (JupyterHub.add_environment, add_secrets);
            # absent, a server starts without.
            "extra_container_config": {
                "envFrom": [
                    {"configMapRef": {"name": SERVER_ENVIRONMENT, "optional": True}},
                    {"secretRef": {"name": SERVER_SECRETS, "optional": True}},
                ]
            },
        },
    }
    return {
        "config": config,
        "existingSecret": SECRETS,
        "annotations": {"jupyterhub-aws/secrets": given.checksum},
        "services": {OPERATOR: {"apiToken": given.operator_token}, **services["services"]},
        "loadRoles": {
            OPERATOR: {
                "description": "jhub pause, health and who",
                "scopes": list(OPERATOR_SCOPES),
                "services": [OPERATOR],
            },
            **services["loadRoles"],
        },
        "db": _database(hub.options, hub.names, given),
        "resources": _HUB,
        "extraFiles": {
            **files_of_every_hub(),
            **sign_in.extra_files,
            **page_values(hub)[0],
            **({} if hub.access is None else access_files()),
        },
        **(
            {"allowNamedServers": True, "namedServerLimitPerUser": hub.options.named_servers}
            if hub.options.named_servers
            else {}
        ),
    }


def _own_settings(hub: HubSpec) -> dict[str, Any]:
    """The settings of our own files in the hub (components/hub/files, `configure` of each)."""
    on_volume = (
        {"databaseFolder": DATABASE_FOLDER}
        if isinstance(hub.options.database, SqliteDatabase)
        else {}
    )
    written = [
        shared_mount(name, item)
        for name, item in sorted(hub.options.shared_directories.items())
        if item.writable_by == "administrators" and not item.by_group
    ]
    by_group = group_directories(hub.options)
    return {
        **sign_in_values(hub.options, hub.url).settings,
        **({"profileGroups": groups} if (groups := profile_groups(hub.options)) else {}),
        **({"unlistedImageGroups": free} if (free := unlisted_image_groups(hub)) else {}),
        **({"writtenByAdministrators": written} if written else {}),
        **({"groupDirectories": by_group} if by_group else {}),
        **({"heartbeat": on_volume} if hub.heartbeat else {}),
        **({} if hub.access is None else {"awsAccess": access_settings(hub.access)}),
        **page_values(hub)[1],
    }


def _database(hub: Hub, names: HubNames, given: HubSecretInputs) -> dict[str, Any]:
    if isinstance(hub.database, SqliteDatabase):
        # The volume is ours (components/hub/database.py): the claim binds to it by its label, and
        # Helm never deletes the claim.
        return {
            "type": "sqlite-pvc",
            "pvc": {
                "annotations": {"helm.sh/resource-policy": "keep"},
                "selector": {"matchLabels": {VOLUME_LABEL: names.database_volume}},
                "storage": f"{hub.database.size_gib}Gi",
                "storageClassName": "",
            },
        }
    if isinstance(hub.database, (SqliteOnNode, SqliteOnClass)):
        pvc: dict[str, Any] = {"annotations": {"helm.sh/resource-policy": "keep"}}
        if isinstance(hub.database, SqliteOnClass):
            pvc |= {
                "storageClassName": hub.database.storage_class,
                "storage": f"{hub.database.size_gib}Gi",
            }
        else:
            pvc |= {
                "storageClassName": "",
                "selector": {"matchLabels": {VOLUME_LABEL: names.database_volume}},
            }
        return {"type": "sqlite-pvc", "pvc": pvc}
    if isinstance(hub.database, PostgresDatabase):
        return {
            "type": "postgres",
            "url": given.database_url,
            "upgrade": True,
        }  # one hub, one database: its schema follows the chart
    return {"type": "sqlite-memory"}


def _proxy(hub: Hub) -> dict[str, Any]:
    encrypts = own_certificate(hub.entry) is not None
    return {
        "service": {
            "type": "ClusterIP"
        },  # users connect through a service of this library (components/entry)
        "https": (
            {"enabled": True, "type": "secret", "secret": {"name": TLS_SECRET}}
            if encrypts
            else {"enabled": False}
        ),
        "chp": {"resources": _PROXY, **maintenance_values(hub)},
        "traefik": {"resources": _PROXY},
        "secretSync": {"resources": _SMALL},
    }


def _scheduling(hub: HubSpec) -> dict[str, Any]:
    # An existing cluster may have one node only, which cannot be labelled for both.
    purpose = "prefer" if hub.existing_cluster else "require"
    return {
        # kube-scheduler 1.30 with the permissions of 1.30: off until it is proven on the cluster's
        # minor.
        "userScheduler": {"enabled": False, "resources": _SCHEDULER},
        "userPlaceholder": {"enabled": False},
        "corePods": {"nodeAffinity": {"matchNodePurpose": purpose}},
        "userPods": {"nodeAffinity": {"matchNodePurpose": purpose}},
    }


def _cull(hub: Hub) -> dict[str, Any]:
    culling = hub.culling
    if not (culling.server_idle_minutes or culling.max_age_hours):
        return {"enabled": False}
    never = 10 * 365 * 24 * 3600  # the culler has no "never": ten years
    idle = 60 * culling.server_idle_minutes or never
    return {
        "enabled": True,
        "timeout": idle,
        "every": max(60, min(600, idle // 4)),
        "maxAge": 3600 * culling.max_age_hours,
        "users": False,
    }


def secret_values(hub: HubSpec, secrets: Mapping[tuple[str, str], Any]) -> dict[str, Any]:
    """`values.yaml` of the hub's own Secret, merged over the chart's when the hub starts: the
    secret traits of its sign-in.
    """
    found: dict[str, Any] = {}
    for owner, trait in sign_in_values(hub.options, hub.url).secret_traits:
        found.setdefault(owner, {})[trait] = secrets[owner, trait]
    return {"hub": {"config": found}} if found else {}
