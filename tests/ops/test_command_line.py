"""The command line itself: its lists, its help, its answers to a wrong word, what a shell
completes.
"""

from __future__ import annotations

import json
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import click
import pexpect
import pytest
from click.shell_completion import BashComplete

from jupyterhub_aws.cli.about import DescribedCommand
from jupyterhub_aws.cli.commands.completion import VARIABLE
from jupyterhub_aws.cli.group import EXIT_CODES, SECTIONS, jhub
from tests.support.in_process import in_process
from tests.support.processor_time import compared
from tests.support.stack_files import ROOT


def leaves(
    command: click.Command = jhub, words: tuple[str, ...] = ()
) -> Iterator[tuple[str, click.Command]]:
    """Every command that does something, by its words."""
    if isinstance(command, click.Group):
        ctx = click.Context(command)
        for name in command.list_commands(ctx):
            found = command.get_command(ctx, name)
            assert found is not None, name
            yield from leaves(found, (*words, name))
    else:
        yield " ".join(words), command


LEAVES = dict(leaves())


def described(name: str) -> DescribedCommand:
    command = LEAVES[name]
    assert isinstance(command, DescribedCommand), "made with jupyterhub_aws.cli.about.command"
    return command


def test_every_command_is_in_one_section() -> None:
    names = [name for section in SECTIONS.values() for name in section]
    assert len(names) == len(set(names))
    assert list(SECTIONS) == ["Build", "Look", "Change", "Operate", "Adopt", "Isolated network"]


def test_help_begins_with_what_to_do_first_and_fits() -> None:
    done = in_process(["--help"], ROOT, {"COLUMNS": "80"})
    assert done.stdout.index("Begin with `jhub init lab`") < done.stdout.index("Build:")
    assert max(map(len, done.stdout.splitlines())) <= 80
    for code, says in EXIT_CODES.items():
        assert re.search(rf"  {code} +{re.escape(says)}", done.stdout), code


@pytest.mark.parametrize("name", LEAVES)
def test_help_says_what_is_needed_examples_and_exit_codes(name: str) -> None:
    command = described(name)
    done = in_process([*name.split(), "--help"], ROOT, {"COLUMNS": "80"})
    assert done.returncode == 0
    said = " ".join(done.stdout.split())
    assert f"Needs: {' '.join(command.needs.split())}." in said
    assert "Examples:" in done.stdout and "Exit codes:" in done.stdout
    assert {0, 2} <= command.exits.keys() <= {0, 1, 2}
    examples = {f"  {line}" for line, _ in command.examples}
    wide = [line for line in done.stdout.splitlines() if len(line) > 80]
    assert set(wide) <= examples, "only what is copied as it is may be wider"
    assert max(len(line) for line, _ in command.examples) <= 110


def calls(line: str) -> Iterator[list[str]]:
    """The calls of `jhub` in a line of a shell, as words."""
    inner = re.search(r"\$\((jhub[^)]*)\)", line)
    for part in re.split(r"[;|]", inner[1] if inner else line):
        words = shlex.split(re.sub(r"[<>] ?\S+", "", part))
        while words and re.fullmatch(r"[A-Z_]+=.*", words[0]):
            words.pop(0)
        if words and words[0] == "jhub":
            yield words[1:]


