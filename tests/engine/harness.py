"""The real Pulumi engine on a copy of the program, against stand-in plugins and an AWS account that is a JSON file.

Why a copy: the engine rewrites stack files, and tests edit them. Why the real engine: what is replaced, in which order,
what a killed run leaves behind and whether a second run is quiet are its decisions, and no recording can show them.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

from tests.support.stack_files import changed

ROOT = Path(__file__).resolve().parents[2]
#: What the engine needs of the checkout; folders that do not exist yet are left out.
PROGRAM = ("__main__.py", "Pulumi.yaml", "Pulumi.*.yaml", "components", "config", "checks", "ops", "policy")
_PASSPHRASE = "stand-in-passphrase-6b1f"  # noqa: S105 -- of a state that lives for one test
_SECONDS = 180
_SECRET_LENGTH = 8  # shorter texts stand everywhere
_FINISH_SECONDS = 30
#: A state in files is not written in one piece: killed in the middle of that, it is unreadable ("EOF"; copy the .bak pair
#: over it). A state in a bucket has no such moment, and the tests are not about it: they kill while the engine waits.
_SETTLE_SECONDS = 0.5


class EngineError(AssertionError):
    """A command of the engine ended otherwise than the test expected; carries what it printed."""


@dataclass(frozen=True, kw_only=True)
class Call:
    """One call of the engine to a plugin, or the beginning of one (`phase`). `position` orders them."""

    position: int
    phase: str
    method: str
    type: str
    name: str
    id: str
    preview: bool
    error: str
    urn: str

    @property
    def succeeded(self) -> bool:
        """Whether it was real, not a preview, and went well."""
        return not self.preview and not self.error

    @property
    def subject(self) -> str:
        """Type and name, as `imports:` writes them."""
        return f"{self.type}::{self.name}"


@dataclass(frozen=True, kw_only=True)
class Run:
    """A finished command: what it printed, and which plugins it called."""

    command: tuple[str, ...]
    code: int
    stdout: str
    stderr: str
    seconds: float
    calls: tuple[Call, ...] = ()

    @property
    def text(self) -> str:
        """Everything that it printed."""
        return self.stdout + self.stderr

    @property
    def errors(self) -> str:
        """The engine's own error messages, without the traceback that Python prints after any failed resource."""
        if self.stdout.startswith("{") and "diagnostics" in self.stdout:
            return "".join(item["message"] for item in json.loads(self.stdout)["diagnostics"] if item["severity"] == "error")
        lines = self.text.splitlines()
        starts = [index for index, line in enumerate(lines) if line.strip().startswith("error:")]
        found: list[str] = []
        for start in starts:
            found.append(lines[start])
            found += _until_next(lines[start + 1 :])
        return "\n".join(found)

    def finished(self, method: str, kind: str = "") -> list[Call]:
        """Calls that succeeded and were no preview, in order."""
        return [call for call in self.calls if call.phase == "end" and call.method == method and call.succeeded and kind in ("", call.type)]

    def begun(self, method: str, kind: str = "") -> list[Call]:
        """Beginnings of calls, in order."""
        return [call for call in self.calls if call.phase == "begin" and call.method == method and kind in ("", call.type)]

    def changed(self) -> dict[str, list[str]]:
        """What the run really did to the account: method to sorted TYPE::NAME."""
        return {method: sorted(call.subject for call in self.finished(method)) for method in ("Create", "Update", "Delete") if self.finished(method)}


@dataclass(frozen=True, kw_only=True)
class Preview:
    """What `pulumi preview --json` said."""

    steps: Sequence[Mapping[str, Any]]
    run: Run

    def of(self, *operations: str) -> dict[str, str]:
        """Steps with one of these operations: TYPE::NAME to operation."""
        found = {}
        for step in self.steps:
            if step["op"] in operations:
                found[_subject(step["urn"])] = step["op"]
        return found

    @property
    def changes(self) -> dict[str, str]:
        """Every step that does something."""
        return self.of(*({step["op"] for step in self.steps} - {"same", "read"}))


