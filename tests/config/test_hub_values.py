"""The chart's values of a hub: right for everything that a stack may say, and each rule about
them finds what it is there for.
"""

from __future__ import annotations

import copy
import itertools
import json
import re
from typing import get_args

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from jupyterhub_aws.checks.hub_values import pods, protections, servers, sign_in, traits
from jupyterhub_aws.checks.hub_values import traits as classes
from jupyterhub_aws.checks.hub_values import traits as code
from jupyterhub_aws.checks.hub_values.all import RULES, faults
from jupyterhub_aws.checks.resources import SECRET
from jupyterhub_aws.components.hub.values.hub import HubSecretInputs, hub_values
from jupyterhub_aws.components.hub.values.problems import hub_problems
from jupyterhub_aws.components.hub.values.servers import profile_list
from jupyterhub_aws.components.validated import validated
from jupyterhub_aws.config.chart import default_values, effective, merged, refusals
from jupyterhub_aws.config.cloud_config import Configuration
from jupyterhub_aws.config.errors import ConfigError, names_secret
from jupyterhub_aws.config.hub import Hub
from jupyterhub_aws.config.instance_types import instance_type, instance_types
from jupyterhub_aws.config.load import load
from jupyterhub_aws.config.node_size import server_room
from jupyterhub_aws.config.profiles import memory_mib
from jupyterhub_aws.config.specs import resolve
from jupyterhub_aws.config.specs.hub import derived
from jupyterhub_aws.config.stack import StackConfig
from jupyterhub_aws.config.timeouts import timeouts
from tests.support.stack_files import CERTIFICATE, SOURCE, changed, dev_stack, engine_values

GIVEN = HubSecretInputs(
    auth_token=SECRET,
    cookie_secret=SECRET,
    auth_state_key=SECRET,
    operator_token=SECRET,
    checksum=SECRET,
    database_url="postgresql+psycopg2://jupyterhub@db.example.org/jupyterhub",
)
_OIDC = {
    "kind": "oidc",
    "client_id": "hub-client",
    "authorize_url": "https://login.example.org/authorize",
    "token_url": "https://login.example.org/token",
    "userinfo_url": "https://login.example.org/userinfo",
}
_LDAP = {"kind": "ldap", "server": "ldap.example.org", "ca_certificate": CERTIFICATE}
_LOOKUP = {
    "search_base": "ou=people,dc=example,dc=org",
    "search_user": "cn=reader,dc=example,dc=org",
}
_BALANCER = {
    "kind": "load_balancer",
    "hostname": "hub.example.org",
    "allowed_cidrs": ["203.0.113.0/24"],
}
_NODE_PORT = {"kind": "node_port", "hostname": "hub.example.org"}

