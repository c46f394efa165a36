"""Traits of JupyterHub's classes that undo what another part of the stack counts on, and values
of the chart that ours are derived from.
"""

from __future__ import annotations

import ast
import builtins
import json
import re
import warnings
from collections.abc import Callable, Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

from jupyterhub_aws.checks.hub_values.fault import ValueFault, Values
from jupyterhub_aws.checks.hub_values.sign_in import access_is_spelt
from jupyterhub_aws.config.chart import chart_version
from jupyterhub_aws.config.errors import closest, names_secret, shown
from jupyterhub_aws.config.hub_code import Code, code_of
from jupyterhub_aws.config.traits import (
    COMPOSED,
    HUB_TRAITS,
    TRAITS,
    Resolved,
    class_of_authenticator,
    known_classes,
    sections,
    traits_read_from,
    used_classes,
)
from jupyterhub_aws.config.tree import KeyPath, at


class Protected(NamedTuple):
    """A trait, or a key of the chart, that others count on: which values are refused, why, and what
    to do.
    """

    refuses: Callable[[object], bool]
    what: str
    fix: str = "remove it"


def _any(value: object) -> bool:
    del value
    return True


def _true(value: object) -> bool:
    return bool(value)


def _false(value: object) -> bool:
    return value is False


def _under_a_path(value: object) -> bool:
    return str(value or "/").strip("/") != ""


def _not(*usual: object) -> Callable[[object], bool]:
    return lambda value: value not in usual


