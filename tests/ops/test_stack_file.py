"""Reading a stack file as the engine does (measured on the engine: scalars arrive as text, maps as JSON)."""

from __future__ import annotations

import datetime
import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from config.errors import ConfigError
from ops.plan.stack_file import engine_string, read

DEV = Path(__file__).resolve().parents[2] / "Pulumi.dev.yaml"


@pytest.mark.parametrize(
    ("value", "text"),
    [(True, "true"), (False, "false"), (5, "5"), (1.1, "1.1"), (None, ""), ("yes", "yes"), ({"a": 1.3}, '{"a": 1.3}'), ([True], "[true]")],
)
def test_values_become_the_strings_that_the_engine_hands_over(value: object, text: str) -> None:
    assert engine_string(value) == text


def test_dates_inside_maps_do_not_stop_the_reading() -> None:
    assert json.loads(engine_string({"day": datetime.date(2026, 11, 23)})) == {"day": "2026-11-23"}


def test_yaml_is_read_as_version_1_2(tmp_path: Path) -> None:
    """`yes` and `on` are text for the engine; PyYAML would take them for true."""
    path = tmp_path / "Pulumi.x.yaml"
    path.write_text("config:\n  p:a: yes\n  p:b: on\n  p:c: 12:30\n")
    assert read(path).values == {"p:a": "yes", "p:b": "on", "p:c": "12:30"}


def test_one_secret_inside_makes_the_whole_key_secret(tmp_path: Path) -> None:
    path = tmp_path / "Pulumi.x.yaml"
    path.write_text("config:\n  p:a:\n    b: [{secure: v1:x}]\n  p:c: 1\n")
    file = read(path)
    assert (file.secret, file.values) == (("p:a",), {"p:c": "1"})


@pytest.mark.parametrize(
    ("setting", "key", "path", "value"),
    [
        ("pools.core.size=3", "jupyterhub-aws:pools", ("core", "size"), 3),
        ("network.zones[1]=us-east-1f", "jupyterhub-aws:network", ("zones", 1), "us-east-1f"),
        ('pools.new={"capacity": "spot"}', "jupyterhub-aws:pools", ("new", "capacity"), "spot"),
        ("tags.extra.team=a=b", "jupyterhub-aws:tags", ("extra", "team"), "a=b"),
    ],
)
def test_settings_reach_what_they_name(setting: str, key: str, path: tuple, value: object) -> None:
    found = json.loads(read(DEV, [setting]).values[key])
    for part in path:
        found = found[part]
    assert found == value


@settings(max_examples=150, derandomize=True, deadline=None)
@given(st.one_of(st.text(max_size=40), st.from_regex(r"(pools|network|tags)(\.[a-z]{1,5}|\[[0-9a-z]{1,2}\]){0,4}=.{0,12}", fullmatch=True)))
def test_no_setting_raises_anything_but_a_list_of_problems(setting: str) -> None:
    try:
        read(DEV, [setting])
    except ConfigError as error:
        assert all(problem.what and problem.fix for problem in error.problems)
