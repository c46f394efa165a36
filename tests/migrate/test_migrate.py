"""`jhub migrate` as an operator runs it: what it shows, what it writes, and what it says of
files that it cannot take.
"""

from __future__ import annotations

import io
import os
import re
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from rich.console import Console

from jupyterhub_aws.config.errors import ConfigError
from jupyterhub_aws.config.formats import applied
from jupyterhub_aws.config.stack_file import parsed
from jupyterhub_aws.migrate.files import difference, migrated, show
from jupyterhub_aws.migrate.text import sections
from jupyterhub_aws.version import __version__
from tests.support.data_examples import described
from tests.support.in_process import Done, in_process
from tests.support.stack_files import ROOT

REAL = Path(__file__).parent / "format-1"
_DIRECTORY_HUB = "none_so_that_anybody_on_the_way_reads_passwords"

#: One file with every form that a section can have, and what becomes of it.
FORMS = """\
# yaml-language-server: $schema=./config/stack.schema.json
config:
  # of the provider
  aws:region: us-east-1
  jupyterhub-aws:name: trial   # never neighbours
  jupyterhub-aws:config:watch: {"kind": 'none'}
  jupyterhub-aws:network: '{"mode": "airgap", "neighbours": {"it''s": {"cidrs": ["10.0.0.0/8"]}}}'
  jupyterhub-aws:pause: "{\\"machines\\": {\\"nodes\\": \\"a=b\\"}}"
  jupyterhub-aws:gate: |
    {"cost": {"at_most": 5,
              "at_rest": 1}}
  'pools':
    core: {size: 1}
    mine: {capacity: "given", cores: 4} # given by others
  homes.adopted.owner: people
  jupyterhub-aws:hubs:
    ? main
    : sign_in: &ldap
        kind: ldap
        tls: >-
          none_so_that_anybody_on_the_way_reads_passwords
      database: {kind: sqlite_memory_that_loses_sessions}
      shared_directories: {a: {written_by: everybody}, b: {written_by: administrators}}
      helm_values: {watch: {neighbours: given}}
    other: {sign_in: *ldap, profiles: {small: {people_per_node: 3}}}
  jupyterhub-aws:hub-main-ldap-search-password:
    secure: v1:aaaa:bbbb
encryptionsalt: v1:cccc:dddd
"""
MIGRATED = [
    ("  aws:region", "  jupyterhub-aws:format: 2\n  # of the provider\n  aws:region"),
    ("config:watch:", "config:monitoring:"),
    ('"neighbours": {"it', '"peer_networks": {"it'),
    ('\\"machines\\"', '\\"instances\\"'),
    ('"at_most"', '"maximum"'),
    ('"at_rest"', '"idle"'),
    ('"given"', '"existing"'),
    ("owner: people", "owner: users"),
    (_DIRECTORY_HUB, "none_insecure"),
    ("sqlite_memory_that_loses_sessions", "sqlite_memory"),
    ("{written_by: everybody}", "{writable_by: users}"),
    ("written_by: administrators", "writable_by: administrators"),
    ("people_per_node", "users_per_node"),
]


_DAMAGES = [
    "",
    "\n",
    "  ",
    "&a ",
    "*a",
    "<<: ",
    "? ",
    "[",
    "}",
    "'",
    '"',
    "|",
    "!!x ",
    "\t",
    "é",
    ": ",
    "# ",
]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "Pulumi.yaml").write_text("name: jupyterhub-aws\nruntime: python\n")
    for path in REAL.glob("Pulumi.airgap*.yaml"):
        (tmp_path / path.name).write_bytes(path.read_bytes())
    return tmp_path


def _written(folder: Path, text: str, name: str = "Pulumi.x.yaml") -> Path:
    path = folder / name
    path.write_bytes(text.encode())
    return path


def _said(done: Done) -> str:
    assert done.returncode == 2 and "Traceback" not in done.stderr, done
    assert all(len(line) <= 400 for line in done.stderr.splitlines())
    return done.stderr


def test_every_form_of_a_section(folder: Path) -> None:
    expected = FORMS.replace("  # of the provider\n", "")
    for old, new in MIGRATED:
        assert old in expected, old
        expected = expected.replace(old, new)
    found = migrated(_written(folder, FORMS))
    assert found.new == expected and found.source == 1
    assert len(found.edits) == len(MIGRATED) + 1, (
        "and of the key `written_by: everybody` both words"
    )