_WIRED = (
    "replaces the address by which hub, proxy and servers find each other: the chart's Service, its"
    " probes and the network policies stay at port 8081"
)
_AT_THE_ROOT = (
    "puts the hub under a path, but the sign-in's callback, public_url, links and what `jhub` asks"
    " stay at /: no user could sign in"
)
_NO_TLS = (
    "makes the hub serve TLS itself, but the proxy, the probes and the chart's Service use HTTP to"
    " it: no user could reach it"
)
_UNVERIFIED = (
    "does not verify the provider's certificate: an attacker on the network could read secrets and"
    " sign in as others"
)
_LABELS = (
    "is what network policies select servers by: with another one servers reach neither hub nor"
    " internet, or every address"
)
#: By trait. A value that only code can tell is refused too.
REFUSED: Mapping[str, Protected] = {
    "JupyterHub.db_url": Protected(
        _any,
        (
            "replaces the hub's database: the one that `database` keeps, monitors and backs up"
            " would stay empty, and one in the container is lost at every restart"
        ),
        "remove it, and use the option database",
    ),
    "JupyterHub.cleanup_servers": Protected(
        _true,
        "stops every user's server whenever the hub restarts, and so at every change of the hub",
        "remove it: servers survive a restart; culling ends idle ones",
    ),
    "JupyterHub.reset_db": Protected(_true, "deletes the hub's database at every start"),
    "JupyterHub.base_url": Protected(
        _under_a_path,
        _AT_THE_ROOT,
        "remove it, and give the hub a host name of its own (entry.hostname)",
    ),
    "JupyterHub.bind_url": Protected(
        _any, _WIRED, "remove it; the hub's address is entry.hostname"
    ),
    "JupyterHub.hub_bind_url": Protected(_any, _WIRED),
    "JupyterHub.hub_connect_url": Protected(_any, _WIRED),
    "JupyterHub.hub_ip": Protected(_any, _WIRED),
    "JupyterHub.hub_port": Protected(_any, _WIRED),
    "JupyterHub.hub_connect_ip": Protected(_any, _WIRED),
    "JupyterHub.hub_connect_port": Protected(_any, _WIRED),
    "JupyterHub.subdomain_host": Protected(
        _true,
        (
            "gives every user a host name of their own, but certificate and DNS record are for the"
            " hub's name alone"
        ),
    ),
    "JupyterHub.internal_ssl": Protected(
        _true, _NO_TLS, "remove it: network policies keep others away from hub and servers"
    ),
    "JupyterHub.ssl_key": Protected(_true, _NO_TLS, "remove it, and use entry.tls"),
    "JupyterHub.ssl_cert": Protected(_true, _NO_TLS, "remove it, and use entry.tls"),
    "JupyterHub.services": Protected(
        _any,
        (
            "replaces the idle culler and the service by which `jhub` works, or is dropped by the"
            " chart"
        ),
        "use hub.services",
    ),
    "JupyterHub.load_roles": Protected(
        _any,
        "replaces the roles of the idle culler and of the service by which `jhub` works",
        "use hub.loadRoles",
    ),
    "JupyterHub.spawner_class": Protected(
        _any, "replaces KubeSpawner, which profiles, homes and limits are written for"
    ),
    "JupyterHub.proxy_class": Protected(
        _any, "replaces the proxy that the chart runs and the entry leads to"
    ),
    "ConfigurableHTTPProxy.api_url": Protected(
        _any, "replaces the address of the proxy's API, which the chart knows"
    ),
    "ConfigurableHTTPProxy.should_start": Protected(
        _true, "starts a second proxy inside the hub: the one that users reach would lead nowhere"
    ),
    "KubeSpawner.automount_service_account_token": Protected(
        _true, "mounts a token of the cluster's API into every server", "remove it, or write false"
    ),
    "KubeSpawner.namespace": Protected(
        _any, "starts servers in another namespace, without homes, policies and the hub's rights"
    ),
    "KubeSpawner.enable_user_namespaces": Protected(
        _true,
        "starts servers in namespaces of their own, without homes, policies and the hub's rights",
    ),
    "KubeSpawner.common_labels": Protected(
        _any, _LABELS, "remove it; use singleuser.extraLabels for labels of your own"
    ),
    "KubeSpawner.component_label": Protected(_not("singleuser-server"), _LABELS),
    "KubeSpawner.port": Protected(
        _not(8888),
        (
            "is another port than the chart's network policies let the proxy reach (8888): no"
            " server could be opened"
        ),
    ),
    "KubeSpawner.ip": Protected(
        lambda value: str(value).startswith("127.") or value in ("localhost", "::1"),
        "has servers listen inside their pod only: no server could be opened",
    ),
    "KubeSpawner.hub_connect_ip": Protected(_any, _WIRED),
    "KubeSpawner.hub_connect_port": Protected(_any, _WIRED),
    "KubeSpawner.hub_connect_url": Protected(_any, _WIRED),
    "OAuthenticator.validate_server_cert": Protected(
        _false, _UNVERIFIED, "remove it; a CA of your own goes into the hub's image or extraFiles"
    ),
}
#: Keys of the chart that other parts of the stack depend on.
_KEYS: Mapping[KeyPath, Protected] = {
    ("hub", "baseUrl"): Protected(
        _under_a_path,
        _AT_THE_ROOT,
        "remove it, and give the hub a host name of its own (entry.hostname)",
    ),
    ("proxy", "service", "disableHttpPort"): Protected(
        _true, "closes the port by which `jhub open` and tunnels reach the hub"
    ),
    ("hub", "deploymentStrategy", "type"): Protected(
        _not("Recreate", None),
        "lets two hubs run at once: JupyterHub does not know how to share its database",
    ),
    ("singleuser", "extraLabels", "hub.jupyter.org/network-access-hub"): Protected(
        _not("true", True),
        "takes away the label by which servers may reach the hub: no server could start",
        "keep it",
    ),
}
_OAUTH = "OAuthenticator"


