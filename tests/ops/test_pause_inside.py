"""What a pause does inside the cluster, and what people read while it does."""

from __future__ import annotations

import datetime
import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from click.exceptions import BadParameter

from jupyterhub_aws.cli.options import NoticePeriod
from jupyterhub_aws.components.validated import validated
from jupyterhub_aws.config.cloud_config import Configuration, whole
from jupyterhub_aws.config.errors import ConfigError
from jupyterhub_aws.config.stack import StackConfig
from jupyterhub_aws.config.stack_file import read
from jupyterhub_aws.operate.live.notifier import UserNotifier
from jupyterhub_aws.operate.pause.pause import notifier_of
from jupyterhub_aws.operate.pause.stack_file_edit import set_paused
from tests.support.cloud import Cloud, autoscaling_group, built, cloud, counted, state
from tests.support.data_examples import described
from tests.support.data_keys import faults
from tests.support.in_process import Done, in_process
from tests.support.inside import Inside
from tests.support.live import environment
from tests.support.pause_shapes import SHAPES, Shape
from tests.support.stack_files import ROOT


@pytest.fixture(scope="module")
def account() -> Iterator[Cloud]:
    with cloud() as found:
        yield found


@pytest.fixture
def shape() -> Shape:
    return SHAPES["open"]


def begin(account: Cloud, shape: Shape, folder: Path, **what: Any) -> Inside:
    account.reset()
    shape.build(account)
    shape.into(folder)
    inside = Inside(**{"servers": {"main": ["ada", "bob"], "second": ["cleo"]}, **what})
    inside.on(account, folder / "tools")
    return inside


def run(account: Cloud, folder: Path, *arguments: str) -> Done:
    with counted(account) as url:
        return in_process(arguments, folder, environment(url, folder / "tools"))


@pytest.mark.real
def test_users_first_then_the_autoscaler_then_nodes(
    account: Cloud, shape: Shape, tmp_path: Path
) -> None:
    inside = begin(account, shape, tmp_path)
    done = run(account, tmp_path, "pause", "dev", "--notice", "0m", "--no-up")
    assert done.returncode == 0, done.stderr
    assert inside.servers == {"main": [], "second": []} and inside.autoscaler == 0
    order = ("DELETE /hub/api/users", "scale", "UpdateAutoScalingGroup")
    positions = [
        next(index for index, name in enumerate(account.calls) if part in name) for part in order
    ]
    assert positions == sorted(positions), account.calls
    assert "now" in inside.said["main"]["text"] and inside.said["main"]["closed"], (
        "whoever looks while nodes go reads why, and starts nothing"
    )
    assert (
        "$ kubectl --context jhub-dev --namespace kube-system scale deployment/" in done.stderr
    ), "what changes something is shown"
    again = run(account, tmp_path, "resume", "dev", "--no-up")
    assert again.returncode == 0 and inside.autoscaler == 1, again.stderr
    assert inside.said == {}, "people may start servers again"


@pytest.mark.real
def test_a_job_reads_what_was_stopped_and_what_is_left_to_run(
    account: Cloud, shape: Shape, tmp_path: Path
) -> None:
    """One document on standard output; progress and words on standard error."""
    begin(account, shape, tmp_path)
    shutil.copy(ROOT / "Pulumi.yaml", tmp_path)
    done = run(account, tmp_path, "pause", "dev", "--notice", "0m", "--no-up", "--json")
    paused = described("pause", done.stdout.replace(str(tmp_path), "/home/ops/hub"))
    assert (done.returncode, paused["state"], paused["applied"]) == (0, "paused", False)
    assert (paused["stack"], paused["file_changed"]) == ("dev", True)
    assert paused["file"] == "/home/ops/hub/Pulumi.dev.yaml" and done.stderr.count("done\n") == 5
    servers, *_, written = paused["steps"]
    assert servers["subjects"] == ["ada (main)", "bob (main)", "cleo (second)"]
    assert {step["state"] for step in paused["steps"]} == {"done"}
    assert written["what"] == "Pulumi.dev.yaml says so"
    assert paused["commands"] == ["pulumi up --stack dev"]
    assert done.stderr.endswith(f"{paused['says']}\n")
    again = run(account, tmp_path, "pause", "dev", "--now", "--no-up", "--json")
    second = json.loads(again.stdout)
    assert faults("pause", second) == [] and not second["file_changed"]
    assert {step["state"] for step in second["steps"]} == {"already so"}
    done = run(account, tmp_path, "resume", "dev", "--no-up", "--json")
    resumed = described("resume", done.stdout.replace(str(tmp_path), "/home/ops/hub"))
    assert (resumed["state"], resumed["file_changed"], resumed["commands"]) == ("resumed", True, [])
    assert {"what": "the autoscaler runs", "state": "done"}.items() <= resumed["steps"][3].items()
    assert done.stderr.endswith(f"{resumed['says']}\n")


