"""`jhub adopt config` on shapes of real values: access never widens, nothing goes in silence,
what is recognised is recognised, and words are right.
"""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from jupyterhub_aws.adopt.z2jh.convert import Converted, convert
from jupyterhub_aws.adopt.z2jh.read import Old, parsed, several
from jupyterhub_aws.adopt.z2jh.sign_in_kinds import class_of, kind_of
from jupyterhub_aws.adopt.z2jh.taken import LedgerStatus, ends
from jupyterhub_aws.config.errors import ConfigError
from jupyterhub_aws.config.stack_file import read
from jupyterhub_aws.plan.plan import recorded
from tests.support.in_process import Done, in_process

CASES = Path(__file__).parent / "cases"
GITHUB = (
    "JupyterHub: {authenticator_class: github}, GitHubOAuthenticator: {client_id: Iv1.example,"
    " allowed_organizations: [my-lab]}"
)
_LDAP = (
    "server_address: dc1, user_search_base: 'dc=x', lookup_dn_search_user: 'cn=s',"
    " user_attribute: uid"
)


def _of(*texts: str, under: str | None = None) -> tuple[Old, Converted]:
    old = several([(text, Path(f"values-{index}.yaml")) for index, text in enumerate(texts)], under)
    found = convert(old, hub="main", stack="old", source="config.yaml")
    assert {path for path, _ in ends(old.values) if path} == set(found.ledger), (
        "nothing in, nothing lost"
    )
    return old, found


def _case(name: str) -> Converted:
    return _of((CASES / f"adopt-{name}.yaml").read_text(encoding="utf-8"))[1]


def _config(found: Converted) -> dict[str, Any]:
    loaded: dict[str, Any] = YAML(typ="safe", pure=True).load(io.StringIO(found.text))["config"]
    return {key.rpartition(":")[2]: value for key, value in loaded.items()}


def _hub(found: Converted) -> dict[str, Any]:
    hub: dict[str, Any] = _config(found)["hubs"]["main"]
    return hub


def _sign_in(config: str) -> tuple[dict[str, Any], Converted]:
    found = _of(f"hub: {{config: {{{config}}}}}")[1]
    return _hub(found)["sign_in"], found


def _fills(found: Converted) -> dict[str, str]:
    return {path.removeprefix("hubs.main."): note for path, note in found.to_fill_in}


def _dropped(found: Converted) -> dict[str, str]:
    return {item.path: item.why for item in found.dropped}


def _loud(found: Converted) -> dict[str, str]:
    return {item.path: item.why for item in found.access}


def _run(folder: Path, *arguments: object) -> Done:
    return in_process(
        ["adopt", "config", *map(str, arguments), "--name", "old", "--out", str(folder)],
        folder,
        {"COLUMNS": "120"},
    )


def _plans(found: Converted, folder: Path) -> None:
    path = folder / "Pulumi.old.yaml"
    path.write_text(found.text, encoding="utf-8")
    assert recorded(read(path))[0].hubs


@pytest.mark.real
@pytest.mark.parametrize("file", sorted(CASES.glob("adopt-*.yaml")), ids=lambda file: file.stem)
def test_each_case_becomes_a_stack_file_that_the_plan_takes(file: Path, tmp_path: Path) -> None:
    done = _run(tmp_path, file)
    assert (done.returncode, done.stderr) == (1, ""), "something is always left to fill in"
    assert recorded(read(tmp_path / "Pulumi.old.yaml"))[0].cluster.kind == "existing"
    assert "Example-Pass" not in done.stdout + (tmp_path / "Pulumi.old.yaml").read_text(
        encoding="utf-8"
    )


# C1: access never widens


def test_a_profile_for_a_group_stays_one() -> None:
    profiles = _hub(_case("profile-gates"))["profiles"]
    assert profiles["gpu"]["groups"] == ["my-lab:gpu"] and profiles["small"]["groups"] == [
        "my-lab:everybody",
        "my-lab:gpu",
    ]


def test_a_choice_for_a_group_is_left_out_and_said_loudly() -> None:
    found = _case("profile-gates")
    assert list(_hub(found)["profiles"]["small"]["images"]) == ["scipy"]
    (path, why), *others = _loud(found).items()
    assert (
        path == "singleuser.profileList[0].profile_options.image.choices.rstudio"
        and "my-lab:r" in why
        and not others
    )
    assert not found.finished


def _profiles(text: str, config: str = GITHUB) -> Converted:
    return _of(f"hub: {{config: {{{config}}}}}\nsingleuser: {{profileList: [{text}]}}")[1]


@pytest.mark.parametrize(
    "rule",
    [
        "allowed_users: [ada]",
        "allowed_groups: []",
        "required_scopes: [x]",
        "allowed_groups: [a:b], allowed_users: [ada]",
        "teams: [x]",
    ],
)
def test_a_profile_with_a_rule_that_no_option_says_is_left_out(rule: str) -> None:
    found = _profiles(
        "{display_name: Open, kubespawner_override: {mem_limit: 4G}}, {display_name: Closed,"
        f" {rule}}}"
    )
    assert list(_hub(found)["profiles"]) == ["open"] and "singleuser.profileList[1]" in _loud(found)


