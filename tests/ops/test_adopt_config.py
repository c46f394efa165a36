"""`jhub adopt config`: values of charts from 0.9 to 4 become stack files that pass the plan, and
no secret of theirs comes out anywhere.
"""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from jupyterhub_aws.adopt.z2jh.convert import Converted, convert
from jupyterhub_aws.adopt.z2jh.read import parsed
from jupyterhub_aws.config.errors import ConfigError, dotted
from jupyterhub_aws.config.stack import StackConfig
from jupyterhub_aws.config.stack_file import read
from jupyterhub_aws.plan.plan import recorded
from tests.support.data_examples import described
from tests.support.data_keys import faults
from tests.support.in_process import Done, in_process

FIXTURES = sorted((Path(__file__).parents[1] / "fixtures" / "z2jh").glob("*.yaml"))
_PLANTED = re.compile(r"PLANTED[\w~.]*")


def _converted(name: str) -> Converted:
    path = next(path for path in FIXTURES if path.stem == name)
    return convert(
        parsed(path.read_text(encoding="utf-8"), path), hub="main", stack="old", source=path.name
    )


def _stack(found: Converted, folder: Path) -> StackConfig:
    path = folder / "Pulumi.old.yaml"
    path.write_text(found.text, encoding="utf-8")
    return recorded(read(path))[0]


def _run(file: Path, folder: Path) -> Done:
    return in_process(["adopt", "config", str(file), "--name", "old"], folder, {"COLUMNS": "80"})


def test_there_is_one_of_each_age_and_a_hostile_one() -> None:
    assert len(FIXTURES) >= 6


@pytest.mark.real
@pytest.mark.parametrize("file", FIXTURES, ids=[path.stem for path in FIXTURES])
def test_it_becomes_a_stack_file_that_the_plan_takes_and_holds_no_secret(
    file: Path, tmp_path: Path
) -> None:
    done = _run(file, tmp_path)
    assert done.returncode == 1 and done.stderr == "", "sizes of nodes are in no chart's values"
    text = (tmp_path / "Pulumi.old.yaml").read_text(encoding="utf-8")
    assert _PLANTED.findall(file.read_text()) != [], "something is planted"
    assert _PLANTED.findall(text + done.stdout) == []
    assert "\n  jupyterhub-aws:format: 2\n" in text
    assert "`jhub plan` says" not in done.stdout
    assert max(map(len, done.stdout.splitlines())) <= 80
    assert text.count("# FILL IN:") + text.count("\n          FILL IN ") + text.count(
        "\n            FILL IN "
    ) == done.stdout.count("\n  ! ")
    assert recorded(read(tmp_path / "Pulumi.old.yaml"))[0].cluster.kind == "existing"


def test_0_9_ldap_of_kops_keeps_its_homes_and_says_who_owns_them(tmp_path: Path) -> None:
    found = _converted("chart-0.9-ldap-kops")
    stack = _stack(found, tmp_path)
    hub = stack.hubs["main"]
    assert (hub.sign_in.kind, hub.sign_in.server, hub.sign_in.tls) == (
        "ldap",
        "ldap.corp.example",
        "start_tls",
    )
    assert hub.sign_in.bind_dn_templates == ("uid={username},ou=people,o=corp,dc=corp,dc=example",)
    assert (hub.sign_in.administrators, hub.sign_in.allowed_users) == (
        ("ada", "grace"),
        ("ada", "grace", "linus"),
    )
    assert hub.home_directory == "home/{escaped_username}", "what {username} was before chart 4"
    assert (stack.homes.kind, hub.database.kind, hub.culling.server_idle_minutes) == (
        "nfs",
        "sqlite_memory",
        60,
    )
    assert hub.entry.tls.certificate.startswith("-----BEGIN CERTIFICATE-----\nMIIBfTCC")
    assert [(secret.key, secret.path) for secret in found.secrets] == [
        ("hub-main-tls-key", "proxy.https.manual.key")
    ]
    assert any("root (uid 0)" in note for note in found.notes)
    assert {
        "singleuser.extraEnv.CHOWN_HOME",
        "singleuser.uid",
        "proxy.secretToken",
        "hub.cookieSecret",
    } <= {item.path for item in found.dropped}
    profile = hub.profiles["standard"]
    assert (profile.cpu, profile.memory, profile.guarantee) == (4, "16G", 0.5)
    assert hub.image == "jupyter/scipy-notebook:2021-01-11"


