"""Our values in the real chart, rendered by the real Helm, and the pods that the real
KubeSpawner makes of them.
"""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from jupyterhub_aws.checks.user_pods import user_pods
from jupyterhub_aws.config.chart import default_values
from jupyterhub_aws.config.specs.names import HubNames
from jupyterhub_aws.config.specs.server_access import ACCESS_LABEL
from jupyterhub_aws.config.usernames import pod_name
from tests.support.chart import chart_folder, missing_for_the_chart, pod_templates, rendered
from tests.support.hub_cases import CASES, RECORDED, release
from tests.support.network_policies import CASES as POLICY_CASES
from tests.support.network_policies import RECORDED as POLICIES
from tests.support.network_policies import recording as policies_of
from tests.support.pod_security import violations
from tests.support.record_user_pods import recording
from tests.support.spawner import SpawnError, authenticator, spawned_pods
from tests.support.stacks import SERVERS_IN_AWS, record

pytestmark = [
    pytest.mark.real,
    pytest.mark.skipif(bool(missing_for_the_chart()), reason=missing_for_the_chart()),
]


BROKEN_PROFILE = {
    "slug": "broken",
    "display_name": "Broken",
    "kubespawner_override": {"mem_limit": "32Gi"},
}
#: What turns a pod of the chart's defaults into one that the namespace lets in, as
#: `container_security_context` and beside it.
CONTEXT = {
    "runAsNonRoot": True,
    "capabilities": {"drop": ["ALL"]},
    "seccompProfile": {"type": "RuntimeDefault"},
}
NO_IPTABLES = {"singleuser.cloudMetadata.blockWithIptables": False}


def values_of(case: str) -> dict[str, Any]:
    return json.loads(
        json.dumps(release(case).inputs["values"]).replace('"[secret]"', json.dumps("0" * 64))
    )


def changed(path: str, value: Any) -> dict[str, Any]:
    values = values_of("as committed")
    *way, last = path.split(".")
    here = values
    for key in way:
        here = here.setdefault(key, {})
    here[last] = value
    return values


def plain(settings: dict[str, Any] | None = None) -> dict[str, Any]:
    """Values with nothing of ours: the chart's defaults, and `path: value` on top."""
    values: dict[str, Any] = {}
    for path, value in (settings or {}).items():
        *way, last = path.split(".")
        here = values
        for key in way:
            here = here.setdefault(key, {})
        here[last] = value
    return values


def without_profiles(values: dict[str, Any]) -> dict[str, Any]:
    return {**values, "singleuser": {**values["singleuser"], "profileList": []}}


def test_the_vendored_defaults_are_the_charts() -> None:
    assert yaml.safe_load((chart_folder() / "values.yaml").read_text()) == default_values()


@pytest.mark.parametrize("case", CASES)
def test_the_recording_is_what_the_real_ones_make_today(case: str) -> None:
    assert json.loads(RECORDED.read_text())["cases"][case] == json.loads(
        json.dumps(recording(case))
    )


@pytest.mark.parametrize("case", CASES)
def test_admission_lets_every_pod_of_the_chart_in(case: str) -> None:
    templates = dict(pod_templates(rendered(values_of(case), release="hub-main")))
    assert {"Deployment/hub", "Deployment/proxy"} <= set(templates)
    assert {name: violations(template) for name, template in templates.items()} == {
        name: [] for name in templates
    }


@pytest.mark.parametrize("case", CASES)
def test_every_container_of_the_chart_has_requests_and_limits(case: str) -> None:
    for name, template in pod_templates(rendered(values_of(case), release="hub-main")):
        for container in template["spec"]["containers"]:
            for kind in ("requests", "limits"):
                assert set(container["resources"][kind]) >= {"cpu", "memory"}, f"{name}: {kind}"