SIGN_INS = {
    "github organizations": {
        "kind": "github",
        "client_id": "Ov23liDocumentation0",
        "allowed_organizations": ["example-org"],
    },
    "github people": {
        "kind": "github",
        "client_id": "Ov23liDocumentation0",
        "allowed_users": ["ada"],
        "administrators": ["grace"],
    },
    "oidc groups": {
        **_OIDC,
        "groups_claim": "groups",
        "allowed_groups": ["staff"],
        "admin_groups": ["ops"],
        "allowed_users": ["ada"],
    },
    "oidc administrators": {**_OIDC, "administrators": ["ada"]},
    "ldap templates": {
        **_LDAP,
        "bind_dn_templates": ["uid={username},ou=people,dc=example,dc=org"],
        "allowed_groups": ["cn=hub"],
        "tls": "start_tls",
    },
    "ldap lookup": {
        **_LDAP,
        "lookup": _LOOKUP,
        "allowed_users": ["ada"],
        "administrators": ["grace"],
    },
    "github teams": {
        "kind": "github",
        "client_id": "Ov23liDocumentation0",
        "admin_teams": ["example-org:ops"],
        "usernames": "simple",
    },
    "oidc logout": {
        **_OIDC,
        "allowed_users": ["ada"],
        "logout_url": "https://login.example.org/logout",
        "usernames": "email",
    },
    "cognito": {
        "kind": "cognito",
        "client_id": "4example23456789",
        "domain": "hub.auth.us-east-1.amazoncognito.com",
        "allowed_groups": ["staff"],
    },
    "google": {
        "kind": "google",
        "client_id": "123.apps.googleusercontent.com",
        "allowed_domains": ["example.edu"],
        "administrators": ["ada@example.edu"],
    },
    "google, bare names": {
        "kind": "google",
        "client_id": "123.apps.googleusercontent.com",
        "strip_domain": "example.edu",
        "allowed_users": ["ada"],
    },
    "entra": {
        "kind": "entra",
        "client_id": "5f6e7d8c-1111-4222-8333-944455556666",
        "tenant_id": "8d7c6f3e-2b14-4f0a-9c55-1e2f3a4b5c6d",
        "allowed_groups": ["0f9a1b2c-3d4e-4f50-8a6b-7c8d9e0f1a2b"],
        "usernames": "email",
    },
    "cilogon": {
        "kind": "cilogon",
        "client_id": "cilogon:/client_id/0123456789abcdef",
        "identity_providers": {
            "uni": {"entity_id": "urn:mace:incommon:uni.example", "all_users": True},
            "github": {
                "entity_id": "https://github.com/login/oauth/authorize",
                "username_claim": "preferred_username",
                "prefix": "github",
            },
        },
        "allowed_users": ["github:ada"],
        "groups_claim": "isMemberOf",
        "admin_groups": ["ops"],
    },
    "lti13": {
        "kind": "lti13",
        "issuer": "https://lms.example.edu",
        "client_ids": ["10000000000001"],
        "authorize_url": "https://lms.example.edu/auth",
        "jwks_url": "https://lms.example.edu/jwks",
        "allowed_groups": ["course:101"],
        "admin_groups": ["course:101:instructor"],
    },
    "ldap in clear text": {
        **{key: value for key, value in _LDAP.items() if key != "ca_certificate"},
        "bind_dn_templates": ["uid={username},ou=people,dc=example,dc=org"],
        "tls": "none_insecure",
        "admin_groups": ["cn=ops,ou=groups,dc=example,dc=org"],
    },
    "native": {"kind": "native", "administrators": ["ada"]},
    "shared password": {"kind": "shared_password"},
    "shared password, administrators": {"kind": "shared_password", "administrators": ["ada"]},
}
ENTRIES = {
    "balancer, acm": {**_BALANCER, "route53_zone": "Z0123456789ABCDEFGHIJ"},
    "balancer, certificate": {
        **_BALANCER,
        "internal": True,
        "tls": {"kind": "certificate", "certificate": CERTIFICATE},
    },
    "balancer, plain": {**_BALANCER, "tls": {"kind": "none", "trial": True}},
    "node port, certificate": {
        **_NODE_PORT,
        "tls": {"kind": "certificate", "certificate": CERTIFICATE},
    },
    "node port, plain": {**_NODE_PORT, "tls": {"kind": "none", "trial": True}},
    "tunnel": {"kind": "port_forward"},
}
_WITHOUT_TLS = ("balancer, plain", "node port, plain", "tunnel")
HOMES = {
    "efs": {"kind": "efs"},
    "ebs": {"kind": "ebs"},
    "nfs": {"kind": "nfs", "server": "isilon.example.org", "path": "/ifs/homes"},
    "ephemeral": {"kind": "ephemeral"},
}
DATABASES = {
    "sqlite": {"kind": "sqlite"},
    "postgres": {"kind": "postgres"},
    "memory": {"kind": "sqlite_memory"},
}
COMBINATIONS = [
    combination
    for combination in itertools.product(SIGN_INS, ENTRIES, HOMES, DATABASES)
    # A launch without TLS is refused (error.hubs.lti13_without_tls).
    if combination[0] != "lti13" or combination[1] not in _WITHOUT_TLS
]


def _values(stack):
    return hub_values(resolve(stack).hubs["main"], GIVEN, resolve(stack).images)


def _stack(put):
    values, secret = engine_values(changed(dev_stack(), put=put))
    return load(values, secret=secret, source=SOURCE)


def _combined(sign_in_name, entry, homes, database):
    return {
        "homes": HOMES[homes],
        "hubs.main.sign_in": SIGN_INS[sign_in_name],
        "hubs.main.entry": ENTRIES[entry],
        "hubs.main.database": DATABASES[database],
    }


def _found(values, put=None):
    stack = _stack(put or {})
    return [
        fault.path
        for fault in faults(
            effective(values), stack.hubs["main"], timeouts(stack).server_start_seconds
        )
    ]


def test_every_kind_is_in_the_product():
    def of(model, field):
        return {
            get_args(member.model_fields["kind"].annotation)[0]
            for member in get_args(model.model_fields[field].annotation)
        }

    assert of(Hub, "sign_in") == {value["kind"] for value in SIGN_INS.values()}
    assert of(Hub, "entry") == {value["kind"] for value in ENTRIES.values()}
    assert of(Hub, "database") - {"sqlite_on_node", "sqlite_on_class"} == {
        value["kind"] for value in DATABASES.values()
    }, "those two are for existing clusters"
    assert of(StackConfig, "homes") - {"efs_access_point"} == set(HOMES), (
        "that one is for existing clusters"
    )
    without_lti13, with_tls = 17, 3
    assert len(COMBINATIONS) == (without_lti13 * 6 + with_tls) * 4 * 3


@pytest.mark.real
@pytest.mark.parametrize("name", SIGN_INS)
def test_every_option_becomes_values_that_chart_and_rules_accept(
    name,
):
    for combination in COMBINATIONS:
        if combination[0] != name:
            continue
        if combination[0] == "native" and combination[3] == "memory":
            continue  # refused: its accounts are in the database
        stack = _stack(_combined(*combination))
        values = _values(stack)
        assert list(refusals(values)) == [], combination
        assert (
            list(
                faults(effective(values), stack.hubs["main"], timeouts(stack).server_start_seconds)
            )
            == []
        ), combination
        assert list(hub_problems(stack, "main")) == [], combination
        assert json.loads(json.dumps(values)) == values, (
            combination
        )  # nothing that only Python knows