@pytest.mark.parametrize("name", LEAVES)
def test_examples_are_command_lines_of_the_command(name: str) -> None:
    for line, _ in described(name).examples:
        found = list(calls(line))
        assert found, line
        parsed = []
        for arguments in found:
            ctx: click.Context | None = None
            command: click.Command | None = jhub
            rest, words = arguments, []
            while isinstance(command, click.Group):
                ctx = command.make_context("jhub", list(rest), parent=ctx)
                word, command, rest = command.resolve_command(
                    ctx, [*ctx._protected_args, *ctx.args]
                )
                words.append(word)
            assert command is not None
            command.make_context("jhub", list(rest), parent=ctx)
            parsed.append(" ".join(map(str, words)))
        assert name in parsed, line


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("plna dev", "jhub: plna: is no command; did you mean plan? [command.unknown]"),
        ("dev", "jhub: dev: is no command; say what to do with this stack: jhub plan dev"),
        ("up", "jhub: up: is no command; build a stack with: pulumi up -s STACK"),
        ("xyzzy", "jhub: xyzzy: is no command; see all commands: jhub --help"),
        ("backup lst", "jhub backup: lst: is no command; did you mean list?"),
        ("backup xyz", "jhub backup: xyz: is no command; choose from list, now"),
        ("plan dev --jsn", "jhub plan: --jsn: is no option here; did you mean --json?"),
        ("plan dev --xyz", "is no option here; see the options: jhub plan --help [command.option]"),
        ("plan", "STACK: is missing; name a stack (airgap, airgap-hub, dev): jhub plan airgap"),
        ("logs dev", "jhub logs: HUB: is missing; name one (main) [command.missing]"),
        ("drain dev", "jhub drain: POOL: is missing; name one (gpu, memory)"),
        ("upgrade plan dev", "--to: is missing; add --to MINOR [command.missing]"),
        (
            "restart dev main prxy",
            "must be one of proxy, hub (got 'prxy'); did you mean proxy? [command.value]",
        ),
        ("certificate new x --days 999", "--days: 999 is not in the range 1<=x<=398"),
        ("plan dev x", "got unexpected extra argument (x); see jhub plan --help [command.usage]"),
        ("plan dvv", "this file does not exist; did you mean dev? [stack-file.missing]"),
        ("values dev mian", "has no hub 'mian' inside a cluster; did you mean main? [hub.unknown]"),
        ("explain pool.max-below-mn", "did you mean pools.max-below-min? [explain.unknown]"),
    ],
)
def test_a_wrong_word_is_answered_in_one_line(line: str, says: str) -> None:
    done = in_process(line.split(), ROOT)
    assert done.returncode == 2 and done.stdout == ""
    assert says in done.stderr, done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_without_a_stack_file_the_way_to_one_is_named(tmp_path: Path) -> None:
    done = in_process(["plan"], tmp_path)
    assert "STACK: is missing; there is no stack file here: jhub init makes one" in done.stderr


def test_what_is_no_usage_error_is_a_problem_too() -> None:
    from jupyterhub_aws.cli.usage import problem_of

    (problem,) = problem_of(click.FileError("x", "is gone")).problems
    assert problem.id == "command.failed" and "is gone" in problem.what


# --- What a shell completes.


def completed(line: str, folder: Path = ROOT) -> list[str]:
    """What `jhub LINE` becomes, where the last word is unfinished."""
    words = ["jhub", *line.split(" ")]
    environment = {"COMP_WORDS": " ".join(words), "COMP_CWORD": str(len(words) - 1)}
    with pytest.MonkeyPatch.context() as patch:
        for name, value in environment.items():
            patch.setenv(name, value)
        patch.chdir(folder)
        made = BashComplete(jhub, {}, "jhub", VARIABLE)
        return [item.value for item in made.get_completions(*made.get_completion_args())]


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("pl", ["plan"]),
        ("backup ", ["list", "now"]),
        ("plan a", ["airgap", "airgap-hub"]),
        ("plan dev --res", ["--resources"]),
        ("logs dev ", ["main"]),
        ("logs dev main p", ["proxy"]),
        ("health dev --profile ", ["gpu", "large", "small"]),
        ("can dev main s3:GetObject x --profile s", ["small"]),
        ("health dev --hub m", ["main"]),
        ("drain dev ", ["gpu", "memory"]),
        ("explain pools.max-b", ["pools.max-below-min"]),
        ("explain core-nodes", ["core-nodes-fit"]),
        ("completion ", ["bash", "fish", "zsh"]),
        ("logs nothing ", []),
        ("restart dev main ", ["hub", "proxy"]),
    ],
)
def test_completed(line: str, words: list[str]) -> None:
    assert sorted(completed(line)) == words


def test_users_and_groups_come_from_the_stack_file(tmp_path: Path) -> None:
    stack = {
        "config": {
            "jupyterhub-aws:hubs": {
                "one": {
                    "sign_in": {"allowed_users": ["ada", "grace"], "administrators": ["root"]},
                    "profiles": {"big": {"groups": ["staff"]}},
                },
                "two": {"sign_in": {"allowed_users": ["eve"]}},
            }
        }
    }
    (tmp_path / "Pulumi.lab.yaml").write_text(json.dumps(stack))
    (tmp_path / "Pulumi.yaml").write_text("name: jupyterhub-aws\nruntime: python\n")
    assert completed("logs lab one ", tmp_path) == ["hub", "proxy", "ada", "grace", "root"]
    assert completed("restore plan lab --user e", tmp_path) == ["eve"]
    assert completed("can lab one s3:GetObject x --group ", tmp_path) == ["staff"]