def test_where_every_profile_was_for_some_groups_no_other_user_gets_one_silently() -> None:
    found = _profiles("{display_name: Closed, allowed_users: [ada]}")
    assert "profiles.standard.display_name" in _fills(found) and _loud(found)


def test_groups_that_the_sign_in_does_not_know_keep_the_profile_shut(tmp_path: Path) -> None:
    found = _profiles(
        "{display_name: GPU, allowed_groups: [gpu]}", "JupyterHub: {authenticator_class: dummy}"
    )
    assert (
        _hub(found)["profiles"]["gpu"]["groups"] == ["gpu"]
        and "knows of none" in _fills(found)["profiles.gpu.groups"]
    )
    with pytest.raises(ConfigError, match=r"profiles\.gpu\.groups"):
        _plans(found, tmp_path)


def test_a_group_that_is_written_otherwise_here_keeps_the_profile_shut_and_hides_nothing() -> None:
    text = (
        f"hub: {{config: {{{GITHUB}}}}}\nsingleuser: {{uid: 0, profileList: [{{display_name: GPU,"
        " allowed_groups: [gpu, my-lab:gpu]}]}"
    )
    found = _of(text)[1]
    assert (
        _hub(found)["profiles"]["gpu"]["groups"] == ["gpu", "my-lab:gpu"]
        and "not a team" in _fills(found)["profiles.gpu.groups"]
    )
    assert "as root" in _dropped(found)["singleuser.uid"]


def test_choices_of_sizes_for_some_are_no_choices_for_all() -> None:
    choice = "{allowed_groups: [my-lab:big], kubespawner_override: {mem_limit: 64G}}"
    found = _profiles(
        f"{{display_name: A, profile_options: {{size: {{choices: {{big: {choice}, small:"
        " {kubespawner_override: {mem_limit: 1G}}}}}}"
    )
    assert "sizes" not in _hub(found)["profiles"][
        "a"
    ] and "singleuser.profileList[0].profile_options.size" in _loud(found)


def test_a_profile_whose_every_image_was_for_some_is_left_out() -> None:
    choices = "r: {allowed_groups: [my-lab:r], kubespawner_override: {image: 'a/b:1'}}"
    found = _profiles(
        "{display_name: Open}, {display_name: R, profile_options: {image: {choices:"
        f" {{{choices}}}}}}}}}"
    )
    assert list(_hub(found)["profiles"]) == ["open"] and any(
        path.startswith("singleuser.profileList[1]") for path in _loud(found)
    )


def test_a_list_of_profiles_never_comes_back_by_helm_values() -> None:
    config = f"{GITHUB}, KubeSpawner: {{profile_list: [{{display_name: All}}]}}"
    found = _profiles("5, {display_name: A, odd: {x: 1}}", config)
    assert "profileList" not in json.dumps(
        _hub(found).get("helm_values", {})
    ) and "profile_list" not in json.dumps(_hub(found).get("helm_values", {}))
    assert {
        "hub.config.KubeSpawner.profile_list",
        "singleuser.profileList[0]",
        "singleuser.profileList[1].odd.x",
    } <= set(_dropped(found))


def test_another_classs_section_makes_no_user_an_administrator() -> None:
    sign_in, found = _sign_in(
        f"{GITHUB}, GenericOAuthenticator: {{admin_users: [mallory], allowed_groups: [all]}},"
        " GoogleOAuthenticator: {allowed_users: [eve]}"
    )
    assert "administrators" not in sign_in and "allowed_users" not in sign_in
    assert (
        found.ledger["hub", "config", "GenericOAuthenticator", "admin_users", 0].status
        is LedgerStatus.SETTLED
    )


def test_who_was_blocked_stays_blocked() -> None:
    for section in ("Authenticator", "GoogleOAuthenticator"):
        _, found = _sign_in(
            "JupyterHub: {authenticator_class: google}, GoogleOAuthenticator: {client_id: x},"
            f" {section}: {{client_id: x, blocked_users: [eve]}}"
            if section == "Authenticator"
            else (
                "JupyterHub: {authenticator_class: google}, GoogleOAuthenticator: {client_id: x,"
                " blocked_users: [eve]}"
            )
        )
        assert _hub(found)["helm_values"]["hub"]["config"]["Authenticator"]["blocked_users"] == [
            "eve"
        ]


def test_a_list_of_users_beside_a_shared_password_stays_a_list(tmp_path: Path) -> None:
    sign_in, found = _sign_in(
        "JupyterHub: {authenticator_class: dummy}, Authenticator: {allowed_users: [Ada, bob],"
        " admin_users: [ada]}"
    )
    assert sign_in["kind"] == "shared_password"
    rules = _hub(found)["helm_values"]["hub"]["config"]["Authenticator"]
    assert rules == {
        "allow_all": False,
        "allowed_users": ["ada", "bob"],
        "allow_existing_users": False,
    }
    _plans(found, tmp_path)