@dataclass
class Account:
    """The imaginary AWS account with its cluster: what would be there in reality, whoever made it."""

    path: Path

    @property
    def records(self) -> list[dict[str, Any]]:
        """Everything in it, with `type`, `id`, `urn` (of whoever made it), `owner` (of what AWS made along), `inputs`, `outputs`."""
        if not self.path.exists():
            return []
        return list(json.loads(self.path.read_text(encoding="utf-8"))["resources"].values())

    def of_type(self, kind: str) -> list[dict[str, Any]]:
        """What somebody made of this type; not what AWS makes by itself."""
        return [record for record in self.records if record["type"] == kind and not record.get("owner")]

    def doubles(self) -> dict[str, list[str]]:
        """What was made more than once and is still there: TYPE::NAME to ids."""
        subjects = {f"{record['type']}::{record['urn'].rpartition('::')[2]}" for record in self.records if record.get("urn") and not record.get("owner")}
        return {subject: self.made_as(subject) for subject in sorted(subjects) if len(self.made_as(subject)) > 1}

    def secrets(self) -> list[str]:
        """Texts that are secret by their type: what random resources made, and what Kubernetes Secrets hold."""
        holders = [record["outputs"] for record in self.records if record["type"].startswith("random:") or record["type"] == "kubernetes:core/v1:Secret"]
        values = [holder.get(name) for holder in holders for name in ("result", "hex", "base64", "stringData", "data")]
        texts = [text for value in values for text in (value.values() if isinstance(value, dict) else [value])]
        return [text for text in texts if isinstance(text, str) and len(text) >= _SECRET_LENGTH]

    def made_as(self, subject: str) -> list[str]:
        """Ids of everything that was ever made as TYPE::NAME and is still there."""
        kind, _, name = subject.partition("::")
        return sorted(record["id"] for record in self.of_type(kind) if record.get("urn", "").rpartition("::")[2] == name)


