"""The plan reads what the engine reads: which keys of a stack file are options, whoever wrote
them and however (G1, U9).
"""

from __future__ import annotations

import re
import shutil
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from ruamel.yaml import YAML

from jupyterhub_aws.config.cloud_config import from_engine, given_by, whole
from jupyterhub_aws.config.errors import ConfigError
from jupyterhub_aws.config.keys import (
    AWS_CALLS,
    AWS_EFFECTS,
    as_engine,
    canonical,
    canonical_key,
    engine_spelling,
    foreign,
)
from jupyterhub_aws.config.load import load
from jupyterhub_aws.config.stack import PROJECT, PROVIDER_KEYS, StackConfig
from jupyterhub_aws.config.stack_file import read
from tests.support.in_process import in_process
from tests.support.stack_files import ROOT

CASES = Path(__file__).parent / "cases"
DEV = (ROOT / "Pulumi.dev.yaml").read_text()


def stack_of(folder: Path, text: str, name: str = "x") -> Path:
    path = folder / f"Pulumi.{name}.yaml"
    path.write_text(text)
    return path


def prefixed(text: str, prefix: str = PROJECT) -> str:
    return re.sub(r"^  (?=[a-z_]+:( |$))", f"  {prefix}:", text, flags=re.MULTILINE)


def problems(path: Path) -> list[str]:
    try:
        file = read(path)
        found = whole(given_by(file), path.parent)
        load(found.values, secret=found.secret, source=file.source)
    except ConfigError as error:
        return [problem.line("")[2:] for problem in error.problems]
    return []


def test_both_forms_say_the_same(tmp_path: Path) -> None:
    assert "  pools:\n" in DEV and f"  {PROJECT}:pools:\n" in prefixed(DEV)
    plain, long = (read(stack_of(tmp_path, text)).values for text in (DEV, prefixed(DEV)))
    assert plain == long and f"{PROJECT}:hubs" in plain and "aws:region" in plain
    assert read(stack_of(tmp_path, prefixed(DEV, f"{PROJECT}:config"))).values == plain, (
        "the old form of Pulumi's, with `config` in between"
    )


def test_a_project_of_another_name_has_its_own_prefix(tmp_path: Path) -> None:
    (tmp_path / "Pulumi.yaml").write_text(
        "name: our-hub\nruntime: python\nconfig:\n  pause: {description: x, default: {drop: []}}\n "
        " aws:profile: {value: lab}\n"
    )
    expected = read(ROOT / "Pulumi.dev.yaml").values | {
        f"{PROJECT}:pause": '{"drop": []}',
        "aws:profile": "lab",
    }
    for text in (DEV, prefixed(DEV, "our-hub"), prefixed(DEV)):
        found = read(stack_of(tmp_path, text))
        assert found.values == expected and found.project == "our-hub"
    below = tmp_path / "stacks"
    below.mkdir()
    assert read(stack_of(below, prefixed(DEV, "our-hub"))).project == "our-hub", (
        "as Pulumi: the nearest Pulumi.yaml upwards"
    )
    assert any(
        "has a prefix that nothing in this stack reads (our-hub:)" in line
        for line in _elsewhere(prefixed(DEV, "our-hub"), tmp_path)
    )


def _elsewhere(text: str, tmp_path: Path) -> list[str]:
    folder = tmp_path.parent / f"{tmp_path.name}-beside"
    folder.mkdir()
    return problems(stack_of(folder, text))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("nmae: x\n", "is not readable|name: is missing"),
        ("description: x\n", "name: is missing"),
        ("name: [\n", "is not readable as YAML"),
    ],
)
def test_a_project_that_pulumi_would_refuse(tmp_path: Path, text: str, said: str) -> None:
    (tmp_path / "Pulumi.yaml").write_text(text)
    with pytest.raises(ConfigError, match=said):
        read(stack_of(tmp_path, DEV))