@pytest.mark.parametrize(("chart", "both"), [("2.0.0", True), ("3.3.7", False), (None, True)])
def test_a_list_and_an_organization_were_both_wanted_before_chart_3(
    chart: str | None, both: bool
) -> None:
    values = f"hub: {{config: {{{GITHUB}, Authenticator: {{allowed_users: [ada]}}}}}}"
    if chart is not None:
        values = (
            "apiVersion: v2\nkind: HelmRelease\nspec: {chart: {spec: {chart: jupyterhub,"
            f" version: {chart}}}}}, values: {{{values}}}}}"
        )
    found = _of(values)[1]
    sign_in = _hub(found)["sign_in"]
    assert sign_in["allowed_users"] == ["ada"] and ("allowed_organizations" not in sign_in) is both
    assert (
        "who was listed and in my-lab" in _fills(found).get("sign_in.allowed_users", "")
    ) is both


@pytest.mark.parametrize(
    ("values", "path"),
    [
        (
            "proxy: {service: {loadBalancerSourceRanges: [10.0.0.0/8]}}",
            "proxy.service.loadBalancerSourceRanges",
        ),
        *(
            (
                f"ingress: {{enabled: true, annotations: {{{rule}: 10.0.0.0/8}}}}",
                f"ingress.annotations.{rule}",
            )
            for rule in (
                "nginx.ingress.kubernetes.io/whitelist-source-range",
                "nginx.ingress.kubernetes.io/auth-url",
                "alb.ingress.kubernetes.io/inbound-cidrs",
            )
        ),
    ],
)
def test_what_kept_users_out_on_their_way_is_said_at_the_entry(values: str, path: str) -> None:
    found = _of(f"hub: {{config: {{{GITHUB}}}}}\n{values}")[1]
    assert path in _loud(found) and "entry.kind" in _fills(found)


def test_servers_without_the_internet_are_said_where_the_internet_is_decided() -> None:
    found = _of(
        f"hub: {{config: {{{GITHUB}}}}}\nsingleuser: {{networkPolicy: {{egressAllowRules:"
        " {nonPrivateIPs: false, privateIPs: false}}}"
    )[1]
    assert (
        "write none to keep them in" in dict(found.to_fill_in)["network.egress.kind"]
        and len(_loud(found)) == 1
    )


@pytest.mark.parametrize(
    "config",
    [
        (
            "JupyterHub: {authenticator_class: google}, GoogleOAuthenticator: {client_id: x,"
            " hosted_domain: [a.example, b.example]}"
        ),
        (
            "JupyterHub: {authenticator_class: globus}, GlobusOAuthenticator: {identity_provider:"
            " a.example}"
        ),
    ],
)
def test_a_rule_of_domains_or_institutions_is_said_loudly(config: str) -> None:
    sign_in, found = _sign_in(config)
    assert _loud(found) and not found.finished
    assert sign_in["kind"] == "native" or "sign_in.allowed_users" in _fills(found)


@pytest.mark.parametrize(
    ("admin", "rule"), [("ada", "simple"), ("ada.l", "dotted"), ("ada@x.example", "email")]
)
def test_a_rule_for_names_is_asked_for_and_as_narrow_as_those_who_are_listed(
    admin: str, rule: str
) -> None:
    sign_in, found = _sign_in(
        f"{GITHUB}, Authenticator: {{username_pattern: '^x.*', admin_users: ['{admin}']}}"
    )
    assert sign_in["usernames"] == rule and "^x.*" in _fills(found)["sign_in.usernames"]


def test_roles_stay_unless_they_are_of_services_that_do_not() -> None:
    found = _of(
        f"hub: {{config: {{{GITHUB}}}, loadRoles: {{user: {{scopes: [self]}}, bot: {{scopes:"
        " ['admin:users'], services: [bot]}}}"
    )[1]
    assert _hub(found)["helm_values"]["hub"]["loadRoles"] == {
        "user": {"scopes": ["self"]}
    } and "hub.loadRoles.bot" in _dropped(found)


# C2: nothing goes in silence


def test_free_text_for_an_image_and_what_a_choice_says_besides_are_listed() -> None:
    assert "singleuser.profileList[0].profile_options.image.unlisted_choice" in _dropped(
        _case("profile-gates")
    )
    choice = "{kubespawner_override: {image: 'a/b:1', default_url: /rstudio, mem_limit: 16G}}"
    found = _profiles(
        f"{{display_name: A, profile_options: {{image: {{choices: {{r: {choice}}}}}}}}}"
    )
    place = "singleuser.profileList[0].profile_options.image.choices.r.kubespawner_override"
    assert f"{place}.mem_limit" in _dropped(found)
    assert f"{place}.default_url" not in _dropped(found)
    assert _hub(found)["profiles"]["a"]["images"]["r"]["default_url"] == "/rstudio"


