"""Whether the chart accepts the values of a stack's hubs, and users could use them: checked
before the program is evaluated.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from jupyterhub_aws.checks.hub_values.all import verdict
from jupyterhub_aws.checks.hub_values.policies import closed_by_default, malformed
from jupyterhub_aws.checks.hub_values.reach import reach
from jupyterhub_aws.checks.resources import SECRET
from jupyterhub_aws.components.hub.values.access import access_files
from jupyterhub_aws.components.hub.values.hub import (
    OPERATOR,
    HubSecretInputs,
    hub_values,
    rendered,
    upstream_values,
)
from jupyterhub_aws.components.hub.values.hub_files import OWN_SETTINGS, files_of_every_hub
from jupyterhub_aws.components.hub.values.maintenance import maintenance_problems
from jupyterhub_aws.components.hub.values.sign_in import sign_in_values
from jupyterhub_aws.config.access_rules import POD_NAME_TRAITS, accesses, entries
from jupyterhub_aws.config.aws_access import ServerAccess
from jupyterhub_aws.config.chart import CHART, chart_version, effective
from jupyterhub_aws.config.entry import own_certificate
from jupyterhub_aws.config.errors import Problem, dotted
from jupyterhub_aws.config.homes import EphemeralHomes
from jupyterhub_aws.config.hub import Hub
from jupyterhub_aws.config.specs import resolve
from jupyterhub_aws.config.specs.hub import HubSpec
from jupyterhub_aws.config.specs.names import SECRETS
from jupyterhub_aws.config.specs.server_access import POLICY_LIMIT
from jupyterhub_aws.config.stack import StackConfig
from jupyterhub_aws.config.traits import Resolved, class_of_authenticator, sections
from jupyterhub_aws.config.traits import resolve as resolved_traits
from jupyterhub_aws.config.tree import KeyPath, at

# --- Values that options of the stack file decide: another value in `helm_values` would win, while
# plan, page and `--against` show the option's.


#: Trait of the authenticator to the option under `sign_in` that says it, by the kind of sign-in.
_EVERY = {"admin_users": "administrators", "username_pattern": "usernames"}
_LISTED = {**_EVERY, "allowed_users": "allowed_users"}
_OAUTH = {"client_id": "client_id", "oauth_callback_url": ""}
_PROVIDER = {
    **_OAUTH,
    "authorize_url": "authorize_url",
    "token_url": "token_url",
    "userdata_url": "userinfo_url",
    "username_claim": "username_claim",
    "auth_state_groups_key": "groups_claim",
    "allowed_groups": "allowed_groups",
    "admin_groups": "admin_groups",
}
_OPTIONS: Mapping[str, Mapping[str, str]] = {
    "github": {
        **_LISTED,
        **_OAUTH,
        "allowed_organizations": "allowed_organizations",
        "admin_groups": "admin_teams",
    },
    "oidc": {**_LISTED, **_PROVIDER, "logout_redirect_url": "logout_url"},
    "cognito": {
        **_LISTED,
        **_PROVIDER,
        "authorize_url": "domain",
        "token_url": "domain",
        "userdata_url": "domain",
        "auth_state_groups_key": "kind",
    },
    "google": {
        **_LISTED,
        **_OAUTH,
        "allowed_groups": "allowed_domains",
        "hosted_domain": "allowed_domains",
        "strip_domain": "strip_domain",
        "username_claim": "kind",
        "auth_state_groups_key": "kind",
    },
    "entra": {
        **_LISTED,
        **_OAUTH,
        **dict.fromkeys(("tenant_id", "authorize_url", "token_url", "graph_url"), "tenant_id"),
        "username_claim": "username_claim",
        "auth_state_groups_key": "groups_claim",
        "allowed_groups": "allowed_groups",
        "admin_groups": "admin_groups",
        "guests": "guests",
    },
    "cilogon": {
        **_LISTED,
        **_OAUTH,
        **dict.fromkeys(("idps", "allowed_idps", "provider_names"), "identity_providers"),
        "groups_claim": "groups_claim",
        "allowed_groups": "allowed_groups",
        "admin_groups": "admin_groups",
        "auth_state_groups_key": "kind",
    },
    "lti13": {
        **_LISTED,
        "issuer": "issuer",
        "client_id": "client_ids",
        "authorize_url": "authorize_url",
        "jwks_endpoint": "jwks_url",
        "username_key": "username_claim",
        "allowed_groups": "allowed_groups",
        "admin_groups": "admin_groups",
        "deployment_ids": "deployment_ids",
        "uri_scheme": "kind",
        "jwks_algorithms": "kind",
    },
    "ldap": {
        **_LISTED,
        "server_address": "server",
        "server_port": "port",
        "tls_strategy": "tls",
        "bind_dn_template": "bind_dn_templates",
        "lookup_dn": "lookup",
        "user_search_base": "lookup.search_base",
        "user_attribute": "lookup.user_attribute",
        "lookup_dn_search_user": "lookup.search_user",
        "lookup_dn_user_dn_attribute": "lookup.user_attribute",
        "allowed_groups": "allowed_groups",
        "admin_groups": "admin_groups",
        "timeout_seconds": "timeout_seconds",
        "known_groups": "",
    },
    "native": {
        **_EVERY,
        "minimum_password_length": "minimum_password_length",
        "allowed_failed_logins": "failed_logins",
        "seconds_before_next_try": "wait_seconds",
    },
    "shared_password": _EVERY,
}
#: Consequences of another value that are more serious than a wrong value on a page.
_MATTERS = {
    "lookup_dn_user_dn_attribute": (
        "groups that list members by name (memberUid) would match no user, and who a user is would"
        " change"
    ),
    "user_attribute": "who a user is would change, and so whose home they get",
    "username_claim": "who a user is would change, and so whose home they get",
    "username_key": "who a user is would change, and so whose home they get",
    "idps": "who a user is would change, and so whose home they get",
    "oauth_callback_url": "the provider sends users back to the hub's address and nowhere else",
}
_SHOWN = "plan, page and --against would go on showing what the option says"
#: Values that only the program may write.
_OWN: tuple[tuple[KeyPath, str], ...] = (
    (
        ("custom", OWN_SETTINGS),
        (
            "is what this program tells its own files in the hub: who may start which profile, who"
            " writes where"
        ),
    ),
    (("hub", "services", OPERATOR), "is the service by which `jhub` works"),
    (("hub", "loadRoles", OPERATOR), "is the role by which `jhub` works"),
)


def owned(hub: Hub, before: Resolved, after: Resolved) -> Iterator[tuple[KeyPath, str, str]]:
    """Values in `helm_values` that contradict an option: the place, what is wrong, what to do.
    `before` is what the options alone become.
    """
    kind = hub.sign_in.kind
    name = str(at(before.values, "hub", "config", "JupyterHub", "authenticator_class"))
    place: KeyPath = ("hub", "config", "JupyterHub", "authenticator_class")
    if at(after.values, *place) != name or ("JupyterHub", "authenticator_class") in after.computed:
        said = after.computed.get(("JupyterHub", "authenticator_class")) or after.said(place)
        yield (
            said.path,
            f"{said.where}replaces the sign-in that the stack chooses ({kind}): {_SHOWN}",
            "choose another sign_in.kind",
        )
        return
    place = ("hub", "config", "JupyterHub", "public_url")
    if at(after.values, *place) != at(before.values, *place):
        said = after.said(place)
        what = (
            f"{said.where}contradicts the entry, which says where users find the hub: sign-in and"
            " links would lead elsewhere"
        )
        yield said.path, what, "remove it, and use entry.hostname"
    yield from _sign_in(hub, name, before, after)
    yield from _pod_names(hub, after)
    files = [
        (("hub", "extraFiles", key), "is a file of this program's in the hub")
        for key in _files(hub)
    ]
    for path, what in (*_OWN, *files):
        if at(after.values, *path) != at(before.values, *path):
            yield path, f"{what}: another value would undo it", "remove it"


def _files(hub: Hub) -> Iterator[str]:
    yield from files_of_every_hub()
    yield from sign_in_values(hub, "").extra_files
    if _accesses(hub):
        yield from access_files()


def _accesses(hub: Hub) -> list[ServerAccess]:
    """Every access of the hub's servers: of the hub, its profiles and their groups."""
    return [entry for path, access in accesses("", hub) for _, entry in entries(path, access)]