WRONG = {
    "one key twice": (
        DEV + f"  {PROJECT}:homes: {{ kind: ebs }}\n",
        (
            "homes: is present twice, as homes and jupyterhub-aws:homes: for Pulumi both are the"
            " same key"
        ),
        "key.twice",
    ),
    "twice by the old form": (
        DEV + "  aws:config:region: eu-west-1\n",
        "region: is present twice, as aws:region and aws:config:region",
        "key.twice",
    ),
    "a mistyped prefix": (
        DEV.replace("  hubs:", "  jupyterhubaws:hubs:"),
        (
            "jupyterhubaws:hubs: has a prefix that nothing in this stack reads (jupyterhubaws:);"
            " write hubs:"
        ),
        "key.unknown-prefix",
    ),
    "a mistyped prefix and name": (
        DEV.replace("  hubs:", "  jupyterhub_aws:hub:"),
        "did you mean hubs?",
        "key.unknown-prefix",
    ),
    "the name of the hub as prefix": (
        DEV.replace("  hubs:", "  jhub:hubs:"),
        "jhub:hubs: has a prefix that nothing in this stack reads (jhub:); write hubs:",
        "key.unknown-prefix",
    ),
    "a prefix in capitals": (
        DEV.replace("  hubs:", "  JupyterHub-AWS:hubs:"),
        "write hubs:",
        "key.unknown-prefix",
    ),
    "a secret under a wrong prefix": (
        DEV + "  hub:hub-main-client-secret: {secure: x}\n",
        "hub:hub-main-client-secret: ",
        "key.unknown-prefix",
    ),
    "three parts": (
        DEV + "  jupyterhub-aws:pools:core: {}\n",
        "jupyterhub-aws:pools:core: ",
        "key.unreadable",
    ),
    "a path as a key": (DEV + "  pools.core.size: 3\n", "pools.core.size: ", "key.dotted"),
    "a path as a prefixed key": (
        DEV + "  jupyterhub-aws:pools.core.size: 3\n",
        "pools.core.size: ",
        "key.dotted",
    ),
    "a misspelt section": (
        DEV.replace("  homes:", "  home:"),
        "home: is not an option of this program; did you mean homes?",
        "option.unknown",
    ),
    "a section beside config": (
        DEV + "hubs: {}\n",
        "hubs: is beside `config:`, where Pulumi ignores it; indent it below `config:`",
        "key.beside-config",
    ),
    "a prefixed section beside config": (
        DEV + "jupyterhub-aws:hubs: {}\n",
        "jupyterhub-aws:hubs: ",
        "key.beside-config",
    ),
    "a provider's key beside config": (
        DEV + "aws:region: us-east-1\n",
        "aws:region: ",
        "key.beside-config",
    ),
    "a secret beside config": (
        DEV + "hub-main-client-secret: {secure: x}\n",
        "hub-main-client-secret: ",
        "key.beside-config",
    ),
    "config misspelt": (
        DEV.replace("config:\n", "confg:\n", 1),
        "confg: is beside `config:`, where Pulumi ignores it; did you mean config?",
        "key.beside-config",
    ),
    "an engine key misspelt": (
        DEV + "secretprovider: awskms://x\n",
        "did you mean secretsprovider?",
        "key.beside-config",
    ),
    "whatever": (DEV + "resources: {}\n", "resources: ", "key.beside-config"),
    "the region without prefix": (
        DEV.replace("aws:region", "region"),
        "region: is not an option of this program; did you mean aws:region?",
        "option.unknown",
    ),
    "the region misspelt": (
        DEV.replace("aws:region", "aws:regoin"),
        "aws:regoin: ",
        "key.not-of-aws-provider",
    ),
    "a section as the provider's": (
        DEV + "  aws:tags: {}\n",
        "write tags",
        "key.not-of-aws-provider",
    ),
    "the provider misspelt": (
        DEV + "  awss:profile: x\n",
        (
            "awss:profile: has a prefix that nothing in this stack reads (awss:); did you mean"
            " aws:profile?"
        ),
        "key.unknown-prefix",
    ),
    "a secret of AWS in clear text": (
        DEV + "  aws:secretKey: abc\n",
        "aws:secretKey: ",
        "secret.clear-text",
    ),
}


