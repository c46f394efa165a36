"""Reading a stack file as the engine does (measured on the engine: scalars arrive as text, maps
as JSON).
"""

from __future__ import annotations

import datetime
import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jupyterhub_aws.config.errors import ConfigError
from jupyterhub_aws.config.load import load
from jupyterhub_aws.config.stack_file import engine_string, read

DEV = Path(__file__).resolve().parents[2] / "Pulumi.dev.yaml"


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (True, "true"),
        (False, "false"),
        (5, "5"),
        (1.1, "1.1"),
        (None, ""),
        ("yes", "yes"),
        ({"a": 1.3}, '{"a": 1.3}'),
        ([True], "[true]"),
        ({"a": None}, '{"a": null}'),
    ],
)
def test_values_become_the_strings_that_the_engine_hands_over(value: object, text: str) -> None:
    assert engine_string(value) == text


def test_what_yaml_makes_of_text_is_what_the_engine_would_hand_over(tmp_path: Path) -> None:
    """Measured on the engine: true becomes "true", 1.10 loses its zero, 0755 and 1e3 are
    numbers, and quotes keep everything.
    """
    path = tmp_path / "Pulumi.x.yaml"
    path.write_text(
        'config:\n  p:a: true\n  p:b: 1.10\n  p:c: 5\n  p:d:\n  p:e: "1.10"\n  p:f: "true"\n  p:g:'
        ' {v: 1.30, w: "1.30", x: 012}\n'
    )
    found = read(path).values
    assert [found[f"p:{key}"] for key in "abcdef"] == ["true", "1.1", "5", "", "1.10", "true"]
    assert json.loads(found["p:g"]) == {"v": 1.3, "w": "1.30", "x": 12}


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


@pytest.mark.real
@pytest.mark.parametrize(
    ("setting", "path", "says", "which"),
    [
        ("pools", "--set pools", "", "set.form"),
        ("=1", "--set ", "", "set.form"),
        (".=1", "--set .", "", "set.form"),
        ("a\nb", "--set 'a\\nb'", "", "set.form"),
        ("name=[1", "--set name", "(got '[1')", "set.value"),
        ("name=2026-13-45", "--set name", "", "set.value"),
        ("name=!!bool maybe", "--set name", "", "set.value"),
        ("name=" + "9" * 5000, "--set name", "", "set.value"),
        ("name=" + "[" * 1500, "--set name", "", "set.value"),
        ("network.zones[3]=x", "--set network.zones[3]", "does not exist at [3]", "set.no-place"),
        ("network.zones[²]=x", "--set network.zones[²]", "does not exist at [²]", "set.no-place"),
        ("network.zones[-1]=x", "--set network.zones[-1]", "does not exist at [-1]", "set.no-place"),
        ("network.zones.first=x", "--set network.zones.first", "does not exist at first", "set.no-place"),
        ("network[0]=x", "--set network[0]", "does not exist at [0]", "set.no-place"),
        ("name.x=1", "--set name.x", "does not exist at x", "set.no-place"),
        ("tags={2026-11-23: x}", "jupyterhub-aws:tags", "", "stack-file.not-json"),
        ("tags={[1, 2]: x}", "jupyterhub-aws:tags", "", "stack-file.not-json"),
        ("tags=&a [*a]", "jupyterhub-aws:tags", "", "stack-file.not-json"),
    ],
)  # fmt: skip
def test_a_setting_that_leads_nowhere_says_where(
    setting: str, path: str, says: str, which: str
) -> None:
    with pytest.raises(ConfigError) as caught:
        read(DEV, [setting])
    (problem,) = caught.value.problems
    assert (problem.path, problem.id) == (path, which)
    assert says in problem.what
    assert str(caught.value).count("\n") == 0
    assert len(str(caught.value)) < 250


