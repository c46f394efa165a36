"""Two names for one thing: a trait that beats a key of the chart is judged like the key, and
what belongs to an option is refused by the option's name.
"""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jupyterhub_aws.changes.difference import difference
from jupyterhub_aws.changes.effects.release import HUB_FORGETS, HUB_STOPS_SERVERS
from jupyterhub_aws.changes.side import side_of
from jupyterhub_aws.checks.hub_values.traits import REFUSED
from jupyterhub_aws.components.validated import validated
from jupyterhub_aws.config import traits
from jupyterhub_aws.config.chart import default_values, effective, merged
from jupyterhub_aws.config.cloud_config import Configuration, whole
from jupyterhub_aws.config.errors import ConfigError
from jupyterhub_aws.config.hub_code import Code, assignments
from jupyterhub_aws.config.traits import COMPOSED, HUB_TRAITS, SAME, TRAITS, resolve
from tests.support.differences import plan, told, values
from tests.support.stack_files import ROOT, changed, engine_values, read_yaml

CASES = Path(__file__).parent / "cases"
_VALUES = "hubs.main.helm_values"


def problems(case: str, **helm: Any) -> list[str]:
    """What is wrong with a case, with more `helm_values` where they are given."""
    config = read_yaml(CASES / f"{case}.yaml")["config"]
    if helm:
        config = changed(config, put={_VALUES: helm})
    given_values, secret = engine_values(config)
    given = Configuration(
        values={key: value for key, value in given_values.items() if key not in secret},
        secret=tuple(secret),
        source="here",
    )
    try:
        validated(whole(given, ROOT))
    except ConfigError as error:
        return str(error).split("\n")
    return []


@pytest.mark.parametrize(
    ("case", "path", "says"),
    [
        ("plan-base-url", "hub.baseUrl", "callback, public_url, links"),
        (
            "plan-cleanup-servers",
            "hub.config.JupyterHub.cleanup_servers",
            "stops every user's server whenever the hub restarts",
        ),
        ("plan-db-url-by-trait", "hub.config.JupyterHub.db_url", "use the option database"),
        (
            "plan-ldap-cn",
            "hub.config.LDAPAuthenticator.lookup_dn_user_dn_attribute",
            "use sign_in.lookup.user_attribute",
        ),
    ],
)
def test_the_cases_are_refused_where_they_are_written(case: str, path: str, says: str) -> None:
    (found,) = problems(case)
    assert found.startswith(f"here: {_VALUES}.{path}: ") and says in found


def test_the_stack_that_the_cases_change_is_right() -> None:
    assert problems("plan-base") == []


def config(section: str, **traits: Any) -> dict[str, Any]:
    return {"hub": {"config": {section: traits}}}


def code(text: str) -> dict[str, Any]:
    return {"hub": {"extraConfig": {"mine": text}}}


def profile(**override: Any) -> dict[str, Any]:
    return {
        "singleuser": {"profileList": [{"display_name": "Mine", "kubespawner_override": override}]}
    }