@pytest.mark.parametrize(("text", "said", "which"), WRONG.values(), ids=WRONG)
def test_what_is_wrong_says_what_to_do(tmp_path: Path, text: str, said: str, which: str) -> None:
    found = problems(stack_of(tmp_path, text))
    assert any(said in line and line.endswith(f"[{which}]") for line in found), found
    assert not any("abc" in line for line in found), "no value of a secret"


RIGHT = {
    "keys of the engine": DEV + "secretsprovider: awskms://x\nencryptedkey: x\nencryptionsalt: x\n",
    "settings of the provider": (
        DEV + "  aws:profile: lab\n  aws:secretKey: {secure: x}\n  aws:maxRetries: 5\n"
    ),
    "settings of the engine": DEV + "  pulumi:tags: {team: x}\n",
    "settings of the program's own": (
        DEV + "  grafana:url: x\n  team:owner: {secure: x}\n  own-storage: data\n"
    ),
    "a path that Pulumi wrote": DEV.replace("      size: 2\n", "      size: 3\n"),
}


@pytest.mark.parametrize("text", RIGHT.values(), ids=RIGHT)
def test_what_pulumi_takes_is_taken(tmp_path: Path, text: str) -> None:
    assert problems(stack_of(tmp_path, text)) == []


def test_the_base_case_of_the_trials_in_both_forms(tmp_path: Path) -> None:
    """G1 itself: without the prefix there were «146 resources, no check failed» and no hub."""
    text = re.sub(
        r"^  jupyterhub-aws:", "  ", (CASES / "plan-base.yaml").read_text(), flags=re.MULTILINE
    )
    assert "jupyterhub-aws:" not in text
    stack = load(read(stack_of(tmp_path, text)).values, source="x")
    assert stack.hubs and stack == load(read(CASES / "plan-base.yaml").values, source="x")


def test_what_the_engine_hands_over_is_read_by_the_same_rule() -> None:
    values = {
        "our-hub:pools": "{}",
        "our-hub:hub-main-client-secret": "x",
        "aws:region": "us-east-1",
    }
    plain = {key: value for key, value in values.items() if not key.endswith("secret")}
    found = from_engine(
        plain, secret=["our-hub:hub-main-client-secret"], project="our-hub", source="x"
    )
    assert found.values == {
        f"{PROJECT}:pools": "{}",
        "aws:region": "us-east-1",
    } and found.secret == (f"{PROJECT}:hub-main-client-secret",)
    assert (
        engine_spelling("hub-main-client-secret", values, "our-hub")
        == "our-hub:hub-main-client-secret"
    )
    assert (
        engine_spelling("hub-main-client-secret", [f"{PROJECT}:hub-main-client-secret"], "our-hub")
        == f"{PROJECT}:hub-main-client-secret"
    )
    with pytest.raises(ConfigError, match="is present twice"):
        from_engine(
            {"our-hub:pools": "{}", f"{PROJECT}:pools": "{}"},
            secret=(),
            project="our-hub",
            source="x",
        )


_NAMES = st.sampled_from(
    [*StackConfig.model_fields, "hub-a-client-secret", "x y", "", "config"]
) | st.text(max_size=5).filter(lambda text: ":" not in text)
_PROJECTS = st.sampled_from([PROJECT, "our-hub", "aws2"])


@settings(max_examples=200, deadline=None)
@given(name=_NAMES, project=_PROJECTS)
def test_every_form_of_a_key_is_one_key(name: str, project: str) -> None:
    full = f"{PROJECT}:{name}"
    forms = [name, f"{project}:{name}", f"{project}:config:{name}", full]
    assert {canonical_key(form, project) for form in forms} == {full}
    assert canonical_key(canonical_key(name, project), project) == full
    for one in forms:
        for other in set(forms) - {one}:
            with pytest.raises(ConfigError, match="is present twice"):
                canonical({one: 1, other: 2}, project, "x")


