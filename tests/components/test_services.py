"""Services of a hub: what the chart is told of them, where their tokens are, and which traffic is
allowed.
"""

from __future__ import annotations

import json
from typing import Any

import pulumi
import pytest

from jupyterhub_aws import ArgumentError, JupyterHub
from jupyterhub_aws.checks.airgap.all import proof
from jupyterhub_aws.checks.hub_values.policies import ReleaseLocation, chart_policies
from jupyterhub_aws.checks.network_policies import (
    Policy,
    PolicyPod,
    connects,
    leaves,
    policy,
)
from jupyterhub_aws.config.chart import effective
from jupyterhub_aws.config.scopes import MEANINGLESS, known_scopes
from jupyterhub_aws.config.secrets import is_hub_secret
from jupyterhub_aws.config.services import Service
from jupyterhub_aws.config.specs import resolve
from tests.checks.test_airgap import evaluated
from tests.components.test_hub_alone import arguments, hub
from tests.support.programs import record_program
from tests.support.stack_cases import validated_values
from tests.support.stack_files import ROOT, changed, dev_stack, engine_values
from tests.support.stacks import StackRecording, record

RELEASE, SECRET, POLICY = (
    "kubernetes:helm.sh/v3:Release",
    "kubernetes:core/v1:Secret",
    "kubernetes:networking.k8s.io/v1:NetworkPolicy",
)
SERVICES: dict[str, Any] = {
    "announcement": {
        "url": "http://announcement:8080",
        "pods": {"labels": {"app": "announcement"}},
        "users": ["ada"],
        "groups": ["example-org:staff"],
        "oauth": {"confirm": False},
    },
    "gateway": {
        "url": "http://web.tools",
        "pods": {"labels": {"app": "gateway"}, "port": 8000},
        "all_users": True,
        "from_servers": True,
    },
    "culler": {
        "scopes": ["list:users", "delete:servers"],
        "wide_scopes": ["admin:users!user=robot"],
        "pods": {"labels": {"app": "culler"}},
        "token": "given",
    },
    "reader": {"scopes": ["read:users:activity"]},
}
SETTING = f"hubs.main.services={json.dumps(SERVICES)}"


def values(*settings: str) -> dict[str, Any]:
    found: dict[str, Any] = record(*settings).one(RELEASE, "hub-main-release").inputs["values"]
    return found


def secrets_of(recording: StackRecording) -> dict[str, Any]:
    return {
        item.inputs["metadata"]["name"]: item.inputs["stringData"]
        for item in recording.resources.of(SECRET)
        if item.inputs.get("stringData")
    }


def test_the_table_of_scopes_is_that_of_jupyterhub() -> None:
    from jupyterhub.scopes import scope_definitions

    ours = known_scopes() | (set(MEANINGLESS) & set(scope_definitions))
    assert ours == set(scope_definitions)


def test_the_default_scopes_of_roles_that_are_replaced_are_those_of_jupyterhub() -> None:
    from jupyterhub.roles import get_default_roles

    default = {role["name"]: role["scopes"] for role in get_default_roles()}
    roles = values(SETTING)["hub"]["loadRoles"]
    for name in ("user", "server"):
        assert roles[name]["scopes"] == [*default[name], "access:services!service=gateway"]


def test_the_chart_is_told_of_services_and_their_roles_but_no_token() -> None:
    found = values(SETTING)["hub"]
    operator = found["services"].pop("jupyterhub-aws-operator")
    assert set(operator) == {"apiToken"}
    assert found["services"] == {
        "announcement": {
            "url": "http://announcement.hub-main.svc:8080",
            "display": True,
            "oauth_client_id": "service-announcement",
            "oauth_no_confirm": True,
        },
        "gateway": {"url": "http://web.tools.svc:80", "display": True},
        "culler": {"display": False},
        "reader": {"display": False},
    }
    roles = found["loadRoles"]
    assert roles["access-announcement"] | {"description": ""} == {
        "description": "",
        "scopes": ["access:services!service=announcement"],
        "users": ["ada"],
        "groups": ["example-org:staff"],
    }
    assert roles["service-culler"]["scopes"] == [
        "list:users",
        "delete:servers",
        "admin:users!user=robot",
    ]
    assert roles["service-culler"]["services"] == ["culler"]
    assert set(roles) == {
        "jupyterhub-aws-operator",
        "access-announcement",
        "service-culler",
        "service-reader",
        "user",
        "server",
    }
    assert found["config"]["JupyterHub"]["service_check_interval"] == 0


