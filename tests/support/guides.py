"""Follow a page of docs/ as a reader does, in an empty folder.

A page says what its blocks are by how they are written:

- a block `console` has commands after `$ ` and below each one what it prints; `…` on a line of its
  own is what the page leaves out. They are run. Without `echo $?` they have to end with 0.
- a block `sh` has commands that need AWS, a cluster or another program. They are not run; a `jhub`
  among them has to be a command that exists, with options that it has.
- a block `yaml` or `text` after a sentence that begins with "Write", "Replace" or "Add" and names a
  file is done to that file: written, or its sections replaced or added. A line `<FILE>` in it is
  where the reader puts the lines of that file.

`python -m tests.support.guides` follows the pages and writes what the commands print now into them,
and the picture that a page shows of a terminal.
"""

from __future__ import annotations

import contextlib
import datetime
import difflib
import io
import os
import re
import shlex
import sys
import tempfile
import types
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from unittest import mock

import click
import yaml

from jupyterhub_aws.cli import arguments as cli_arguments
from jupyterhub_aws.cli.group import jhub
from jupyterhub_aws.config.chart import merged
from jupyterhub_aws.config.errors import ConfigError
from jupyterhub_aws.init import judge
from jupyterhub_aws.operate import certificate
from jupyterhub_aws.operate.daily import who
from jupyterhub_aws.operate.daily.who import Running
from jupyterhub_aws.operate.live.hub_api import Server
from tests.support.in_process import Done, in_process
from tests.support.stack_cases import validated_values
from tests.support.stack_files import ROOT, config_of, engine_key, engine_values
from tests.support.stacks import quiet_sdks

DOCS = ROOT / "docs"
TUTORIALS = tuple(sorted((DOCS / "tutorials").glob("*.md")))
#: Pages by task, whose commands are run in the project of this repository's sample `dev`.
GUIDES = tuple(
    DOCS / f"{name}.md"
    for name in (
        "administrators",
        "certificates",
        "gpus",
        "helm-values",
        "home-size",
        "kernels-and-memory",
        "pause",
        "pending",
        "profiles",
    )
)
#: The day on which the pages were written: support dates are judged as of it.
DAY = datetime.date(2026, 11, 30)
#: No setting of the machine that follows a page becomes an answer.
ALONE = {
    "AWS_REGION": "",
    "AWS_DEFAULT_REGION": "",
    "AWS_PROFILE": "",
    "AWS_CONFIG_FILE": "/nothing",
    "JHUB_DOCS": "",
    "NO_COLOR": "",
    "COLORTERM": "",
    "TERM": "xterm-256color",
    "USER": "ada",
    "COLUMNS": "80",
}
LEFT_OUT = "…"
Run = Callable[[list[str], Path, dict[str, str]], Done]
#: What a page may tell a reader to run besides `jhub`.
OTHERS = frozenset(
    "aws awk cd chmod chown cp curl diff export git gpg grep helm jq kubectl ls mkdir mount openssl pip"
    " pipx pulumi python3 rsync sed skopeo sudo tar umount uv".split()
)
_FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_DEED = re.compile(r"^(Write|Replace|Add)\b.*?`([\w./-]+\.(?:yaml|py|txt|toml))`", re.DOTALL)
_SECTION = re.compile(r"^  [A-Za-z]")


@dataclass(frozen=True)
class Block:
    """One fenced block, with the paragraph before it."""

    kind: str
    text: str
    start: int
    end: int
    before: str


@dataclass(frozen=True)
class Command:
    """One command of a block `console`, and what the page says that it prints."""

    line: str
    printed: tuple[str, ...]


@dataclass
class Followed:
    """What happened, and the page as it would be with what was printed."""

    page: str
    faults: list[str] = field(default_factory=list)
    ran: list[str] = field(default_factory=list)
    printed: str = ""


def blocks(page: str) -> list[Block]:
    found = []
    for match in _FENCE.finditer(page):
        before = page[: match.start()].rstrip().rpartition("\n\n")[2]
        found.append(Block(match[1], match[2], match.start(2), match.end(2), before))
    return found


def commands(text: str) -> list[Command]:
    """The commands of a block `console`."""
    found: list[tuple[str, list[str]]] = []
    for line in text.splitlines():
        if line.startswith("$ "):
            found.append((line[2:], []))
        elif found and not found[-1][1] and found[-1][0].endswith("\\"):
            found[-1] = (found[-1][0][:-1].rstrip() + " " + line.strip(), [])
        else:
            found[-1][1].append(line)
    return [Command(line, tuple(printed)) for line, printed in found]