def test_0_11_kubeadm_with_isilon(tmp_path: Path) -> None:
    found = _converted("chart-0.11-kubeadm-isilon")
    stack = _stack(found, tmp_path)
    hub = stack.hubs["main"]
    assert (hub.sign_in.server, hub.sign_in.tls, hub.sign_in.lookup.search_base) == (
        "ldap.corp.example",
        "on_connect",
        "ou=people,dc=corp,dc=example",
    )
    assert hub.sign_in.lookup.user_attribute == "sAMAccountName" and hub.sign_in.allowed_groups == (
        "cn=jupyter,ou=groups,dc=corp,dc=example",
    )
    assert {secret.key for secret in found.secrets} == {"hub-main-ldap-search-password"}
    assert (hub.entry.kind, hub.entry.hostname, hub.entry.node_port, hub.entry.external_ips) == (
        "node_port",
        "hub.corp.example",
        30443,
        ("10.0.0.20",),
    )
    assert any("kubectl get secret hub-certificate" in note for note in found.notes)
    assert (hub.database.kind, hub.database.storage_class, hub.database.size_gib) == (
        "sqlite_on_class",
        "local-block",
        2,
    )
    assert (
        "hubs.main.home_directory",
        "so for a chart before 4.0 (helm list shows it); for 4.0 and later: {safe_username}",
    ) in found.to_fill_in
    assert stack.pools.user["user"].node_selector == {"role": "user"}


def test_1_2_oauth_with_volumes_for_each_person(tmp_path: Path) -> None:
    found = _converted("chart-1.2-oauth")
    stack = _stack(found, tmp_path)
    sign_in, hub = stack.hubs["main"].sign_in, stack.hubs["main"]
    assert (sign_in.kind, sign_in.client_id, sign_in.username_claim, sign_in.groups_claim) == (
        "oidc",
        "hub-client",
        "preferred_username",
        "groups",
    )
    assert (sign_in.userinfo_url, sign_in.allowed_groups, sign_in.admin_groups) == (
        "https://login.example.org/userinfo",
        ("jupyter",),
        ("ops",),
    )
    assert [(secret.key, secret.path) for secret in found.secrets] == [
        ("hub-main-client-secret", "hub.config.GenericOAuthenticator.client_secret")
    ]
    assert (stack.homes.kind, stack.homes.size_gib) == ("ebs", 20)
    assert (
        hub.helm_values["singleuser"]["storage"]["dynamic"]["pvcNameTemplate"]
        == "claim-{escaped_username}"
    ), "people keep their volumes"
    assert (hub.culling.server_idle_minutes, hub.culling.max_age_hours) == (120, 24)
    assert any("Let's Encrypt is not carried over" in note for note in found.notes)