@settings(max_examples=200, deadline=None)
@given(key=st.text(max_size=12), value=st.integers())
def test_any_key_is_a_key_or_a_problem(key: str, value: int) -> None:
    try:
        found = canonical({key: value}, PROJECT, "x")
    except ConfigError as error:
        assert all(problem.fix and "\n" not in problem.line("x") for problem in error.problems)
        return
    assert list(found.values()) == [value]
    assert all(problem.fix and "\n" not in problem.line("x") for problem in foreign(found))


def test_the_settings_of_the_provider_are_those_of_its_sdk() -> None:
    import pulumi_aws

    text = (Path(str(pulumi_aws.__file__)).parent / "config" / "vars.py").read_text()
    assert (
        set(re.findall(r"__config__\.get\w*\('(\w+)'\)", text)) == AWS_CALLS | AWS_EFFECTS
        and not AWS_CALLS & AWS_EFFECTS
    )


@pytest.mark.real
def test_a_relative_path_is_of_the_current_folder(tmp_path: Path) -> None:
    """U9: the outer half was read in the folder of the program."""
    shutil.copytree(CASES / "relative-inner", tmp_path / "there")
    done = in_process(["plan", "there/Pulumi.other-hub.yaml", "--json"], tmp_path)
    assert done.returncode == 0, done.stderr
    plan = YAML(typ="safe").load(done.stdout)
    own: Any = read(tmp_path / "there" / "Pulumi.other.yaml").data[f"{PROJECT}:name"]
    assert own != "jhub-airgap"
    assert own in str(plan["outer"]) and "jhub-airgap" not in str(plan["outer"])
    (said,) = [item for item in plan["checks"] if item["id"] == "outer-file"]
    assert said["status"] == "warn" and "will not find Pulumi.other.yaml" in said["message"]


def test_an_outer_file_that_the_engine_would_not_read_fails(tmp_path: Path) -> None:
    from jupyterhub_aws.checks.keys import same_outer_file

    (tmp_path / "Pulumi.yaml").write_text("name: jupyterhub-aws\nruntime: python\n")
    shutil.copytree(CASES / "relative-inner", tmp_path / "there")
    inner = read(tmp_path / "there" / "Pulumi.other-hub.yaml")
    assert [item.status for item in same_outer_file(inner)] == ["warn"]
    (tmp_path / "Pulumi.other.yaml").write_bytes(
        (tmp_path / "there" / "Pulumi.other.yaml").read_bytes()
    )
    assert same_outer_file(inner) == []
    (tmp_path / "Pulumi.other.yaml").write_text("config: {}\n")
    assert [item.status for item in same_outer_file(inner)] == ["fail"]
    (tmp_path / "there" / "Pulumi.yaml").write_text("name: jupyterhub-aws\nruntime: python\n")
    assert same_outer_file(read(inner.path)) == []


def test_an_outer_stack_is_named_and_not_its_file(tmp_path: Path) -> None:
    found = problems(stack_of(tmp_path, "config:\n  cloud_stack: ./Pulumi.other.yaml\n"))
    assert found == [
        "cloud_stack: names a file (./Pulumi.other.yaml), and the engine knows stacks by name;"
        " write the stack's name, such as other [split.names-a-file]"
    ]
    found = problems(
        stack_of(tmp_path, "config:\n  cloud_stack: other\n  jupyterhubaws:hubs: {}\n")
    )
    assert any("jupyterhubaws:hubs: has a prefix" in line for line in found)


