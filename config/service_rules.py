"""The rules between services of a hub, its shared directories by group, and the rest of the hub."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from jupyterhub_aws.config.errors import Problem, Rules, dotted, shown
from jupyterhub_aws.config.homes import DIRECTORY_HOMES, Homes
from jupyterhub_aws.config.hub import Hub
from jupyterhub_aws.config.hub_rules import Hubs, group_problems
from jupyterhub_aws.config.scopes import base_scope
from jupyterhub_aws.config.services import Service, custom_scopes, service_address
from jupyterhub_aws.config.tree import at
from jupyterhub_aws.config.volumes import HOME, shared_mount

#: Labels of the chart's own pods: policies for these would be about hub, proxy and users' servers.
_CHART_LABELS = {"app": "jupyterhub", "app.kubernetes.io/name": "jupyterhub"}
_CHART_PARTS = ("hub", "proxy", "autohttps", "singleuser-server", "image-puller", "user-scheduler")


def members_are_known(hubs: Hubs) -> Iterator[Problem]:
    """Groups and users that services and shared directories name are those of the sign-in."""
    for name, hub in hubs.items():
        for service_name, service in hub.services.items():
            path = f"hubs.{name}.services.{service_name}"
            yield from group_problems(
                hub.sign_in, f"{path}.groups", service.groups, "no user could open it"
            )
            yield from _users(hub, f"{path}.users", service)
        for key, directory in hub.shared_directories.items():
            for option in ("read_groups", "write_groups"):
                path = f"hubs.{name}.shared_directories.{key}.{option}"
                yield from group_problems(
                    hub.sign_in, path, getattr(directory, option), "no server would have it"
                )


def _users(hub: Hub, path: str, service: Service) -> Iterator[Problem]:
    pattern = hub.sign_in.username_pattern
    for index, user in enumerate(service.users):
        if pattern is not None and not re.match(pattern, user):
            what = f"is no name that usernames: {hub.sign_in.usernames} lets in (got {shown(user)})"
            yield Problem(
                id="sign-in.user-name-excluded",
                path=f"{path}[{index}]",
                what=what,
                fix="widen usernames (dotted, email, any), or correct the name",
            )


def services_are_their_own(hubs: Hubs) -> Iterator[Problem]:
    """A service is said once, has pods of its own, and scopes that JupyterHub will know."""
    for name, hub in hubs.items():
        for service_name, service in sorted(hub.services.items()):
            path = f"hubs.{name}.services.{service_name}"
            yield from _said_once(hub, name, service_name, service)
            yield from _scopes_exist(hub, path, service)
            yield from _own_pods(hubs, name, path, service)


def _said_once(hub: Hub, hub_name: str, name: str, service: Service) -> Iterator[Problem]:
    places: list[tuple[str, ...]] = [
        ("hub", "services", name),
        ("hub", "loadRoles", f"service-{name}"),
        ("hub", "loadRoles", f"access-{name}"),
    ]
    if service.all_users:
        places.append(("hub", "loadRoles", "user"))
    if service.from_servers:
        places.append(("hub", "loadRoles", "server"))
    for place in places:
        if at(hub.helm_values, *place) is not None:
            yield Problem(
                id="services.twice",
                path=dotted(("hubs", hub_name, "helm_values", *place)),
                what=f"says otherwise what services.{name} decides",
                fix=f"remove it, and use hubs.{hub_name}.services",
            )


def _scopes_exist(hub: Hub, path: str, service: Service) -> Iterator[Problem]:
    own: Any = at(hub.helm_values, "hub", "config", "JupyterHub", "custom_scopes")
    known = set(own) if isinstance(own, Mapping) else set()
    for scope in custom_scopes(service):
        if base_scope(scope) not in known:
            yield Problem(
                id="services.scope-custom",
                path=f"{path}.scopes",
                what=f"has {shown(base_scope(scope))}, which the hub does not define",
                fix="define it in helm_values.hub.config.JupyterHub.custom_scopes, or remove it",
            )


def _own_pods(hubs: Hubs, hub: str, path: str, service: Service) -> Iterator[Problem]:
    if service.pods is None:
        return
    labels = service.pods.labels
    if any(labels.get(key) == value for key, value in _CHART_LABELS.items()) or any(
        labels.get(key) in _CHART_PARTS for key in ("component", "app.kubernetes.io/component")
    ):
        what = "are those of the hub, its proxy or users' servers, whose traffic would be opened"
        yield Problem(
            id="services.pods-of-hub",
            path=f"{path}.pods.labels",
            what=what,
            fix="write labels that only the service's own pods have, such as app: NAME",
        )
    inside = None if service.url is None else service_address(service.url).namespace
    where = service.pods.namespace or inside
    others = {f"hub-{other}" for other in hubs if other != hub}
    if where in others or where == "kube-system":
        yield Problem(
            id="services.namespace-taken",
            path=f"{path}.pods.namespace" if service.pods.namespace else f"{path}.url",
            what=f"leads to the namespace of another part of the cluster ({where})",
            fix="use the hub's own namespace, or one of its own",
        )


def directories_are_apart(homes: Homes, hubs: Hubs) -> Iterator[Problem]:
    """A directory of some groups is not below another one, whose users could hide or replace it."""
    if not isinstance(homes, DIRECTORY_HOMES):
        return
    for name, hub in hubs.items():
        places = {
            key: shared_mount(key, item) for key, item in sorted(hub.shared_directories.items())
        }
        for key, place in places.items():
            item = hub.shared_directories[key]
            above = next(
                (other for other, path in places.items() if place.startswith(f"{path}/")), None
            )
            if above is not None and (item.by_group or hub.shared_directories[above].by_group):
                what = f"lies below the directory {above} ({places[above]})"
                yield Problem(
                    id="shared-directories.nested",
                    path=f"hubs.{name}.shared_directories.{key}.mount_path",
                    what=f"{what}: without that one it would be elsewhere, or not start",
                    fix=f"write a path beside it, such as {HOME}/shared/{key}",
                )


RULES: Rules = (
    (("hubs",), members_are_known),
    (("hubs",), services_are_their_own),
    (("homes", "hubs"), directories_are_apart),
)