def test_a_hub_without_services_has_nothing_of_them() -> None:
    recording, found = record(), values()
    text = json.dumps({**found, "hub": {**found["hub"], "extraFiles": {}}})
    assert not [item for item in recording.resources if "service-" in item.name]
    for word in ("service_check_interval", "access:services", "groupDirectories"):
        assert word not in text
    assert set(values()["hub"]["loadRoles"]) == {"jupyterhub-aws-operator"}
    assert "ingress" not in values()["hub"]["networkPolicy"]


def test_tokens_are_in_the_hubs_own_secret_and_in_one_for_each_service() -> None:
    recording = record(SETTING)
    found = secrets_of(recording)
    assert {found[name] for name in ("hub-secrets", *(f"service-{name}" for name in SERVICES))} == {
        "[secret]"
    }
    made = {item.name for item in recording.resources.of("random:index/randomBytes:RandomBytes")}
    assert {f"hub-main-secrets-service-{name}-token" for name in ("announcement", "reader")} <= made


def test_the_hub_finds_each_token_where_the_chart_looks_for_it() -> None:
    found: list[Any] = []

    def program() -> None:
        made = JupyterHub("main", arguments(services={"reader": {"scopes": ["read:hub"]}}))
        data = made.secrets._data()
        found.append((data["hub.services.reader.apiToken"], made.service_token("reader")))

    record_program(program)
    ((kept, given),) = found
    assert kept is given