@pytest.mark.real
@pytest.mark.parametrize("data", [False, True])
def test_what_pulumi_prints_is_no_data(
    account: Cloud, shape: Shape, tmp_path: Path, capfd: pytest.CaptureFixture[str], data: bool
) -> None:
    begin(account, shape, tmp_path)
    pulumi = tmp_path / "tools" / "pulumi"
    pulumi.write_text("#!/bin/sh\necho updating\n")
    pulumi.chmod(0o755)
    for command, *words in (["pause", "dev", "--notice", "0m"], ["resume", "dev"]):
        more = ["--json"] if data else []
        done = run(account, tmp_path, command, *words, "--yes", *more)
        assert done.returncode == 0, done.stderr
        found = capfd.readouterr()
        assert (found.err if data else found.out) == "updating\n" and not (
            found.out if data else found.err
        )
        if data:
            result = json.loads(done.stdout)
            assert faults(command, result) == []
            assert result["applied"] and result["commands"] == []


@pytest.mark.real
def test_a_second_pause_finds_no_servers_and_stops_what_aws_has_started_again(
    account: Cloud, shape: Shape, tmp_path: Path
) -> None:
    inside = begin(account, shape, tmp_path)
    assert run(account, tmp_path, "pause", "dev", "--notice", "0m", "--no-up").returncode == 0
    inside.ready = False  # no node, no hub
    rested = shape.state(account)
    account.client("rds").start_db_instance(
        DBInstanceIdentifier="jhub-dev-second-database"
    )  # as AWS does after seven days
    done = run(account, tmp_path, "pause", "dev", "--no-up")
    assert done.returncode == 0, done.stderr
    assert shape.state(account) == rested


@pytest.mark.real
def test_servers_without_their_hub_are_not_ended_without_a_word(
    account: Cloud, shape: Shape, tmp_path: Path
) -> None:
    begin(account, shape, tmp_path, ready=False)
    before = shape.state(account)
    done = run(account, tmp_path, "pause", "dev", "--no-up", "--json")
    problems = described("problems", done.stdout)["problems"]
    assert {problem["id"] for problem in problems} == {"pause.hub-down"}
    assert (
        done.returncode == 2
        and "hub main: does not run, and 2 user servers do" in done.stderr
        and "[pause.hub-down]" in done.stderr
        and "--now" in done.stderr
    )
    assert shape.state(account) == before


@pytest.mark.real
@pytest.mark.parametrize("name", ["kubeadm", "kops"])
def test_an_api_whose_machines_stand_still_is_not_asked(
    account: Cloud, tmp_path: Path, name: str
) -> None:
    shape = SHAPES[name]
    inside = begin(account, shape, tmp_path)
    assert run(account, tmp_path, "pause", shape.stack, "--notice", "0m").returncode == 0
    inside.away, rested = True, shape.state(account)
    done = run(account, tmp_path, "pause", shape.stack)
    assert done.returncode == 0, done.stderr
    assert shape.state(account) == rested


@pytest.mark.real
def test_a_group_that_the_stack_does_not_know_comes_back_with_its_sizes(
    account: Cloud, shape: Shape, tmp_path: Path
) -> None:
    begin(account, shape, tmp_path)
    subnet = account.client("ec2").describe_subnets()["Subnets"][0]["SubnetId"]
    autoscaling_group(
        account,
        "made-by-hand",
        subnet,
        sizes=(1, 5, 2),
        tags={"k8s.io/cluster-autoscaler/jhub-dev": "owned"},
    )
    assert run(account, tmp_path, "pause", "dev", "--now", "--no-up").returncode == 0
    assert shape.state(account)["groups"]["made-by-hand"] == (0, 0, 0, 0)
    assert run(account, tmp_path, "resume", "dev", "--no-up").returncode == 0
    assert shape.state(account)["groups"]["made-by-hand"][:3] == (1, 5, 2)