def test_the_chart_alone_would_admit_any_user():
    paths = _found({})
    assert ("hub", "config", "JupyterHub", "authenticator_class") in paths
    assert {path[:2] for path in paths} >= {
        ("singleuser", "cloudMetadata"),
        ("proxy", "service"),
        ("prePuller", "hook"),
    }


def test_what_is_in_the_values():
    """The few that everything hangs on, in plain words."""
    values = _values(_stack(_combined("ldap lookup", "balancer, certificate", "nfs", "sqlite")))
    config = values["hub"]["config"]
    assert config["Authenticator"] == {
        "admin_users": ["grace"],
        "allowed_users": ["ada", "grace"],
        "username_pattern": r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}\Z",
        "allow_existing_users": False,
        "allow_all": False,
        "manage_groups": True,
    }
    assert config["LDAPAuthenticator"]["tls_kwargs"]["validate"] == 2
    assert (
        values["hub"]["extraFiles"]["ldap-ca"]["mountPath"]
        == config["LDAPAuthenticator"]["tls_kwargs"]["ca_certs_file"]
    )
    assert values["proxy"]["https"] == {
        "enabled": True,
        "type": "secret",
        "secret": {"name": "hub-tls"},
    }
    assert values["singleuser"]["storage"] == {
        "type": "static",
        "static": {"pvcName": "homes", "subPath": "{safe_username}"},
    }
    assert values["hub"]["db"]["pvc"]["annotations"] == {"helm.sh/resource-policy": "keep"}
    assert not [
        path
        for path, _ in _leaves(values)
        if path[-1] in ("client_secret", "lookup_dn_search_password", "user_password", "password")
    ]


def _leaves(value, path=()):
    for key, item in (
        value.items()
        if isinstance(value, dict)
        else enumerate(value)
        if isinstance(value, list)
        else ()
    ):
        yield from _leaves(item, (*path, key))
    if not isinstance(value, (dict, list)):
        yield path, value


# --- each rule finds what it is there for, and nothing else

_PROFILE = ("singleuser", "profileList", 0, "kubespawner_override")
_KUBE = ("hub", "config", "KubeSpawner")
_AUTH = ("hub", "config", "Authenticator")


def _at(path, value):
    """Values with this one value; a number in the path makes a list, whose items are profiles."""
    for key in reversed(path):
        value = [{"display_name": "x", **value}] if key == 0 else {key: value}
    return value