def test_it_shows_first_and_writes_when_it_is_told(folder: Path) -> None:
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    shown = in_process(["migrate"], folder)
    assert shown.returncode == 0 and not shown.stderr
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before, (
        "nothing is written without --write"
    )
    assert (
        "Pulumi.airgap.yaml: format 1 → 2, 2 names" in shown.stdout
        and "Pulumi.airgap-hub.yaml: format 1 → 2, no name changes" in shown.stdout
    )
    for line in (
        "-    neighbours:",
        "+    peer_networks:",
        "+  format: 2",
        "Nothing is written yet. To write: jhub migrate --write",
    ):
        assert f"{line}\n" in shown.stdout
    (folder / "Pulumi.airgap.yaml").chmod(0o640)
    done = in_process(["migrate", "airgap", "--write"], folder)
    assert done.returncode == 0 and "1 file written" in done.stdout
    assert (
        "peer_networks" in (folder / "Pulumi.airgap.yaml").read_text()
        and "format" not in (folder / "Pulumi.airgap-hub.yaml").read_text()
    )
    assert (folder / "Pulumi.airgap.yaml").stat().st_mode & 0o777 == 0o640
    assert (
        in_process(["migrate", "airgap"], folder).stdout
        == "Pulumi.airgap.yaml: nothing to change, format 2\n"
    )


def test_in_a_terminal_of_80_columns_it_is_coloured(folder: Path) -> None:
    out, found = io.StringIO(), migrated(folder / "Pulumi.airgap.yaml")
    show(
        Console(file=out, width=80, force_terminal=True, color_system="standard", highlight=False),
        found,
    )
    assert (
        "\x1b[31m-    neighbours:" in out.getvalue()
        and "\x1b[32m+    peer_networks:" in out.getvalue()
        and "\x1b[36m@@" in out.getvalue()
    )
    shown = re.sub(r"\x1b\[[0-9;]*m", "", out.getvalue()).splitlines()
    assert max(map(len, shown)) > 80 and shown[1:] == list(difference(found)), (
        "lines are not cut into several: what is copied from there is the file's"
    )


def test_what_changes_as_data(folder: Path) -> None:
    """Shown, then written; then nothing is left to write. A wrong file is a problem as data."""
    before = (folder / "Pulumi.airgap.yaml").read_text()
    done = in_process(["migrate", "--json"], folder)
    found = described("migrate", done.stdout)
    assert done.returncode == 0 and not found["written"]
    (item,) = [item for item in found["files"] if item["path"].endswith("Pulumi.airgap.yaml")]
    assert item["changes"] and (item["from"], item["to"]) == (1, 2) and item["edits"]
    assert (folder / "Pulumi.airgap.yaml").read_text() == before
    assert described("migrate", in_process(["migrate", "--json", "--write"], folder).stdout)[
        "written"
    ]
    found = described("migrate", in_process(["migrate", "--json", "--write"], folder).stdout)
    assert not found["written"] and not [item for item in found["files"] if item["changes"]]
    (folder / "Pulumi.airgap.yaml").write_text("config: [")
    done = in_process(["migrate", "--json"], folder)
    assert done.returncode == 2 and described("problems", done.stdout)["problems"]
    assert "nothing was written" in done.stderr


def test_what_may_be_secret_is_not_shown(folder: Path) -> None:
    text = FORMS.replace(
        "aws:region: us-east-1", "aws:secretKey: HIDDEN-1\n  aws:region: us-east-1"
    )
    text = text.replace(
        "database: {", "helm: {client_secret: HIDDEN-2, 'password': 'HIDDEN-3'}\n      database: {"
    )
    done = in_process(["migrate", str(_written(folder, text))], folder)
    assert done.returncode == 0 and "client_secret: …" in done.stdout
    assert "HIDDEN" not in done.stdout and "v1:aaaa" not in done.stdout
    done = in_process(["migrate", str(_written(folder, text)), "--json"], folder)
    assert described("migrate", done.stdout)["files"][0]["edits"]
    assert "HIDDEN" not in done.stdout and "v1:aaaa" not in done.stdout