@dataclass
class Engine:
    """One stack of one copy of the program, with a state and an account of its own."""

    home: Path
    plugins: Sequence[Path]
    stack: str = "dev"
    program: Path = ROOT
    environment: dict[str, str] = field(default_factory=dict)

    passphrase: str = _PASSPHRASE

    def __post_init__(self) -> None:
        self.project = self.home / "program"
        self.account = Account(self.home / "account" / "aws.json")
        self._log = self.home / "calls.jsonl"
        _copy(self.program, self.project)
        (self.home / "state").mkdir(parents=True)
        with _yaml(self.project / "Pulumi.yaml") as project:
            project["runtime"] = {"name": "python", "options": {"toolchain": "pip", "virtualenv": sys.prefix}}
        self.run("stack", "init", self.stack)

    # --- commands ---

    def run(self, *arguments: str, check: bool = True, **environment: str) -> Run:
        """Run `pulumi` with these arguments; with `check`, a failure is an EngineError that shows what it printed."""
        command = ("pulumi", *arguments, "--non-interactive", "--color", "never")
        before, start = self._log_size(), time.monotonic()
        done = subprocess.run(command, cwd=self.project, env=self._environment(environment), capture_output=True, text=True, timeout=_SECONDS)
        run = Run(command=command, code=done.returncode, stdout=done.stdout, stderr=done.stderr, seconds=time.monotonic() - start, calls=self.calls(before))
        if check and run.code != 0:
            raise EngineError(f"{' '.join(command)} ended with {run.code}:\n{run.errors or run.text[-6000:]}")
        return run

    def preview(self, *arguments: str, **environment: str) -> Preview:
        """What an `up` would do."""
        run = self.run("preview", "--json", *arguments, **environment)
        return Preview(steps=json.loads(run.stdout[run.stdout.index("{") :]).get("steps", []), run=run)

    def up(self, *arguments: str, check: bool = True, **environment: str) -> Run:
        """Make it so, without the preview that comes first otherwise: every test that wants one asks for it."""
        return self.run("up", "--yes", "--skip-preview", *arguments, check=check, **environment)

    def refused(self, *arguments: str, **environment: str) -> str:
        """Run a command that must fail, and return what it printed."""
        run = self.run(*arguments, check=False, **environment)
        if run.code == 0:
            raise EngineError(f"{' '.join(run.command)} succeeded, and should not have:\n{run.text[-3000:]}")
        return run.text

    def destroy(self, *arguments: str, check: bool = True, **environment: str) -> Run:
        """Take it down."""
        return self.run("destroy", "--yes", "--skip-preview", *arguments, check=check, **environment)

    def refresh(self, *arguments: str, check: bool = True, **environment: str) -> Run:
        """Look at the account again."""
        return self.run("refresh", "--yes", "--skip-preview", *arguments, check=check, **environment)

    def export(self) -> dict[str, Any]:
        """The state, as it is stored: secrets encrypted."""
        return json.loads(self.run("stack", "export").stdout)

    def resources(self) -> list[dict[str, Any]]:
        """The resources in the state, the stack first."""
        return self.export()["deployment"]["resources"]

    def interrupted(self) -> list[str]:
        """TYPE::NAME of the creations that were under way when an engine was killed: the state's pending operations."""
        pending = self.export()["deployment"].get("pending_operations", [])
        return sorted(_subject(operation["resource"]["urn"]) for operation in pending if operation["type"] == "creating")

    def strays(self) -> list[str]:
        """TYPE::NAME of what somebody made in the account and the state does not know: it costs money, and nobody will delete it."""
        known = {(resource["type"], resource.get("id")) for resource in self.resources()}
        made = [record for record in self.account.records if record.get("urn") and not record.get("owner")]
        return sorted(_subject(record["urn"]) for record in made if (record["type"], record["id"]) not in known)

    def seed(self, kind: str, inputs: Mapping[str, Any]) -> str:
        """Make something in the account as if by hand; returns its id."""
        command = ("pulumi-resource-aws", "seed", kind, json.dumps(inputs))
        environment = self._environment({})
        program = shutil.which(command[0], path=environment["PATH"])
        done = subprocess.run((str(program), *command[1:]), env=environment, capture_output=True, text=True, check=True, timeout=_SECONDS)
        return done.stdout.strip()

    def up_killed(self, when: Callable[[Sequence[Call]], bool], **environment: str) -> tuple[Call, ...]:
        """Start `up`, kill -9 the engine when the calls so far satisfy `when`, and let AWS finish what it was asked for."""
        before = self._log_size()
        command = ("pulumi", "up", "--yes", "--skip-preview", "--non-interactive", "--color", "never")
        with (self.home / "killed.txt").open("w") as output:
            process = subprocess.Popen(command, cwd=self.project, env=self._environment(environment), stdout=output, stderr=output, start_new_session=True)
        try:
            _wait(lambda: when(self.calls(before)) or process.poll() is not None, "the moment to kill the engine never came")
            if process.poll() is not None:
                raise EngineError("`up` ended before the moment to kill it:\n" + (self.home / "killed.txt").read_text(encoding="utf-8")[-3000:])
            time.sleep(_SETTLE_SECONDS)
            process.kill()
            process.wait()
            _wait(lambda: not _in_flight(self.calls(before)), "the stand-in did not finish its last calls")
        finally:
            _end_session(process.pid)
        return self.calls(before)

    # --- stack file ---

    @property
    def stack_file(self) -> Path:
        """The stack file of the copy."""
        return self.project / f"Pulumi.{self.stack}.yaml"

    def put(self, **paths: Any) -> None:
        """Set values at paths such as `pools.memory.size.max`, written with double underscores: pools__memory__size__max."""
        self.edit({path.replace("__", "."): value for path, value in paths.items()})

    def edit(self, put: Mapping[str, Any] | None = None, remove: Sequence[str] = ()) -> None:
        """Change the stack's configuration: parsed and written, because the engine rewrites the file and its quoting."""
        with _yaml(self.stack_file) as document:
            document["config"] = changed(dict(document["config"]), put=dict(put or {}), remove=list(remove))

    # --- what happened ---

    def calls(self, since: int = 0) -> tuple[Call, ...]:
        """Calls to the plugins, from a position in the log on."""
        if not self._log.exists():
            return ()
        with self._log.open("rb") as log:
            log.seek(since)
            lines = [line for line in log.read().split(b"\n")[:-1] if line]
        entries = [json.loads(line) for line in lines]
        return tuple(_call(position, entry) for position, entry in enumerate(entries) if "begin" in entry or "method" in entry)

    def _log_size(self) -> int:
        return self._log.stat().st_size if self._log.exists() else 0

    def _environment(self, more: Mapping[str, str]) -> dict[str, str]:
        """The machine's environment without anything that could reach a real account, and what the engine and the stand-in need."""
        kept = {key: value for key, value in os.environ.items() if not key.startswith(("AWS_", "PULUMI_", "PYTHON", "VIRTUAL_ENV")) and key != "KUBECONFIG"}
        return {
            **kept,
            "PATH": os.pathsep.join([*map(str, self.plugins), os.environ["PATH"]]),
            "PULUMI_HOME": str(self.home / "pulumi-home"),
            "PULUMI_BACKEND_URL": f"file://{self.home / 'state'}",
            "PULUMI_CONFIG_PASSPHRASE": self.passphrase,
            "PULUMI_STACK": self.stack,
            "PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION": "true",
            "PULUMI_SKIP_UPDATE_CHECK": "true",
            "AWS_REGION": "us-east-1",
            "AWS_ACCESS_KEY_ID": "stand-in",
            "AWS_SECRET_ACCESS_KEY": "stand-in",
            "KUBECONFIG": os.devnull,
            "FAKE_AWS_STATE": str(self.account.path),
            "FAKE_AWS_LOG": str(self._log),
            **self.environment,
            **more,
        }