#: Rule, where, with what; the path of the fault where it is another one than the value's; other
#: settings of the stack.
DOCTORED = [
    (sign_in.nobody_uninvited, ("hub", "config", "JupyterHub", "authenticator_class"), "dummy"),
    (sign_in.nobody_uninvited, ("hub", "config", "JupyterHub", "authenticator_class"), "DUMMY"),
    (
        sign_in.nobody_uninvited,
        ("hub", "config", "JupyterHub", "authenticator_class"),
        "jupyterhub.auth.DummyAuthenticator",
    ),
    (sign_in.nobody_uninvited, ("hub", "config", "JupyterHub", "authenticator_class"), "tmp"),
    (sign_in.nobody_uninvited, ("hub", "config", "JupyterHub", "authenticator_class"), "null"),
    (sign_in.nobody_uninvited, ("hub", "config", "JupyterHub", "authenticator_class"), None),
    (sign_in.nobody_uninvited, (*_AUTH, "allow_all"), True),
    (sign_in.nobody_uninvited, ("hub", "config", "GitHubOAuthenticator", "allow_all"), True),
    (sign_in.nobody_uninvited, ("hub", "config", "NativeAuthenticator", "open_signup"), True),
    (sign_in.leavers_stay_out, (*_AUTH, "allow_existing_users"), True),
    (sign_in.access_is_spelt, (*_AUTH, "alowed_users"), ["ada"]),
    (
        sign_in.access_is_spelt,
        ("hub", "config", "GitHubOAuthenticator", "allowed_organisations"),
        ["example-org"],
    ),
    (sign_in.configuration_is_python, ("hub", "extraConfig", "x"), "c.JupyterHub = ("),
    (sign_in.configuration_is_python, ("hub", "extraConfig", "x"), "a\0b"),
    (sign_in.configuration_is_python, ("hub", "extraConfig", "x"), "x = '\ud800'"),
    (sign_in.configuration_is_python, ("hub", "extraConfig", "x"), "-" * 100_000 + "1"),
    (sign_in.configuration_is_python, ("hub", "extraConfig", "x"), 7),
    (servers.sizes, ("singleuser", "memory", "limit"), "32Gi"),
    (servers.sizes, ("singleuser", "memory", "limit"), "17179869184"),
    (servers.sizes, ("singleuser", "memory", "guarantee"), 16),
    (servers.sizes, (*_PROFILE, "mem_limit"), "32Gi"),
    (servers.sizes, (*_PROFILE, "cpu_limit"), "2"),
    (servers.sizes, (*_PROFILE, "cpu_guarantee"), True),
    (servers.guarantees, ("singleuser", "memory", "limit"), "1G", ("singleuser",)),
    (servers.guarantees, ("singleuser", "cpu", "guarantee"), 30, ("singleuser",)),
    (servers.guarantees, (*_PROFILE, "mem_guarantee"), "4T", _PROFILE),
    (servers.environment, ("singleuser", "extraEnv", "GRACE"), True),
    (servers.environment, ("singleuser", "extraEnv", "GRACE"), 3),
    (servers.environment, ("singleuser", "extraEnv", "GRACE"), ""),
    (servers.environment, ("singleuser", "extraEnv", "GRACE"), "{host}"),
    (servers.environment, ("singleuser", "extraEnv", "GRACE"), "a{b"),
    (servers.environment, ("singleuser", "extraEnv", "CHOWN_HOME"), "yes"),
    (servers.environment, (*_PROFILE, "environment", "GRACE"), "{host}"),
    (servers.homes, ("singleuser", "storage", "static", "subPath"), "{user}"),
    (servers.homes, ("singleuser", "storage", "static", "subPath"), "shared"),
    (servers.homes, ("singleuser", "storage", "static", "subPath"), None),
    (servers.homes, ("singleuser", "storage", "static", "subPath"), "/home/{username}"),
    (servers.homes, ("singleuser", "storage", "static", "subPath"), "{username}/.."),
    (servers.homes, ("singleuser", "storage", "static", "pvcName"), None),
    (servers.overrides, (*_PROFILE, "cpuLimit"), 2),
    (servers.overrides, (*_PROFILE, "nodeSelector"), {}),
    (servers.overrides, (*_PROFILE, "uid"), 0),
    (servers.overrides, (*_PROFILE, "allow_privilege_escalation"), True),
    (servers.overrides, (*_PROFILE, "tolerations"), []),
    (
        servers.overrides,
        (*_PROFILE, "tolerations"),
        [{"key": "nvidia.com/gpu", "operator": "Exists"}, 5],
    ),
    (servers.overrides, (*_PROFILE, "volumes"), [{"name": "scratch"}, None]),
    (
        servers.overrides,
        (*_PROFILE, "volume_mounts"),
        {"scratch": {"name": "scratch", "mountPath": "/scratch"}},
    ),
    (servers.overrides, _PROFILE, "cpu_limit"),
    (servers.replaced, (*_KUBE, "environment"), {"A": "b"}),
    (servers.replaced, (*_KUBE, "mem_limit"), "32Gi"),
    (servers.replaced, (*_KUBE, "cpuLimit"), 2),
    (protections.isolation, ("singleuser", "uid"), 0),
    (protections.isolation, ("singleuser", "allowPrivilegeEscalation"), True),
    (protections.isolation, ("singleuser", "allowPrivilegeEscalation"), None),
    (protections.isolation, ("singleuser", "cloudMetadata", "blockWithIptables"), True),
    (protections.isolation, (*_KUBE, "container_security_context"), None),
    (protections.isolation, (*_KUBE, "container_security_context"), "none"),
    (
        protections.isolation,
        (*_KUBE, "container_security_context", "seccompProfile"),
        {"type": "Unconfined"},
        (*_KUBE, "container_security_context"),
    ),
    (
        protections.isolation,
        (*_KUBE, "container_security_context", "capabilities", "add"),
        ["SYS_ADMIN"],
        (*_KUBE, "container_security_context"),
    ),
    (
        protections.isolation,
        (*_KUBE, "container_security_context", "capabilities", "drop"),
        [],
        (*_KUBE, "container_security_context"),
    ),
    (protections.isolation, ("singleuser", "extraPodConfig", "securityContext"), {"fsGroup": 100}),
    (protections.privileges, ("singleuser", "extraPodConfig", "hostNetwork"), True),
    (protections.privileges, ("hub", "containerSecurityContext", "runAsUser"), 0),
    (protections.privileges, ("hub", "containerSecurityContext", "allowPrivilegeEscalation"), True),
    (protections.privileges, ("proxy", "chp", "containerSecurityContext", "privileged"), True),
    (protections.privileges, (*_PROFILE, "privileged"), True),
    (protections.data, (*_KUBE, "delete_pvc"), True),
    (protections.data, (*_KUBE, "delete_pvc"), None),
    (
        protections.data,
        ("hub", "db", "pvc", "annotations", "helm.sh/resource-policy"),
        None,
        ("hub", "db", "pvc", "annotations"),
    ),
    (protections.data, ("hub", "db", "type"), "postgres", ("hub", "db", "url")),
    (protections.data, ("hub", "db", "type"), "mysql", ("hub", "db", "url")),
    (
        protections.data,
        ("hub", "db"),
        {"type": "other", "url": "sqlite:///hub.sqlite"},
        ("hub", "db", "url"),
    ),
    (protections.in_memory, ("hub", "db", "type"), "sqlite-memory"),
    (protections.way_in, ("proxy", "service", "type"), "LoadBalancer"),
    (protections.way_in, ("proxy", "service", "nodePorts", "http"), 80),
    (protections.way_in, ("proxy", "service", "externalIPs"), ["192.0.2.1"]),
    (protections.way_in, ("hub", "service", "type"), "NodePort"),
    (protections.way_in, ("ingress", "enabled"), True),
    (protections.way_in, ("httpRoute", "enabled"), True),
    (
        protections.way_in,
        ("proxy", "https"),
        {"enabled": True, "type": "letsencrypt"},
        ("proxy", "https", "hosts"),
    ),
    (protections.release_ends, ("prePuller", "hook", "enabled"), True),
    (
        protections.release_ends,
        ("scheduling", "userPlaceholder"),
        {"enabled": True, "replicas": 1},
        ("scheduling", "userPlaceholder", "replicas"),
    ),
    (protections.release_ends, ("hub", "fsGid"), 1000),
    (protections.release_ends, ("rbac", "enabled"), True),
    (protections.release_ends, ("fullnameOverride",), "hub"),
    (protections.release_ends, ("imagePullSecret", "create"), True),
    (protections.images, ("singleuser", "image", "tag"), "latest"),
    (protections.images, ("hub", "image", "tag"), "latest"),
    (protections.images, (*_PROFILE, "image"), "quay.io/jupyter/base-notebook"),
    (protections.images, (*_PROFILE, "image"), "registry.example.org:5000/base:latest"),
    (traits.derived, ("hub", "baseUrl"), "/jupyter"),
    (traits.derived, ("proxy", "service", "disableHttpPort"), True),
    (traits.derived, ("hub", "deploymentStrategy", "type"), "RollingUpdate"),
    (traits.derived, ("singleuser", "extraLabels", "hub.jupyter.org/network-access-hub"), "false"),
    (
        traits.container_config,
        (*_KUBE, "extra_container_config", "securityContext"),
        {"runAsGroup": 1000},
    ),
    (
        traits.provider_is_verified,
        ("hub", "config", "OAuthenticator", "http_request_kwargs", "validate_cert"),
        False,
    ),
    (classes.sections_are_spelt, ("hub", "config", "Jupyterhub"), {"admin_access": True}),
    (classes.sections_are_spelt, ("hub", "config", "GithubOAuthenticator"), {}),
    (classes.traits_are_spelt, ("hub", "config", "JupyterHub", "cleanup_server"), False),
    (classes.traits_are_spelt, ("hub", "config", "JupyterHub", "http_timeout"), 60),
    (
        code.names_exist,
        ("hub", "extraConfig", "mine"),
        "c.JupyterHub.template_vars = get_confg('custom.x')",
    ),
    (pods.pod_fields, ("hub", "extraPodSpec", "hostAliasses"), []),
    (pods.pod_fields, ("hub", "extraPodSpec", "priorityClassName"), 5),
    (pods.pod_fields, ("hub", "extraPodSpec", "topologySpreadConstraints"), {}),
    (pods.pod_fields, ("hub", "initContainers"), [{"image": "a:1"}], ("hub", "initContainers", 0)),
    (
        pods.pod_fields,
        ("hub", "extraVolumes"),
        [{"name": "a", "configmap": {}}],
        ("hub", "extraVolumes", 0, "configmap"),
    ),
    (pods.pod_fields, ("hub", "nodeSelector", "gpu"), True),
    (pods.pod_fields, ("singleuser", "nodeSelector", "gpu"), True),
    (pods.pod_fields, ("singleuser", "extraPodConfig", "hostAliasses"), []),
    (
        pods.pod_fields,
        ("singleuser", "initContainers"),
        [{"name": "a", "image": "a:1", "command": "sh"}],
        ("singleuser", "initContainers", 0, "command"),
    ),
    (pods.pod_fields, (*_KUBE, "extra_container_config", "livenesProbe"), {}),
    (
        pods.pod_fields,
        (*_PROFILE, "lifecycle_hooks"),
        {"poststart": {}},
        (*_PROFILE, "lifecycle_hooks", "poststart"),
    ),
    (protections.clear_text, ("proxy", "secretToken"), "hunter2"),
    (protections.clear_text, ("hub", "config", "GitHubOAuthenticator", "client_secret"), "hunter2"),
    (
        protections.clear_text,
        ("hub", "config", "CryptKeeper", "keys"),
        ["hunter2"],
        ("hub", "config", "CryptKeeper", "keys", 0),
    ),
    (
        protections.clear_text,
        ("hub", "extraEnv"),
        [{"name": "API_TOKEN", "value": "hunter2"}],
        ("hub", "extraEnv", 0, "value"),
    ),
    (protections.clear_text, ("hub", "extraEnv", "DB"), "mysql://hub:hunter2@db.example.org/hub"),
    (
        protections.clear_text,
        ("hub", "extraFiles", "x", "stringData"),
        "-----BEGIN RSA PRIVATE KEY-----\nx\n",
    ),
]