def refused(resolved: Resolved) -> Iterator[ValueFault]:
    """No trait undoes what another part of the stack counts on, by whatever class or code it is
    said.
    """
    config = at(resolved.values, "hub", "config") or {}
    for section, traits in config.items():
        for trait, value in traits.items() if isinstance(traits, Mapping) else ():
            rule = _rule(section, trait)
            if rule is not None and rule.refuses(value):
                what = f"{rule.what}{_got(value)}"
                yield ValueFault(
                    "helm-values.protected-trait", ("hub", "config", section, trait), what, rule.fix
                )
    for (section, trait), said in resolved.computed.items():
        section = "KubeSpawner" if section == "Spawner" else section
        rule = _rule(section, trait)
        if rule is not None:
            what = f"{said.where}{rule.what}"
            yield ValueFault("helm-values.protected-trait", said.path, what, rule.fix)
        elif f"{section}.{trait}" in COMPOSED:
            key = COMPOSED[f"{section}.{trait}"]
            what = f"{said.where}replaces all that the chart puts there"
            fix = f"use {key}, or append to it"
            yield ValueFault("helm-values.list-replaced", said.path, what, fix)
        elif f"{section}.{trait}" in _OURS and _OURS[f"{section}.{trait}"](resolved.values):
            what = f"{said.where}replaces what the stack's own file of the hub put there"
            yield ValueFault("helm-values.file-replaced", said.path, what, "remove it")


def _rule(section: str, trait: str) -> Protected | None:
    if section.endswith(_OAUTH) and f"{_OAUTH}.{trait}" in REFUSED:
        section = _OAUTH
    return REFUSED.get(f"{section}.{trait}")


def _got(value: object) -> str:
    if isinstance(value, (bool, Mapping, list)) or "://" in str(value):
        return ""
    return f" (got {shown(value)})"


def _asks_for(*keys: str) -> Callable[[Values], bool]:
    return lambda values: any(at(values, "custom", "jupyterhubAws", key) for key in keys)


#: What the files of components/hub/files set when the stack asks for it: code that assigns it again
#: undoes it.
_OURS: Mapping[str, Callable[[Values], bool]] = {
    "Authenticator.post_auth_hook": _any,
    "KubeSpawner.profile_list": _asks_for("profileGroups"),
    "KubeSpawner.modify_pod_hook": _asks_for(
        "writtenByAdministrators", "groupDirectories", "awsAccess"
    ),
    "GitHubOAuthenticator.auth_state_groups_key": _asks_for("githubTeams"),
    "JupyterHub.template_paths": _asks_for("accountPages"),
}


def derived(values: Values) -> Iterator[ValueFault]:
    """Chart values that other parts of the stack depend on are unchanged."""
    for path, (wrong, what, fix) in _KEYS.items():
        value = at(values, *map(str, path))
        if value is not None and wrong(value):
            yield ValueFault("helm-values.protected-value", path, f"{what}{_got(value)}", fix)


def shadowed(resolved: Resolved) -> Iterator[ValueFault]:
    """No trait is without effect because the chart says the same for a class that wins."""
    for path, key in resolved.shadowed.items():
        what = "is without effect: the chart says the same under KubeSpawner, which wins"
        yield ValueFault("helm-values.shadowed", path, what, f"use {key}")


#: Traits of a profile that the rules about `singleuser` have to hear of too.
_GUARDED = frozenset(
    """
    uid gid fs_gid allow_privilege_escalation container_security_context pod_security_context extra_pod_config extra_container_config service_account
    automount_service_account_token extra_labels port ip namespace enable_user_namespaces component_label common_labels hub_connect_ip hub_connect_port
    hub_connect_url
    """.split()
)


def guarded(override: Mapping[str, Any]) -> dict[str, Any]:
    """What of a profile's override may undo a protection."""
    return {trait: value for trait, value in override.items() if trait in _GUARDED}


def container_config(values: Values) -> Iterator[ValueFault]:
    """The container's security context is not replaced by the way around."""
    for name in ("securityContext", "security_context"):
        if at(values, "hub", "config", "KubeSpawner", "extra_container_config", name) is not None:
            what = "replaces the security context that Pod Security `restricted` asks for"
            fix = "use hub.config.KubeSpawner.container_security_context"
            yield ValueFault(
                "helm-values.security-context",
                ("hub", "config", "KubeSpawner", "extra_container_config", name),
                what,
                fix,
            )