@pytest.mark.parametrize("case", CASES)
def test_pods_of_the_chart_go_to_core_nodes_and_nothing_waits_for_user_nodes(case: str) -> None:
    for name, template in pod_templates(rendered(values_of(case), release="hub-main")):
        terms = template["spec"]["affinity"]["nodeAffinity"][
            "requiredDuringSchedulingIgnoredDuringExecution"
        ]["nodeSelectorTerms"]
        assert terms == [
            {
                "matchExpressions": [
                    {"key": "hub.jupyter.org/node-purpose", "operator": "In", "values": ["core"]}
                ]
            }
        ], name


def test_two_renderings_are_identical() -> None:
    assert rendered(values_of("as committed"), release="hub-main") == rendered(
        values_of("as committed"), release="hub-main"
    )


def test_our_service_selects_the_proxy_and_nothing_else() -> None:
    (service,) = [found for found in record().resources.of("kubernetes:core/v1:Service")]
    selector, target = (
        service.inputs["spec"]["selector"].items(),
        service.inputs["spec"]["ports"][0]["targetPort"],
    )
    matching = [
        (name, template)
        for name, template in pod_templates(rendered(values_of("as committed"), release="hub-main"))
        if selector <= template["metadata"]["labels"].items()
    ]
    ((name, proxy),) = matching
    assert name == "Deployment/proxy"
    assert target in [
        port["name"] for container in proxy["spec"]["containers"] for port in container["ports"]
    ]


def test_the_charts_claim_finds_our_volume_and_outlives_the_release() -> None:
    (claim,) = [
        item
        for item in rendered(values_of("as committed"), release="hub-main")
        if item["kind"] == "PersistentVolumeClaim"
    ]
    (volume,) = [
        found
        for found in record().resources.of("kubernetes:core/v1:PersistentVolume")
        if "database" in found.name
    ]
    assert (
        claim["spec"]["selector"]["matchLabels"].items()
        <= volume.inputs["metadata"]["labels"].items()
    )
    assert claim["spec"]["storageClassName"] == volume.inputs["spec"]["storageClassName"] == ""
    assert (
        claim["spec"]["resources"]["requests"]["storage"]
        == volume.inputs["spec"]["capacity"]["storage"]
    )
    assert volume.inputs["spec"]["claimRef"] == {
        "namespace": "hub-main",
        "name": claim["metadata"]["name"],
    }
    assert claim["metadata"]["annotations"]["helm.sh/resource-policy"] == "keep"


def test_two_hubs_share_no_object_of_the_whole_cluster() -> None:
    values = values_of("as committed")
    values["scheduling"] = {
        "userScheduler": {"enabled": True},
        "podPriority": {"enabled": True},
    }  # what the chart makes cluster-wide, were it on
    names = []
    for hub in ("main", "second"):
        found = rendered(values, release=HubNames(stack="s", hub=hub).release)
        names.append(
            {
                (item["kind"], item["metadata"]["name"])
                for item in found
                if item["kind"].startswith("Cluster") or item["kind"] == "PriorityClass"
            }
        )
    assert names[0]
    assert not names[0] & names[1]


@pytest.mark.parametrize(
    ("path", "value", "says"),
    [
        ("singleuser.memory.limit", "32Gi", "not a valid memory specification"),
        (
            "singleuser.extraEnv",
            {"CHOWN_HOME": True},
            "TypeError: expected string or bytes-like object, got 'bool'",
        ),
        ("singleuser.extraEnv", {"A": "{host}"}, "KeyError: 'host'"),
        ("singleuser.storage.static.subPath", "{user}", "KeyError: 'user'"),
        (
            "hub.config.KubeSpawner.memory_limit",
            "1G",
            "`memory_limit` not recognized by `NoticingKubeSpawner`",
        ),
        (
            "hub.config.Spawner.defualt_url",
            "/lab",
            "`defualt_url` not recognized by `NoticingKubeSpawner`",
        ),
        (
            "hub.config.KubeSpawner.start_timeout",
            "soon",
            "TraitError: The 'start_timeout' trait of a NoticingKubeSpawner",
        ),
    ],
)
def test_what_the_checks_refuse_does_fail_users(
    tmp_path: Path, path: str, value: Any, says: str
) -> None:
    with pytest.raises(SpawnError, match=says):
        spawned_pods(without_profiles(changed(path, value)), [("alice", None)], tmp_path)