@pytest.mark.parametrize(
    "case",
    DOCTORED,
    ids=[
        f"{case[0].__name__}-{'.'.join(map(str, case[1]))}-{index}"
        for index, case in enumerate(DOCTORED)
    ],
)
def test_a_rule_finds_exactly_what_it_is_there_for(case):
    rule, path, value, *rest = case
    good = _values(_stack({}))
    values = effective(merged(good, _at(path, value)))
    assert {fault.path for fault in rule(values)} == {tuple(rest[0]) if rest else path}
    assert not list(rule(effective(good)))
    allowed = (
        {rule, protections.privileges, servers.overrides}
        if rule in (servers.overrides, protections.privileges)
        else {rule}
    )
    others = [fault.path for other in RULES if other not in allowed for fault in other(values)]
    assert not others or value == "17179869184"


def test_ldap_is_verified_and_former_users_stay_out_where_users_are_listed():
    ldap = _values(_stack({"hubs.main.sign_in": SIGN_INS["ldap lookup"]}))
    section = ("hub", "config", "LDAPAuthenticator")
    for path, value, where in (
        ((*section, "tls_kwargs", "validate"), 0, (*section, "tls_kwargs", "validate")),
        (
            (*section, "tls_kwargs", "validate"),
            "CERT_REQUIRED",
            (*section, "tls_kwargs", "validate"),
        ),
        ((*section, "tls_kwargs"), None, (*section, "tls_kwargs", "validate")),
    ):
        values = effective(merged(ldap, _at(path, value)))
        assert [fault.path for fault in sign_in.directory_is_verified(values)] == [where]
    for path, value in (((*section, "tls_strategy"), "insecure"), ((*section, "use_ssl"), False)):
        values = effective(merged(ldap, _at(path, value)))
        assert [fault.path for fault in sign_in.clear_text(values)] == [(*section, "tls_strategy")]
        for said in (False, True):
            found = faults(
                values,
                _stack(
                    _combined(
                        "ldap in clear text" if said else "ldap lookup", "tunnel", "nfs", "sqlite"
                    )
                ).hubs["main"],
                0,
            )
            assert [fault.path for fault in found] == ([] if said else [(*section, "tls_strategy")])
    for name in ("LDAP", "ldapauthenticator.LDAPAuthenticator"):
        sections = {
            "JupyterHub": {"authenticator_class": name},
            "LDAPAuthenticator": {"tls_kwargs": None},
        }
        assert list(
            sign_in.directory_is_verified(effective(merged(ldap, {"hub": {"config": sections}})))
        )
    left = effective(merged(ldap, _at((*_AUTH, "allow_existing_users"), None)))
    assert [fault.path for fault in sign_in.leavers_stay_out(left)] == [
        (*_AUTH, "allow_existing_users")
    ]