def provider_is_verified(values: Values) -> Iterator[ValueFault]:
    """Requests to the sign-in's provider verify its certificate."""
    for section, traits in (at(values, "hub", "config") or {}).items():
        if section.endswith(_OAUTH) and at(traits, "http_request_kwargs", "validate_cert") is False:
            yield ValueFault(
                "helm-values.provider-unverified",
                ("hub", "config", section, "http_request_kwargs", "validate_cert"),
                _UNVERIFIED,
                REFUSED["OAuthenticator.validate_server_cert"].fix,
            )


TRAIT_RULES = (derived, container_config, provider_is_verified)


# --- Sections of `hub.config` are names of classes, and their keys traits: a misspelt one
# has no effect, and there is no warning.


#: Closer than this, another class was hardly meant: GithubOAuthenticator and GitHubOAuthenticator
#: are, MyAuthenticator and PAMAuthenticator are not.
_ALIKE = 0.86
_SPAWNERS = ("Spawner", "KubeSpawner", "NoticingKubeSpawner")


def _used(values: Values) -> frozenset[str]:
    return used_classes(
        class_of_authenticator(at(values, "hub", "config", "JupyterHub", "authenticator_class"))
    )


def _meant(section: str) -> str | None:
    """The class that a misspelt one most probably means."""
    return closest(section, known_classes(), cutoff=_ALIKE)


def _named_in_code(values: Values, name: str) -> bool:
    """Whether the user's own code mentions a class of that name: there it may be defined or
    imported.
    """
    pattern = rf"\b(class|import|as)\s+{re.escape(name)}\b|,\s*{re.escape(name)}\b"
    return any(re.search(pattern, code.text) for code in code_of(values))


def _strange(values: Values) -> Iterator[str]:
    """Sections of no class that the hub's image has."""
    chosen = str(at(values, "hub", "config", "JupyterHub", "authenticator_class"))
    known = {*known_classes(), chosen.replace(":", ".").rpartition(".")[2]}
    for section in at(values, "hub", "config") or {}:
        if section not in known and not _named_in_code(values, section):
            yield section


def sections_are_spelt(values: Values) -> Iterator[ValueFault]:
    """No section is a class's name with a letter wrong, which JupyterHub reads and forgets."""
    for section in _strange(values):
        meant = _meant(section)
        if meant:
            what = (
                "is no class of the hub: its settings have no effect, and JupyterHub does not warn"
            )
            fix = f"did you mean {meant}?"
            yield ValueFault("helm-values.class-unknown", ("hub", "config", section), what, fix)


def traits_are_spelt(values: Values) -> Iterator[ValueFault]:
    """Every trait of a class that the hub's image has exists."""
    told = {fault.path for fault in access_is_spelt(values)}
    used = _used(values)
    for section, said in (at(values, "hub", "config") or {}).items():
        if (
            section not in known_classes() or section in _SPAWNERS or not isinstance(said, Mapping)
        ):  # the rules about servers know KubeSpawner's
            continue
        known = traits_read_from(section, used)
        for name in said:
            if name not in known and ("hub", "config", section, name) not in told:
                guess = closest(name, known)
                owners = (owner for owner in sorted(used) if name in traits_read_from(owner, used))
                elsewhere = "KubeSpawner" if name in TRAITS | HUB_TRAITS else next(owners, None)
                fix = (
                    f"write it under {elsewhere}"
                    if elsewhere
                    else f"did you mean {guess}?"
                    if guess
                    else "remove it"
                )
                what = f"is not a trait of {section}: the hub would only log a warning"
                yield ValueFault(
                    "helm-values.trait-unknown", ("hub", "config", section, name), what, fix
                )