def test_commands_refuse_old_names_with_one_line(folder: Path) -> None:
    for command in (
        ["plan", "airgap"],
        ["plan", "airgap-hub"],
        ["sites", "airgap"],
        ["values", "airgap", "main"],
    ):
        done = in_process(command, folder)
        assert (
            _said(done)
            == "Pulumi.airgap.yaml: format: is 1 (the file does not say it), and in format 2"
            " network.inside_hosts is called internal_hosts, network.neighbours is called"
            " peer_networks; run `jhub migrate airgap`: it shows what changes, and with --write"
            " changes it [format.outdated]\n"
        )


def test_an_option_under_its_old_name_is_no_setting_of_the_users_program(folder: Path) -> None:
    """What a program of the user's reads by pulumi.Config is let through; an old name that was,
    would be an option that is silently not there.
    """
    text = (ROOT / "Pulumi.dev.yaml").read_text(encoding="utf-8")
    line = next(line for line in text.splitlines(keepends=True) if "format: 2" in line)
    _written(
        folder,
        text.replace(line, "  watch: {kind: none}\n  watch.kind: none\n  zebra: mine\n"),
        "Pulumi.dev.yaml",
    )
    said = _said(in_process(["plan", "dev"], folder))
    assert said.startswith(
        "Pulumi.dev.yaml: format: is 1 (the file does not say it), and in format 2 watch is called"
        " monitoring, watch.kind is called"
    )
    assert said.count("\n") == 1


@pytest.mark.real
def test_a_file_without_old_names_is_read_without_a_format(folder: Path) -> None:
    text = (ROOT / "Pulumi.dev.yaml").read_text(encoding="utf-8")
    line = next(line for line in text.splitlines(keepends=True) if "format: 2" in line)
    for instead in ("", "  format: 1\n", '  format: "2"\n'):
        path = _written(folder, text.replace(line, instead), "Pulumi.dev.yaml")
        assert (
            in_process(["plan", "dev", "--json", str(folder / "plan.json")], folder).returncode == 0
        )
        assert migrated(path).new == text.replace(
            line, "  format: 2\n" if "2" not in instead else instead
        )


def test_old_names_in_a_file_of_todays_format_are_explained(folder: Path) -> None:
    path = folder / "Pulumi.airgap.yaml"
    path.write_text(
        path.read_text().replace("config:", "config:\n  format: 2\n  watch: {kind: none}", 1)
    )
    said = _said(in_process(["plan", "airgap"], folder)).splitlines()
    assert said == [
        (
            "Pulumi.airgap.yaml: network.inside_hosts: is not an option here; write internal_hosts:"
            " its name since format 2 [option.unknown]"
        ),
        (
            "Pulumi.airgap.yaml: network.neighbours: is not an option here; write peer_networks:"
            " its name since format 2 [option.unknown]"
        ),
        (
            "Pulumi.airgap.yaml: watch: is not an option of this program; write monitoring: its"
            " name since format 2 [option.unknown]"
        ),
    ]
    assert in_process(["migrate", "airgap"], folder).stdout.startswith(
        "Pulumi.airgap.yaml: nothing to change, format 2"
    )


def test_a_newer_format_is_refused_with_the_version_that_reads_it(folder: Path) -> None:
    newer = (
        f"format: is 7, and this version of jupyterhub-aws ({__version__}) reads formats up to 2;"
        " install version 0.7 or later, which reads it"
    )
    for name in ("airgap", "airgap-hub"):
        path = folder / f"Pulumi.{name}.yaml"
        path.write_text(path.read_text().replace("config:", "config:\n  format: 7", 1))
        for command in (["migrate", name, "--write"], ["plan", name]):
            assert f"Pulumi.{name}.yaml: {newer}" in _said(in_process(command, folder))