def test_every_rule_has_a_case():
    tested = {case[0] for case in DOCTORED} | {sign_in.directory_is_verified}
    assert tested == {*RULES, protections.in_memory}


def test_a_start_that_gives_up_too_early_is_found_wherever_it_is_said():
    good = _values(_stack({}))
    assert _found(good) == []
    for path, value in (
        (("singleuser", "startTimeout"), 300),
        (("singleuser", "startTimeout"), None),
        ((*_PROFILE, "start_timeout"), 60),
    ):
        assert _found(merged(good, _at(path, value))) == [path]
    assert _found(merged(good, {"hub": {"db": {"type": "sqlite-memory"}}})) == [
        ("hub", "db", "type")
    ]
    assert (
        _found(
            merged(good, {"hub": {"db": {"type": "sqlite-memory"}}}),
            {"hubs.main.database": DATABASES["memory"]},
        )
        == []
    )


# --- values over values, as Helm merges them


def test_merging_is_helms():
    base = {"a": {"b": 1, "c": [1, 2], "d": {"e": 1}}, "f": 1}
    before = copy.deepcopy(base)
    assert merged(base, {"a": {"c": [3], "d": {"g": 2}}, "h": {}}) == {
        "a": {"b": 1, "c": [3], "d": {"e": 1, "g": 2}},
        "f": 1,
        "h": {},
    }
    assert merged(base, {"a": 5}) == {"a": 5, "f": 1}
    assert merged(base, {"f": {"x": 1}})["f"] == {"x": 1}
    assert (
        merged(base, {"a": {"d": None}})["a"]["d"] is None
    )  # still there, to remove the chart's default
    assert merged(base, {}) == base == before
    assert merged(merged(base, {"a": None}), {"a": {"z": 1}}) == {"a": {"z": 1}, "f": 1}


def test_null_removes_the_charts_default_and_lists_replace_it():
    default = default_values()
    before = json.dumps(default)
    values = effective(
        {
            "singleuser": {
                "startTimeout": None,
                "cmd": [],
                "extraEnv": {"A": None},
                "memory": {"limit": "4G"},
            },
            "cull": None,
        }
    )
    assert "startTimeout" not in values["singleuser"] and "cull" not in values
    assert values["singleuser"]["cmd"] == [] != default["singleuser"]["cmd"]
    assert values["singleuser"]["extraEnv"] == {}
    assert values["singleuser"]["memory"] == {
        "limit": "4G",
        "guarantee": default["singleuser"]["memory"]["guarantee"],
    }
    assert values["singleuser"]["fsGid"] == default["singleuser"]["fsGid"]
    assert (
        effective({}) == default and "password" in values["hub"]["db"]
    )  # the defaults' own nulls stay
    assert json.dumps(default_values()) == before


