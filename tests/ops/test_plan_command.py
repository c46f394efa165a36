"""`jhub` as a person runs it: a process, its exit code, and what it prints where."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest
from ruamel.yaml import YAML

from jupyterhub_aws.cli.group import _COMMANDS
from jupyterhub_aws.cli.group import jhub as jhub_group
from tests.support.in_process import in_process
from tests.support.known_plans import known_plans
from tests.support.processor_time import compared
from tests.support.stacks import quiet_sdks, without_gc

ROOT = Path(__file__).resolve().parents[2]
JHUB = str(Path(sys.prefix) / "bin" / "jhub")
DAY = ("--as-of", "2026-11-23")


def jhub(*arguments: str, cwd: Path = ROOT, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [JHUB, *arguments],
        cwd=cwd,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@cache
def plan() -> dict:
    with quiet_sdks(), without_gc(), known_plans():
        done = in_process(["plan", "dev", "--json", *DAY], ROOT)
    assert done.returncode == 0, done.stderr
    found: dict = json.loads(done.stdout)
    return found


@pytest.mark.real
def test_the_data_has_the_keys_of_the_contract() -> None:
    data = plan()
    assert data["format"] == "jupyterhub-aws/plan/1"
    assert (data["project"], data["stack"], data["as_of"]) == (
        "jupyterhub-aws",
        "dev",
        "2026-11-23",
    )
    keys = {
        "urn",
        "type",
        "name",
        "parent",
        "custom",
        "protect",
        "retain_on_delete",
        "ignore_changes",
        "import_id",
        "provider",
        "depends_on",
        "inputs",
    }
    assert all(set(resource) == keys for resource in data["resources"])
    assert [resource["urn"] for resource in data["resources"]] == sorted(
        {resource["urn"] for resource in data["resources"]}
    )
    assert all(
        set(check) == {"id", "status", "message", "path", "fix", "subjects"}
        for check in data["checks"]
    )
    assert set(data["cost"]) >= {"currency", "prices_of", "idle_monthly", "paused_monthly", "lines"}


def test_every_dependency_and_parent_is_in_the_plan() -> None:
    urns = {resource["urn"] for resource in plan()["resources"]}
    for resource in plan()["resources"]:
        assert set(resource["depends_on"]) <= urns, resource["urn"]
        assert resource["parent"] is None or resource["parent"] in urns


def test_documents_are_rendered_whole() -> None:
    text = json.dumps(plan()["resources"])
    assert "[unknown]" not in text, "an unknown would hide what a reviewer has to see"
    assert "${cluster-key.arn}" in text


@pytest.mark.real
@pytest.mark.parametrize(
    "environment",
    [
        {"PYTHONHASHSEED": "0", "LC_ALL": "C", "TZ": "Asia/Tokyo"},
        {"PYTHONHASHSEED": "4242", "LC_ALL": "tr_TR.UTF-8", "TZ": "America/Los_Angeles"},
        {
            "PYTHONHASHSEED": "random",
            "LC_ALL": "de_DE.ISO-8859-1",
            "LANG": "de_DE",
            "PYTHONIOENCODING": "latin-1",
        },
    ],
    ids=["C in Tokyo", "Turkish in Los Angeles", "German in Latin-1"],
)
def test_the_data_is_the_same_byte_for_byte(environment: dict[str, str], tmp_path: Path) -> None:
    target = tmp_path / "plan.json"
    done = jhub("plan", "dev", "--json", str(target), *DAY, **environment)
    assert (done.returncode, done.stdout) == (0, "")
    assert json.loads(target.read_bytes()) == plan()
    assert (
        target.read_text(encoding="utf-8")
        == json.dumps(plan(), indent=2, sort_keys=True, ensure_ascii=False) + "\n"
    )


@pytest.mark.real
@pytest.mark.parametrize("encoding", ["ascii", "latin-1"])
def test_standard_output_gets_the_same_bytes_in_every_encoding(encoding: str) -> None:
    arguments = [JHUB, "plan", "dev", "--json", "--set", "tags.owner=Für 数据", *DAY]
    plain, other = (
        subprocess.run(
            arguments,
            cwd=ROOT,
            env={**os.environ, "PYTHONIOENCODING": name},
            capture_output=True,
            timeout=60,
            check=True,
        ).stdout
        for name in ("utf-8", encoding)
    )
    assert "Für 数据".encode() in plain
    assert plain == other


@pytest.mark.real
def test_a_terminal_without_arrows_shows_the_plan_all_the_same() -> None:
    done = jhub("plan", "dev", *DAY, COLUMNS="80", PYTHONIOENCODING="ascii")
    assert (done.returncode, done.stderr) == (0, "")
    assert "No check failed" in done.stdout


@pytest.mark.real
def test_a_person_sees_eighty_columns_without_colour_codes() -> None:
    done = jhub("plan", "dev", *DAY, COLUMNS="80")
    assert done.returncode == 0, done.stderr
    assert max(map(len, done.stdout.splitlines())) <= 80
    assert "\x1b[" not in done.stdout, "colours belong to a terminal"
    for words in ("documentation range", "per month", "No check failed"):
        assert words in done.stdout
    assert "may autoscaling" not in done.stdout


@pytest.mark.real
def test_the_verdict_comes_first_and_the_sample_fits_a_screen() -> None:
    lines = jhub("plan", "dev", *DAY, COLUMNS="80").stdout.splitlines()
    assert lines[0].startswith("Pulumi.dev.yaml becomes jhub-dev in us-east-1: ")
    assert lines[1].startswith("✓ No check failed, ") and lines[1].endswith(
        "To build it: pulumi up -s dev"
    )
    assert len(lines) <= 60
    failed = jhub("plan", "dev", "--as-of", "2027-06-01", COLUMNS="80").stdout.splitlines()
    assert failed[1].startswith("✗ 1 check failed, ")
    assert failed[3].startswith("✗ cluster.version: ")


@pytest.mark.real
def test_the_whole_plan_has_every_resource_check_and_line() -> None:
    text = jhub("plan", "dev", "--resources", *DAY, COLUMNS="80").stdout
    assert max(map(len, text.splitlines())) <= 80
    for words in (
        "may autoscaling:SetDesiredCapacity",
        "10.0.0.0/16",
        "documentation range",
        "public IPv4 address of a load balancer",
        "No check failed",
    ):
        assert words in text
    assert sum(line.startswith("✓ ") for line in text.splitlines()) == 2 + sum(
        check["status"] == "pass" for check in plan()["checks"]
    )


@pytest.mark.real
def test_a_file_gets_no_trailing_blanks() -> None:
    for option in ((), ("--resources",)):
        lines = jhub("plan", "dev", *option, *DAY, COLUMNS="80").stdout.splitlines()
        assert [line for line in lines if line != line.rstrip()] == []


@pytest.mark.real
def test_the_lines_that_are_left_out_of_the_bill_are_summed() -> None:
    text = jhub("plan", "dev", *DAY, COLUMNS="80").stdout.splitlines()
    bill = text[
        next(number for number, line in enumerate(text) if line.startswith("per month")) + 1 :
    ]
    amounts = [
        float(line.split()[-3].replace(",", ""))
        for line in bill[
            : next(number for number, line in enumerate(bill) if line.startswith("total"))
        ]
    ]
    assert len(amounts) < len(plan()["cost"]["lines"])
    assert sum(amounts) == pytest.approx(
        plan()["cost"]["idle_monthly"], abs=0.005 * len(plan()["cost"]["lines"])
    )


@pytest.mark.real
def test_a_failed_check_is_exit_code_one() -> None:
    done = jhub("plan", "dev", "--as-of", "2027-06-01", COLUMNS="80")
    assert done.returncode == 1
    assert "left standard support" in done.stdout
    assert "do not run `pulumi up`" in done.stdout


def test_a_wrong_file_is_exit_code_two_with_every_problem() -> None:
    settings = ("pools.memory.size.min=20", "network.nat=none", "nmae=x")
    done = in_process(["plan", "dev", *(f"--set={setting}" for setting in settings)], ROOT)
    assert (done.returncode, done.stdout) == (2, "")
    lines = done.stderr.splitlines()
    assert (
        "Pulumi.dev.yaml: pools.memory.size.max: must be at least min (got 10 < 20); raise max or"
        " lower min [pools.max-below-min]" in lines
    )
    assert any(line.startswith("Pulumi.dev.yaml: network.nat: cannot be none") for line in lines)
    assert (
        "Pulumi.dev.yaml: nmae: is not an option of this program; did you mean name? [option.unknown]"
        in lines
    )
    assert len(lines) == 3


@pytest.mark.real
@pytest.mark.parametrize(
    ("arguments", "says", "which"),
    [
        (("plan", "prod"), "name a stack (airgap, airgap-hub, dev)", "stack-file.missing"),
        (("plan", "dev", "--set", "pools"), "--set pools: ", "set.form"),
        (("plan", "dev", "--set", "pools.core.size=[1"), "--set pools.core.size: ", "set.value"),
        (
            ("plan", "dev", "--set", "network.zones[9]=us-east-1d"),
            "does not exist at [9]",
            "set.no-place",
        ),
        (("plan", "dev", "--as-of", "tomorrow"), "--as-of: ", "option.date"),
        (("plan", "dev", "--json", "/no/such/folder/plan.json"), "--json: ", "file.not-written"),
        (("plan",), "STACK: is missing", "command.missing"),
        (("plna",), "did you mean plan?", "command.unknown"),
        (("plan", "dev", "--jsn"), "did you mean --json?", "command.option"),
        (("plan", str(ROOT)), "this file does not exist", "stack-file.missing"),
        (("plan", str(ROOT / "tests") + "/x.yaml"), "x.yaml: ", "stack-file.missing"),
        (("plan", "dev", "--set", "=3"), "--set : ", "set.form"),
        (("plan", "dev", "--set", "tags={2026-11-23: x}"), "tags: ", "stack-file.not-json"),
        (("plan", "dev", "--as-of", "2026-02-30"), "(got '2026-02-30')", "option.date"),
        (("plan", "dev", "--json", str(ROOT)), "--json: ", "file.not-written"),
        (("plan", "dev", "--markdown"), "--markdown: ", "command.needs-against"),
    ],
)
def test_wrong_arguments_are_answered_in_words(
    arguments: tuple[str, ...], says: str, which: str
) -> None:
    done = jhub(*arguments)
    assert done.returncode == 2
    assert says in done.stderr
    assert not which or f"[{which}]" in done.stderr, done.stderr
    assert "Traceback" not in done.stderr
    assert done.stdout == ""


@pytest.mark.real
def test_a_folder_of_that_name_is_no_stack_file(tmp_path: Path) -> None:
    (tmp_path / "Pulumi.mine.yaml").mkdir()
    (tmp_path / "Pulumi.other.yaml").write_text("config: {}\n")
    for stack in ("mine", str(tmp_path / "Pulumi.mine.yaml")):
        done = jhub("plan", stack, cwd=tmp_path)
        assert done.returncode == 2
        assert done.stderr.startswith("Pulumi.mine.yaml: this file does not exist; name a stack (")
        assert "other" in done.stderr
        assert done.stderr.count("\n") == 1


def _stack(folder: Path, text: str) -> str:
    path = folder / "Pulumi.mine.yaml"
    path.write_text(text, encoding="utf-8")
    return str(path)


@pytest.mark.real
@pytest.mark.parametrize(
    ("text", "says", "which"),
    [
        ("config: [", "at line 1", "stack-file.not-yaml"),
        ("", "config: ", "stack-file.no-config"),
        ("- a\n", "config: ", "stack-file.no-config"),
        ("config:\n  a: 1\n  a: 2\n", "YAML", "stack-file.not-yaml"),
        ("config:\n\ta: 1\n", "at line 2", "stack-file.tab"),
        ("config:\n  a: {{ b }}\n", "at line 2", "stack-file.braces"),
    ],
)
def test_a_file_that_is_no_stack_file_says_where(
    tmp_path: Path, text: str, says: str, which: str
) -> None:
    done = jhub("plan", _stack(tmp_path, text))
    assert done.returncode == 2
    assert says in done.stderr and f"[{which}]" in done.stderr
    assert len(done.stderr.splitlines()) == 1


@pytest.mark.real
def test_encrypted_values_are_neither_needed_nor_shown(tmp_path: Path) -> None:
    document = YAML(typ="safe").load((ROOT / "Pulumi.dev.yaml").read_text())
    document["encryptionsalt"] = "v1:none"
    document["config"]["aws:secretKey"] = {"secure": "v1:CIPHERTEXT"}
    path = tmp_path / "Pulumi.mine.yaml"
    YAML().dump(document, path)
    done = jhub("plan", str(path), "--json", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "CIPHERTEXT" not in done.stdout + done.stderr
    document["config"]["tags"] = {"owner": {"secure": "v1:CIPHERTEXT"}}
    YAML().dump(document, path)
    done = jhub("plan", str(path))
    assert done.returncode == 2
    assert "tags: is encrypted" in done.stderr
    assert "CIPHERTEXT" not in done.stderr


@pytest.mark.real
def test_an_unknown_encrypted_key_is_refused_without_its_value() -> None:
    done = jhub("plan", "dev", "--set", 'jupyterhub-aws:nmae={"secure": "v1:CIPHERTEXT"}')
    assert (done.returncode, done.stdout) == (2, "")
    assert "nmae: is not an option of this program; did you mean name?" in done.stderr
    assert done.stderr.count("\n") == 1
    assert "CIPHERTEXT" not in done.stderr


@pytest.mark.real
@pytest.mark.parametrize(
    "lines",
    [
        "  other:token: {secure: v1:CIPHERTEXT}\n  other:token: {secure: v1:CIPHERTEXT}\n",
        "  other:token: {secure: v1:CIPHERTEXT, secure: v1:CIPHERTEXT}\n",
        "  other:token: {secure: v1:CIPHERTEXT\n",
        "  other:token: {secure: v1:CIPHERTEXT}}\n",
        "  other:token:\n    secure: v1:CIPHERTEXT\n   x: 1\n",
        '  other:token: {secure: "v1:CIPHERTEXT}\n',
    ],
    ids=[
        "key twice",
        "secure twice",
        "never closed",
        "closed twice",
        "indentation",
        "quote left open",
    ],
)
def test_a_broken_file_does_not_print_what_is_encrypted(tmp_path: Path, lines: str) -> None:
    done = jhub("plan", _stack(tmp_path, "config:\n" + lines))
    assert done.returncode == 2
    assert "[stack-file.not-yaml]" in done.stderr
    assert done.stderr.count("\n") == 1
    assert "CIPHERTEXT" not in done.stdout + done.stderr


@pytest.mark.real
def test_a_wrong_file_and_help_load_no_sdk() -> None:
    for arguments in (
        ("plan", "dev", "--set", "pools.core.size=no"),
        ("--help",),
        ("schema", "--output", "-"),
        ("docs", "--output", "-"),
    ):
        done = jhub(*arguments, PYTHONPROFILEIMPORTTIME="1")
        loaded = {
            line.rpartition("|")[2].strip()
            for line in done.stderr.splitlines()
            if line.startswith("import time:")
        }
        assert "click" in loaded, "the list of imports was not printed"
        later = ("pulumi", "grpc", "httpx")
        assert not {name for name in loaded if name.startswith(later)}, arguments
        if arguments == ("--help",):
            assert not {
                name
                for name in loaded
                if name.startswith(
                    (
                        "jupyterhub_aws.cli.commands.",
                        "jupyterhub_aws.config.stack",
                        "pydantic.",
                        "rich",
                    )
                )
            }


@pytest.mark.real
def test_an_error_of_the_program_is_one_line_with_its_place(tmp_path: Path) -> None:
    for part in ("config", "components", "jupyterhub_aws"):
        shutil.copytree(ROOT / part, tmp_path / part, symlinks=True)
    shutil.copy(ROOT / "Pulumi.dev.yaml", tmp_path)
    (tmp_path / "__main__.py").write_text((ROOT / "__main__.py").read_text())
    plan_py = tmp_path / "config" / "specs" / "network.py"
    plan_py.write_text(
        plan_py.read_text().replace(
            "    vpc = IPv4Network(cidr)", "    vpc = IPv4Network(cidr + 1 / 0)"
        )
    )
    command = [
        sys.executable,
        "-c",
        "import sys; sys.path.insert(0, '.'); from jupyterhub_aws.cli.main import main; main()",
    ]
    done = subprocess.run(
        [*command, "plan", "dev"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 2
    assert done.stderr.splitlines()[-1].startswith(
        "jhub: division by zero (at jupyterhub_aws/config/specs/network.py:"
    )
    assert "Traceback" not in done.stderr
    assert done.stderr.count("\n") == 1
    assert done.stdout == ""
    for arguments in (("--debug", "plan", "dev"), ("plan", "dev", "--debug")):
        done = subprocess.run(
            [*command, *arguments],
            cwd=tmp_path,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert done.returncode == 2, "1 would say that a check failed"
        assert "Traceback" in done.stderr
        assert "ZeroDivisionError: division by zero" in done.stderr


def test_help_names_the_options() -> None:
    done = in_process(["plan", "--help"], ROOT)
    assert done.returncode == 0
    for option in ("--json", "--set", "--as-of", "STACK"):
        assert option in done.stdout
    done = in_process(["--help"], ROOT)
    assert done.returncode == 0
    for command in ("plan", "schema", "docs", "--debug"):
        assert command in done.stdout


def test_every_command_has_a_line_in_the_list_and_is_called_as_its_module() -> None:
    done = in_process(["--help"], ROOT, {"COLUMNS": "80"})
    for name, text in _COMMANDS.items():
        assert f"  {name.ljust(max(map(len, _COMMANDS)))}  {text}\n" in done.stdout, (
            "whole, in one line of 80 columns"
        )
        assert jhub_group.get_command(None, name).name == name
    assert jhub_group.get_command(None, "nothing") is None


@pytest.mark.real
def test_a_wrong_file_is_answered_in_a_fraction_of_a_plan() -> None:
    def wrong() -> None:
        assert jhub("plan", "dev", "--set", "pools.core.size=no").returncode == 2

    def right() -> None:
        assert jhub("plan", "dev").returncode == 0

    assert compared(wrong, right) < 0.4


@pytest.mark.real
def test_a_reader_that_leaves_early_is_no_error() -> None:
    done = subprocess.run(  # noqa: S602
        f"{JHUB} plan dev | head -1",
        shell=True,
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.stderr == ""
    assert done.stdout.startswith("Pulumi.dev.yaml becomes")


@pytest.mark.real
@pytest.mark.parametrize("form", [(), ("--json",)], ids=["text", "data"])
@pytest.mark.parametrize(
    ("day", "code"), [("2026-11-23", 0), ("2027-06-01", 1)], ids=["fine", "failed"]
)
def test_the_verdict_does_not_depend_on_the_reader(
    form: tuple[str, ...], day: str, code: int
) -> None:
    read_end, write_end = os.pipe()
    os.close(read_end)
    try:
        done = subprocess.run(
            [JHUB, "plan", "dev", *form, "--as-of", day],
            cwd=ROOT,
            stdout=write_end,
            stderr=subprocess.PIPE,
            timeout=60,
            check=False,
        )
    finally:
        os.close(write_end)
    assert (done.returncode, done.stderr) == (code, b"")


@pytest.mark.real
def test_a_closed_standard_output_is_no_traceback() -> None:
    done = subprocess.run(  # noqa: S602
        f"{JHUB} plan dev >&-",
        shell=True,
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.real
def test_a_path_works_from_any_folder_and_names_come_from_the_current_one(tmp_path: Path) -> None:
    folder = tmp_path / "stacks"
    folder.mkdir()
    shutil.copy(ROOT / "Pulumi.dev.yaml", folder / "Pulumi.mine.yaml")
    for stack, cwd in (("stacks/Pulumi.mine.yaml", tmp_path), ("mine", folder)):
        done = jhub("plan", stack, "--json", *DAY, cwd=cwd)
        assert done.returncode == 0, done.stderr
        expected = json.dumps(plan())
        for words in ("urn:pulumi:{}::", "--stack {} ", "drill {} ", "drills/{}.toml"):
            expected = expected.replace(words.format("dev"), words.format("mine"))
        # The engine would look for it in the project's folder.
        said = re.sub(r" --config-file [^\s\"]+", "", done.stdout)
        assert "hub-main-client-secret --config-file " in done.stdout
        assert json.loads(said) == json.loads(expected) | {"stack": "mine"}
    below = ROOT / "docs"
    assert json.loads(jhub("plan", "dev", "--json", *DAY, cwd=below).stdout) == plan(), (
        "without stack files there, those of the project"
    )


def test_the_note_of_the_bill_names_the_storage_of_buckets() -> None:
    """Nothing tells how much users write."""
    done = in_process(["plan", "dev", "--set=buckets={tmp: {kind: scratch}}", *DAY], ROOT)
    text = " ".join(done.stdout.split())
    assert "without traffic, logs, backups and storage of homes and buckets; before" in text
    text = " ".join(in_process(["plan", "dev", *DAY], ROOT).stdout.split())
    assert "without traffic, logs, backups and storage of homes; before discounts and" in text


@pytest.mark.real
def test_the_brief_plan_is_a_dozen_lines_with_ids() -> None:
    done = in_process(["plan", "dev", "--brief"], ROOT, {"COLUMNS": "60"})
    lines = done.stdout.splitlines()
    assert done.returncode == 0 and len(lines) <= 12
    assert lines[0].startswith("Pulumi.dev.yaml becomes jhub-dev in us-east-1: ")
    assert lines[1].startswith("✓ No check failed, 8 warnings.")
    assert any(
        line.startswith("! documentation-values ×4  aws:allowedAccountIds: ") for line in lines
    )
    assert "secrets-given" in done.stdout and "US dollars a month: " in done.stdout
    assert all("…" not in line for line in lines), "whole in a pipe, however narrow"
    wrong = in_process(
        ["plan", "dev", "--brief", "--set", "hubs.main.helm_values.hub.nodeSelector.disk=fast"],
        ROOT,
    )
    assert wrong.returncode == 1
    assert "\n✗ core-nodes-fit" in wrong.stdout


@pytest.mark.real
def test_brief_and_whole_exclude_each_other() -> None:
    done = in_process(["plan", "dev", "--brief", "--resources"], ROOT)
    assert done.returncode == 2 and "[command.exclusive]" in done.stderr


@pytest.mark.real
def test_the_page_comes_with_the_verdict(tmp_path: Path) -> None:
    done = in_process(["plan", "dev", "--html", str(tmp_path / "plan.html")], ROOT)
    assert "✓ No check failed, 8 warnings. To build it: pulumi up -s dev" in done.stdout