@pytest.mark.real
def test_a_cluster_that_does_not_answer_stops_it_before_anything(
    account: Cloud, shape: Shape, tmp_path: Path
) -> None:
    begin(account, shape, tmp_path, away=True)
    before, text = shape.state(account), shape.file(tmp_path).read_text()
    done = run(account, tmp_path, "pause", "dev", "--no-up")
    assert (
        done.returncode == 2
        and "[cluster.unreachable]" in done.stderr
        and "Traceback" not in done.stderr
    )
    assert shape.state(account) == before and shape.file(tmp_path).read_text() == text


@pytest.mark.real
def test_a_hub_of_an_older_version_is_said_to_be_so(
    account: Cloud, shape: Shape, tmp_path: Path
) -> None:
    begin(account, shape, tmp_path, tokens=False)
    before = shape.state(account)
    done = run(account, tmp_path, "pause", "dev", "--no-up")
    assert done.returncode == 2 and "hub main: " in done.stderr
    assert "[hub.no-token]" in done.stderr
    assert shape.state(account) == before


@pytest.mark.real
def test_a_half_paused_stack_is_paused_and_resumed_by_the_same_commands(
    account: Cloud, shape: Shape, tmp_path: Path
) -> None:
    inside = begin(account, shape, tmp_path)
    before = shape.state(account)
    name = next(name for name in before["groups"] if shape.ours(name))
    account.client("autoscaling").update_auto_scaling_group(
        AutoScalingGroupName=name, MinSize=0, MaxSize=0, DesiredCapacity=0
    )
    inside.autoscaler = 0
    assert run(account, tmp_path, "resume", "dev", "--no-up").returncode == 0
    assert (
        shape.state(account)["groups"][name][:2] == before["groups"][name][:2]
        and inside.autoscaler == 1
    )
    account.client("autoscaling").update_auto_scaling_group(
        AutoScalingGroupName=name, MinSize=0, MaxSize=0, DesiredCapacity=0
    )
    assert run(account, tmp_path, "pause", "dev", "--notice", "0m", "--no-up").returncode == 0
    assert shape.state(account) == shape.rested(before)