def _pod_names(hub: Hub, after: Resolved) -> Iterator[tuple[KeyPath, str, str]]:
    """Code that changes the names of pods, which users' own folders in S3 have."""
    if not any(item.per_user for access in _accesses(hub) for item in access.buckets):
        return
    for trait in POD_NAME_TRAITS:
        for section in ("KubeSpawner", "Spawner"):
            place: KeyPath = ("hub", "config", section, trait)
            said = after.computed.get((section, trait))
            if said is None and at(after.values, *place) is not None:
                said = after.said(place)
            if said is None:
                continue
            what = f"{said.where}changes the names of pods, which users' own folders in S3 have"
            yield said.path, what, "remove it, or per_user of aws_access"


def _sign_in(
    hub: Hub, name: str, before: Resolved, after: Resolved
) -> Iterator[tuple[KeyPath, str, str]]:
    chain = sections(class_of_authenticator(name) or name)
    for trait, option in _OPTIONS[hub.sign_in.kind].items():
        old, _ = _of_chain(before, chain, trait)
        new, section = _of_chain(after, chain, trait)
        code = next(
            (after.computed[owner, trait] for owner in chain if (owner, trait) in after.computed),
            None,
        )
        if old == new and code is None:
            continue
        said = code or after.said(("hub", "config", section, trait))
        where = (
            f"sign_in.{option}"
            if option
            else "entry.hostname"
            if trait == "oauth_callback_url"
            else "profiles.NAME.groups"
        )
        yield (
            said.path,
            f"{said.where}replaces what {where} decides: {_MATTERS.get(trait, _SHOWN)}",
            f"remove it, and use {where}",
        )
    for section, trait in (
        ("JupyterHub", "admin_users"),
    ):  # jupyterhub/app.py 5.5: still read where Authenticator's own is empty
        if at(after.values, "hub", "config", section, trait):
            said = after.said(("hub", "config", section, trait))
            yield (
                said.path,
                f"{said.where}replaces what sign_in.administrators decides: {_SHOWN}",
                "remove it, and use sign_in.administrators",
            )