def test_a_wrong_file_completes_nothing_and_says_nothing(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "Pulumi.dev.yaml").write_text("config: [")
    (tmp_path / "Pulumi.yaml").write_text(": : :")
    assert completed("logs dev ", tmp_path) == []
    assert completed("plan d", tmp_path) == ["dev"]
    (tmp_path / "Pulumi.dev.yaml").write_text("config: {hubs: [1], pools: 7}")
    assert completed("logs dev ", tmp_path) == completed("drain dev ", tmp_path) == []
    captured = capfd.readouterr()
    assert captured.out == captured.err == ""


JHUB = Path(sys.executable).with_name("jhub")
#: Its arguments, the file of `jhub completion --help`, and what a user has in their own files.
SHELLS = {
    "bash": (["--norc", "-i"], ".jhub", ". ~/.jhub"),
    "zsh": (
        ["-f", "-i"],
        ".zfunc/_jhub",
        "fpath=(~/.zfunc $fpath); autoload -U compinit; compinit -D -u",
    ),
    "fish": (["-i"], ".config/fish/completions/jhub.fish", "true"),
}
#: What is typed, and what the Tab key puts behind it.
TYPED = [
    ("jhub plan d", "ev"),
    ("jhub drain dev me", "mory"),
    ("jhub logs dev ma", "in"),
    ("jhub explain core-nodes", "-fit"),
    ("jhub backup l", "ist"),
    ("jhub plan dev --res", "ources"),
]


@pytest.mark.real
@pytest.mark.parametrize("shell", SHELLS)
def test_the_tab_key_completes_in_a_real_shell(shell: str, tmp_path: Path) -> None:
    """On a terminal of its own, with the script where the help says that it belongs."""
    if shutil.which(shell) is None:
        pytest.skip(f"{shell} is not installed")
    words, name, line = SHELLS[shell]
    script = tmp_path / name
    script.parent.mkdir(parents=True, exist_ok=True)
    script.write_text(in_process(["completion", shell], ROOT).stdout)
    environment = {
        "PATH": f"{JHUB.parent}:/usr/bin:/bin",
        "HOME": str(tmp_path),
        "TERM": "dumb",
        "LC_ALL": "C.UTF-8",
    }
    terminal = pexpect.spawn(
        shell, words, cwd=str(ROOT), env=environment, encoding="utf-8", timeout=30
    )
    terminal.setwinsize(24, 120)
    try:
        terminal.sendline(f"{line}; echo rea''dy")
        terminal.expect("ready")
        for typed, completed_ in TYPED:
            terminal.send(f"{typed}\t")
            terminal.expect_exact(completed_)
            terminal.send("\x15")  # the line is empty again
    finally:
        terminal.close(force=True)


@pytest.mark.real
@pytest.mark.parametrize("shell", SHELLS)
def test_the_script_is_of_that_shell(shell: str) -> None:
    done = in_process(["completion", shell], ROOT)
    assert done.returncode == 0 and VARIABLE in done.stdout
    assert ("$funcstack[1] == _jhub" in done.stdout) == (shell == "zsh"), "click's script changed"


@pytest.mark.real
def test_completion_needs_no_sdk_and_little_time() -> None:
    """Less than a quarter of what a plan takes: Pulumi's SDK alone takes more."""

    def at_the_tab_key() -> None:
        done = subprocess.run(
            [JHUB],
            cwd=ROOT,
            env={
                "_JHUB_COMPLETE": "bash_complete",
                "COMP_WORDS": "jhub logs dev ",
                "COMP_CWORD": "3",
            },
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert done.stdout == "plain,main\n" and done.stderr == "", done.stderr

    def plan() -> None:
        done = subprocess.run([JHUB, "plan", "dev"], cwd=ROOT, capture_output=True, check=False)
        assert done.returncode == 0

    assert compared(at_the_tab_key, plan) < 0.25