def test_2_profiles_are_pools_shares_and_images(tmp_path: Path) -> None:
    found = _converted("chart-2-profiles")
    stack = _stack(found, tmp_path)
    hub = stack.hubs["main"]
    small, large, gpu = (
        hub.profiles["small-server"],
        hub.profiles["large-server"],
        hub.profiles["gpu"],
    )
    assert (small.display_name, small.cpu, small.memory, small.guarantee, small.default) == (
        "Small server",
        2,
        "8G",
        0.5,
        True,
    )
    assert (
        large.cpu,
        large.memory,
        large.guarantee,
        stack.pools.user[large.pool].node_selector,
    ) == (8, "64G", 0.5, {"pool": "large"})
    assert (gpu.gpus, stack.pools.user[gpu.pool].gpus, gpu.environment) == (
        1,
        1,
        {"NVIDIA_DRIVER_CAPABILITIES": "compute"},
    )
    assert (
        hub.named_servers == 2
        and hub.sign_in.allowed_organizations == ("example-org", "example-org:hub")
        and hub.sign_in.administrators == ("ada",)
    )
    assert (
        hub.helm_values["singleuser"]["extraEnv"] == {"EDITOR": "nano", "TEAM": "geo"}
        and hub.helm_values["singleuser"]["defaultUrl"] == "/lab"
    )
    assert (
        hub.helm_values["singleuser"]["lifecycleHooks"]["postStart"]["exec"]["command"][0] == "sh"
    )
    assert {"hub.extraConfig"} <= {item.path for item in found.dropped} and any(
        "tolerations" in item.path for item in found.dropped
    )


def test_4_keeps_the_old_scheme_where_the_hub_did(tmp_path: Path) -> None:
    found = _converted("chart-4")
    hub = _stack(found, tmp_path).hubs["main"]
    assert hub.home_directory == "home/{escaped_username}"
    assert (
        hub.sign_in.base_url
        == "https://login.microsoftonline.com/99999999-8888-4777-8666-555555555555/oauth2/v2.0"
    )
    assert (
        set(hub.profiles["choose"].images) == {"scipy", "r"}
        and hub.profiles["choose"].images["scipy"].default
    )
    assert hub.entry.hostname == "hub.example.org" and any(
        "postgres" in note for note in found.notes
    )


def test_what_is_not_carried_over_is_said_with_the_plans_own_reason(tmp_path: Path) -> None:
    text = (
        "singleuser: {allowPrivilegeEscalation: true, uid: 0, notAnOption: 1}\nhub: {networkPolicy:"
        " {enabled: false}, baseUrl: /jupyter/}\n"
    )
    found = convert(parsed(text, tmp_path / "c.yaml"), hub="main", stack="old", source="c.yaml")
    why = {item.path: item.why for item in found.dropped}
    assert (
        "is not an option of the chart" in why["singleuser.notAnOption"]
        and "root" in why["singleuser.uid"]
    )
    assert (
        _stack(found, tmp_path).hubs["main"].helm_values.get("hub") == {"baseUrl": "/jupyter/"}
        or "hub.baseUrl" in why
    )


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "a",
        "a: [",
        "a: &a [*a]",
        "!!python/object:x {}",
        "\x00",
        "- a\n- b",
        "a: 1\n---\nb: 2",
        "? {a: b}\n: c",
        "a: !!binary PLANTED",
    ],
)
def test_what_is_no_map_of_values_is_refused_in_one_line(tmp_path: Path, text: str) -> None:
    path = tmp_path / "config.yaml"
    path.write_text(text, encoding="utf-8")
    done = _run(path, tmp_path)
    assert (
        done.returncode in (1, 2)
        and "Traceback" not in done.stderr
        and done.stderr.count("\n") <= 1
    )


def test_a_file_that_is_there_stays_and_one_that_is_not_is_said(tmp_path: Path) -> None:
    (tmp_path / "Pulumi.old.yaml").write_text("mine")
    done = _run(FIXTURES[0], tmp_path)
    assert (
        done.returncode == 2
        and "Pulumi.old.yaml: " in done.stderr
        and "[adopt.file-exists]" in done.stderr
        and (tmp_path / "Pulumi.old.yaml").read_text() == "mine"
    )
    (tmp_path / "Pulumi.old.yaml").unlink()
    done = _run(tmp_path / "nothing.yaml", tmp_path)
    assert (
        done.returncode == 2 and "cannot be read" in done.stderr and list(tmp_path.iterdir()) == []
    )


def _with_data(folder: Path, *words: str) -> Done:
    return in_process(["adopt", "config", "--name", "old", *words], folder, {"COLUMNS": "80"})