def _of_chain(resolved: Resolved, chain: tuple[str, ...], trait: str) -> tuple[Any, str]:
    """A trait as an object of the class reads it, and the section that it comes from."""
    for section in chain:
        traits = at(resolved.values, "hub", "config", section)
        if isinstance(traits, Mapping) and trait in traits:
            return traits[trait], section
    return None, chain[-1]


#: Placeholders of values that are known only at `up`.
UNKNOWN = HubSecretInputs(
    auth_token=SECRET,
    cookie_secret=SECRET,
    auth_state_key=SECRET,
    operator_token=SECRET,
    checksum=SECRET,
    database_url="postgresql+psycopg2://jupyterhub@database/jupyterhub",
)


def hub_problems(stack: StackConfig, name: str, spec: HubSpec | None = None) -> Iterator[Problem]:
    """What is wrong with one hub's values, each at the place in `helm_values` where it can be
    changed. `spec` is what follows for it; None: from the stack alone.
    """
    hub = resolve(stack).hubs[name] if spec is None else spec
    yield from _policies_too_long(hub)
    yield from hub.pages.problems
    if hub.options.maintenance_page is not None:
        ours, merged = rendered(hub, UNKNOWN), upstream_values(hub, UNKNOWN)
        yield from maintenance_problems(name, ours, merged)
    values = hub_values(hub, UNKNOWN, resolve(stack).images)
    refused, told = False, set()
    for fault, by_schema in verdict(values, hub.options, hub.start_seconds):
        refused |= by_schema
        told.add(fault.path)
        source = f" (schema of chart {CHART} {chart_version()})" if by_schema else ""
        yield _problem(name, fault.id, fault.path, f"{fault.what}{source}", fault.fix)
    if not refused:
        whole = effective(values)
        yield from _undone(hub, whole)
        if hub.options.helm_values:
            yield from _unreachable(stack, name, whole)
            yield from _otherwise(hub, whole, told)