@pytest.mark.parametrize(
    "device", ["aws.amazon.com/neuron", "nvidia.com/mig-1g.5gb", "amd.com/gpu"]
)
def test_an_accelerator_that_is_no_gpu_of_nvidia_is_said_at_its_profile(device: str) -> None:
    found = _profiles(
        f"{{display_name: A, kubespawner_override: {{extra_resource_limits: {{{device}: 2}}}}}}"
    )
    assert (
        _hub(found)["profiles"]["a"]["gpus"] == 0
        and f"{device}: 2" in _fills(found)["profiles.a.gpus"]
    )


def test_an_image_under_its_old_name() -> None:
    assert (
        _hub(_profiles("{display_name: A, kubespawner_override: {image_spec: 'quay.io/a/b:1'}}"))[
            "profiles"
        ]["a"]["image"]
        == "quay.io/a/b:1"
    )


@pytest.mark.parametrize("cmd", ["null", "[]"])
def test_the_images_own_command_stays_its_own(cmd: str) -> None:
    found = _of(f"hub: {{config: {{{GITHUB}}}}}\nsingleuser: {{cmd: {cmd}}}")[1]
    assert _hub(found)["helm_values"]["singleuser"]["cmd"] == []
    assert _hub(_case("cmd-of-image"))["helm_values"]["singleuser"]["cmd"] == []


def test_a_null_that_took_a_default_away_is_listed() -> None:
    found = _of(f"hub: {{config: {{{GITHUB}}}, concurrentSpawnLimit: null}}")[1]
    assert "took away the chart's default" in _dropped(found)["hub.concurrentSpawnLimit"]


# C3: what it is


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("oauthenticator.generic.GenericOAuthenticator", "oidc"),
        ("oauthenticator.GenericOAuthenticator", "oidc"),
        ("generic-oauth", "oidc"),
        ("GenericOAuthenticator", "oidc"),
        ("oauthenticator.generic.LocalGenericOAuthenticator", "oidc"),
        ("oauthenticator.google.GoogleOAuthenticator", "google"),
        ("google", "google"),
        ("oauthenticator.azuread.AzureAdOAuthenticator", "entra"),
        ("azuread", "entra"),
        ("github", "github"),
        ("oauthenticator.github.LocalGitHubOAuthenticator", "github"),
        ("ldapauthenticator.LDAPAuthenticator", "ldap"),
        ("ldap", "ldap"),
        ("shared-password", "shared"),
        ("jupyterhub.authenticators.shared.SharedPasswordAuthenticator", "shared"),
        ("dummyauthenticator.DummyAuthenticator", "shared"),
        ("tmpauthenticator.TmpAuthenticator", "shared"),
        ("nativeauthenticator.NativeAuthenticator", "native"),
        ("firstuseauthenticator.FirstUseAuthenticator", "native"),
        ("oauthenticator.awscognito.AWSCognitoAuthenticator", "oidc"),
        ("oauthenticator.gitlab.GitLabOAuthenticator", "gitlab"),
        ("oauthenticator.auth0.Auth0OAuthenticator", "auth0"),
        ("cilogon", "cilogon"),
        ("ltiauthenticator.lti13.auth.LTI13Authenticator", "lti13"),
        ("ltiauthenticator.lti11.auth.LTI11Authenticator", "other"),
        ("null", "other"),
        ("jupyterhub.auth.PAMAuthenticator", "other"),
        ("oauthenticator.openshift.OpenShiftOAuthenticator", "other"),
        ("mycompany.GenericAuth", "other"),
    ],
)
def test_authenticators_by_all_their_names(name: str, kind: str) -> None:
    assert kind_of(class_of(name)) == kind


def test_every_entry_point_of_the_installed_packages_is_known() -> None:
    from importlib.metadata import entry_points

    for point in entry_points(group="jupyterhub.authenticators"):
        assert class_of(point.name).removeprefix("Local") == point.value.rpartition(":")[
            2
        ].removeprefix("Local") or point.name.startswith("local-"), point.name
        assert kind_of(class_of(point.value)) == kind_of(class_of(point.name)), point.name


def test_a_class_with_its_module_is_oidc_with_all_that_it_says() -> None:
    found = _case("full-class-names")
    assert _hub(found)["sign_in"] == {
        "kind": "oidc", "client_id": "hub", "authorize_url": "https://id.corp.example/auth", "token_url": "https://id.corp.example/token",
        "userinfo_url": "https://id.corp.example/userinfo", "username_claim": "preferred_username", "groups_claim": "groups", "allowed_groups": ["jupyter"],
        "admin_groups": ["jupyter-admins"], "scope": ["openid", "profile"],
    }  # fmt: skip
    assert [secret.key for secret in found.secrets] == [
        "hub-main-client-secret"
    ] and found.dropped == []