def test_the_secret_of_a_service_has_its_token_and_no_other(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from jupyterhub_aws.components.hub import services

    written: dict[str, Any] = {}
    made: list[JupyterHub] = []

    def secret(_name: str, **given: Any) -> None:
        written[given["metadata"]["name"]] = given["string_data"]

    def program() -> None:
        two = {name: {"scopes": ["read:hub"]} for name in ("one", "two")}
        made.append(JupyterHub("main", arguments(services=two)))

    monkeypatch.setattr(services, "Secret", secret)
    record_program(program)
    for name in ("one", "two"):
        token = written[f"service-{name}"]["JUPYTERHUB_API_TOKEN"]
        assert token is made[0].service_token(name)


def test_what_a_program_needs_to_use_the_hub_is_beside_its_token() -> None:
    put = {"hubs.main.services": SERVICES}
    stack = validated_values(*engine_values(changed(dev_stack(), put=put)))
    variables = {item.name: item.variables for item in resolve(stack).hubs["main"].services}
    assert variables["gateway"] == {
        "JUPYTERHUB_API_URL": "http://hub.hub-main.svc:8081/hub/api",
        "JUPYTERHUB_BASE_URL": "/",
        "JUPYTERHUB_CLIENT_ID": "service-gateway",
        "JUPYTERHUB_SERVICE_NAME": "gateway",
        "JUPYTERHUB_SERVICE_PREFIX": "/services/gateway/",
    }


def test_a_token_that_is_given_is_a_secret_of_the_stack() -> None:
    assert is_hub_secret("hub-main-service-culler-token")
    assert not is_hub_secret("hub-main-service-token-x") and not is_hub_secret("x-service-a-token")
    missing = [
        {item.id: item.path}
        for item in _problems(
            {"culler": SERVICES["culler"]}, **{"hub-main-service-culler-token": "plain"}
        )
    ]
    assert missing == [{"secret.clear-text": "hub-main-service-culler-token"}]


def _problems(services: dict[str, Any], **more: Any) -> Any:
    from jupyterhub_aws.config.errors import ConfigError

    put = {"hubs.main.services": services, **more}
    with pytest.raises(ConfigError) as caught:
        validated_values(*engine_values(changed(dev_stack(), put=put)))
    return caught.value.problems


# --- traffic ---

PLACE = ReleaseLocation(release="hub-main", namespace="hub-main")


def policies(*settings: str) -> list[Policy]:
    recording = record(*settings)
    ours = [
        policy(item.inputs["spec"], item.inputs["metadata"]["namespace"])
        for item in recording.resources.of(POLICY)
    ]
    return [*chart_policies(effective(values(*settings)), PLACE), *ours]


def part(component: str, address: str) -> PolicyPod:
    labels = {"app": "jupyterhub", "component": component, "release": "hub-main"}
    ports = {"http": 8081} if component == "hub" else {"http": 8000, "api": 8001}
    return PolicyPod(namespace="hub-main", labels=labels, address=address, ports=ports)


HUB, PROXY, SERVER = (
    part(name, f"10.0.9.{number}")
    for number, name in enumerate(("hub", "proxy", "singleuser-server"), start=1)
)


def service_pod(name: str, namespace: str = "hub-main", address: str = "10.0.9.20") -> PolicyPod:
    return PolicyPod(namespace=namespace, labels={"app": name}, address=address)


def test_the_proxy_reaches_the_service_and_the_service_the_hub() -> None:
    found = policies(SETTING)
    announcement, gateway = service_pod("announcement"), service_pod("gateway", "tools")
    assert connects(found, PROXY, announcement, 8080)
    assert connects(found, announcement, HUB, 8081)
    assert connects(found, PROXY, gateway, 8000), "the pods' port, and not the service's"
    assert connects(found, gateway, HUB, 8081)
    assert connects(found, service_pod("culler"), HUB, 8081)
    dns = PolicyPod(namespace="kube-system", labels={"k8s-app": "kube-dns"}, address="10.0.9.50")
    assert connects(found, announcement, dns, 53, "UDP")


def test_nothing_else_is_opened() -> None:
    found, before = policies(SETTING), policies()
    announcement, gateway = service_pod("announcement"), service_pod("gateway", "tools")
    assert not connects(before, PROXY, announcement, 8080)
    assert not connects(before, service_pod("culler"), HUB, 8081)
    for port in (80, 8081, 22):
        assert not connects(found, PROXY, announcement, port)
    assert not connects(found, PROXY, gateway, 80)
    assert not connects(found, PROXY, service_pod("other"), 8080)
    assert not connects(found, PROXY, service_pod("gateway", "other"), 8000)
    assert not connects(found, PROXY, service_pod("culler"), 8080)
    for source in (HUB, SERVER, service_pod("culler", address="10.0.9.30")):
        assert not connects(found, source, announcement, 8080)
    assert not connects(found, service_pod("reader"), HUB, 8081), "no pods are said of it"
    assert not connects(found, service_pod("culler", "tools"), HUB, 8081)
    for port in (8001, 8888):
        assert not connects(found, announcement, HUB, port)
        assert not connects(found, gateway, HUB, port), "its namespace has policies of its own"
    assert not connects(found, announcement, SERVER, 8888)
    assert not connects(found, announcement, PROXY, 8001)
    for address in ("151.101.1.6", "169.254.169.254", "169.254.170.23", "10.0.9.99"):
        assert not leaves(found, announcement, address, 443)


def test_servers_reach_a_service_only_where_it_is_for_them() -> None:
    found = policies(SETTING)
    assert connects(found, SERVER, service_pod("gateway", "tools"), 8000)
    assert not connects(policies(), SERVER, service_pod("gateway", "tools"), 8000)
    near = {
        "near": {**SERVICES["gateway"], "url": "http://near", "pods": {"labels": {"app": "near"}}}
    }
    inside = policies(f"hubs.main.services={json.dumps(near)}")
    assert connects(inside, SERVER, service_pod("near"), 80)
    assert not connects(inside, HUB, service_pod("near"), 80)


# --- in a program ---


def test_a_program_gives_services_and_gets_their_tokens() -> None:
    tokens: list[Any] = []

    def program() -> None:
        made = JupyterHub("main", arguments(services={"reader": Service(scopes=["read:hub"])}))
        tokens.append(made.service_token("reader"))

    recording = record_program(program)
    names = [item.inputs["metadata"]["name"] for item in recording.resources.of(SECRET)]
    assert "service-reader" in names and isinstance(tokens[0], pulumi.Output)


def test_a_program_gives_the_token_of_a_service() -> None:
    given = {"reader": {"scopes": ["read:hub"], "token": "given"}}
    recording = hub(services=given, secrets={"service-reader-token": "planted-77aa" * 4})
    assert "planted-77aa" not in json.dumps([dict(item.inputs) for item in recording.resources])
    with pytest.raises(ArgumentError, match=r"secrets.service-reader-token: .*secret.missing"):
        hub(services=given)
    with pytest.raises(ArgumentError, match=r"secrets.service-other-token: .*secret.unknown"):
        hub(
            services=given,
            secrets={"service-reader-token": "x" * 40, "service-other-token": "x" * 40},
        )


def test_a_service_that_the_hub_does_not_have_has_no_token() -> None:
    def program() -> None:
        JupyterHub("main", arguments(services={})).service_token("reader")

    with pytest.raises(ArgumentError, match=r"\[services.unknown\]"):
        record_program(program)


@pytest.mark.parametrize("token", ["short", "x" * 31, "é" * 40, f"{'x' * 20}\n{'x' * 20}", ""])
def test_a_given_token_that_is_easy_to_try_out_is_refused_without_showing_it(token: str) -> None:
    from jupyterhub_aws.components.hub.secrets import _long_enough

    with pytest.raises(pulumi.RunError) as caught:
        _long_enough(token, "hubs.main.services.a")
    assert "hubs.main.services.a.token" in str(caught.value)
    assert not token or token not in str(caught.value)
    assert _long_enough(f"{'x' * 40}\n", "") == "x" * 40


# --- groups ---


@pytest.mark.parametrize(
    "setting",
    [
        'hubs.main.shared_directories={"course": {"read_groups": ["%s"]}}',
        'hubs.main.shared_directories={"course": {"write_groups": ["%s"]}}',
        'hubs.main.services={"a": {"url": "http://a", "pods": {"labels": {"app": "a"}}, "groups": ["%s"]}}',
    ],
)
def test_the_sign_in_asks_for_groups_that_a_directory_or_a_service_names(setting: str) -> None:
    github = values(setting % "example-org:course")["hub"]["config"]["GitHubOAuthenticator"]
    assert github["populate_teams_in_auth_state"] is True
    ldap = json.dumps(
        {
            "kind": "ldap",
            "server": "ldap.example.org",
            "tls": "start_tls",
            "ca_certificate": _certificate(),
            "bind_dn_templates": ["uid={username},ou=people,dc=example,dc=org"],
            "administrators": ["ops1"],
            "allowed_groups": ["cn=hub,ou=groups,dc=example,dc=org"],
        }
    )
    group = "cn=course,ou=groups,dc=example,dc=org"
    found = values(f"hubs.main.sign_in={ldap}", setting % group)["hub"]["config"]
    assert found["DirectoryAuthenticator"]["known_groups"] == [group]


def _certificate() -> str:
    from tests.support.stack_files import CERTIFICATE

    return str(CERTIFICATE)


def test_a_directory_of_some_groups_is_mounted_by_the_hub_and_not_by_every_server() -> None:
    directories = {
        "course": {"write_groups": ["example-org:staff"], "read_groups": ["example-org:course"]},
        "data": {},
        "quiet": {"read_groups": ["example-org:course"], "writable_by": "none"},
    }
    found = values(f"hubs.main.shared_directories={json.dumps(directories)}")
    mounts = found["singleuser"]["storage"]["extraVolumeMounts"]
    assert set(mounts) == {"shared-data"}
    assert found["custom"]["jupyterhubAws"]["groupDirectories"] == [
        {
            "volume": "home",
            "mountPath": "/home/jovyan/shared/course",
            "subPath": "_shared/course",
            "readers": ["example-org:course"],
            "writers": ["example-org:staff"],
            "administratorsWrite": True,
        },
        {
            "volume": "home",
            "mountPath": "/home/jovyan/shared/quiet",
            "subPath": "_shared/quiet",
            "readers": ["example-org:course"],
            "writers": [],
            "administratorsWrite": False,
        },
    ]
    assert found["custom"]["jupyterhubAws"]["writtenByAdministrators"] == [
        "/home/jovyan/shared/data"
    ]


def test_code_that_would_undo_it_is_refused() -> None:
    put = {
        "hubs.main.shared_directories": {"course": {"read_groups": ["example-org:course"]}},
        "hubs.main.helm_values": {
            "hub": {"extraConfig": {"x": "c.KubeSpawner.modify_pod_hook = print"}}
        },
    }
    from jupyterhub_aws.config.errors import ConfigError

    with pytest.raises(ConfigError) as caught:
        validated_values(*engine_values(changed(dev_stack(), put=put)))
    assert [item.id for item in caught.value.problems] == ["helm-values.file-replaced"]


def test_the_specification_says_where_the_pods_are() -> None:
    stack = validated_values(
        *engine_values(changed(dev_stack(), put={"hubs.main.services": SERVICES}))
    )
    specs = {item.name: item for item in resolve(stack).hubs["main"].services}
    assert specs["gateway"].pods_namespace == "tools" and not specs["gateway"].in_namespace
    assert specs["gateway"].policy(()) is None and specs["reader"].policy(()) is None
    assert specs["culler"].port is None and specs["culler"].to_pods is None
    culler = specs["culler"].policy(())
    assert culler is not None and "ingress" not in culler


# --- an isolated network ---


def proven(*settings: str) -> list[str]:
    stack, resources = evaluated("stack=airgap-hub", *settings)
    return [item.message for item in proof(stack, resources) if item.status == "fail"]


def test_services_of_the_cluster_are_inside_an_isolated_network() -> None:
    section = {
        "announcement": {**SERVICES["announcement"], "groups": []},
        "gateway": SERVICES["gateway"],
    }
    assert proven(f"hubs.main.services={json.dumps(section)}") == []


def test_pods_that_no_service_names_are_not() -> None:
    peer = {
        "namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "tools"}},
        "podSelector": {"matchLabels": {"app": "gateway"}},
    }
    rule = {"to": [peer], "ports": [{"port": 8001, "protocol": "TCP"}]}
    values_ = {"proxy": {"chp": {"networkPolicy": {"egress": [rule]}}}}
    found = proven(
        f"hubs.main.services={json.dumps({'gateway': SERVICES['gateway']})}",
        f"hubs.main.helm_values={json.dumps(values_)}",
    )
    assert len(found) == 1 and "lets the proxy reach pods app=gateway" in found[0]


def test_no_two_services_share_a_role() -> None:
    """A name that ends as another's role would give one the rights of the other."""
    section = {
        "x": {**SERVICES["announcement"], "groups": []},
        "x-users": {"scopes": ["read:hub"]},
        "access-x": {"scopes": ["list:users"]},
    }
    roles = values(f"hubs.main.services={json.dumps(section)}")["hub"]["loadRoles"]
    assert roles["access-x"]["scopes"] == ["access:services!service=x"]
    assert roles["service-x-users"]["services"] == ["x-users"]
    assert roles["service-access-x"]["services"] == ["access-x"]


def test_the_example_of_the_documentation_is_a_stack() -> None:
    import re

    from ruamel.yaml import YAML

    text = (ROOT / "docs" / "services.md").read_text(encoding="utf-8")
    blocks = [
        YAML(typ="safe").load(block)["hubs"]["main"]
        for block in re.findall(r"```yaml\n(hubs:\n.*?)```", text, re.DOTALL)
    ]
    assert [set(block) for block in blocks] == [{"services"}, {"shared_directories"}]
    put = {f"hubs.main.{key}": value for block in blocks for key, value in block.items()}
    stack = validated_values(*engine_values(changed(dev_stack(), put=put)))
    assert set(stack.hubs["main"].services) == {"announcement", "usage"}