def matches(expected: tuple[str, ...], printed: list[str]) -> bool:
    """Whether that was printed, with lines `…` for any number of lines."""
    pattern = r"(?:.*\n)*?".join(
        "".join(f"{re.escape(line)}\n" for line in piece) for piece in _pieces(expected)
    )
    return re.fullmatch(pattern, "".join(f"{line}\n" for line in printed)) is not None


def _pieces(expected: tuple[str, ...]) -> list[list[str]]:
    pieces: list[list[str]] = [[]]
    for line in expected:
        if line == LEFT_OUT:
            pieces.append([])
        else:
            pieces[-1].append(line.rstrip())
    return pieces


def renewed(expected: tuple[str, ...], printed: list[str]) -> list[str]:
    """What is printed now, left out where the page left something out."""
    if LEFT_OUT not in expected:
        return printed
    lines: list[str] = []
    place = 0
    pieces = _pieces(expected)
    for number, piece in enumerate(pieces):
        if number:
            lines.append(LEFT_OUT)
        if not piece:
            continue
        first = 0 if number == 0 else _nearest(piece[0], printed, place)
        last = (
            len(printed) - 1
            if number == len(pieces) - 1
            else _nearest(piece[-1], printed, first, first + len(piece) + 3)
        )
        lines += printed[first : last + 1]
        place = last + 1
    return lines


def _nearest(line: str, printed: list[str], start: int, stop: int | None = None) -> int:
    places = range(start, min(stop or len(printed), len(printed)))
    return max(
        places,
        key=lambda at: difflib.SequenceMatcher(None, line, printed[at]).ratio(),
        default=start,
    )


def spliced(file: str, sections: str) -> str:
    """A stack file with these sections, below `config:`, in place of its own, or added."""
    lines = file.splitlines()
    chunks: list[list[str]] = []
    for line in sections.splitlines():
        if line in ("config:", ""):
            continue
        if _SECTION.match(line):
            chunks.append([])
        chunks[-1].append(line)
    for chunk in chunks:
        key = chunk[0].partition(": ")[0].rstrip(":") + ":"
        at = next((i for i, line in enumerate(lines) if line.startswith(key)), None)
        if at is None:
            lines += ["", *chunk]
            continue
        end = at + 1
        while end < len(lines) and lines[end].startswith("   "):
            end += 1
        lines[at:end] = chunk
    return "\n".join(lines) + "\n"


def pasted(text: str, here: Path) -> str:
    """The block with the lines of the files that it wants: in this folder, or the one above."""

    def lines(found: re.Match[str]) -> str:
        file = next(
            folder / found[2] for folder in (here, here.parent) if (folder / found[2]).is_file()
        )
        return "".join(f"{found[1]}{line}\n" for line in file.read_text("utf-8").splitlines())

    return re.sub(r"(?m)^( +)<([\w.-]+)>\n", lines, text)


def parsed(words: list[str]) -> str:
    """What is wrong with a `jhub` that is not run; nothing, if its command and options exist."""
    command: click.Command = jhub
    rest, path = words[1:], ["jhub"]
    context = click.Context(jhub, info_name="jhub")
    while isinstance(command, click.Group):
        if not rest or rest[0] in ("--help", "--version"):
            return ""
        found = command.get_command(context, rest[0])
        if found is None:
            # A group with a command of its own takes other words: `jhub versions dev`.
            default = command.get_command(context, "show")
            if default is None:
                return f"no such command: {' '.join([*path, rest[0]])}"
            command = default
            break
        path.append(rest[0])
        command, rest = found, rest[1:]
        context = click.Context(command, parent=context, info_name=path[-1])
    try:
        parser = command.make_parser(context)
        parser.parse_args(list(rest))
    except click.UsageError as error:
        return f"{' '.join(words)}: {error.message}"
    return ""


def _programs(words: list[str]) -> Iterator[list[str]]:
    """The commands of a line: `a | b && c < file` are three."""
    found: list[str] = []
    skip = False
    for word in words:
        if skip:
            skip = False
        elif word in ("<", ">"):
            skip = True
        elif word in ("|", "&&"):
            yield found
            found = []
        else:
            found.append(word)
    if found:
        yield found


def unrun(text: str) -> list[str]:
    """The faults of a block `sh`."""
    faults = []
    for line in text.replace("\\\n", " ").splitlines():
        lexer = shlex.shlex(line, posix=True, punctuation_chars="|&<>")
        lexer.whitespace_split = True
        for words in _programs(list(lexer)):
            if words[0] == "jhub":
                fault = parsed(words)
                faults += [fault] if fault else []
            elif words[0] not in OTHERS and "=" not in words[0]:
                faults.append(f"{words[0]}: not a command that a page names")
    return faults


