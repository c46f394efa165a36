"""`jhub health` against the real JupyterHub with real servers and kernels: a healthy one, one
whose spawns fail, one whose sign-in is broken, and killed.
"""

from __future__ import annotations

import base64
import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from jupyterhub_aws.components.hub.values.hub import HEALTH_USER, OPERATOR, hub_values
from jupyterhub_aws.components.hub.values.problems import UNKNOWN
from jupyterhub_aws.components.validated import validated
from jupyterhub_aws.config.cloud_config import Configuration, whole
from jupyterhub_aws.config.specs import resolve
from jupyterhub_aws.config.stack_file import read
from jupyterhub_aws.operate.live.hub_api import HubApi
from tests.support.certificates import Authority
from tests.support.cluster_tools import Tools
from tests.support.data_examples import described
from tests.support.directory import free_port
from tests.support.hub_boot import REAL_SERVER, Hub, booted, missing_for_a_hub
from tests.support.identity import CLIENT_ID, CLIENT_SECRET, identity_provider
from tests.support.stack_files import ROOT

pytestmark = [
    pytest.mark.real,
    pytest.mark.skipif(bool(missing_for_a_hub()), reason=missing_for_a_hub()),
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
]
USER_PASSWORD, ADMIN_PASSWORD, TOKEN = "u" * 12, "a" * 40, "0" * 64
#: What KubeSpawner does with a profile's name, and what a cluster without room says.
_SPAWNER = """
import asyncio
c.JupyterHub.tornado_settings = {{"slow_spawn_timeout": 1}}
PROFILES = c.KubeSpawner.profile_list

class ProfiledSpawner(LocalSpawner):
    async def start(self):
        there = [item["slug"] for item in (PROFILES(self) if callable(PROFILES) else PROFILES)]
        if self.user_options.get("profile") not in there:
            raise ValueError("No such profile: %s" % self.user_options)
        if self.user_options["profile"] in {fails!r}:
            await asyncio.sleep(3)
            raise TimeoutError("pod hub-main/jupyter-jhub-health did not start in 960 seconds!")
        return await super().start()

    async def progress(self):
        yield {{"progress": 10, "message": "[Normal] Assigned"}}
        if self.user_options["profile"] in {fails!r}:
            yield {{"progress": 20, "message": "[Warning] 0/3 nodes are available: 3 Insufficient memory."}}

c.JupyterHub.spawner_class = ProfiledSpawner
"""
_SHARED = {"kind": "shared_password", "administrators": ["ops1"], "usernames": "simple"}


@dataclass
class Site:
    """A stack file, its hub, and the tools by which `jhub` reaches it."""

    folder: Path
    hub: Hub
    tools: Tools

    def environment(self, **more: str) -> dict[str, str]:
        return {
            **os.environ,
            **self.tools.environment,
            "PYTHONPATH": str(ROOT),
            "COLUMNS": "80",
            **more,
        }

    def command(self, *more: str) -> list[str]:
        return [
            sys.executable,
            "-m",
            "jupyterhub_aws.cli.main",
            "health",
            str(self.folder / "Pulumi.site.yaml"),
            *more,
        ]

    def health(self, *more: str, **environment: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            self.command(*more),
            env=self.environment(**environment),
            cwd=self.folder,
            capture_output=True,
            text=True,
            timeout=180,
        )

    @property
    def api(self) -> HubApi:
        return HubApi("main", f"{self.hub.url}/hub/api", TOKEN)

    def clean(self) -> bool:
        """Neither a server nor the user, nor a process of either."""
        user = self.api.ask("GET", f"/users/{HEALTH_USER}", fine=(200, 404))
        return user is None and self.hub.servers() == []


@contextmanager
def site(
    folder: Path,
    *,
    sign_in: dict[str, Any],
    fails: Sequence[str] = (),
    groups: Sequence[str] = (),
    **secret: Any,
) -> Iterator[Site]:
    """The kubeadm example with this sign-in and a tunnel as its entry; profiles of these names
    never start, those in `groups` are some group's.
    """
    folder.mkdir(parents=True, exist_ok=True)
    yaml, place = YAML(), folder / "Pulumi.site.yaml"
    document = yaml.load((ROOT / "examples/kubeadm/Pulumi.kubeadm.yaml").read_text())
    document["config"]["network"]["internal_hosts"] = ["localhost", "*.corp.example"]
    main = document["config"]["hubs"]["main"]
    main |= {"sign_in": sign_in, "entry": {"kind": "port_forward", "local_port": free_port()}}
    for name in groups:
        main["profiles"][name]["groups"] = ["cn=gpu,dc=example"]
    with place.open("w") as handle:
        yaml.dump(document, handle)
    file = read(place)
    stack = validated(
        whole(Configuration(values=file.values, secret=file.secret, source=file.source), folder)
    )
    values = json.loads(
        json.dumps(hub_values(resolve(stack).hubs["main"], UNKNOWN, resolve(stack).images)).replace(
            '"[secret]"', json.dumps(TOKEN)
        )
    )
    tools = Tools(folder / "bin")
    token = base64.b64encode(TOKEN.encode()).decode()
    tools.answer(
        "kubectl",
        "get",
        "secret",
        "hub",
        stdout=json.dumps({"data": {f"hub.services.{OPERATOR}.apiToken": token}}),
    )
    with booted(
        values,
        folder / "hub",
        server_text=REAL_SERVER,
        more=_SPAWNER.format(fails=list(fails)),
        **secret,
    ) as hub:
        for target in ("service/hub", "service/proxy-public"):
            tools.leads(target, int(hub.url.rpartition(":")[2]))
        yield Site(folder, hub, tools)