def test_what_is_beyond_the_plan_is_said(tmp_path: Path) -> None:
    from jupyterhub_aws.checks.keys import beyond_the_plan

    text = (
        DEV + "  aws:defaultTags: {tags: {a: b}}\n  aws:profile: x\n  kubernetes:context: x\n "
        " pulumi:autonaming: {mode: verbatim}\n  pulumi:tags: {}\n"
    )
    found = {
        item.path: (item.id, item.status)
        for item in beyond_the_plan(read(stack_of(tmp_path, text + "environment: [shared]\n")))
    }
    assert found == dict.fromkeys(
        ["aws:defaultTags", "kubernetes:context", "pulumi:autonaming", "environment"],
        ("settings-beyond-the-plan", "warn"),
    )
    assert beyond_the_plan(read(ROOT / "Pulumi.dev.yaml")) == []


def test_a_setting_of_the_programs_own_that_it_does_not_read_fails_the_plan(tmp_path: Path) -> None:
    from jupyterhub_aws.checks.keys import beyond_the_plan

    (tmp_path / "Pulumi.yaml").write_text("name: our-hub\nruntime: python\n")
    file = read(
        stack_of(
            tmp_path,
            DEV + "  our-hub:own-storage: data\n  team:owner: {secure: x}\n  grafana:url: x\n "
            " lost: y\n",
        )
    )
    assert {item.path for item in beyond_the_plan(file)} == {
        "own-storage",
        "team:owner",
        "grafana:url",
        "lost",
    }
    read_keys = ("our-hub:own-storage", "team:owner")
    found = beyond_the_plan(file, read_keys, packages={"aws", "grafana"})
    assert [(item.path, item.status, item.id) for item in found] == [
        ("lost", "fail", "settings-unread")
    ]
    given = given_by(file)
    assert (
        not {"own-storage", "lost"} & {key.partition(":")[2] for key in given.values}
        and given.secret == ()
    )
    assert given.values == given_by(read(stack_of(tmp_path, DEV))).values
    with pytest.raises(ConfigError, match="lost: is not an option of this program"):
        load(
            file.values,
            secret=file.secret,
            source="arguments of a component, where nothing but options belongs",
        )


def test_what_the_engine_hands_over_of_the_programs_own_is_left_out_too() -> None:
    values = {"our-hub:pools": "{}", "our-hub:own": "x", "team:owner": "y"}
    found = from_engine(
        values,
        secret=["our-hub:own-secret", "our-hub:hub-main-client-secret"],
        project="our-hub",
        source="x",
    )
    assert (found.values, found.secret) == (
        {f"{PROJECT}:pools": "{}"},
        (f"{PROJECT}:hub-main-client-secret",),
    )
    assert as_engine({f"{PROJECT}:pools": 1, "aws:region": 2}, "our-hub") == {
        "our-hub:pools": 1,
        "aws:region": 2,
    }


@pytest.mark.parametrize("form", ["", f"{PROJECT}:"])
def test_pausing_and_adopting_write_keys_as_the_file_does(tmp_path: Path, form: str) -> None:
    from jupyterhub_aws.adopt.adopt import _with_imports
    from jupyterhub_aws.operate.pause.stack_file_edit import set_paused

    text = prefixed(DEV) if form else DEV
    path = stack_of(tmp_path, text.replace("      size: 2\n", "      size: 2 # paused: no\n"))
    before = path.read_text()
    set_paused("jhub pause", read(path), paused=True)
    assert f"\n  {form}paused: true # jhub resume takes this line away\n" in path.read_text()
    set_paused("jhub pause", read(path), paused=False)
    assert path.read_text() == before
    assert f"\n  {form}imports:\n" in _with_imports(path, {"a:b:C::d": "e"})


def test_the_sample_files_have_no_prefix_that_says_nothing() -> None:
    for path in [
        *ROOT.glob("Pulumi.*.yaml"),
        *ROOT.glob("examples/*/Pulumi.*.yaml"),
        *ROOT.glob("docs/*.md"),
        ROOT / "README.md",
    ]:
        assert not re.search(rf"^\s*{PROJECT}:", path.read_text(), re.MULTILINE), path
    assert set(PROVIDER_KEYS.values()) <= set(read(ROOT / "Pulumi.dev.yaml").values)