class _Fixed(datetime.datetime):
    @classmethod
    def now(cls, tz: datetime.tzinfo | None = None) -> _Fixed:
        return cls(DAY.year, DAY.month, DAY.day, 12, tzinfo=tz)


@contextmanager
def on_the_day() -> Iterator[None]:
    clock = types.SimpleNamespace(**{**vars(datetime), "datetime": _Fixed})
    with (
        quiet_sdks(),
        mock.patch.object(cli_arguments, "datetime", clock),
        mock.patch.object(judge, "datetime", clock),
        mock.patch.object(certificate, "datetime", clock),
    ):
        yield


def follow(path: Path, folder: Path, run: Run = in_process) -> Followed:
    """Do what the page says, from this empty folder."""
    page = path.read_text(encoding="utf-8")
    if path in GUIDES:
        sample(folder)
    done = Followed(page)
    here, changes = folder, []
    for block in blocks(page):
        if block.kind == "sh":
            done.faults += unrun(block.text)
        elif block.kind in ("yaml", "text", "python") and (deed := _DEED.match(block.before)):
            file = here / deed[2]
            if deed[1] == "Write":
                file.parent.mkdir(parents=True, exist_ok=True)
                file.write_text(block.text, encoding="utf-8")
            else:
                yaml.safe_load(block.text)
                text = pasted(block.text, here)
                file.write_text(spliced(file.read_text("utf-8"), text), encoding="utf-8")
        elif block.kind == "yaml" and path in GUIDES:
            fault = fragment(block.text)
            done.faults += [fault] if fault else []
        elif block.kind == "yaml":
            done.faults.append(f"no sentence says what to do with {block.text.splitlines()[0]!r}")
        elif block.kind == "console":
            text, here = _console(block, here, done, run)
            changes.append((block.start, block.end, text))
    for start, end, text in reversed(changes):
        done.page = done.page[:start] + text + done.page[end:]
    return done


def sample(folder: Path) -> None:
    """Make it the project of the sample `dev`."""
    for name in ("Pulumi.yaml", "Pulumi.dev.yaml"):
        (folder / name).write_text((ROOT / name).read_text("utf-8"), encoding="utf-8")


def fragment(text: str) -> str:
    """What is wrong with a piece of a stack file, in place of what the sample says there."""
    config = config_of(ROOT / "Pulumi.dev.yaml")
    said = {engine_key(key): value for key, value in yaml.safe_load(text).items()}
    kinds = [key for key, value in said.items() if "kind" in value]
    config = {key: value for key, value in config.items() if key not in kinds}
    try:
        validated_values(*engine_values(merged(config, said)))
    except ConfigError as error:
        return str(error)
    return ""


def _console(block: Block, here: Path, done: Followed, run: Run) -> tuple[str, Path]:
    lines: list[str] = []
    code, judged = 0, True
    for command in commands(block.text):
        words = shlex.split(command.line)
        printed: list[str] = []
        if command.line == "echo $?":
            printed, judged = [str(code)], True
        elif not judged:
            done.faults.append(f"{done.ran[-1]}: ended with {code}")
        if words[0] == "cd":
            here = here / words[1]
        elif words[0] == "mkdir":
            (here / words[1]).mkdir()
        elif words[0] == "jhub":
            done.ran.append(command.line)
            with on_the_day():
                ended = run(words[1:], here, ALONE)
            code, judged = ended.returncode, ended.returncode == 0
            printed = [line.rstrip() for line in (ended.stdout + ended.stderr).splitlines()]
            done.printed += "\n".join(["", *printed])
        elif command.line != "echo $?":
            done.faults.append(f"{words[0]}: not a command that a test can run")
        if not matches(command.printed, printed):
            old, new = command.printed, renewed(command.printed, printed)
            done.faults.append(
                f"{command.line}: prints something else\n"
                + "\n".join(difflib.unified_diff(old, new, "the page", "printed", lineterm=""))
            )
            lines += _shown(block.text, command), *new
        else:
            lines += _shown(block.text, command), *command.printed
    if not judged:
        done.faults.append(f"{done.ran[-1]}: ended with {code}")
    return "".join(f"{line}\n" for line in lines), here


def _shown(text: str, command: Command) -> str:
    """A command as the page writes it, over several lines too."""
    for found in re.finditer(r"^\$ (?:.*\\\n)*.*$", text, re.MULTILINE):
        if re.sub(r"\s*\\\n\s*", " ", found[0])[2:] == command.line:
            return found[0]
    raise AssertionError(command.line)