@pytest.fixture(scope="module")
def healthy(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    passwords = {
        "hub": {
            "config": {
                "SharedPasswordAuthenticator": {
                    "user_password": USER_PASSWORD,
                    "admin_password": ADMIN_PASSWORD,
                }
            }
        }
    }
    with site(tmp_path_factory.mktemp("healthy"), sign_in=_SHARED, secret=passwords) as found:
        yield found


def test_a_healthy_hub(healthy: Site) -> None:
    done = healthy.health(JHUB_HEALTH_USER="ada", JHUB_HEALTH_PASSWORD=USER_PASSWORD)
    assert done.returncode == 0, done.stdout + done.stderr
    for line in (
        "answers, and shows its sign-in page, through a tunnel",
        "ada signed in through the form, and out again",
        "✓ Users can work.",
    ):
        assert line in " ".join(done.stdout.split()), done.stdout
    for profile in ("small", "large"):
        for stage in ("start", "cell", "home", "stop"):
            assert re.search(rf"✓ {profile}: {stage} +\d+\.\d s", done.stdout), done.stdout
    assert (
        "print(6*7) → 42" in done.stdout
        and "the directory jhub-health of the hub's homes" in " ".join(done.stdout.split())
    )
    assert max(map(len, done.stdout.splitlines())) <= 80
    assert healthy.clean() and list((healthy.hub.folder / "homes").glob("*/.jhub-health")) == []
    assert USER_PASSWORD not in done.stdout + done.stderr and TOKEN not in done.stdout + done.stderr
    assert "[Normal] Assigned" in done.stderr, "what the hub says meanwhile is shown"


def test_as_data_and_one_profile(healthy: Site) -> None:
    done = healthy.health("--json", "--profile", "large")
    found = described("health", done.stdout)
    assert (done.returncode, found["format"], found["healthy"]) == (
        0,
        "jupyterhub-aws/health/1",
        True,
    ), done.stderr
    (hub,) = found["hubs"]
    assert [(stage["stage"], stage["status"]) for stage in hub["stages"]] == [
        ("entry", "ok"),
        ("sign-in", "not tried"),
        ("hub", "ok"),
        *((f"large: {stage}", "ok") for stage in ("start", "cell", "home", "stop")),
        ("put away", "ok"),
    ]
    assert "JHUB_HEALTH_USER and JHUB_HEALTH_PASSWORD are not set" in hub["stages"][1]["said"]
    assert all(stage["seconds"] > 0 for stage in hub["stages"] if stage["status"] == "ok")


def test_a_wrong_password_is_the_sign_ins_fault_and_servers_are_tried_all_the_same(
    healthy: Site,
) -> None:
    done = healthy.health(
        "--profile", "small", JHUB_HEALTH_USER="ada", JHUB_HEALTH_PASSWORD="not-ada's-password"
    )
    assert done.returncode == 1
    text = " ".join(done.stdout.split())
    assert (
        "ada is not let in: HTTP 403 (Invalid username or password)" in text
        and "✗ 1 failed: main: sign-in" in text
    ), done.stdout
    assert "✓ small: cell" in done.stdout and healthy.clean()
    assert "not-ada" not in done.stdout + done.stderr


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_ended_in_the_middle_it_puts_everything_away(healthy: Site, number: signal.Signals) -> None:
    process = _running_a_server(healthy)
    if number == signal.SIGINT:
        os.killpg(process.pid, number)  # as a terminal does: to all that runs in it
    else:
        process.send_signal(number)
    process.communicate(timeout=60)
    assert process.returncode == 130 and healthy.clean()


def test_killed_in_the_middle_the_next_run_stops_what_was_left(healthy: Site) -> None:
    process = _running_a_server(healthy)
    process.kill()
    process.wait(timeout=60)
    healthy.tools.end()  # tunnels outlive whoever is killed
    process.communicate(timeout=60)
    assert not healthy.clean(), "nobody could put it away"
    done = healthy.health("--profile", "small")
    assert done.returncode == 0 and "a server that an earlier run left was stopped" in " ".join(
        done.stdout.split()
    ), done.stdout
    assert healthy.clean()


def _running_a_server(found: Site) -> subprocess.Popen[str]:
    """A run whose server is there, and which has not ended: on a busy machine a look may come too
    late.
    """
    for _ in range(3):
        process = _started(found)
        if process.poll() is None:
            return process
        process.communicate()
    raise AssertionError("each run ended before its server was seen")


def _started(found: Site) -> subprocess.Popen[str]:
    command, pipe = found.command("--profile", "small"), subprocess.PIPE
    process = subprocess.Popen(
        command,
        env=found.environment(),
        cwd=found.folder,
        stdout=pipe,
        stderr=pipe,
        text=True,
        start_new_session=True,
    )
    for _ in range(300):
        if any(server.user == HEALTH_USER for server in found.api.servers()):
            return process
        time.sleep(0.1)
    process.kill()
    raise AssertionError(process.communicate())


def test_a_proxy_that_is_not_reached(healthy: Site) -> None:
    port = int(healthy.hub.url.rpartition(":")[2])
    healthy.tools.shut("service/proxy-public")
    try:
        done = healthy.health()
    finally:
        healthy.tools.leads("service/proxy-public", port)
    assert done.returncode == 1 and healthy.clean()
    text = " ".join(done.stdout.split())
    assert "unable to forward port because pod is not running" in text and "✓ hub" in text, (
        done.stdout
    )
    assert text.count("not tried, because the proxy is not reached") == 3


def test_spawns_that_fail(tmp_path: Path) -> None:
    with site(tmp_path, sign_in=_SHARED, fails=["large"]) as broken:
        done = broken.health()
        text = " ".join(done.stdout.split())
        assert done.returncode == 1 and "✓ small: cell" in text, done.stdout
        assert re.search(r"✗ large: start +\d+\.\d s", done.stdout)
        assert (
            "Spawn failed" in text
            and "0/3 nodes are available: 3 Insufficient memory" in text
            and "jhub logs site main hub" in text
        ), done.stdout
        assert "large: cell" not in text and "✗ 1 failed: main: large: start" in text
        assert broken.clean()


def test_a_sign_in_that_is_broken(tmp_path: Path) -> None:
    directory = {
        "kind": "ldap",
        "server": "localhost",
        "port": free_port(),  # nobody listens there
        "tls": "none_insecure",
        "timeout_seconds": 2,
        "bind_dn_templates": ["uid={username},dc=example"],
        "allowed_groups": ["cn=jupyter,dc=example"],
    }
    with site(tmp_path, sign_in=directory, groups=["large"]) as broken:
        done = broken.health(JHUB_HEALTH_USER="ada", JHUB_HEALTH_PASSWORD="some-password")
        text = " ".join(done.stdout.split())
        assert done.returncode == 1, done.stdout + done.stderr
        assert "ada is not let in: HTTP 503" in text and "The directory gives no answer." in text, (
            done.stdout
        )
        assert "jhub probe ldap site --hub main --user ada" in text
        assert (
            "✓ small: cell" in text
            and "not tried, because it is for cn=gpu,dc=example only, and the test user is in no group"
            in text
        )
        assert broken.clean() and "some-password" not in done.stdout + done.stderr


def test_users_who_sign_in_elsewhere(tmp_path: Path) -> None:
    authority, trusted = Authority(), tmp_path / "ca.crt"
    trusted.write_text(authority.pem)
    with identity_provider(tmp_path, authority, {}) as provider:
        addresses = {
            f"{name}_url": f"{provider.url}/{name}" for name in ("authorize", "token", "userinfo")
        }
        section = {
            "kind": "oidc",
            "client_id": CLIENT_ID,
            "groups_claim": "groups",
            "allowed_groups": ["staff"],
            **addresses,
        }
        secret = {"hub": {"config": {"GenericOAuthenticator": {"client_secret": CLIENT_SECRET}}}}
        with site(tmp_path / "site", sign_in=section, secret=secret) as found:
            arguments = ("--profile", "small")
            well = found.health(*arguments, SSL_CERT_FILE=str(trusted))
            assert well.returncode == 0, well.stdout + well.stderr
            assert "leads to localhost, which answers; no password was tried there" in " ".join(
                well.stdout.split()
            )
            strange = found.health(*arguments)
            assert strange.returncode == 1 and "localhost does not answer from here" in " ".join(
                strange.stdout.split()
            ), "nobody signed its certificate"
            provider.person = "nobody"
            boot = found.hub.folder / "boot_config.py"
            boot.write_text(boot.read_text() + '\nc.GenericOAuthenticator.client_id = "another"\n')
            found.hub.restart()
            refused = found.health(*arguments, SSL_CERT_FILE=str(trusted))
            assert refused.returncode == 1 and "localhost answers with HTTP 400" in " ".join(
                refused.stdout.split()
            ), refused.stdout
            assert found.clean() and [fault.partition(":")[0] for fault in provider.faults] == [
                "authorize"
            ]