@pytest.mark.parametrize("name", ["hostile", "chart-1.2-oauth"])
def test_as_data_there_is_every_value_what_is_left_and_no_secret(tmp_path: Path, name: str) -> None:
    """Data alone on standard output, or in a file of the operator's."""
    file, converted = next(path for path in FIXTURES if path.stem == name), _converted(name)
    done = _with_data(tmp_path, str(file), "--json")
    found = described("adopt config", done.stdout)
    assert (done.returncode, done.stderr) == (1, "") and not found["finished"]
    assert _PLANTED.findall(done.stdout) == []
    assert (tmp_path / found["file"]).read_text() == converted.text
    paths = [item["path"] for item in found["values"]]
    assert paths == sorted(dotted(path) for path in converted.ledger) and len(paths) > 20
    assert found["secrets"] == [
        {
            "key": secret.key,
            "path": secret.path,
            "run": f"pulumi config set --secret {secret.key} -s old",
        }
        for secret in converted.secrets
    ]
    assert len(found["lost_access_rules"]) == len(converted.access)
    assert {"tags.owner"} <= {item["path"] for item in found["to_fill_in"]}
    (tmp_path / "Pulumi.old.yaml").unlink()
    (tmp_path / "data.json").touch()  # as mktemp makes it
    for _ in range(2):  # data of an earlier run may be written over
        done = _with_data(tmp_path, str(file), "--json", "data.json")
        assert json.loads((tmp_path / "data.json").read_text()) == found
        assert "Pulumi.old.yaml written:" in done.stdout, "the report is there as before"
        (tmp_path / "Pulumi.old.yaml").unlink()


def test_data_say_the_file_of_a_value_and_what_is_of_another_chart(tmp_path: Path) -> None:
    (tmp_path / "common.yaml").write_text(
        "basehub:\n  jupyterhub: {hub: {baseUrl: /a/}, singleuser: {defaultUrl: /lab}}\n  nfs: {x: 1}\n"
    )
    (tmp_path / "prod.yaml").write_text("basehub: {jupyterhub: {hub: {baseUrl: /b/}}}\n")
    done = _with_data(tmp_path, "common.yaml", "prod.yaml", "--json")
    found = json.loads(done.stdout)
    assert faults("adopt config", found) == []
    files = {item["path"].rpartition(".")[2]: item["file"] for item in found["values"]}
    assert files == {"baseUrl": "prod.yaml", "defaultUrl": "common.yaml"}
    assert [item["path"] for item in found["other_charts"]] == ["basehub.nfs"]


@pytest.mark.parametrize(
    ("words", "kept"),
    [
        (["--json", "common.yaml", "prod.yaml"], "common.yaml"),
        (["--json", "common.yaml"], "common.yaml"),
        (["--json", "new.yml", "prod.yaml"], None),
        (["prod.yaml", "--json", "./prod.yaml"], "./prod.yaml"),
        (["values", "--json", "values"], "values"),
        (["--json", "values.json", "prod.yaml"], "values.json"),
        (["--json", "values", "prod.yaml"], "values"),
    ],
)
def test_json_never_writes_over_values(words: list[str], kept: str | None, tmp_path: Path) -> None:
    """`--json common.yaml prod.yaml` reads as: data into common.yaml."""
    texts = {name: "hub: {}\n" for name in ("common.yaml", "prod.yaml", "values")}
    texts["values.json"] = '{"hub": {}}'
    for name, text in texts.items():
        (tmp_path / name).write_text(text)
    done = _with_data(tmp_path, *words)
    assert done.returncode == 2 and done.stdout == "" and "[file.not-data]" in done.stderr
    assert kept is None or f"would write over {kept}" in done.stderr
    assert {path.name: path.read_text() for path in tmp_path.iterdir()} == texts


def test_nothing_is_written_where_data_cannot_be(tmp_path: Path) -> None:
    done = _with_data(tmp_path, str(FIXTURES[0]), "--json", "nowhere/data.json")
    assert done.returncode == 2 and "[file.not-written]" in done.stderr
    assert list(tmp_path.iterdir()) == []


