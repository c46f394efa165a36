"""`jhub open`, with programs of ours in place of pulumi and kubectl: what it asks them, and what
a person reads.
"""

from __future__ import annotations

import json
import os
import signal
import socket
import stat
import subprocess
import sys
import time
from functools import partial
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PASSWORD = "correct-horse-battery-staple-0123"
_KUBECTL = """\
#!{python}
import http.server, os, pathlib, sys
log = pathlib.Path({log!r})
config = pathlib.Path(os.environ["KUBECONFIG"])
log.write_text("\\n".join([*sys.argv[1:], config.read_text(), oct(config.stat().st_mode)[-3:]]))
if {fails}:
    sys.exit("error: You must be logged in to the server (Unauthorized)")
class Proxy(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200 if self.path == "/_chp_healthz" else 404); self.end_headers()
    def log_message(self, *_): pass
http.server.HTTPServer(("127.0.0.1", int(sys.argv[-1].split(":")[0])), Proxy).serve_forever()
"""


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def program(folder: Path, name: str, text: str) -> None:
    path = folder / name
    path.write_text(text)
    path.chmod(path.stat().st_mode | stat.S_IEXEC)


class Bench:
    """A PATH with these programs only."""

    def __init__(self, folder: Path, hubs: dict | None, *, fails: bool = False) -> None:
        self.folder, self.log = folder, folder / "kubectl.log"
        outputs = json.dumps(
            {"hubs": hubs, "kubeconfig": '{"kind": "Config"}'} if hubs is not None else {}
        )
        program(
            folder,
            "pulumi",
            f"#!/bin/sh\necho \"$@\" > {folder}/pulumi.log\n/bin/cat <<'EOT'\n{outputs}\nEOT\n",
        )
        program(
            folder,
            "kubectl",
            _KUBECTL.format(python=sys.executable, log=str(self.log), fails=fails),
        )
        program(folder, "aws", "#!/bin/sh\n")

    def command(self, *arguments: str) -> list[str]:
        return [str(Path(sys.prefix) / "bin" / "jhub"), "open", *arguments, "--no-browser"]

    @property
    def environment(self) -> dict[str, str]:
        return {**os.environ, "PATH": f"{self.folder}:/usr/bin:/bin"}

    def run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            self.command(*arguments),
            env=self.environment,
            cwd=ROOT,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )


def tunnelled(port: int) -> dict:
    return {
        "try": {
            "url": f"http://localhost:{port}/",
            "namespace": "hub-try",
            "release": "hub-try",
            "passwords": {"user-password": PASSWORD},
        }
    }


@pytest.mark.real
def test_a_hub_with_a_name_is_shown_without_a_tunnel(tmp_path: Path) -> None:
    bench = Bench(
        tmp_path,
        {
            "main": {
                "url": "https://hub.example.org/",
                "namespace": "hub-main",
                "release": "hub-main",
                "passwords": {},
            }
        },
    )
    done = bench.run("dev")
    assert (done.returncode, done.stdout) == (0, "https://hub.example.org/\n")
    assert not bench.log.exists()
    assert (tmp_path / "pulumi.log").read_text().split() == [
        "stack",
        "output",
        "--json",
        "--show-secrets",
        "--stack",
        "dev",
        "--non-interactive",
    ]


@pytest.mark.real
def test_a_hub_that_is_not_exposed_is_reached_by_a_tunnel(tmp_path: Path) -> None:
    port = free_port()
    bench = Bench(tmp_path, tunnelled(port))
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    # A shell starts what it runs in the background with Ctrl+C switched off; whoever runs these
    # tests so would wait for ever.
    listening = partial(signal.signal, signal.SIGINT, signal.SIG_DFL)
    with subprocess.Popen(
        bench.command("first-try"), env=bench.environment, cwd=ROOT, preexec_fn=listening, **pipes
    ) as process:
        end, lines = time.monotonic() + 30, []
        assert process.stdout is not None
        while time.monotonic() < end and "Ctrl+C" not in "".join(lines):
            lines.append(process.stdout.readline())
        process.send_signal(signal.SIGINT)
        assert process.wait(timeout=20) == 130
    text = "".join(lines)
    assert f"http://localhost:{port}/" in text
    assert PASSWORD not in text, "a password went into what is no terminal"
    assert "pulumi stack output hubs --show-secrets" in text
    *arguments, kubeconfig, mode = bench.log.read_text().split("\n")
    assert arguments == [
        "--namespace",
        "hub-try",
        "port-forward",
        "--address",
        "127.0.0.1",
        "service/proxy-public",
        f"{port}:80",
    ]
    assert (kubeconfig, mode) == ('{"kind": "Config"}', "600")
    with socket.socket() as probe:
        assert probe.connect_ex(("127.0.0.1", port)) != 0, "the tunnel outlives the command"