#: Pictures of a terminal on pages: the file, the page whose folder it is made in, the command.
PICTURES = {
    DOCS / "images" / "first-hub-plan.svg": (
        DOCS / "tutorials" / "first-hub.md",
        "jhub plan dev",
    ),
}
#: A terminal with its own dark ground, readable on light and dark pages; no font of another host.
_SVG = """\
<svg class="rich-terminal" viewBox="0 0 {width} {height}" xmlns="http://www.w3.org/2000/svg">
    <style>
    .{unique_id}-matrix {{
        font-family: ui-monospace, Menlo, Consolas, "DejaVu Sans Mono", monospace;
        font-size: {char_height}px;
        line-height: {line_height}px;
    }}
    .{unique_id}-title {{
        font-size: 18px;
        font-family: ui-monospace, Menlo, Consolas, "DejaVu Sans Mono", monospace;
    }}
    {styles}
    </style>
    <defs>
    <clipPath id="{unique_id}-clip-terminal">
      <rect x="0" y="0" width="{terminal_width}" height="{terminal_height}" />
    </clipPath>
    {lines}
    </defs>
    {chrome}
    <g transform="translate({terminal_x}, {terminal_y})" clip-path="url(#{unique_id}-clip-terminal)">
    {backgrounds}
    <g class="{unique_id}-matrix">
    {matrix}
    </g>
    </g>
</svg>
"""


#: What `jhub who` shows on docs/gpus.md, of servers as a hub and a cluster have them.
WHO = DOCS / "gpus.md"


def who_example() -> str:
    """What the command prints of three servers, at noon of the day."""
    servers = [
        ("ada", "gpu", "ip-10-0-12-7", "gpu", "09:10", "11:58"),
        ("bob", "gpu", "ip-10-0-12-7", "gpu", "08:02", "08:40"),
        ("grace", "small", "ip-10-0-3-21", "memory", "11:30", "11:59"),
    ]
    running = [
        Running(
            hub="main",
            server=Server(
                user=user,
                name="",
                profile=profile,
                pending="",
                ready=True,
                started=f"{DAY}T{started}:00Z",
                last_activity=f"{DAY}T{active}:00Z",
            ),
            node=f"{node}.ec2.internal",
            pool=pool,
        )
        for user, profile, node, pool, started, active in servers
    ]
    noon = datetime.datetime(DAY.year, DAY.month, DAY.day, 12, tzinfo=datetime.UTC)
    out = io.StringIO()
    with (
        mock.patch.dict(os.environ, {"COLUMNS": "80"}),
        mock.patch.object(who, "now", return_value=noon),
        contextlib.redirect_stdout(out),
    ):
        who.show("dev", running)
    return out.getvalue()


def picture(page: Path, command: str, folder: Path) -> str:
    """What a terminal of 80 columns shows of the first such command of a page, as SVG."""
    from rich.console import Console
    from rich.text import Text

    seen: list[str] = []

    def looked(arguments: list[str], here: Path, environment: dict[str, str]) -> Done:
        if shlex.split(command)[1:] == arguments and not seen:
            shown = in_process(arguments, here, {**environment, "FORCE_COLOR": "1"})
            seen.append(shown.stdout)
        return in_process(arguments, here, environment)

    follow(page, folder, looked)
    console = Console(record=True, width=80, file=io.StringIO(), legacy_windows=False)
    console.print(Text.assemble(("$ ", "bold green"), command))
    console.print(Text.from_ansi(seen[0]), highlight=False)
    drawn = console.export_svg(title=command, code_format=_SVG, unique_id="jhub")
    return re.sub(r"[ \t]+$", "", drawn, flags=re.MULTILINE)


def main() -> int:
    pages = [Path(name).resolve() for name in sys.argv[1:]] or [*TUTORIALS, *GUIDES]
    faults = 0
    for path in pages:
        with tempfile.TemporaryDirectory() as folder:
            done = follow(path, Path(folder))
        text = done.page
        if path == WHO:
            text = re.sub(
                r"```text\n.*?```", lambda _: f"```text\n{who_example()}```", text, flags=re.DOTALL
            )
        path.write_text(text, encoding="utf-8")
        for fault in done.faults:
            print(f"{os.path.relpath(path, ROOT)}: {fault}")
        faults += len(done.faults)
    for file, (page, command) in PICTURES.items():
        if page in pages:
            file.parent.mkdir(exist_ok=True)
            with tempfile.TemporaryDirectory() as folder:
                file.write_text(picture(page, command, Path(folder)), encoding="utf-8")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