def test_google_keeps_what_users_were_called() -> None:
    google = (
        "JupyterHub: {authenticator_class: oauthenticator.google.GoogleOAuthenticator},"
        " GoogleOAuthenticator: {client_id: x, hosted_domain: [uni.example]}"
    )
    sign_in, found = _sign_in(f"{google}, Authenticator: {{admin_users: [ada]}}")
    assert (sign_in["kind"], sign_in["strip_domain"]) == ("google", "uni.example")
    assert sign_in["administrators"] == ["ada"], "as the old hub called her"
    assert (
        "allowed_domains" not in sign_in
        and "allowed_domains" in _fills(found)["sign_in.allowed_users"]
    )


@pytest.mark.parametrize(
    "text",
    [
        "hub: {extraConfig: {a: 'c.JupyterHub.authenticator_class = X'}}",
        (
            f"hub: {{config: {{{GITHUB}}}, extraConfig: {{a: 'c.JupyterHub.authenticator_class ="
            " X'}}"
        ),
        (
            "hub: {extraFiles: {a: {mountPath: /usr/local/etc/jupyterhub/jupyterhub_config.d/x.py,"
            " stringData: 'c.Authenticator.allow_all = True'}}}"
        ),
        "hub: {existingSecret: hub-config}",
        "hub: {config: {GitHubOAuthenticator: {client_id: Iv1.x}}}",
        "singleuser: {memory: {limit: 2G}}",
    ],
)
def test_what_may_be_decided_elsewhere_is_to_be_filled_in(text: str) -> None:
    assert "sign_in.kind" in _fills(_of(text)[1])


def test_a_program_is_never_taken_for_the_charts_own_sign_in() -> None:
    found = _case("authenticator-in-code")
    assert (
        _hub(found)["sign_in"]["kind"] != "shared_password"
        and "authenticator_class" in _fills(found)["sign_in.kind"]
    )
    assert any("c.JupyterHub.authenticator_class" in note for note in found.notes)


def test_values_of_an_umbrella_chart_are_found_and_the_rest_is_said() -> None:
    found = _case("umbrella-chart")
    hub = _hub(found)
    assert hub["sign_in"]["client_id"] == "abc123abc123abc12345" and hub["sign_in"][
        "allowed_organizations"
    ] == ["my-lab"]
    assert (
        hub["profiles"]["standard"]["memory"] == "8G"
        and (("dask-gateway",), found.beside[0][1]) in found.beside
    )
    assert any("are at jupyterhub" in note for note in found.notes)


@pytest.mark.parametrize(
    "keys", ["jupyterhub", "basehub.jupyterhub", "daskhub.jupyterhub", "a.b.c.d"]
)
def test_however_deep_they_are(keys: str) -> None:
    text = f"hub: {{config: {{{GITHUB}}}}}"
    for key in reversed(keys.split(".")):
        text = f"{key}: {{{text}}}"
    assert _of(text)[0].found_at == keys


def test_two_hubs_in_one_file_are_a_question() -> None:
    text = (
        f"a: {{hub: {{config: {{{GITHUB}}}}}}}\nb: {{hub: {{config: {{JupyterHub:"
        " {authenticator_class: native}}}}\ngateway: {auth: {type: x}}"
    )
    with pytest.raises(ConfigError, match="2 hubs: a, b; choose one with --under a"):
        _of(text)
    assert _hub(_of(text, under="b")[1])["sign_in"]["kind"] == "native"
    with pytest.raises(ConfigError, match="nothing at c"):
        _of(text, under="c")


_ARGO = "apiVersion: argoproj.io/v1alpha1\nkind: Application\nspec: "
_K3S = "apiVersion: helm.cattle.io/v1\nkind: HelmChart\nmetadata: {name: hub}\nspec: "
_REPOSITORY = "kind: HelmRepository\napiVersion: v1\nspec: {url: x}\n---\n"
_SAFE, _ESCAPED = "home/{safe_username}", "home/{escaped_username}"
_RELEASE = (
    "apiVersion: helm.toolkit.fluxcd.io/v2\nkind: HelmRelease\nmetadata: {name: hub}\nspec:\n "
    " chart: {spec: {chart: jupyterhub, version: 4.2.0}}\n"
)