BAD = {
    "unreadable": ("config: [", "is not readable as YAML", "stack-file.not-yaml"),
    "not utf-8": ("config:\n  name: \udcff", "is not readable as YAML", "stack-file.not-yaml"),
    "empty": ("", "config: ", "stack-file.no-config"),
    "of another program": ("config:\n  bucket: x\n", "config: ", "migrate.no-section"),
    "two names": (
        "config:\n  pools: {}\n  watch: {}\n  monitoring: {}\n",
        "watch: is the old name of monitoring",
        "format.old-and-new",
    ),
    "two names inside": (
        "config:\n  network: {neighbours: {}, peer_networks: {}}\n",
        "network.neighbours: is the old name of network.peer_networks",
        "format.old-and-new",
    ),
    "two spellings": (
        "config:\n  pools: {}\n  watch: {}\n  jupyterhub-aws:watch: {}\n",
        "watch: ",
        "key.twice",
    ),
    "no number": (
        "config:\n  format: two\n  pools: {}\n",
        "format: is no format of a stack file; write 1 to 2",
        "format.malformed",
    ),
    "format zero": (
        "config:\n  format: 0\n  pools: {}\n",
        "format: is no format of a stack file; write 1 to 2",
        "format.malformed",
    ),
    "itself": ("config:\n  pools: &a {b: *a}\n", "jupyterhub-aws:pools: ", "stack-file.not-json"),
    "folded JSON": (
        'config:\n  pools:\n    "{\\"a\\": {\\"capacity\\":\n    \\"given\\"}}"\n',
        "pools.a.capacity: ",
        "migrate.by-hand",
    ),
    "escaped": (
        'config:\n  pools: {a: {capacity: "g\\x69ven"}}\n',
        "pools.a.capacity: ",
        "migrate.by-hand",
    ),
    "a tab between words": (
        'config:\n  pools: \'{"a": {"capacity": "given"}}\t\'\n',
        "pools.a.capacity: ",
        "migrate.by-hand",
    ),
    "no place for a line": (
        "? config\n: pools: {}\n",
        "format: is not there",
        "migrate.by-hand",
    ),
    "an anchor of two meanings": (
        "config:\n  pools: {a: {capacity: &x given}}\n  tags: {owner: *x}\n",
        "pools.a.capacity: ",
        "migrate.by-hand",
    ),
}


@pytest.mark.real
@pytest.mark.parametrize("case", BAD)
def test_what_cannot_be_migrated_is_said_and_left(folder: Path, case: str) -> None:
    text, expected, which = BAD[case]
    path = folder / "Pulumi.x.yaml"
    path.write_bytes(text.encode("utf-8", "surrogateescape"))
    said = _said(in_process(["migrate", "x", "airgap", "--write"], folder))
    assert f"Pulumi.x.yaml: {expected}" in said and said.endswith(
        "jhub migrate: nothing was written\n"
    )
    assert f"[{which}]" in said
    assert path.read_bytes() == text.encode("utf-8", "surrogateescape")
    assert (folder / "Pulumi.airgap.yaml").read_bytes() == (
        REAL / "Pulumi.airgap.yaml"
    ).read_bytes(), "one bad file, and none is written"


def test_a_shared_text_that_is_renamed_everywhere_is_renamed_once(folder: Path) -> None:
    text = "config:\n  pools: {a: &x {capacity: given}, b: {<<: *x, cores: 2}, c: *x}\n"
    assert migrated(_written(folder, text)).new == text.replace("given", "existing").replace(
        "config:\n", "config:\n  format: 2\n"
    )


