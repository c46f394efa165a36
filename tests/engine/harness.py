"""The real Pulumi engine on a copy of the program, against stand-in plugins and an AWS account that
is a JSON file.

Why a copy: the engine rewrites stack files, and tests edit them. Why the real engine: what is
replaced, in which order, what a killed run leaves behind and whether a second run is quiet are its
decisions, and no recording can show them.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

from tests.engine.account import Account
from tests.engine.runs import Call, EngineError, Preview, Run, in_flight, read_call, subject_of
from tests.support.stack_files import changed, engine_key

ROOT = Path(__file__).resolve().parents[2]
#: What the engine needs of the checkout; folders that do not exist yet are left out.
PROGRAM = (
    "__main__.py",
    "Pulumi.yaml",
    "Pulumi.*.yaml",
    "components",
    "config",
    "jupyterhub_aws",
    "policy",
)
#: Ends the reason for which a test of this folder is skipped.
NOT_RUN = "the program was not run on the real engine"
_PASSPHRASE = "stand-in-passphrase-6b1f"
_SECONDS = 180
_FINISH_SECONDS = 30
#: A state in files is not written in one piece: killed in the middle of that, it is unreadable
#: ("EOF"; copy the .bak pair
#: over it). A state in a bucket has no such moment, and the tests are not about it: they kill while
#: the engine waits.
_SETTLE_SECONDS = 0.5


@dataclass
class Engine:
    """One stack of one copy of the program, with a state and an account of its own."""

    home: Path
    plugins: Sequence[Path]
    stack: str = "dev"
    program: Path = ROOT
    environment: dict[str, str] = field(default_factory=dict)
    passphrase: str = _PASSPHRASE
    #: A program of another language keeps its runtime, and is these files.
    language: str = "python"
    files: Sequence[str] = PROGRAM

    def __post_init__(self) -> None:
        self.project = self.home / "program"
        self.account = Account(self.home / "account" / "aws.json")
        self._log = self.home / "calls.jsonl"
        # Something that listens where the cluster's API would: the program looks whether it answers
        # before it asks anything of it.
        self.api = socket.create_server(("127.0.0.1", 0))
        self._endpoint = f"https://127.0.0.1:{self.api.getsockname()[1]}"
        _copy(self.program, self.project, self.files)
        (self.home / "state").mkdir(parents=True)
        if self.language == "python":
            with _yaml(self.project / "Pulumi.yaml") as project:
                project["runtime"] = {
                    "name": "python",
                    "options": {"toolchain": "pip", "virtualenv": sys.prefix},
                }
        self.run("stack", "init", self.stack)

    # --- commands ---

    def run(self, *arguments: str, check: bool = True, **environment: str) -> Run:
        """Run `pulumi` with these arguments; with `check`, a failure is an EngineError that
        shows what it printed.
        """
        command = ("pulumi", *arguments, "--non-interactive", "--color", "never")
        before, start = self._log_size(), time.monotonic()
        done = subprocess.run(
            command,
            cwd=self.project,
            env=self._environment(environment),
            capture_output=True,
            text=True,
            timeout=_SECONDS,
        )
        run = Run(
            command=command,
            code=done.returncode,
            stdout=done.stdout,
            stderr=done.stderr,
            seconds=time.monotonic() - start,
            calls=self.calls(before),
        )
        if check and run.code != 0:
            raise EngineError(
                f"{' '.join(command)} ended with {run.code}:\n{run.errors or run.text[-6000:]}"
            )
        return run

    def set_secret(self, key: str, value: str, **environment: str) -> None:
        """As `pulumi config set --secret KEY < FILE`: a private key begins like an option."""
        command = ["pulumi", "config", "set", "--secret", key, "--non-interactive"]
        subprocess.run(
            command,
            cwd=self.project,
            env=self._environment(environment),
            input=value,
            capture_output=True,
            text=True,
            timeout=_SECONDS,
            check=True,
        )

    def preview(self, *arguments: str, **environment: str) -> Preview:
        """What an `up` would do."""
        run = self.run("preview", "--json", *arguments, **environment)
        return Preview(
            steps=json.loads(run.stdout[run.stdout.index("{") :]).get("steps", []), run=run
        )

    def up(self, *arguments: str, check: bool = True, **environment: str) -> Run:
        """Make it so, without the preview that comes first otherwise: every test that wants one
        asks for it.
        """
        return self.run("up", "--yes", "--skip-preview", *arguments, check=check, **environment)

    def refused(self, *arguments: str, **environment: str) -> str:
        """Run a command that must fail, and return what it printed."""
        run = self.run(*arguments, check=False, **environment)
        if run.code == 0:
            raise EngineError(
                f"{' '.join(run.command)} succeeded, and should not have:\n{run.text[-3000:]}"
            )
        return run.text

    def destroy(self, *arguments: str, check: bool = True, **environment: str) -> Run:
        """Take it down."""
        return self.run(
            "destroy", "--yes", "--skip-preview", *arguments, check=check, **environment
        )

    def refresh(self, *arguments: str, check: bool = True, **environment: str) -> Run:
        """Look at the account again."""
        return self.run(
            "refresh", "--yes", "--skip-preview", *arguments, check=check, **environment
        )

    def export(self) -> dict[str, Any]:
        """The state, as it is stored: secrets encrypted."""
        return json.loads(self.run("stack", "export").stdout)

    def resources(self) -> list[dict[str, Any]]:
        """The resources in the state, the stack first."""
        return self.export()["deployment"]["resources"]

    def interrupted(self) -> list[str]:
        """TYPE::NAME of the creations that were under way when an engine was killed: the state's
        pending operations.
        """
        pending = self.export()["deployment"].get("pending_operations", [])
        return sorted(
            subject_of(operation["resource"]["urn"])
            for operation in pending
            if operation["type"] == "creating"
        )

    def strays(self) -> list[str]:
        """TYPE::NAME of what somebody made in the account and the state does not know: it costs
        money, and nobody will delete it.
        """
        known = {(resource["type"], resource.get("id")) for resource in self.resources()}
        made = [
            record
            for record in self.account.records
            if record.get("urn") and not record.get("owner")
        ]
        return sorted(
            subject_of(record["urn"])
            for record in made
            if (record["type"], record["id"]) not in known
        )

    def seed(self, kind: str, inputs: Mapping[str, Any]) -> str:
        """Make something in the account as if by hand; returns its id."""
        command = ("pulumi-resource-aws", "seed", kind, json.dumps(inputs))
        environment = self._environment({})
        program = shutil.which(command[0], path=environment["PATH"])
        done = subprocess.run(
            (str(program), *command[1:]),
            env=environment,
            capture_output=True,
            text=True,
            check=True,
            timeout=_SECONDS,
        )
        return done.stdout.strip()

    def up_killed(
        self, when: Callable[[Sequence[Call]], bool], **environment: str
    ) -> tuple[Call, ...]:
        """Start `up`, kill -9 the engine when the calls so far satisfy `when`, and let AWS
        finish what it was asked for.
        """
        before = self._log_size()
        command = (
            "pulumi",
            "up",
            "--yes",
            "--skip-preview",
            "--non-interactive",
            "--color",
            "never",
        )
        with (self.home / "killed.txt").open("w") as output:
            process = subprocess.Popen(
                command,
                cwd=self.project,
                env=self._environment(environment),
                stdout=output,
                stderr=output,
                start_new_session=True,
            )
        try:
            _wait(
                lambda: when(self.calls(before)) or process.poll() is not None,
                "the moment to kill the engine never came",
            )
            if process.poll() is not None:
                raise EngineError(
                    "`up` ended before the moment to kill it:\n"
                    + (self.home / "killed.txt").read_text(encoding="utf-8")[-3000:]
                )
            time.sleep(_SETTLE_SECONDS)
            process.kill()
            process.wait()
            _wait(
                lambda: not in_flight(self.calls(before)),
                "the stand-in did not finish its last calls",
            )
        finally:
            _end_session(process.pid)
        return self.calls(before)

    # --- stack file ---

    @property
    def stack_file(self) -> Path:
        """The stack file of the copy."""
        return self.project / f"Pulumi.{self.stack}.yaml"

    def put(self, **paths: Any) -> None:
        """Set values at paths such as `pools.memory.size.max`, written with double underscores:
        pools__memory__size__max.
        """
        self.edit({path.replace("__", "."): value for path, value in paths.items()})

    def edit(self, put: Mapping[str, Any] | None = None, remove: Sequence[str] = ()) -> None:
        """Change the stack's configuration: parsed and written, because the engine rewrites the
        file and its quoting.
        """
        with _yaml(self.stack_file) as document:
            spelled = {
                engine_key(key): value for key, value in document["config"].items()
            }  # as the engine writes it once it has seen the file
            document["config"] = changed(spelled, put=dict(put or {}), remove=list(remove))

    # --- what happened ---

    def calls(self, since: int = 0) -> tuple[Call, ...]:
        """Calls to the plugins, from a position in the log on."""
        if not self._log.exists():
            return ()
        with self._log.open("rb") as log:
            log.seek(since)
            lines = [line for line in log.read().split(b"\n")[:-1] if line]
        entries = [json.loads(line) for line in lines]
        return tuple(
            read_call(position, entry)
            for position, entry in enumerate(entries)
            if "begin" in entry or "method" in entry
        )

    def _log_size(self) -> int:
        return self._log.stat().st_size if self._log.exists() else 0

    def _environment(self, more: Mapping[str, str]) -> dict[str, str]:
        """The machine's environment without anything that could reach a real account, and what
        the engine and the stand-in need.
        """
        kept = {
            key: value
            for key, value in os.environ.items()
            if not key.startswith(("AWS_", "PULUMI_", "PYTHON", "VIRTUAL_ENV"))
            and key != "KUBECONFIG"
        }
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
            "FAKE_AWS_EKS_ENDPOINT": os.environ.get("FAKE_AWS_EKS_ENDPOINT", self._endpoint),
            **self.environment,
            **more,
        }


def _copy(program: Path, target: Path, files: Sequence[str]) -> None:
    target.mkdir(parents=True)
    for pattern in files:
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


def _wait(until: Callable[[], bool], otherwise: str) -> None:
    end = time.monotonic() + _FINISH_SECONDS
    while not until():
        if time.monotonic() > end:
            raise EngineError(otherwise)
        time.sleep(0.02)


def _end_session(session: int) -> None:
    """End what a killed engine left running: plugins in the middle of a retry, the language
    host, the program. Only that session's.
    """
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit():
            continue
        try:
            fields = (entry / "stat").read_text(encoding="utf-8").rpartition(")")[2].split()
            if int(fields[3]) == session:
                os.kill(int(entry.name), signal.SIGKILL)
        except (OSError, ProcessLookupError):
            continue