def test_without_what_the_checks_refuse_users_get_their_pod(tmp_path: Path) -> None:
    assert spawned_pods(without_profiles(values_of("as committed")), [("alice", None)], tmp_path)


@pytest.mark.parametrize(
    "path", ["hub.config.JupyterHub.concurent_spawn_limit", "hub.config.Authenticator.alowed_users"]
)
def test_a_misspelt_option_of_the_hub_is_found(tmp_path: Path, path: str) -> None:
    with pytest.raises(SpawnError, match=f"`{path.rpartition('.')[2]}` not recognized by"):
        authenticator(changed(path, 3), tmp_path)


def test_an_option_of_the_wrong_type_is_found(tmp_path: Path) -> None:
    values = values_of("ldap, own certificate")
    values["hub"]["config"]["LDAPAuthenticator"]["tls_strategy"] = "ON_CONNECT"
    with pytest.raises(SpawnError, match=r"TraitError: .*tls_strategy"):
        authenticator(values, tmp_path)


@pytest.mark.parametrize("case", CASES)
def test_the_hub_and_the_sign_in_know_every_option(tmp_path: Path, case: str) -> None:
    named = {
        "ldap": "DirectoryAuthenticator",
        "oidc": "GenericOAuthenticator",
        "shared password": "SharedPasswordAuthenticator",
        "native": "AccountsAuthenticator",
    }
    expected = next(
        (name for kind, name in named.items() if case.startswith(kind)), "GitHubOAuthenticator"
    )
    assert authenticator(values_of(case), tmp_path).endswith(expected)


@pytest.mark.parametrize(("profiles", "slug"), [([BROKEN_PROFILE], "other"), ([], "broken")])
def test_a_profile_that_is_not_there_is_found(
    tmp_path: Path, profiles: list[Any], slug: str
) -> None:
    with pytest.raises(SpawnError, match=f"No such profile: {slug}"):
        spawned_pods(plain({"singleuser.profileList": profiles}), [("alice", slug)], tmp_path)


def test_a_broken_profile_fails_who_picks_it(tmp_path: Path) -> None:
    fine = {"slug": "fine", "display_name": "Fine", "default": True}
    values = plain({"singleuser.profileList": [fine, BROKEN_PROFILE]})
    assert len(spawned_pods(values, [("alice", None), ("alice", "fine")], tmp_path / "fine")) == 2
    with pytest.raises(SpawnError, match="32Gi is not a valid memory specification"):
        spawned_pods(values, [("alice", "broken")], tmp_path / "broken")


def test_pods_of_the_charts_defaults_belong_to_the_group_of_homes(tmp_path: Path) -> None:
    (pod,) = spawned_pods(plain(), [("alice", None)], tmp_path)
    assert pod["spec"]["securityContext"] == {"fsGroup": 100}
    assert pod["spec"]["containers"][0]["securityContext"] == {
        "runAsUser": 1000,
        "allowPrivilegeEscalation": False,
    }
    assert any("privileged" in fault for fault in violations(pod))


def test_a_security_context_by_the_charts_extra_pod_config_loses_the_group(tmp_path: Path) -> None:
    context = {"seccompProfile": {"type": "RuntimeDefault"}}
    (pod,) = spawned_pods(
        plain({"singleuser.extraPodConfig": {"securityContext": context}}),
        [("alice", None)],
        tmp_path,
    )
    assert pod["spec"]["securityContext"] == context