@pytest.mark.parametrize(
    ("text", "at", "directory"),
    [
        (_RELEASE + "  values: {VALUES}", "HelmRelease hub: spec.values", _SAFE),
        (
            _RELEASE.replace("chart: jupyterhub", "chart: ours") + "  values: {VALUES}",
            "HelmRelease hub: spec.values",
            _ESCAPED,
        ),
        (
            _REPOSITORY + _RELEASE + "  values: {jupyterhub: {VALUES}}",
            "HelmRelease hub: spec.values: jupyterhub",
            _ESCAPED,
        ),
        (
            _ARGO + "{source: {chart: jupyterhub, targetRevision: 3.3.7, helm: {valuesObject:"
            " {VALUES}}}}",
            "Application: helm.valuesObject",
            _ESCAPED,
        ),
        (
            _ARGO + '{sources: [{ref: x}, {helm: {values: "{VALUES}"}}]}',
            "Application: helm.values",
            _ESCAPED,
        ),
        (
            _K3S + '{chart: jupyterhub, version: 4.0.0, valuesContent: "{VALUES}"}',
            "HelmChart hub: spec.valuesContent",
            _SAFE,
        ),
    ],
)
def test_what_tools_hand_to_helm(text: str, at: str, directory: str) -> None:
    values = (
        f"hub: {{config: {{{GITHUB}}}}}, singleuser: {{storage: {{type: static, static: {{pvcName:"
        " h, subPath: 'home/{username}'}}}"
    )
    old, found = _of(text.replace("VALUES", values))
    assert old.found_at == at and _hub(found)["home_directory"] == directory
    assert ("home_directory" in _fills(found)) is (old.chart is None)


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("apiVersion: apps/v1\nkind: Deployment\nspec: {}", "manifest (Deployment)"),
        ("apiVersion: v2\nname: hub\nversion: 1.0.0\ndependencies: []", "Chart.yaml"),
        ("config:\n  jupyterhub-aws:hubs: {}", "stack file of this program"),
        ("services: {web: {image: x}}", "it has services"),
        ("hub: {imageName: selenium/hub, imageTag: 4}\nnode: {}", "holds no values"),
        ("auth: {username: postgres, database: x}\nprimary: {}", "holds no values"),
        ("global: {storageClass: x}", "holds no values"),
        ("- a", "not a map"),
        ("", "not a map"),
    ],
)
def test_files_that_are_no_values_are_refused(text: str, word: str, tmp_path: Path) -> None:
    (tmp_path / "c.yaml").write_text(text, encoding="utf-8")
    done = _run(tmp_path, tmp_path / "c.yaml")
    assert done.returncode == 2 and word in done.stderr and done.stderr.count("\n") == 1
    assert not (tmp_path / "Pulumi.old.yaml").exists()


@pytest.mark.parametrize("header", ["USER-SUPPLIED VALUES:", "COMPUTED VALUES:"])
def test_what_helm_prints_above_the_values(header: str) -> None:
    found = _of(
        (CASES / "adopt-helm-get-values.yaml")
        .read_text(encoding="utf-8")
        .replace("USER-SUPPLIED VALUES:", header)
    )[1]
    assert _hub(found)["sign_in"]["allowed_organizations"] == ["my-lab"] and found.dropped == []


def test_computed_values_are_not_a_list_of_the_charts_defaults() -> None:
    from jupyterhub_aws.config.chart import default_values

    text = io.StringIO()
    YAML(typ="safe", pure=True).dump({"COMPUTED VALUES": None, **default_values()}, text)
    found = _of(text.getvalue())[1]
    assert len(found.dropped) <= 3, _dropped(found)
    assert "sign_in.kind" not in _fills(found), "there the chart's own sign-in is said"


# several files


def test_several_files_are_merged_as_helm_merges_them(tmp_path: Path) -> None:
    a, b, c = tmp_path / "a.yaml", tmp_path / "b.yaml", tmp_path / "c.yaml"
    a.write_text(
        f"hub: {{config: {{{GITHUB}}}, extraEnv: {{A: '1', B: '2'}}}}\nsingleuser: {{memory:"
        " {limit: 2G}, extraTolerations: [{key: a, operator: Exists}]}",
        encoding="utf-8",
    )
    b.write_text(
        "hub: {extraEnv: {A: null, C: '3'}}\nsingleuser: {memory: {limit: 8G}, extraTolerations:"
        " [{key: b, operator: Exists}], nonsense: 1}",
        encoding="utf-8",
    )
    c.write_text("singleuser: {memory: {limit: 4G}}", encoding="utf-8")
    done = _run(tmp_path, a, b, "-f", c, "--json", tmp_path / "ledger.json")
    assert done.returncode == 1 and done.stderr == ""
    document = YAML(typ="safe", pure=True).load(
        (tmp_path / "Pulumi.old.yaml").read_text(encoding="utf-8")
    )
    hub = {key.rpartition(":")[2]: value for key, value in document["config"].items()}["hubs"][
        "main"
    ]
    assert hub["profiles"]["standard"]["memory"] == "4G"
    assert hub["helm_values"]["hub"]["extraEnv"] == {"B": "2", "C": "3"}
    assert hub["helm_values"]["singleuser"]["extraTolerations"] == [
        {"key": "b", "operator": "Exists"}
    ]
    assert "singleuser.nonsense (b.yaml)" in done.stdout
    values = json.loads((tmp_path / "ledger.json").read_text(encoding="utf-8"))["values"]
    ledger = {entry["path"]: entry for entry in values}
    assert (
        ledger["hub.extraEnv.B"]["file"] == "a.yaml"
        and ledger["hub.extraEnv.C"]["file"] == "b.yaml"
        and ledger["hub.extraEnv.A"]["status"] == "settled"
    )
    assert "values of a.yaml, b.yaml are replaced" in done.stdout