@pytest.mark.real
def test_a_hub_that_does_not_come_back_is_named(
    account: Cloud, shape: Shape, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    inside = begin(account, shape, tmp_path)
    assert run(account, tmp_path, "pause", "dev", "--now", "--no-up").returncode == 0
    inside.ready = False
    monkeypatch.setattr("jupyterhub_aws.operate.pause.resume._SECONDS", 0.5)
    done = run(account, tmp_path, "resume", "dev", "--no-up")
    assert (
        done.returncode == 2
        and "hubs answer: " in done.stderr
        and "[step.not-done]" in done.stderr
        and "main" in done.stderr
    )


def halves(account: Cloud, folder: Path) -> StackConfig:
    """The closed stack in its two files, with people on its nodes."""
    account.reset()
    for name in ("airgap", "airgap-hub"):
        shutil.copy(ROOT / f"Pulumi.{name}.yaml", folder)
    found = read(folder / "Pulumi.airgap.yaml")
    stack = validated(
        whole(Configuration(values=found.values, secret=found.secret, source=found.source), folder)
    )
    built(account, stack)
    return stack


@pytest.mark.real
def test_in_an_isolated_network_the_inner_stack_notifies_users_and_the_outer_one_waits_for_it(
    account: Cloud, tmp_path: Path
) -> None:
    stack = halves(account, tmp_path)
    inside = Inside(servers={name: ["ada"] for name in stack.hubs})
    inside.on(account, tmp_path / "tools")
    before = state(account)
    refused = run(account, tmp_path, "pause", "airgap", "--no-up")
    assert (
        refused.returncode == 2
        and "[pause.users-at-work]" in refused.stderr
        and "pause the stack inside the cluster first" in refused.stderr
    )
    assert state(account) == before
    inner = run(account, tmp_path, "pause", "airgap-hub", "--notice", "0m", "--json")
    found = json.loads(inner.stdout)
    assert faults("pause", found) == [] and found["file"] is None and not found["file_changed"]
    assert (found["stack"], found["commands"]) == ("airgap-hub", ["jhub pause airgap"])
    inner = run(account, tmp_path, "pause", "airgap-hub", "--notice", "0m")
    assert (
        inner.returncode == 0
        and "from where you run the cloud stack: jhub pause airgap" in inner.stdout
    ), inner.stderr
    assert not any(inside.servers.values()) and inside.autoscaler == 0 and state(account) == before
    outer = run(account, tmp_path, "pause", "airgap", "--now", "--no-up")
    assert outer.returncode == 0, outer.stderr
    assert {
        sizes for name, sizes in state(account)["groups"].items() if name != "somebody-elses"
    } == {(0, 0, 0, 0)}
    assert "  paused: true" in (tmp_path / "Pulumi.airgap.yaml").read_text()
    assert "paused" not in (tmp_path / "Pulumi.airgap-hub.yaml").read_text(), (
        "the inner half reads the outer one's file"
    )


@pytest.mark.real
def test_in_an_isolated_network_the_outer_stack_is_resumed_first_and_the_inner_one_by_its_own_up(
    account: Cloud, tmp_path: Path
) -> None:
    stack = halves(account, tmp_path)
    inside = Inside(servers={name: [] for name in stack.hubs}, autoscaler=0)
    inside.on(account, tmp_path / "tools")
    pulumi = tmp_path / "tools" / "pulumi"
    pulumi.write_text(f'#!/bin/sh\necho "$@" >> {tmp_path}/asked\n')
    pulumi.chmod(0o755)
    cloud = tmp_path / "Pulumi.airgap.yaml"
    resumed = cloud.read_text()
    cloud.write_text(f"{resumed}  jupyterhub-aws:paused: true\n")
    refused = run(account, tmp_path, "resume", "airgap-hub", "--yes")
    assert refused.returncode == 2 and "[pause.cloud-paused]" in refused.stderr, refused.stderr
    assert "jhub resume airgap;" in refused.stderr and inside.autoscaler == 0
    cloud.write_text(resumed)
    done = run(account, tmp_path, "resume", "airgap-hub", "--yes")
    assert done.returncode == 0, done.stderr
    assert done.stdout == (
        "airgap-hub is resumed. Whether users can work: jhub health airgap-hub\n"
    )
    asked = (tmp_path / "asked").read_text().splitlines()
    assert len(asked) == 1 and asked[0].startswith("up --stack airgap-hub "), asked
    assert inside.autoscaler == 1 and cloud.read_text() == resumed


@pytest.mark.real
def test_the_plan_after_a_pause_and_a_resume_is_the_one_before(
    account: Cloud, shape: Shape, tmp_path: Path
) -> None:
    def plan(name: str) -> bytes:
        written = tmp_path / name
        done = in_process(["plan", str(shape.file(tmp_path)), "--json", str(written)], ROOT)
        assert done.returncode == 0, done.stderr
        return written.read_bytes()

    begin(account, shape, tmp_path)
    before = plan("before.json")
    assert run(account, tmp_path, "pause", "dev", "--notice", "0m", "--no-up").returncode == 0
    paused = plan("paused.json")
    assert run(account, tmp_path, "resume", "dev", "--no-up").returncode == 0
    assert plan("after.json") == before != paused


# --- what people read ---


class Hub:
    def __init__(self, servers: dict[float, list[str]], clock: Any) -> None:
        self.hub, self._servers, self._clock, self.told, self.said_now, self.stopped = (
            "main",
            servers,
            clock,
            [],
            {"text": "", "seconds": 0},
            0,
        )

    def servers(self) -> list[Any]:
        names = self._servers[max(moment for moment in self._servers if moment <= self._clock())]
        return [type("Server", (), {"label": name, "pending": ""})() for name in names]

    def get_notice(self) -> dict[str, Any]:
        return self.said_now

    def set_notice(self, text: str, seconds: int, *, closed: bool) -> None:
        self.told.append((self._clock(), text, closed))

    def clear_notice(self) -> None:
        self.said_now = {}

    def stop(self, server: Any) -> None:
        self.stopped += 1


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds


def notifier(servers: dict[float, list[str]]) -> tuple[UserNotifier, Hub, Clock]:
    clock = Clock()
    hub = Hub(servers, clock)
    found = notifier_of([hub])  # type: ignore[list-item] -- stands in for a hub's API
    found.clock, found.sleep = clock, clock.sleep
    return found, hub, clock


def test_users_have_their_notice_and_no_server_starts_in_its_last_minutes() -> None:
    said, hub, clock = notifier({0: ["ada"]})
    said.wait(900)
    assert clock.now == 900 and "in 15 minutes (00:15 UTC)" in hub.told[0][1] and not hub.told[0][2]
    assert [closed for moment, _, closed in hub.told if moment < 600] == [False] * 40
    assert all(closed for moment, _, closed in hub.told if moment >= 600)
    assert hub.told[-1][1].startswith("This hub will be paused now")


def test_without_users_there_is_no_notice() -> None:
    said, hub, clock = notifier({0: ["ada"], 60: []})
    said.wait(900)
    assert clock.now == 60 and hub.told[-1][2]
    said, hub, clock = notifier({0: []})
    said.wait(900)
    assert clock.now == 0 and len(hub.told) == 1


def test_what_an_earlier_run_promised_is_kept() -> None:
    said, hub, clock = notifier({0: ["ada"]})
    hub.said_now = {"text": "This hub will be paused in 4 minutes", "seconds": 240 + 3600}
    said.wait(900)
    assert clock.now == 240, "people who were told four minutes have four, not fifteen again"


def test_called_off_it_takes_the_notice_back() -> None:
    said, hub, _ = notifier({0: ["ada"]})
    hub.said_now = {"text": "x", "seconds": 7200}

    def interrupted(seconds: float) -> None:
        raise KeyboardInterrupt

    said.sleep = interrupted
    with pytest.raises(ConfigError, match=r"no server was stopped.* \[notice.called-off\]"):
        said.wait(900)
    assert hub.said_now == {} and hub.stopped == 0


def test_times_are_said_in_words() -> None:
    moment = datetime.datetime(2026, 11, 24, 18, 5, tzinfo=datetime.UTC).timestamp()
    said, _, _ = notifier({0: []})
    assert (
        "in 1 minute (18:05 UTC)" in said.notice(moment, 60)
        and "in 2 minutes" in said.notice(moment, 120)
        and "paused now" in said.notice(moment, 0)
    )


@pytest.mark.parametrize(
    ("text", "seconds"), [("15m", 900), ("1h", 3600), ("0m", 0), ("90s", 90), ("12h", 43200)]
)
def test_a_notice_is_a_time(text: str, seconds: int) -> None:
    assert NoticePeriod().convert(text, None, None) == seconds


@pytest.mark.parametrize("text", ["15", "13h", "-1m", "15 m", "", "1d", "९m"])
def test_and_nothing_else(text: str) -> None:
    with pytest.raises(BadParameter, match="write it like 15m"):
        NoticePeriod().convert(text, None, None)


@pytest.mark.real
def test_a_page_of_the_paused_hub_is_said_and_goes_with_an_up(
    account: Cloud, shape: Shape, tmp_path: Path
) -> None:
    begin(account, shape, tmp_path)
    file, line = shape.file(tmp_path), "        hostname: hub.example.org\n"
    text = file.read_text()
    assert text.count(line) == 1
    page = "      maintenance_page: {paused_text: Back in January.}\n"
    text = text.replace(line, f"{line}        route53_zone: Z0123456789ABCDEFGHIJ\n")
    file.write_text(text.replace("      entry:\n", f"{page}      entry:\n", 1))
    done = run(account, tmp_path, "pause", "dev", "--now", "--no-up", "--json")
    assert json.loads(done.stdout)["maintenance_pages"] == ["main"]
    done = run(account, tmp_path, "pause", "dev", "--notice", "0m", "--no-up")
    assert done.returncode == 0, done.stderr
    assert done.stdout.endswith("After that `up`, users of main read the maintenance page.\n")
    done = run(account, tmp_path, "resume", "dev", "--no-up", "--json")
    found = json.loads(done.stdout)
    assert faults("resume", found) == [] and found["state"] == "needs up"
    up = f"pulumi up --stack dev --config-file {file}"  # no Pulumi.yaml is beside it
    assert found["commands"] == [up, "jhub resume dev --no-up"]
    set_paused("test", read(file), paused=True)
    done = run(account, tmp_path, "resume", "dev", "--no-up")
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("Hubs' records come back by: pulumi up -s dev; then run this")
    assert run(account, tmp_path, "resume", "dev", "--no-up").stdout.startswith("dev is resumed.")
