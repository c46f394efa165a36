"""From format 1 to format 2: real files of this repository's past, and any others."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from jupyterhub_aws.components.facts import digest
from jupyterhub_aws.components.validated import validated
from jupyterhub_aws.config.cloud_config import given_by, whole
from jupyterhub_aws.config.formats import FORMAT, STEPS, Renamed, Revalued, upgraded
from jupyterhub_aws.config.stack import StackConfig
from jupyterhub_aws.config.stack_file import StackFile, parsed, read
from jupyterhub_aws.migrate.files import migrated
from jupyterhub_aws.migrate.text import sections
from jupyterhub_aws.version import __version__
from tests.migrate.old_files import WORDS, Written, old_files, today
from tests.support.stack_files import ROOT, engine_values

#: Stack files as they were in this repository while it had format 1 (commit 7dec8e4), and what is
#: renamed in each.
REAL = Path(__file__).parent / "format-1"
CHANGES = {
    "airgap": ["network.inside_hosts", "network.neighbours"],
    "airgap-hub": [],
    "dev": [],
    "first-try": [],
    "kubeadm": ["network.inside_hosts", "pools.memory.capacity"],
    "other": ["network.inside_hosts", "network.neighbours"],
    "plan-base": [],
}


def _written(folder: Path, text: str, name: str = "dev", project: str = "jupyterhub-aws") -> Path:
    (folder / "Pulumi.yaml").write_text(f"name: {project}\nruntime: python\n")
    path = folder / f"Pulumi.{name}.yaml"
    path.write_bytes(text.encode())
    return path


def _stack(file: StackFile) -> StackConfig:
    return validated(whole(given_by(file), file.path.parent))


def _by_table(path: Path) -> StackConfig:
    """What an old file says, with every name replaced by the list of these tests."""
    document = parsed(path.read_text(encoding="utf-8"))
    config = {
        key: value
        for key, value in document["config"].items()
        if not key.startswith("jupyterhub-aws:") and ":" in key
    }
    found = {
        **config,
        **{
            f"jupyterhub-aws:{key}": value
            for key, value in today(sections(document, "jupyterhub-aws")).items()
        },
    }
    values, secret = engine_values(found)
    file = read(path)
    return _stack(
        replace(file, values={key: values[key] for key in values.keys() - secret}, sealed={})
    )


def test_real_files_are_all_listed() -> None:
    assert {path.name.split(".")[1] for path in REAL.glob("*.yaml")} == set(CHANGES)


@pytest.mark.real
@pytest.mark.parametrize("name", [name for name in CHANGES if name != "airgap-hub"])
def test_a_real_old_file_means_the_same_afterwards(tmp_path: Path, name: str) -> None:
    path = _written(tmp_path, (REAL / f"Pulumi.{name}.yaml").read_text(encoding="utf-8"), name)
    before, found = _by_table(path), migrated(path)
    assert [".".join(map(str, edit.place)) for edit in found.edits] == CHANGES[name]
    path.write_bytes(found.new.encode())
    assert _stack(read(path)).model_copy(update={"format": 1}) == before
    assert _stack(read(path)).format == FORMAT


def test_both_parts_of_a_split_isolated_stack(tmp_path: Path) -> None:
    for name in ("airgap", "airgap-hub"):
        path = _written(tmp_path, (REAL / f"Pulumi.{name}.yaml").read_text(encoding="utf-8"), name)
        path.write_bytes(migrated(path).new.encode())
    inner, outer = (
        _stack(read(tmp_path / "Pulumi.airgap-hub.yaml")),
        _stack(read(tmp_path / "Pulumi.airgap.yaml")),
    )
    assert inner.network == outer.network and list(inner.vpc.peer_networks) == ["corporate"]


def test_the_line_itself_is_no_change_to_what_is_built(tmp_path: Path) -> None:
    """An inner stack compares its outer one's digest: a line more in the file is no other
    configuration.
    """
    text = (ROOT / "Pulumi.airgap.yaml").read_text(encoding="utf-8")
    line = next(line for line in text.splitlines(keepends=True) if "format: 2" in line)
    with_it, without = (
        _stack(read(_written(tmp_path, found, "airgap")))
        for found in (text, text.replace(line, ""))
    )
    assert (with_it.format, without.format) == (2, 1) and digest(with_it) == digest(without)
    assert digest(with_it) != digest(with_it.model_copy(update={"name": "another"}))


def _words(text: str) -> list[str]:
    return re.findall(r"[\w-]+|[^\w-]", text)


def _without_stamp(old: str, new: str) -> str:
    """The new text without the line (or, in braces, the entry) that says its format."""
    stamp = re.compile(r"[ ]*\"?(?:[\w-]+:)*format\"?: 2(?:\r?\n|, |)")
    (found,) = [
        match
        for match in stamp.finditer(new)
        if len(match.group().strip()) and match.group() not in old
    ]
    return new[: found.start()] + new[found.end() :]


@pytest.mark.real
@given(written=old_files())
@settings(
    max_examples=300,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
def test_any_old_file(tmp_path: Path, written: Written) -> None:
    """It says what the list of words makes of it; not a character besides the words changes;
    secrets stay; and a second time nothing does.
    """
    path = _written(tmp_path, written.text)
    found = migrated(path)
    after = parsed(found.new)
    assert sections(after, "jupyterhub-aws") == {
        "format": FORMAT,
        "hub-main-client-secret": {"secure": "v1:given:people="},
        **today(written.sections),
    }
    assert {key: value for key, value in after.items() if key != "config"} == {
        "encryptionsalt": "v1:people:given"
    }
    assert (
        after["config"]["other:watch"] == "given" and after["config"]["aws:region"] == "us-east-1"
    )
    old, new = _words(written.text), _words(_without_stamp(written.text, found.new))
    assert len(old) == len(new) and {
        pair for pair in zip(old, new, strict=True) if pair[0] != pair[1]
    } <= set(WORDS.items())
    ends = "\r\n" if "\r\n" in written.text else "\n"
    assert found.new.count("\n") == found.new.count(ends) and found.new.endswith(
        ends
    ) == written.text.endswith(ends)
    path.write_bytes(found.new.encode())
    again = migrated(path)
    assert not again.changes and again.source == FORMAT and not again.edits


@pytest.mark.real
@given(written=old_files(project="ours"))
@settings(
    max_examples=30,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
def test_a_project_of_another_name(tmp_path: Path, written: Written) -> None:
    path = _written(tmp_path, written.text, project="ours")
    after = sections(parsed(migrated(path).new), "ours")
    assert after.pop("hub-main-client-secret") and after == {
        "format": FORMAT,
        **today(written.sections),
    }


@pytest.mark.real
@given(written=old_files())
@settings(max_examples=100, deadline=None)
def test_data_is_upgraded_as_text_is(written: Written) -> None:
    assert upgraded(written.sections) == today(written.sections)
    assert upgraded(upgraded(written.sections)) == today(written.sections)
    assert upgraded({"format": FORMAT, **written.sections}) == written.sections, (
        "what says today's format is taken at its word"
    )


def test_every_name_of_the_list_has_a_change_and_no_other() -> None:
    (step,) = STEPS
    found = {
        (
            (item.path.rpartition(".")[2], item.name)
            if isinstance(item, Renamed)
            else (item.old, item.new)
        )
        for item in step.changes
    }
    assert found == set(WORDS.items())


def test_steps_lead_from_each_format_to_the_next_and_to_names_that_exist() -> None:
    """A number of the library's version tells which formats it reads:
    docs/upgrading-the-library.md promises it.
    """
    assert [(step.source, step.target) for step in STEPS] == [
        (number, number + 1) for number in range(1, FORMAT)
    ]
    assert __version__.split(".")[:2] == ["0", str(FORMAT)]
    from jupyterhub_aws.config.schema import stack_schema

    schema = str(stack_schema())
    for change in (change for step in STEPS for change in step.changes):
        words = [change.name] if isinstance(change, Renamed) else [change.new]
        old = change.old if isinstance(change, Revalued) else change.path.rpartition(".")[2]
        assert all(f"'{word}'" in schema for word in words)
        assert f"'{old}':" not in schema, "an old name is no option any more"


def test_the_page_on_upgrading_lists_every_change() -> None:
    page = (ROOT / "docs" / "upgrading-the-library.md").read_text(encoding="utf-8")
    rows = [
        line.split("|")[1:3]
        for line in page.partition("### From format 1")[2].splitlines()
        if line.startswith("| `")
    ]
    for change in (change for step in STEPS for change in step.changes):
        old, new = (
            (change.path, change.name) if isinstance(change, Renamed) else (change.old, change.new)
        )
        assert any(old in row[0] and change.path in row[0] and new in row[1] for row in rows), (
            change
        )


def _nested(path: str, value: Any) -> Any:
    for part in reversed(path.replace("*", "x").split(".")):
        value = {part: value}
    return value


@pytest.mark.parametrize(
    "change",
    [change for step in STEPS for change in step.changes],
    ids=lambda change: f"{change.path}",
)
def test_each_change_by_itself(change: Renamed | Revalued) -> None:
    old = _nested(change.path, change.old if isinstance(change, Revalued) else {"kept": 1})
    assert upgraded(old) == today(old) != old


@pytest.mark.real
@given(
    st.recursive(
        st.none() | st.booleans() | st.text(max_size=5),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner),
    )
)
def test_data_of_any_shape_is_looked_at(data: Any) -> None:
    for section in ("watch", "network", "hubs", "pools", "homes", "gate"):
        upgraded({section: data})