@pytest.mark.real
def test_a_port_that_is_taken_is_said_so(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        done = Bench(tmp_path, tunnelled(port)).run("first-try")
    assert done.returncode == 2
    assert f"jhub open: port {port}: " in done.stderr and "[open.port-taken]" in done.stderr


@pytest.mark.real
def test_what_kubectl_says_is_handed_on(tmp_path: Path) -> None:
    done = Bench(tmp_path, tunnelled(free_port()), fails=True).run("first-try")
    assert done.returncode == 2
    assert "You must be logged in to the server (Unauthorized)" in done.stderr
    assert "public_access_cidrs" in done.stderr and "[open.no-answer]" in done.stderr


@pytest.mark.real
@pytest.mark.parametrize(
    ("hubs", "arguments", "message", "which"),
    [
        (None, ("dev",), "has no hub that `pulumi up` built", "hub.none"),
        (
            {"a": {}, "b": {}},
            ("dev",),
            "has several hubs that `pulumi up` built: a, b; name one with --hub",
            "hub.several",
        ),
        ({"main": {}}, ("dev", "--hub", "mian"), "did you mean main?", "hub.unknown"),
    ],
)
def test_which_hub(
    tmp_path: Path, hubs: dict | None, arguments: tuple[str, ...], message: str, which: str
) -> None:
    done = Bench(tmp_path, hubs).run(*arguments)
    assert done.returncode == 2
    assert message in done.stderr and f"[{which}]" in done.stderr


@pytest.mark.real
def test_missing_programs_are_named_all_at_once(tmp_path: Path) -> None:
    bench = Bench(tmp_path, tunnelled(free_port()))
    for name in ("kubectl", "aws"):
        (tmp_path / name).unlink()
    done = subprocess.run(
        bench.command("dev"),
        env={**bench.environment, "PATH": str(tmp_path)},
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 2
    assert "kubectl: " in done.stderr and "aws: " in done.stderr
    assert done.stderr.count("[tool.missing]") == 2


@pytest.mark.real
def test_what_pulumi_refuses_is_handed_on(tmp_path: Path) -> None:
    bench = Bench(tmp_path, {})
    program(
        tmp_path, "pulumi", "#!/bin/sh\necho \"error: no stack named 'dev' found\" >&2\nexit 255\n"
    )
    done = bench.run("dev")
    assert done.returncode == 2
    assert (
        "no stack named 'dev' found; log in to the stack's backend, and build it first: pulumi up"
        " -s dev [open.no-hub]" in done.stderr
    )


def test_a_cluster_that_was_there_is_reached_by_its_own_kubeconfig(tmp_path):
    from jupyterhub_aws.operate.open import _access, _chosen

    hubs = {"main": {"url": "http://localhost:8000/", "namespace": "hub-main"}}
    found = _chosen(
        "kubeadm", hubs, None, {"cluster_access": {"file": "/srv/there", "context": "closed"}}
    )
    assert (found.kubeconfig, found.context) == ("", "closed")
    assert _access(found, tmp_path) == {"KUBECONFIG": "/srv/there"} and not list(tmp_path.iterdir())
    own = _chosen("kubeadm", hubs, None, {"cluster_access": {"file": "", "context": ""}})
    assert _access(own, tmp_path) == {}, "the caller's own"
    made = _chosen("dev", hubs, None, {"kubeconfig": "{}"})
    assert (
        _access(made, tmp_path) == {"KUBECONFIG": str(tmp_path / "kubeconfig")}
        and (tmp_path / "kubeconfig").stat().st_mode & 0o77 == 0
    )