WRONG: list[tuple[dict[str, Any], str, str, str]] = [
    (config("KubeSpawner", automount_service_account_token=True), "hub.config.KubeSpawner.automount_service_account_token", "token of the cluster's API", "helm-values.protected-trait"),
    (config("NoticingKubeSpawner", automount_service_account_token=True), "hub.config.NoticingKubeSpawner", "token of the cluster's API", "helm-values.protected-trait"),
    (code("c.KubeSpawner.automount_service_account_token = True"), "hub.extraConfig.mine", "line 1, c.KubeSpawner.automount_service_account_token, mounts", "helm-values.protected-trait"),
    (profile(automount_service_account_token=True), "singleuser.profileList[0].kubespawner_override.automount_service_account_token", "token", "helm-values.protected-trait"),
    (config("NoticingKubeSpawner", delete_pvc=True), "hub.config.NoticingKubeSpawner.delete_pvc", "deletes a user's home", "helm-values.homes-deleted"),
    (code("c.KubeSpawner.delete_pvc = True"), "hub.extraConfig.mine", "deletes a user's home", "helm-values.homes-deleted"),
    (profile(container_security_context={"seccompProfile": {"type": "Unconfined"}}), "kubespawner_override.container_security_context", "Pod Security", "helm-values.security-context"),
    (config("KubeSpawner", extra_container_config={"securityContext": {"runAsGroup": 1}}), "extra_container_config.securityContext", "Pod Security", "helm-values.security-context"),
    (profile(extra_container_config={"security_context": {"run_as_group": 1}}), "extra_container_config.security_context", "Pod Security", "helm-values.security-context"),
    (profile(extra_pod_config={"securityContext": {"fsGroup": 1}}), "kubespawner_override.extra_pod_config.securityContext", "whole security context", "helm-values.pod-security-context"),
    (profile(extra_pod_config={"host_network": True}), "kubespawner_override.extra_pod_config.host_network", "Pod Security", "helm-values.pod-security"),
    ({"singleuser": {"initContainers": [{"name": "a", "image": "a:1", "security_context": {"allow_privilege_escalation": True}}]}}, "security_context", "Pod", "helm-values.pod-security"),
    ({"singleuser": {"extraPodConfig": {"host_pid": True}}}, "singleuser.extraPodConfig.host_pid", "Pod Security", "helm-values.pod-security"),
    (config("KubeSpawner", port=8889), "hub.config.KubeSpawner.port", "8888", "helm-values.protected-trait"),
    (config("KubeSpawner", ip="127.0.0.1"), "hub.config.KubeSpawner.ip", "inside their pod only", "helm-values.protected-trait"),
    (config("KubeSpawner", namespace="default"), "hub.config.KubeSpawner.namespace", "another namespace", "helm-values.protected-trait"),
    (config("KubeSpawner", enable_user_namespaces=True), "hub.config.KubeSpawner.enable_user_namespaces", "namespaces of their own", "helm-values.protected-trait"),
    (config("KubeSpawner", common_labels={}), "hub.config.KubeSpawner.common_labels", "network policies select", "helm-values.protected-trait"),
    (config("KubeSpawner", extra_labels={"hub.jupyter.org/network-access-hub": "false"}), "hub.config.KubeSpawner.extra_labels", "no server could start", "helm-values.protected-value"),
    (config("KubeSpawner", image_pull_secrets=[]), "hub.config.KubeSpawner.image_pull_secrets", "use imagePullSecrets", "helm-values.list-replaced"),
    (config("KubeSpawner", node_affinity_required=[]), "node_affinity_required", "singleuser.extraNodeAffinity.required", "helm-values.list-replaced"),
    (config("Spawner", mem_limit="1G"), "hub.config.Spawner.mem_limit", "is without effect", "helm-values.shadowed"),
    (code("c.KubeSpawner.volumes = []"), "hub.extraConfig.mine", "use singleuser.storage.extraVolumes", "helm-values.list-replaced"),
    (code("c.KubeSpawner.volumes = [v for v in old]"), "hub.extraConfig.mine", "use singleuser.storage.extraVolumes", "helm-values.list-replaced"),
    (code("import os\nif True:\n    c.JupyterHub.db_url = os.environ['DB']"), "hub.extraConfig.mine", "line 3, c.JupyterHub.db_url, replaces", "helm-values.protected-trait"),
    (code("c['JupyterHub']['db_url'] = 'sqlite://'"), "hub.extraConfig.mine", "replaces the hub's database", "helm-values.protected-trait"),
    (code("c.JupyterHub.cleanup_servers = True"), "hub.extraConfig.mine", "stops every user's server", "helm-values.protected-trait"),
    (code("c.JupyterHub.services = [{'name': 'x'}]"), "hub.extraConfig.mine", "use hub.services", "helm-values.protected-trait"),
    (code("c.JupyterHub.load_roles = []"), "hub.extraConfig.mine", "use hub.loadRoles", "helm-values.protected-trait"),
    (code("c.GitHubOAuthenticator.client_secret = 'hunter2'"), "hub.extraConfig.mine", "secret in clear text", "helm-values.secret"),
    (code("c.Authenticator.allow_all = True"), "hub.extraConfig.mine", "admits every user", "helm-values.allow-all"),
    (code("c.Authenticator.post_auth_hook = mine\ndef mine(): pass"), "hub.extraConfig.mine", "the stack's own file", "helm-values.file-replaced"),
    (code("c.JupyterHub.authenticator_class = Mine"), "hub.extraConfig.mine", "sign_in.kind", "helm-values.replaces-option"),
    ({"hub": {"extraFiles": {"mine": {"mountPath": "/usr/local/etc/jupyterhub/jupyterhub_config.d/90-mine.py", "stringData": "c.KubeSpawner.uid = 0"}}}},
     "hub.extraFiles.mine.stringData", "line 1, c.KubeSpawner.uid, runs servers as root", "helm-values.servers-as-root"),
    (config("JupyterHub", services=[]), "hub.config.JupyterHub.services", "use hub.services", "helm-values.protected-trait"),
    (config("JupyterHub", load_roles=[]), "hub.config.JupyterHub.load_roles", "use hub.loadRoles", "helm-values.protected-trait"),
    (config("JupyterHub", base_url="/x/"), "hub.config.JupyterHub.base_url", "no user could sign in", "helm-values.protected-trait"),
    (config("JupyterHub", bind_url="http://:8000/x"), "hub.config.JupyterHub.bind_url", "Service", "helm-values.protected-trait"),
    (config("JupyterHub", hub_connect_ip="hub"), "hub.config.JupyterHub.hub_connect_ip", "Service", "helm-values.protected-trait"),
    (config("JupyterHub", public_url="https://other.example/"), "hub.config.JupyterHub.public_url", "use entry.hostname", "helm-values.replaces-option"),
    (config("JupyterHub", spawner_class="simple"), "hub.config.JupyterHub.spawner_class", "KubeSpawner", "helm-values.protected-trait"),
    (config("JupyterHub", authenticator_class="google"), "hub.config.JupyterHub.authenticator_class", "sign_in.kind", "helm-values.replaces-option"),
    (config("JupyterHub", subdomain_host="https://hub.lab.example"), "hub.config.JupyterHub.subdomain_host", "certificate", "helm-values.protected-trait"),
    (config("JupyterHub", internal_ssl=True), "hub.config.JupyterHub.internal_ssl", "TLS", "helm-values.protected-trait"),
    (config("JupyterHub", reset_db=True), "hub.config.JupyterHub.reset_db", "deletes the hub's database", "helm-values.protected-trait"),
    (config("JupyterHub", admin_users=["eve"]), "hub.config.JupyterHub.admin_users", "sign_in.administrators", "helm-values.replaces-option"),
    (config("Authenticator", admin_users=["eve"]), "hub.config.Authenticator.admin_users", "sign_in.administrators", "helm-values.replaces-option"),
    (config("OAuthenticator", admin_users=["eve"]), "hub.config.OAuthenticator.admin_users", "sign_in.administrators", "helm-values.replaces-option"),
    (config("GitHubOAuthenticator", allowed_organizations=["other"]), "GitHubOAuthenticator.allowed_organizations", "sign_in.allowed_organizations", "helm-values.replaces-option"),
    (config("GitHubOAuthenticator", validate_server_cert=False), "validate_server_cert", "does not verify the provider's certificate", "helm-values.protected-trait"),
    (config("ConfigurableHTTPProxy", should_start=True), "hub.config.ConfigurableHTTPProxy.should_start", "second proxy", "helm-values.protected-trait"),
    ({"custom": {"jupyterhubAws": {"profileGroups": {"small": []}}}}, "custom.jupyterhubAws", "another value would undo it", "helm-values.replaces-option"),
    ({"hub": {"extraFiles": {"50-jupyterhub-aws": {"stringData": ""}}}}, "hub.extraFiles.50-jupyterhub-aws", "another value would undo it", "helm-values.replaces-option"),
    ({"hub": {"loadRoles": {"jupyterhub-aws-operator": {"scopes": ["self"]}}}}, "hub.loadRoles.jupyterhub-aws-operator", "by which `jhub` works", "helm-values.replaces-option"),
    ({"proxy": {"service": {"disableHttpPort": True}}}, "proxy.service.disableHttpPort", "jhub open", "helm-values.protected-value"),
    ({"nameOverride": "x"}, "nameOverride", "renames", "helm-values.names"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("helm", "path", "says", "which"),
    WRONG,
    ids=[f"{index}-{path.rpartition('.')[2]}" for index, (_, path, *_) in enumerate(WRONG)],
)
def test_a_rule_is_not_passed_by_another_name(
    helm: dict[str, Any], path: str, says: str, which: str
) -> None:
    found = problems("plan-base", **helm)
    assert any(path in line and says in line and f"[{which}]" in line for line in found), found
    assert len(found) == len(set(found))


RIGHT: list[dict[str, Any]] = [
    config("JupyterHub", concurrent_spawn_limit=50, active_server_limit=100, shutdown_on_logout=True, cleanup_servers=False, base_url="/"),
    config("KubeSpawner", http_timeout=60, working_dir="/home/jovyan", pod_name_template="jupyter-{user_server}", automount_service_account_token=False),
    config("KubeSpawner", port=8888, service_account="analyst", automount_service_account_token=False),
    config("Spawner", default_url="/lab", http_timeout=60),
    config("GitHubOAuthenticator", scope=["read:org", "user:email"], allowed_organizations=["my-lab"]),
    config("Authenticator", refresh_pre_spawn=True),
    code("c.JupyterHub.template_vars = {'announcement': 'Hello'}\nc.KubeSpawner.http_timeout = 90\nc.JupyterHub.services.append({'name': 'x'})"),
    code("c.KubeSpawner.environment.update({'A': 'b'})\nfor name in ('a', 'b'):\n    x = name"),
    {"hub": {"baseUrl": "/", "concurrentSpawnLimit": 20}},
    profile(http_timeout=60, uid=1000, port=8888, container_security_context={"readOnlyRootFilesystem": True}),
]  # fmt: skip


@pytest.mark.parametrize("helm", RIGHT, ids=range(len(RIGHT)))
def test_what_is_harmless_by_its_other_name_passes(helm: dict[str, Any]) -> None:
    assert problems("plan-base", **helm) == []


@pytest.mark.real
def test_the_more_derived_class_of_a_directory_is_looked_at_too() -> None:
    stack = read_yaml(CASES / "plan-ldap-cn.yaml")["config"]["jupyterhub-aws:hubs"]["main"][
        "helm_values"
    ]
    assert stack == config("LDAPAuthenticator", lookup_dn_user_dn_attribute="cn")
    for trait, value, says in (
        ("lookup_dn_user_dn_attribute", "cn", "sign_in.lookup.user_attribute"),
        ("tls_strategy", "insecure", "[helm-values.clear-text]"),
        ("tls_kwargs", {}, "[helm-values.directory-unverified]"),
    ):
        assert any(
            says in line
            for line in problems(
                "plan-ldap-cn", **config("DirectoryAuthenticator", **{trait: value})
            )
        ), trait


# --- the tables


def test_the_tables_name_traits_and_keys_that_exist() -> None:
    defaults = default_values()
    for name, key in (*SAME.items(), *COMPOSED.items()):
        section, trait = name.split(".")
        assert trait in traits.traits(section), name
        here: Any = defaults
        for part in key.split("."):
            assert isinstance(here, dict), key
            # Keys that the chart's defaults leave out are in its schema, or free.
            here = here.get(part, {})
    for name in REFUSED:
        section, trait = name.split(".")
        known = traits.traits(section) | (HUB_TRAITS if section == "KubeSpawner" else frozenset())
        assert trait in known, name


def test_the_traits_of_a_spawner_are_those_of_its_class() -> None:
    assert TRAITS | HUB_TRAITS <= traits.traits("KubeSpawner") | {"env"}  # which only profiles set


@settings(max_examples=60, deadline=None)
@given(
    st.sampled_from(sorted(SAME)),
    st.one_of(st.integers(0, 9), st.booleans(), st.text(max_size=5), st.just({"a": 1})),
)
def test_a_trait_holds_as_its_key_would(name: str, value: Any) -> None:
    section, trait = name.split(".")
    section = "KubeSpawner" if section == "Spawner" else section
    said = resolve(effective({"hub": {"config": {section: {trait: value}}}}))
    here: Any = said.values
    for part in SAME[name].split("."):
        here = here[part]
    assert here == value
    assert said.said((*SAME[name].split("."), "deep")).path == (
        "hub",
        "config",
        section,
        trait,
        "deep",
    )
    by_code = resolve(
        effective(
            merged(
                {"hub": {"config": {section: {trait: "other"}}}},
                code(f"c.{section}.{trait} = {value!r}"),
            )
        )
    )
    here = by_code.values
    for part in SAME[name].split("."):
        here = here[part]
    assert here == value, "code runs after hub.config"


@settings(max_examples=100, deadline=None)
@given(st.text(max_size=60))
def test_any_code_is_read_or_left(text: str) -> None:
    assert isinstance(list(assignments([Code(("x",), text)])), list)


def test_resolving_changes_nothing_of_what_it_is_given() -> None:
    given_values = effective(config("KubeSpawner", uid=5))
    before = copy.deepcopy(given_values)
    resolve(given_values)
    assert given_values == before


# --- what a change means


def effects(*edits: Any, before: Any = None) -> str:
    old, new = plan(), plan()
    for data in (old, new) if before is not None else ():
        before(data)
    for edit in edits:
        edit(new)
    return told(difference(side_of(old, "old"), side_of(new, "new")))


def test_a_hub_that_stops_servers_does_not_promise_that_they_go_on() -> None:
    restart = values("cull", "timeout", value=1800)
    assert "running servers continue" in effects(restart)
    by_trait = values("hub", "config", "JupyterHub", "cleanup_servers", value=True)
    for said in (
        by_trait,
        values("hub", "extraConfig", value={"x": "c.JupyterHub.cleanup_servers = 1"}),
    ):
        text = effects(restart, before=said)
        assert (
            HUB_STOPS_SERVERS.split(":")[0] in " ".join(text.split())
            and "running servers continue" not in text
        )
    text = effects(restart, before=values("hub", "db", value={"type": "sqlite-memory"}))
    assert (
        HUB_FORGETS.split(":")[0] in " ".join(text.split())
        and "running servers continue" not in text
    )


@pytest.mark.parametrize(
    ("trait", "value", "says"),
    [
        (("JupyterHub", "concurrent_spawn_limit"), 7, "how many servers may start at once"),
        (("KubeSpawner", "uid"), 1001, "empty home"),
        (("JupyterHub", "db_url"), "sqlite://", "uses another database"),
        (("KubeSpawner", "automount_service_account_token"), True, "token of the cluster's API"),
        (("KubeSpawner", "volumes"), [], "homes included"),
    ],
)
def test_a_trait_means_what_its_key_means(trait: tuple[str, str], value: Any, says: str) -> None:
    assert says in " ".join(effects(values("hub", "config", *trait, value=value)).split())