def test_no_file_and_a_second_one_that_is_none(tmp_path: Path) -> None:
    assert _run(tmp_path).returncode == 2
    (tmp_path / "a.yaml").write_text(f"hub: {{config: {{{GITHUB}}}}}", encoding="utf-8")
    done = _run(tmp_path, tmp_path / "a.yaml", tmp_path / "nothing.yaml")
    assert done.returncode == 2 and "nothing.yaml: cannot be read" in done.stderr


# C4: what users are called


def test_users_who_were_called_by_their_cn_are_not_shown_empty_homes_in_silence() -> None:
    found = _case("ldap-ad-cn")
    hub = _hub(found)
    assert "EMPTY homes" in _fills(found)["sign_in.lookup.user_attribute"] and any(
        note.startswith("HOMES:") for note in found.notes
    )
    assert (
        hub["sign_in"]["administrators"] == []
        and "ada lovelace" in _fills(found)["sign_in.administrators"]
    )
    assert "LDAPAuthenticator" not in json.dumps(hub.get("helm_values", {})), (
        "old traits never beat ours"
    )


@pytest.mark.parametrize(
    ("traits", "marked"),
    [
        ("lookup_dn: true, lookup_dn_user_dn_attribute: cn", True),
        ("lookup_dn: true, lookup_dn_user_dn_attribute: cn, use_lookup_dn_username: false", False),
        ("lookup_dn: true, lookup_dn_user_dn_attribute: UID", False),
        ("lookup_dn: true, lookup_dn_user_dn_attribute: cn, tls_strategy: on_connect", False),
        (
            (
                "lookup_dn: true, lookup_dn_user_dn_attribute: cn, tls_strategy: on_connect,"
                " use_lookup_dn_username: true"
            ),
            True,
        ),
    ],
)
def test_by_the_version_and_its_switch(traits: str, marked: bool) -> None:
    _, found = _sign_in(
        f"JupyterHub: {{authenticator_class: ldap}}, LDAPAuthenticator: {{{_LDAP}, {traits}}}"
    )
    assert ("sign_in.lookup.user_attribute" in _fills(found)) is marked


def test_filters_of_a_directory_stay_and_its_rule_for_names_is_asked_for() -> None:
    filters = (
        "search_filter: '(memberOf=x)', lookup_dn_search_filter: '(&({login_attr}={login})(y=z))',"
        " valid_username_regex: '^u[0-9]+$'"
    )
    _, found = _sign_in(
        f"JupyterHub: {{authenticator_class: ldap}}, LDAPAuthenticator: {{{_LDAP}, lookup_dn: true,"
        f" {filters}}}"
    )
    kept = _hub(found)["helm_values"]["hub"]["config"]["LDAPAuthenticator"]
    assert kept == {
        "search_filter": "(memberOf=x)",
        "lookup_dn_search_filter": "(&({login_attr}={login})(y=z))",
    }
    assert "^u[0-9]+$" in _fills(found)["sign_in.usernames"]


# C5: words


def test_an_ingress_with_tls_is_no_clear_text() -> None:
    notes = " ".join(_case("ingress-tls").notes)
    assert "clear text" not in notes and "Secret hub-tls" in notes
    assert _hub(_case("ingress-tls"))["entry"]["hostname"] == "hub.lab.example"


def test_one_wrong_word_hides_nothing() -> None:
    found = _case("one-fault-hides-others")
    assert "${client_id}" in _fills(found)["sign_in.client_id"] and found.problems == []
    assert {
        "singleuser.allowPrivilegeEscalation",
        "singleuser.extraPodConfig.securityContext",
    } <= set(_dropped(found))


def test_two_equal_keys_are_named_with_their_lines() -> None:
    with pytest.raises(ConfigError) as caught:
        parsed(
            "hub: {}\nsingleuser:\n  image: {name: PLANTED}\n  image: {name: b}\n", Path("c.yaml")
        )
    said = str(caught.value)
    assert "the key image twice, at line 4" in said and "[adopt.values]" in said
    assert "PLANTED" not in said


def test_the_name_of_a_secret_is_no_secret() -> None:
    reference = "{valueFrom: {secretKeyRef: {name: db-credentials, key: password}}}"
    found = _of(
        f"hub: {{config: {{{GITHUB}}}, extraEnv: {{DB_PASSWORD: {reference}}}}}\nimagePullSecrets: [regcred]\nproxy: {{https: {{enabled: true, type: secret, secret: {{name: hub-token-tls}}}}}}"
    )[1]
    values = _hub(found)["helm_values"]
    assert values["hub"]["extraEnv"]["DB_PASSWORD"]["valueFrom"]["secretKeyRef"][
        "key"
    ] == "password" and values["imagePullSecrets"] == ["regcred"]
    assert found.dropped == [] and any("hub-token-tls" in note for note in found.notes)
    hidden = _of(
        f"hub: {{config: {{{GITHUB}}}, extraEnv: {{DB_PASSWORD: {{valueFrom: {{secretKeyRef:"
        " {name: 'user:PLANTEDpass@x', key: a b}}}}}"
    )[1]
    assert "PLANTED" not in hidden.text, "what is no name of a Secret is one"