@pytest.mark.parametrize("lacks", [None, *CONTEXT])
def test_three_keys_and_no_iptables_let_a_pod_in_and_each_is_needed(
    tmp_path: Path, lacks: str | None
) -> None:
    context = {key: value for key, value in CONTEXT.items() if key != lacks}
    (pod,) = spawned_pods(
        plain({**NO_IPTABLES, "hub.config.KubeSpawner.container_security_context": context}),
        [("alice", None)],
        tmp_path,
    )
    assert len(violations(pod)) == (1 if lacks else 0)


@pytest.mark.parametrize(
    ("path", "says"),
    [("singleuser.nope", "additional properties 'nope' not allowed"), ("hub.fsGid", "fsGid")],
)
def test_what_helm_refuses_is_said_in_its_words(path: str, says: str) -> None:
    with pytest.raises(AssertionError, match=says):
        rendered(plain({path: 1}), release="hub-main")


def test_what_the_hubs_own_secret_says_reaches_the_pod(tmp_path: Path) -> None:
    existing = {"singleuser": {"extraEnv": {"FROM": "the secret"}}}
    (pod,) = spawned_pods(
        plain({"hub.existingSecret": "own"}), [("alice", None)], tmp_path, existing=existing
    )
    assert {"name": "FROM", "value": "the secret"} in pod["spec"]["containers"][0]["env"]


def test_a_hub_that_ends_while_it_is_configured_is_found(tmp_path: Path) -> None:
    with pytest.raises(SpawnError, match="Loading extra config: end"):
        spawned_pods(
            plain({"hub.extraConfig": {"end": "raise SystemExit(3)"}}), [("alice", None)], tmp_path
        )


def test_a_hook_of_the_hub_changes_the_pod_that_is_returned(tmp_path: Path) -> None:
    hook = (
        "def label(spawner, pod):\n    pod.metadata.labels['hooked'] = 'yes'\n    return"
        " pod\nc.KubeSpawner.modify_pod_hook = label\n"
    )
    (pod,) = spawned_pods(plain({"hub.extraConfig": {"hook": hook}}), [("alice", None)], tmp_path)
    assert pod["metadata"]["labels"]["hooked"] == "yes"


def test_a_list_in_a_profile_replaces_the_list(tmp_path: Path) -> None:
    values = values_of("as committed")
    values["singleuser"]["profileList"][0]["kubespawner_override"]["tolerations"] = [
        {"key": "other", "operator": "Exists"}
    ]
    (pod,) = spawned_pods(values, [("alice", None)], tmp_path)
    assert [item["key"] for item in pod["spec"]["tolerations"]] == ["other"]
    ours = release("as committed")
    predicted = next(user_pods(dataclasses.replace(ours, inputs={**ours.inputs, "values": values})))
    assert [item["key"] for item in predicted.tolerations] == ["other"]


def test_the_charts_own_way_of_hiding_metadata_would_be_refused(tmp_path: Path) -> None:
    (pod,) = spawned_pods(
        changed("singleuser.cloudMetadata.blockWithIptables", True), [("alice", None)], tmp_path
    )
    assert any("privileged" in fault for fault in violations(pod))


@pytest.mark.parametrize("case", POLICY_CASES)
def test_the_recorded_network_policies_are_what_the_chart_renders_today(case: str) -> None:
    assert json.loads(POLICIES.read_text())[case] == json.loads(json.dumps(policies_of(case)))


@pytest.mark.parametrize("case", CASES)
def test_the_hubs_namespace_has_its_own_secrets_alone(case: str) -> None:
    """The hub's role may read all of them."""
    theirs = {
        item["metadata"]["name"]
        for item in rendered(values_of(case), release="hub-main")
        if item["kind"] == "Secret"
    }
    assert theirs <= {"hub", "singleuser", "proxy"}
    ours = {
        found.inputs["metadata"]["name"]
        for found in record(*CASES[case]).resources.of("kubernetes:core/v1:Secret")
    }
    assert ours <= {"hub-secrets", "hub-tls"}