def test_what_the_schema_refuses_is_named_at_its_place():
    assert dict(refusals({"singelton": {}, "hub": {"extraEnvs": {}}})) == {
        ("singelton",): "is not an option of the chart",
        ("hub", "extraEnvs"): "is not an option of the chart, did you mean extraEnv?",
    }
    assert list(refusals({"hub": {"config": {"authenticator": {}}}})) == [
        (
            ("hub", "config", "authenticator"),
            "is not the name of a class, which begins with a capital",
        ),
    ]
    assert list(refusals({"hub": {"db": {"password": ["hunter2"]}}})) == [
        (("hub", "db", "password"), "must be text (got a value that is not shown)")
    ]
    assert list(refusals({"hub": {"service": {"ports": {"nodePort": -1}}}})) == [
        (("hub", "service", "ports", "nodePort"), "is not what the chart takes there (got -1)"),
    ]


# --- whatever stands in helm_values

_WORDS = [
    "hub", "proxy", "singleuser", "cull", "scheduling", "prePuller", "config", "KubeSpawner", "Authenticator", "JupyterHub", "LDAPAuthenticator", "db", "pvc",
    "annotations", "url", "type", "https", "service", "nodePorts", "http", "memory", "limit", "cpu", "extraEnv", "extraConfig", "profileList", "storage",
    "static", "subPath", "networkPolicy", "egressAllowRules", "container_security_context", "capabilities", "drop", "add", "tls_kwargs", "image", "tag",
    "kubespawner_override", "profile_options", "choices", "tolerations", "volumes", "environment", "mem_limit", "authenticator_class", "allow_all",
    "allowed_users", "display_name", "name", "value", "startTimeout", "start_timeout", "", "x\ny", "\u2028", "é" * 100,
]  # fmt: skip
_SECRETS = [
    "password",
    "client_secret",
    "API_TOKEN",
    "secretToken",
    "cookieSecret",
    "apiToken",
    "CryptKeeper",
    "auth_token",
    "GITHUB_PASSWORD",
    "private_key",
]
SENTINEL = "hunter2"
_SCALARS = st.one_of(
    st.sampled_from(
        [
            None,
            True,
            False,
            0,
            2,
            -1,
            1.5,
            10**30,
            "",
            "dummy",
            "{",
            "{user}",
            "16Gi",
            "latest",
            "static",
            "postgres",
            "\0",
            "x\ny",
            "ldap",
        ]
    ),
    st.text(max_size=6),
)
_SECRET_VALUES = st.recursive(
    st.sampled_from(
        [SENTINEL, "{" + SENTINEL, SENTINEL + "}", f"a://b:{SENTINEL}@c", 77123456, -77123456]
    ),
    lambda inner: (
        st.lists(inner, min_size=1, max_size=2)
        | st.dictionaries(st.sampled_from(["a", "keys", "name"]), inner, min_size=1, max_size=2)
    ),
    max_leaves=3,
)
_TREE = st.recursive(
    _SCALARS,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(_WORDS), inner, max_size=4)
        | st.dictionaries(st.sampled_from(_SECRETS), _SECRET_VALUES, max_size=2)
    ),
    max_leaves=20,
)
#: Places whose shape the chart's schema leaves open: only there do the rules meet whatever a person
#: writes.
_OPEN = [
    ("hub", "config"), _KUBE, _AUTH, ("hub", "config", "LDAPAuthenticator"), (*_KUBE, "container_security_context"), ("hub", "extraConfig"),
    ("hub", "extraEnv"), ("hub", "db"), ("hub", "services"), ("singleuser",),
    ("singleuser", "extraEnv"), ("singleuser", "profileList"), ("singleuser", "extraPodConfig"),
    ("singleuser", "storage"), ("singleuser", "initContainers"), _PROFILE, (*_PROFILE, "tolerations"), (*_PROFILE, "volumes"), (*_PROFILE, "environment"),
    ("singleuser", "profileList", 0, "profile_options"), ("proxy",), ("proxy", "service"), ("proxy", "https"), ("custom",), (),
]  # fmt: skip


def _placed(place, tree):
    if place and 0 in place[:-1] and not isinstance(tree, dict) and place[-1] == 0:
        return {}
    return _at(place, tree) if place or isinstance(tree, dict) else {"hub": tree}


@pytest.mark.real
@settings(
    max_examples=600,
    derandomize=True,
    deadline=None,
    database=None,
    suppress_health_check=list(HealthCheck),
)
@given(st.sampled_from(_OPEN), _TREE, st.sampled_from(sorted(SIGN_INS)))
def test_any_helm_values(place, tree, name):
    config = changed(dev_stack(), put={"hubs.main.sign_in": SIGN_INS[name]})
    config["jupyterhub-aws:hubs"]["main"]["helm_values"] = _placed(place, tree)
    values = {
        key: value if isinstance(value, str) else json.dumps(value) for key, value in config.items()
    }
    try:
        validated(Configuration(values=values, secret=(), source=SOURCE))
    except ConfigError as error:
        text = str(error)
        assert SENTINEL not in text and "77123456" not in text, text
        for problem in error.problems:
            line = problem.line(SOURCE)
            assert line.isprintable() and len(line) <= 1200, line
            assert "()" not in line and "jsonschema" not in line, line


# --- profiles


#: JupyterHub 5.5, jupyterhub/traitlets.py, ByteSpecification.validate: what it takes, told as a
#: pattern.
_BYTE_SPECIFICATION = re.compile(r"[0-9]+(\.[0-9]+)?[KMGT]")