@pytest.mark.parametrize(
    "secret",
    ["FILL IN hub.uni-example.ac.uk", "hub.uni-example.ac.uk", "${CLIENT_SECRET}", "changeme"],
)
def test_the_name_of_a_host_is_one_whatever_else_is_in_the_file(secret: str) -> None:
    config = (
        "JupyterHub: {authenticator_class: github}, GitHubOAuthenticator: {client_id: x,"
        f" client_secret: '{secret}', oauth_callback_url:"
        " 'https://hub.uni-example.ac.uk/hub/oauth_callback'}"
    )
    found = _of(
        f"hub: {{config: {{{config}}}}}\nproxy: {{https: {{enabled: true, hosts:"
        " [hub.uni-example.ac.uk]}}\ncustom: {logo:"
        " 'https://hub.uni-example.ac.uk/a/0a1b2c3d4e5f6071829304a5b6c7d8e9/x.png'}"
    )[1]
    assert _hub(found)["entry"]["hostname"] == "hub.uni-example.ac.uk"


@pytest.mark.parametrize(
    ("tag", "word"), [("tag: latest", "latest changes"), ("pullPolicy: Always", "it had none")]
)
def test_no_image_is_invented(tag: str, word: str) -> None:
    found = _of(
        f"hub: {{config: {{{GITHUB}}}}}\nsingleuser: {{image: {{name: my-lab/own, {tag}}}}}"
    )[1]
    assert _hub(found)["image"] == "my-lab/own:FILL-IN" and word in _fills(found)["image"]


def test_limits_that_were_none_are_said() -> None:
    found = _of(f"hub: {{config: {{{GITHUB}}}, allowNamedServers: true}}")[1]
    assert _hub(found)["named_servers"] == 3 and any(
        "as many named servers as they liked" in note for note in found.notes
    )


def test_organizations_that_are_none_leave_a_line_to_fill_in_and_hide_nothing() -> None:
    config = (
        "JupyterHub: {authenticator_class: github}, GitHubOAuthenticator: {client_id: Iv1.x,"
        " allowed_organizations: ['my lab']}"
    )
    found = _of(f"hub: {{config: {{{config}}}}}\nsingleuser: {{uid: 0}}")[1]
    assert "sign_in.allowed_organizations" in _fills(found) and found.problems == []
    assert {"hubs.main.sign_in.allowed_organizations[0]", "singleuser.uid"} <= set(_dropped(found))


def test_servers_that_old_charts_let_out_by_rules_alone() -> None:
    rules = "networkPolicy: {egress: [{to: [{ipBlock: {cidr: 10.0.0.0/8}}]}]}"
    old = _of(f"auth: {{type: dummy}}\nsingleuser: {{{rules}}}")[1]
    assert "singleuser.networkPolicy.egress" in _loud(old)
    new = _of(f"{_RELEASE}  values: {{hub: {{config: {{{GITHUB}}}}}, singleuser: {{{rules}}}}}")[1]
    assert not _loud(new) and "singleuser.networkPolicy" in _dropped(new)


def test_a_proxy_that_admitted_no_user_by_itself_is_reported() -> None:
    found = _of(
        f"hub: {{config: {{{GITHUB}}}}}\nproxy: {{chp: {{networkPolicy: {{allowedIngressPorts:"
        " []}}}"
    )[1]
    assert list(_loud(found)) == ["proxy.chp.networkPolicy"]


def test_ldap_of_charts_before_0_10_keeps_its_filter() -> None:
    search, user = (
        "{user: cn=s, filter: '(&({login_attr}={login})(y=z))'}",
        "{searchBase: dc=x, attribute: uid, dnAttribute: cn, validRegex: '^u$'}",
    )
    found = _of(
        "auth: {type: ldap, ldap: {server: {address: dc1}, dn: {lookup: true, search:"
        f" {search}, user: {user}}}}}}}"
    )[1]
    assert (
        _hub(found)["helm_values"]["hub"]["config"]["LDAPAuthenticator"]["lookup_dn_search_filter"]
        == "(&({login_attr}={login})(y=z))"
    )
    assert {"sign_in.usernames", "sign_in.lookup.user_attribute"} <= set(_fills(found))


def test_what_a_tool_encrypted_is_a_secret_wherever_it_is() -> None:
    sealed = "ENC[AES256_GCM,data:abc,iv:x,tag:y,type:str]"
    config = (
        "JupyterHub: {authenticator_class: github}, GitHubOAuthenticator: {client_id:"
        f" '{sealed}', client_secret: '{sealed}', allowed_organizations: [o]}}"
    )
    found = _of(
        f"hub: {{config: {{{config}, Authenticator: {{admin_users: ['{sealed}', ada]}}}}}}\nsops:"
        f" {{version: 3.8.1, mac: '{sealed}'}}"
    )[1]
    assert (
        "ENC" not in found.text
        and _hub(found)["sign_in"]["administrators"] == ["ada"]
        and "sign_in.client_id" in _fills(found)
    )
    assert found.problems == [] and "encryption" in _dropped(found)["sops"]