def _policies_too_long(hub: HubSpec) -> Iterator[Problem]:
    """Roles of servers with an inline policy that IAM would refuse."""
    for access in () if hub.access is None else hub.access.accesses:
        length = len(json.dumps(access.policy, separators=(",", ":")))
        if access.policy is not None and length > POLICY_LIMIT:
            head, _, rest = access.name.partition("profile-")
            profile = f".profiles.{rest.partition('.')[0]}" if rest and not head else ""
            yield Problem(
                id="aws-access.too-long",
                path=f"hubs.{hub.name}{profile}.aws_access",
                what=(
                    f"becomes a policy of {length} characters ({access.name}), and IAM takes"
                    f" {POLICY_LIMIT}"
                ),
                fix="name wider folders, or put statements into a managed policy of your own",
            )


def _unreachable(stack: StackConfig, name: str, values: Mapping[str, Any]) -> Iterator[Problem]:
    """Network policies that block connections which pods need, or open connections that must be
    blocked.
    """
    wrong = [*malformed(values)]
    wrong = wrong or [
        item.fault
        for item in reach(
            stack, name, resolved_traits(values).values, [closed_by_default(f"hub-{name}")]
        )
        if item.refused
    ]
    yield from (_problem(name, fault.id, fault.path, fault.what, fault.fix) for fault in wrong)


def _undone(hub: HubSpec, values: Mapping[str, Any]) -> Iterator[Problem]:
    """Values that `helm_values` may not change, because another part of the stack relies on
    them.
    """
    if at(values, "hub", "existingSecret") != SECRETS:
        yield _problem(
            hub.name,
            "helm-values.secrets-removed",
            ("hub", "existingSecret"),
            "removes the secrets of the sign-in from the hub",
            "remove it",
        )
    storage = at(values, "singleuser", "storage", "type")
    if storage == "none" and not isinstance(hub.homes, EphemeralHomes):
        yield _problem(
            hub.name,
            "helm-values.homes-lost",
            ("singleuser", "storage", "type"),
            "loses all files when a server stops",
            "remove it, and write homes.kind: ephemeral",
        )
    if bool(at(values, "proxy", "https", "enabled")) != (
        own_certificate(hub.options.entry) is not None
    ):
        yield _problem(
            hub.name,
            "helm-values.contradicts-entry",
            ("proxy", "https", "enabled"),
            "contradicts the hub's entry, which says where TLS is terminated",
            "remove it, and use entry.tls",
        )


def _otherwise(hub: HubSpec, values: Mapping[str, Any], told: set[KeyPath]) -> Iterator[Problem]:
    """Values in `helm_values` that contradict an option of the stack file, where no other rule
    has reported them.
    """
    said = resolved_traits(effective(rendered(hub, UNKNOWN)))
    for path, what, fix in owned(hub.options, said, resolved_traits(values)):
        spoken = path in told or any(other[: len(path)] == path for other in told)
        if not spoken or path[:2] == ("hub", "extraConfig"):  # code is one place, whatever it says
            yield _problem(hub.name, "helm-values.replaces-option", path, what, fix)


def _problem(name: str, which: str, path: KeyPath, what: str, fix: str) -> Problem:
    return Problem(id=which, path=dotted(("hubs", name, "helm_values", *path)), what=what, fix=fix)