def _bytes(value):
    """The same method's arithmetic."""
    assert isinstance(value, (int, float)) or _BYTE_SPECIFICATION.fullmatch(value), value
    return (
        value
        if isinstance(value, (int, float))
        else int(
            float(value[:-1]) * {"K": 1024, "M": 1024**2, "G": 1024**3, "T": 1024**4}[value[-1]]
        )
    )


@pytest.mark.parametrize(
    "profiles",
    [None, {}, {"odd": {"pool": "memory", "cpu": 0.1, "memory": "1.3G", "guarantee": 0.333}}],
    ids=["own", "derived", "odd"],
)
def test_profiles_in_the_words_of_kubespawner(profiles):
    stack = _stack({} if profiles is None else {"hubs.main.profiles": profiles})
    entries = profile_list(resolve(stack).hubs["main"])
    assert [entry.get("default", False) for entry in entries] == [
        True,
        *[False] * (len(entries) - 1),
    ]
    values = _values(stack)["singleuser"]
    assert _bytes(values["memory"]["guarantee"]) <= _bytes(values["memory"]["limit"])
    for entry in entries:
        override = entry["kubespawner_override"]
        assert 0 < _bytes(override["mem_guarantee"]) <= _bytes(override["mem_limit"])
        assert 0 < override["cpu_guarantee"] <= override["cpu_limit"]
        assert {
            item["value"]
            for item in override["tolerations"]
            if item["key"] == "hub.jupyter.org/dedicated"
        } == {"user"}


@pytest.mark.real
@settings(max_examples=150, derandomize=True, deadline=None, database=None)
@given(
    cpu=st.floats(0.1, 16).map(lambda x: round(x, 3)),
    number=st.floats(0.1, 64).map(lambda x: round(x, 3)),
    unit=st.sampled_from("MG"),
    guarantee=st.floats(0.01, 1),
)
def test_no_guarantee_is_above_its_limit(cpu, number, unit, guarantee):
    number = number if unit == "G" else number * 1000
    profile = {"pool": "memory", "cpu": cpu, "memory": f"{number:g}{unit}", "guarantee": guarantee}
    try:
        stack = _stack({"hubs.main.profiles": {"one": profile}})
    except ConfigError:
        return
    (entry,) = profile_list(resolve(stack).hubs["main"])
    override = entry["kubespawner_override"]
    assert (
        _bytes(override["mem_guarantee"]) <= _bytes(override["mem_limit"])
        and override["cpu_guarantee"] <= override["cpu_limit"]
    )
    assert override["cpu_guarantee"] >= 0.001 and _bytes(override["mem_guarantee"]) >= 2**26 - 2**20
    assert list(hub_problems(stack, "main")) == []


def _sample():
    shapes = {}
    for name in sorted(instance_types()):
        shapes.setdefault(instance_type(name).shape, name)
    names = sorted(shapes.values())
    return names[:: max(1, len(names) // 200)]


@pytest.mark.real
def test_derived_profiles_fit_the_node_of_every_shape():
    seen = refused = 0
    for name in _sample():
        pool = {"capacity": "on_demand", "instance_types": [name], "size": {"min": 0, "max": 1}}
        put = {"pools.memory": pool, "hubs.main.pools": ["memory"], "hubs.main.profiles": {}}
        try:
            stack = _stack(put)
        except ConfigError as error:
            assert {problem.path.split("[")[0] for problem in error.problems} <= {
                "pools.memory.instance_types",
                "pools.memory.max_pods",
            }, (name, str(error))
            refused += 1
            continue
        seen += 1
        pool = next(pool for pool in resolve(stack).node_pools.pools if pool.name == "memory")
        profile, kind = derived(pool), instance_type(name)
        room = server_room([kind], pool.pool.max_pods)
        each = max(profile.gpus and kind.gpus, 1)
        assert each * profile.cpu * profile.guarantee * 1000 <= room.cpu_millicores, (name, profile)
        assert each * memory_mib(profile.memory) * profile.guarantee <= room.memory_mib, (
            name,
            profile,
        )
        assert profile.gpus == (1 if kind.gpus else 0)
        assert memory_mib(profile.memory) <= kind.memory_mib and profile.cpu <= max(
            kind.vcpus, 0.1
        ), (name, profile)
        assert list(hub_problems(stack, "main")) == [], name
        (found,) = resolve(stack).hubs["main"].profiles
        assert (found.name, found.options) == ("memory", profile)
    assert seen >= 120 and refused, (seen, refused)


def test_names_that_are_secret_and_names_that_only_sound_so():
    for name in (
        "password",
        "client_secret",
        "API_TOKEN",
        "secretToken",
        "apiToken",
        "CryptKeeper",
        "AWS_SECRET_ACCESS_KEY",
        "user_password",
        "apikey",
    ):
        assert names_secret(name), name
    for name in (
        "existingSecret",
        "token_url",
        "userdata_token_method",
        "cookie_secret_file",
        "imagePullSecrets",
        "automountServiceAccountToken",
        "keys",
    ):
        assert not names_secret(name), name