def without_effect(values: Values) -> Iterator[ValueFault]:
    """What only an operator can judge: sections of classes that the hub does not use, or that
    are unknown here. Reported as warnings.
    """
    used = _used(values)
    for section in at(values, "hub", "config") or {}:
        if (
            section in known_classes()
            and section not in used
            and not any(section in sections(name) for name in used)
        ):
            others = sorted(name for name in used if name.endswith("Authenticator"))
            what = (
                f"is a class that this hub does not use ({', '.join(others)} are): its settings"
                " have no effect"
            )
            fix = "remove it, or set it for the class in use"
            yield ValueFault("helm-values.class-unused", ("hub", "config", section), what, fix)
    for section in _strange(values):
        if not _meant(section):
            what = (
                "is no class of the hub's image: only an image of your own may know it, otherwise"
                " it has no effect"
            )
            fix = "check whether your image has it, or remove it"
            yield ValueFault("helm-values.class-unknown", ("hub", "config", section), what, fix)


CLASS_RULES = (sections_are_spelt, traits_are_spelt)


# --- Code that the hub executes: whether Python can compile it, and whether the names that it uses
# exist. Otherwise the hub does not start.


_DATA = Path(__file__).resolve().parents[2] / "config" / "data" / "z2jh"
#: What traitlets adds to a configuration file, and Python to a module (traitlets/config/loader.py,
#: `_read_file_as_dict`).
_ALWAYS = ("load_subconfig", "__file__", "__builtins__", "__name__", "__doc__")


_BUILTINS = frozenset(dir(builtins))


@cache
def _known() -> frozenset[str]:
    """What the chart's jupyterhub_config.py has bound when it executes such code
    (scripts/refresh_chart.py).
    """
    text = (_DATA / f"names-{chart_version()}.json").read_text(encoding="utf-8")
    return frozenset((*json.loads(text), *_ALWAYS))


def names_exist(values: Values) -> Iterator[ValueFault]:
    """Every name that code uses is Python's, the chart's configuration's, or bound by the code,
    or by code that is executed before it.
    """
    before: set[str] = set()
    for code in code_of(values):
        tree = parsed(code.text)
        if tree is None:  # another rule says so
            continue
        undefined, bound = _names(code, frozenset(before))
        before |= bound
        for line, name in undefined:
            hidden = any(isinstance(part, str) and names_secret(part) for part in code.path)
            guess = None if hidden else closest(name, (_known() | bound) - _BUILTINS)
            # Two letters resemble anything.
            fix = f"did you mean {guess}?" if guess and len(name) > 2 else "import or define it"
            what = (
                f"line {line} uses {'a name' if hidden else shown(name)}, which does not exist"
                " there: the hub would not start, or fail later"
            )
            yield ValueFault("helm-values.name-undefined", code.path, what, fix)


def parsed(text: str) -> ast.Module | None:
    """The code as a tree; None for what is no Python."""
    try:
        with warnings.catch_warnings(action="ignore"):
            return ast.parse(text)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None


@cache
def _names(
    code: Code, before: frozenset[str]
) -> tuple[tuple[tuple[int, str], ...], frozenset[str]]:
    """Undefined names with their lines, each once, and what the code itself binds."""
    from pyflakes import checker, messages  # late: only a hub with code needs it

    tree = parsed(code.text)
    assert tree is not None  # noqa: S101 -- asked before
    found: Any = checker.Checker(tree, builtins=_known() | before, withDoctest=False)
    lines: dict[str, int] = {}
    for message in found.messages:
        if isinstance(message, (messages.UndefinedName, messages.UndefinedLocal)):
            lines.setdefault(str(message.message_args[0]), int(message.lineno))
    bound = frozenset(str(name) for scope in found.deadScopes[-1:] for name in scope)
    by_line = sorted(lines.items(), key=lambda item: item[1])
    return tuple((line, name) for name, line in by_line), bound


#: All of them, in the order of their findings.
RULES = (*CLASS_RULES, names_exist, *TRAIT_RULES)