def _subject(urn: str) -> str:
    """TYPE::NAME of a URN, as `imports:` writes it."""
    *_, types, name = urn.split("::")
    return f"{types.rpartition('$')[2]}::{name}"


def plaintext_secrets(state: Any, secrets: Sequence[str], path: str = "") -> list[str]:
    """Where in a state one of these stands readable, alone or inside other text."""
    if isinstance(state, Mapping):
        return [found for key, value in state.items() for found in plaintext_secrets(value, secrets, f"{path}.{key}" if path else str(key))]
    if isinstance(state, list):
        return [found for index, value in enumerate(state) for found in plaintext_secrets(value, secrets, f"{path}[{index}]")]
    return [path] if isinstance(state, str) and any(secret in state for secret in secrets) else []


def _until_next(lines: Sequence[str]) -> list[str]:
    """The further lines of a message: up to an empty one, a new message or a traceback."""
    found: list[str] = []
    for line in lines:
        if not line.strip() or line.strip().startswith(("error:", "warning:", "info:", "Traceback", "pulumi:", "Resources:")):
            break
        found.append(line)
    return found


def _copy(program: Path, target: Path) -> None:
    target.mkdir(parents=True)
    for pattern in PROGRAM:
        for found in sorted(program.glob(pattern)):
            if found.is_dir():
                shutil.copytree(found, target / found.name, symlinks=True)
            else:
                shutil.copy2(found, target / found.name)


@contextmanager
def _yaml(path: Path) -> Iterator[Any]:
    """A YAML document to change in place."""
    yaml = YAML()
    document = yaml.load(path.read_text(encoding="utf-8")) if path.exists() else {}
    yield document
    with path.open("w", encoding="utf-8") as handle:
        yaml.dump(document, handle)


def _call(position: int, entry: Mapping[str, Any]) -> Call:
    return Call(
        position=position,
        phase="begin" if "begin" in entry else "end",
        method=entry.get("begin") or entry["method"],
        type=entry.get("type", ""),
        name=entry.get("name", ""),
        id=entry.get("id", ""),
        preview=entry.get("preview", False),
        error=entry.get("error", ""),
        urn=entry.get("urn", ""),
    )


def _in_flight(calls: Sequence[Call]) -> list[str]:
    begun = [(call.method, call.urn) for call in calls if call.phase == "begin"]
    for call in calls:
        if call.phase == "end" and not call.preview and (call.method, call.urn) in begun:
            begun.remove((call.method, call.urn))
    return [urn for _, urn in begun]


def _wait(until: Callable[[], bool], otherwise: str) -> None:
    end = time.monotonic() + _FINISH_SECONDS
    while not until():
        if time.monotonic() > end:
            raise EngineError(otherwise)
        time.sleep(0.02)


def _end_session(session: int) -> None:
    """End what a killed engine left running: plugins in the middle of a retry, the language host, the program. Only that session's."""
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit():
            continue
        try:
            fields = (entry / "stat").read_text(encoding="utf-8").rpartition(")")[2].split()
            if int(fields[3]) == session:
                os.kill(int(entry.name), signal.SIGKILL)
        except (OSError, ProcessLookupError):
            continue