def test_files_that_are_not_there_and_folders_without_any(
    folder: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    said = _said(in_process(["migrate", "dev", "Pulumi.none.yaml", "airgap"], folder))
    assert said.count("this file does not exist; name a stack (airgap, airgap-hub)") == 2
    elsewhere = tmp_path_factory.mktemp("empty")
    _written(elsewhere, "config:\n  bucket: x\n", "Pulumi.backend.yaml")
    said = _said(in_process(["migrate"], elsewhere))
    assert str(elsewhere) in said and "[migrate.no-file]" in said


def test_a_file_that_may_not_be_written(folder: Path) -> None:
    path = folder / "Pulumi.airgap.yaml"
    path.chmod(0o444)
    said = _said(in_process(["migrate", "--write"], folder))
    assert said.startswith(
        "jhub migrate: Pulumi.airgap.yaml: is read-only; make it writable (chmod u+w "
    )
    assert "[file.read-only]" in said
    assert (
        path.read_bytes() == (REAL / path.name).read_bytes()
        and "format" not in (folder / "Pulumi.airgap-hub.yaml").read_text()
    )
    assert in_process(["migrate", "airgap"], folder).returncode == 0, (
        "to look at it, reading is enough"
    )


def test_a_link_stays_one(folder: Path) -> None:
    os.rename(folder / "Pulumi.airgap.yaml", folder / "real.yaml")
    (folder / "Pulumi.airgap.yaml").symlink_to("real.yaml")
    assert in_process(["migrate", "airgap", "--write"], folder).returncode == 0
    assert (folder / "Pulumi.airgap.yaml").is_symlink() and "peer_networks" in (
        folder / "real.yaml"
    ).read_text()


def test_values_for_all_stacks_in_pulumi_yaml(folder: Path) -> None:
    """They are renamed too, and no line is added that would speak for every stack file; a format
    there counts for files without one.
    """
    path = folder / "Pulumi.yaml"
    old = (
        "name: ours\nruntime: python\nconfig:\n  # all\n  watch: {value: {kind: none}}\n "
        " ours:pause:\n    default: {machines: {nodes: a=b}}\n  x: given\n"
    )
    path.write_text(old)
    done = in_process(["migrate", "airgap", "--write"], folder)
    assert done.returncode == 0 and "2 files written" in done.stdout
    assert path.read_text() == old.replace("watch", "monitoring").replace("machines", "instances")
    again = in_process(["migrate", "airgap", "Pulumi.yaml"], folder)
    assert again.stdout == "Pulumi.airgap.yaml: nothing to change, format 2\n"
    path.write_text("name: ours\nruntime: python\nconfig:\n  format: 2\n")
    assert not migrated(folder / "Pulumi.airgap-hub.yaml").changes


@pytest.mark.parametrize(
    ("config", "expected"),
    {
        "{pools: {}}": "{format: 2, pools: {}}",
        '{"ours:pools": {}}': '{"ours:format": 2, "ours:pools": {}}',
        "&a {ours:pools: {}}": "&a {ours:format: 2, ours:pools: {}}",
        "{format: '1', pools: {}}": "{format: '2', pools: {}}",
        "\n    # first\n    pools: {}": "\n    format: 2\n    # first\n    pools: {}",
        " # note\n  aws:region: x\n  ours:pools: {}": (
            " # note\n  ours:format: 2\n  aws:region: x\n  ours:pools: {}"
        ),
        "\n  ? tags\n  : {}\n  pools: {}": "\n  format: 2\n  ? tags\n  : {}\n  pools: {}",
        "\n  pools: {}\n  format: 1 # mine": "\n  pools: {}\n  format: 2 # mine",
    }.items(),
)
def test_where_the_format_is_written(tmp_path: Path, config: str, expected: str) -> None:
    (tmp_path / "Pulumi.yaml").write_text("name: ours\nruntime: python\n")
    assert migrated(_written(tmp_path, f"config: {config}\n")).new == f"config: {expected}\n"
    assert migrated(_written(tmp_path, f"config: {config}")).new == f"config: {expected}"


def test_this_repositorys_own_files_say_todays_format() -> None:
    for path in (*ROOT.glob("Pulumi.*.yaml"), *ROOT.glob("examples/*/Pulumi.*.yaml")):
        text = path.read_text(encoding="utf-8")
        if "cloud_stack:" in text or "pools:" in text:
            assert "\n  format: 2" in text or "\n  jupyterhub-aws:format: 2" in text, path
            assert not migrated(path).changes


def test_versions(tmp_path: Path) -> None:
    done = in_process(["--version"], tmp_path)
    first, *rest = done.stdout.splitlines()
    assert done.returncode == 0 and first == f"jupyterhub-aws {__version__}"
    assert any(
        line.startswith("SDKs: pulumi 3.") and "pulumi-aws 7." in line for line in rest
    ) and any("format 2" in line for line in rest)


@pytest.mark.real
@given(
    st.lists(
        st.tuples(st.integers(0, len(FORMS)), st.integers(0, 12), st.sampled_from(_DAMAGES)),
        max_size=4,
    )
)
@settings(
    max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_a_damaged_file_is_refused_or_means_what_it_meant(
    folder: Path, damages: list[tuple[int, int, str]]
) -> None:
    text = FORMS
    for place, length, instead in damages:
        text = text[:place] + instead + text[place + length :]
    path = _written(folder, text)
    try:
        found = migrated(path)
    except ConfigError:
        return
    expected = applied(sections(parsed(text), "jupyterhub-aws"), found.edits)
    said = sections(parsed(found.new), "jupyterhub-aws")
    assert repr({key: value for key, value in said.items() if key != "format"}) == repr(
        {key: value for key, value in expected.items() if key != "format"}
    )