def in_aws() -> dict[str, Any]:
    """The values of a hub with servers that use AWS."""
    (found,) = [
        item
        for item in record(*SERVERS_IN_AWS).resources.of("kubernetes:helm.sh/v3:Release")
        if item.name == "hub-main-release"
    ]
    return json.loads(
        json.dumps(found.inputs["values"]).replace('"[secret]"', json.dumps("0" * 64))
    )


def identity_of(pod: dict[str, Any]) -> tuple[str, str, dict[str, str]]:
    """Service account, label and the environment of a server's access to AWS."""
    (server,) = [item for item in pod["spec"]["containers"] if item["name"] == "notebook"]
    told = {item["name"]: item.get("value", "") for item in server["env"]}
    return (
        pod["spec"]["serviceAccountName"],
        pod["metadata"]["labels"].get(ACCESS_LABEL, ""),
        {name: value for name, value in told.items() if value.startswith("s3://")},
    )


def with_credentials(pod: dict[str, Any]) -> dict[str, Any]:
    """The pod as EKS's admission leaves it (aws/amazon-eks-pod-identity-webhook: a projected token
    of audience pods.eks.amazonaws.com, and two variables).
    """
    token = {
        "audience": "pods.eks.amazonaws.com",
        "expirationSeconds": 86400,
        "path": "eks-pod-identity-token",
    }
    volume = {
        "name": "eks-pod-identity-token",
        "projected": {"sources": [{"serviceAccountToken": token}]},
    }
    spec = {**pod["spec"], "volumes": [*(pod["spec"].get("volumes") or []), volume]}
    return {**pod, "spec": spec}


def test_servers_get_the_service_account_of_their_profile_and_groups(tmp_path: Path) -> None:
    staff = ["jupyter:staff"]
    cases = [
        {"user": "alice", "options": {"profile": "small"}, "groups": []},
        {"user": "alice", "options": {"profile": "small"}, "groups": ["jupyter:others"]},
        {"user": "bob@corp.example", "options": {"profile": "large"}, "groups": staff},
        {"user": "alice", "options": {"profile": "gpu"}, "groups": staff},
        {"user": "alice@corp.example", "options": {}, "groups": []},
    ]
    pods = spawned_pods(in_aws(), cases, tmp_path)
    scratch = "s3://jhub-dev-scratch-111122223333"
    assert [identity_of(pod) for pod in pods] == [
        ("servers-all", "all", {"SCRATCH_BUCKET": f"{scratch}/jupyter-alice"}),
        ("servers-all", "all", {"SCRATCH_BUCKET": f"{scratch}/jupyter-alice"}),
        ("servers-group-staff", "group-staff", {}),
        (
            "servers-profile-gpu",
            "profile-gpu",
            {"SCRATCH_BUCKET": f"{scratch}/jupyter-alice"},
        ),
        (
            "servers-all",
            "all",
            {"SCRATCH_BUCKET": f"{scratch}/{pod_name('alice@corp.example')}"},
        ),
    ]
    for pod in pods:
        assert pod["spec"]["automountServiceAccountToken"] is False
        assert violations(with_credentials(pod)) == []


def test_a_server_is_refused_the_pod_name_of_another_user(tmp_path: Path) -> None:
    case = {"user": "a.b", "options": {"profile": "small"}, "groups": [], "others": ["a_b"]}
    assert spawned_pods(in_aws(), [case], tmp_path / "differ")
    same = "kubespawner.slugs.safe_slug = lambda name, *rest, **named: 'a-b---00000000'"
    values = in_aws()
    values["hub"]["extraConfig"] = {"forged": f"import kubespawner.slugs\n{same}\n"}
    values["hub"]["extraConfig"]["forged"] += (
        "import kubespawner.spawner\nkubespawner.spawner.safe_slug = kubespawner.slugs.safe_slug\n"
    )
    with pytest.raises(SpawnError, match="the name, and the folder in S3, of another user"):
        spawned_pods(values, [case], tmp_path / "alike")