@pytest.mark.parametrize(
    ("setting", "key", "value"),
    [
        ("region=eu-west-1", "aws:region", "eu-west-1"),
        ("other:key=1", "other:key", "1"),
        ("name=", "jupyterhub-aws:name", ""),
    ],
)
def test_a_setting_of_a_whole_key(setting: str, key: str, value: str) -> None:
    assert read(DEV, [setting]).values[key] == value


def test_settings_build_upon_each_other() -> None:
    found = read(
        DEV,
        [
            "pools.new={}",
            "pools.new.size.max=1",
            "pools.new.size.max=2",
            "hubs={}",
            "hubs.a.pools=[new]",
        ],
    )
    assert json.loads(found.values["jupyterhub-aws:pools"])["new"] == {"size": {"max": 2}}
    assert json.loads(found.values["jupyterhub-aws:hubs"]) == {"a": {"pools": ["new"]}}


@pytest.mark.real
@pytest.mark.parametrize(
    "text",
    [
        "config: &a\n  p:a: *a\n",
        "config:\n  p:a: {2026-11-23: x}\n",
        "config:\n  p:a: 2026-13-45\n",
        "config:\n  p:a: !!int x\n",
        "\x00",
        "config: " + "[" * 1500,
    ],
)
def test_a_file_that_no_engine_reads_is_a_problem_in_one_line(tmp_path: Path, text: str) -> None:
    path = tmp_path / "Pulumi.x.yaml"
    path.write_text(text)
    with pytest.raises(ConfigError) as caught:
        read(path)
    assert str(caught.value).startswith("Pulumi.x.yaml: ")
    assert "\n" not in str(caught.value)


PATHS = st.from_regex(
    r"(pools|network|tags|name|region|aws:x)?(\.[a-z]{0,5}|\[[0-9a-z²-]{0,2}\]){0,4}",
    fullmatch=True,
)
#: Where YAML's own constructors stumble: tags with values of another kind, dates that are none,
#: anchors, odd keys.
VALUES = st.one_of(
    st.text(max_size=20),
    st.text(alphabet="[]{}:,&*!<>|?-#%@`'\"a1 .~\n", max_size=15),
    st.builds(
        "!!{} {}".format,
        st.sampled_from(
            [
                "int",
                "float",
                "bool",
                "null",
                "timestamp",
                "binary",
                "set",
                "omap",
                "pairs",
                "map",
                "seq",
                "str",
            ]
        ),
        st.text(max_size=6),
    ),
    st.from_regex(
        r"[0-9]{4}-[0-9]{2}-[0-9]{2}([T"
        r" ][0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{1,9})?([+-][0-9]{1,2}:[0-9]{2})?)?",
        fullmatch=True,
    ),
    st.from_regex(r"\{\??[a-z0-9.*&<\[\]~-]{1,6}: [a-z0-9.*&~]{1,4}\}", fullmatch=True),
)


@pytest.mark.real
@settings(max_examples=400, derandomize=True, deadline=None)
@given(st.one_of(st.text(max_size=40), st.builds("{}={}".format, PATHS, VALUES)))
def test_no_setting_raises_anything_but_a_list_of_problems(setting: str) -> None:
    try:
        file = read(DEV, [setting])
        load(file.values, secret=file.secret, source=file.source)
    except ConfigError as error:
        assert all(problem.what and problem.fix for problem in error.problems)
        assert all(problem.line("x").isprintable() for problem in error.problems)


def test_a_misspelt_encrypted_key_is_refused_before_the_program_runs() -> None:
    from jupyterhub_aws.config.load import load

    file = read(DEV)
    with pytest.raises(
        ConfigError, match="pols: is not an option of this program; did you mean pools"
    ):
        load(file.values, secret=["jupyterhub-aws:pols"], source=file.source)


def test_a_file_with_the_short_ending_names_the_same_stack(tmp_path):
    for ending in ("yaml", "yml"):
        (tmp_path / f"Pulumi.mine.{ending}").write_text("config: {}\n")
        assert read(tmp_path / f"Pulumi.mine.{ending}").stack == "mine"