def test_problems_are_data_where_data_was_asked_for(tmp_path: Path) -> None:
    done = _with_data(tmp_path, "nothing.yaml", "--json")
    (problem,) = described("problems", done.stdout)["problems"]
    assert done.returncode == 2 and problem["id"] == "adopt.values"
    assert "[adopt.values]" in done.stderr and list(tmp_path.iterdir()) == []


_KEYS = st.sampled_from(
    "auth hub proxy singleuser cull ingress type ldap server address dn templates config JupyterHub"
    " authenticator_class LDAPAuthenticator admin users whitelist https enabled manual key cert"
    " hosts service nodePorts storage static pvcName subPath dynamic capacity memory cpu limit"
    " guarantee profileList display_name kubespawner_override image name tag extraEnv extraConfig"
    " db pvc uid lifecycleHooks nodeSelector profile_options choices environment default".split()
)
_LEAVES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.text(max_size=12),
    st.sampled_from(["ldap", "github", "static", "manual", "{username}", "16G", "1"]),
)
_VALUES = st.recursive(
    _LEAVES,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.one_of(_KEYS, st.text(max_size=6)), inner, max_size=5)
    ),
    max_leaves=25,
)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(values=st.dictionaries(_KEYS, _VALUES, min_size=1, max_size=5))
def test_whatever_the_values_are_it_becomes_a_file_or_a_kind_refusal(
    values: dict[str, object],
) -> None:
    import io

    from ruamel.yaml import YAML

    out = io.StringIO()
    YAML(typ="safe", pure=True).dump(values, out)
    try:
        old = parsed(out.getvalue(), Path("config.yaml"))
    except ConfigError:
        return
    found = convert(old, hub="main", stack="old", source="config.yaml")
    assert "\nconfig:\n" in found.text and found.to_fill_in


@settings(max_examples=25, deadline=None)
@given(text=st.text(max_size=80))
def test_whatever_the_text_is_there_is_no_traceback(text: str) -> None:
    try:
        convert(parsed(text, Path("config.yaml")), hub="main", stack="old", source="config.yaml")
    except ConfigError as error:
        assert str(error).count("\n") == 0


def test_secrets_are_marks_as_soon_as_they_are_read() -> None:
    path = next(path for path in FIXTURES if path.stem == "hostile")
    old = parsed(path.read_text(encoding="utf-8"), path)
    assert _PLANTED.findall(str(old.values)) == [], "no rule that comes later ever holds one"
    assert old.values["hub"]["extraEnv"][1] == {"name": "PLAIN", "value": "plain"}


def test_pages_of_the_old_hub_are_listed_with_the_option_that_is_for_them(tmp_path: Path) -> None:
    values = {
        "hub": {
            "templatePaths": ["/etc/jupyterhub/templates"],
            "templateVars": {"announcement": "Back at 9", "announcement_login": "Hello"},
            "config": {"JupyterHub": {"logo_file": "/srv/logo.png"}},
            "extraFiles": {
                "login": {"mountPath": "/etc/jupyterhub/templates/login.html", "stringData": "x"},
                "hook": {"mountPath": "/srv/hook.py", "stringData": "x = 1"},
            },
        }
    }
    path = tmp_path / "values.yaml"
    text = json.dumps(values)
    found = convert(parsed(text, path), hub="main", stack="old", source=path.name)
    why = {item.path: item.why for item in found.dropped}
    assert "jhub announce" in why["hub.templateVars.announcement"]
    assert "pages: {folder: " in why["hub.templatePaths"]
    assert "pages: {logo: " in why["hub.config.JupyterHub.logo_file"]
    assert "pages: {folder: " in why["hub.extraFiles.login"]
    assert "is a program" in why["hub.extraFiles"]
    assert "announcement_login: Hello" in found.text and "Back at 9" not in found.text
