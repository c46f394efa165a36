"""The chart's values for the services of a hub: `hub.services` and `hub.loadRoles` without tokens,
and the rules of network policies. Pure.
"""

from __future__ import annotations

from typing import Any

from jupyterhub_aws.config.specs.hub import HubSpec
from jupyterhub_aws.config.specs.services import Rule, ServiceSpec

#: The roles that every user and every server's token have, and what is in the second by default
#: (jupyterhub/roles.py 5.5, get_default_roles). A token can do no more than its user.
_USER_ROLE, _SERVER_ROLE = "user", "server"
_SERVER_SCOPES = ("users:activity!user", "access:servers!server")


def service_values(hub: HubSpec) -> dict[str, dict[str, Any]]:
    """`services` and `loadRoles` of hub's values, besides those of this program; empty maps where
    the hub has no service. Their tokens are in the hub's own Secret, where the chart looks first.
    """
    specs = hub.services
    roles: dict[str, Any] = {}
    for spec in specs:
        roles |= _roles(spec)
    for_all = [_access(spec) for spec in specs if spec.options.all_users]
    if for_all:
        roles[_USER_ROLE] = {"scopes": ["self", *for_all]}
    called = [_access(spec) for spec in specs if spec.options.from_servers]
    if called:
        roles[_SERVER_ROLE] = {"scopes": [*_SERVER_SCOPES, *called]}
    return {"services": {spec.name: _service(spec) for spec in specs}, "loadRoles": roles}


def _service(spec: ServiceSpec) -> dict[str, Any]:
    options = spec.options
    found: dict[str, Any] = {"display": options.display and options.url is not None}
    if spec.url is not None:
        found["url"] = spec.url
    if options.oauth is not None:
        found["oauth_client_id"] = spec.client_id
        found["oauth_no_confirm"] = not options.oauth.confirm
        if options.oauth.redirect_uri is not None:
            found["oauth_redirect_uri"] = options.oauth.redirect_uri
    return found


def _roles(spec: ServiceSpec) -> dict[str, Any]:
    """What the service may do, and who may open it. Lists of members are always written: JupyterHub
    leaves those of a role as they are where it has none.
    """
    options, found = spec.options, {}
    scopes = [*options.scopes, *options.wide_scopes]
    if scopes:
        found[f"service-{spec.name}"] = {
            "description": f"what the service {spec.name} may do",
            "scopes": scopes,
            "services": [spec.name],
        }
    if options.groups or options.users:
        found[f"access-{spec.name}"] = {
            "description": f"who may open {spec.prefix}",
            "scopes": [_access(spec)],
            "users": sorted(options.users),
            "groups": sorted(options.groups),
        }
    return found


def _access(spec: ServiceSpec) -> str:
    return f"access:services!service={spec.name}"


def hub_ingress(hub: HubSpec) -> list[Rule]:
    """Who reaches the hub's API besides servers and the proxy."""
    return [rule for spec in hub.services if (rule := spec.to_hub) is not None]


def proxy_egress(hub: HubSpec) -> list[Rule]:
    """Which services the proxy reaches."""
    return [rule for spec in hub.services if (rule := spec.to_pods) is not None]


def servers_egress(hub: HubSpec) -> list[Rule]:
    """Which services users' servers reach."""
    return [
        rule
        for spec in hub.services
        if spec.options.from_servers and (rule := spec.to_pods) is not None
    ]


def token_key(service: str) -> str:
    """Where the chart looks for the token of a service in the hub's own Secret
    (files/hub/jupyterhub_config.py of chart 4.4.0).
    """
    return f"hub.services.{service}.apiToken"
