"""Pausing and resuming against an account of moto's: three shapes of clusters, nothing of
anybody else's, and the stack file line by line.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from jupyterhub_aws.config.stack_file import read
from jupyterhub_aws.operate.pause.stack_file_edit import set_paused
from tests.support.cloud import Cloud, cloud
from tests.support.in_process import in_process
from tests.support.live import environment
from tests.support.pause_shapes import SHAPES, Shape
from tests.support.stack_files import ROOT


@pytest.fixture(scope="module")
def account() -> Iterator[Cloud]:
    with cloud() as found:
        yield found


@pytest.mark.real
@pytest.mark.parametrize("shape", SHAPES.values(), ids=SHAPES)
def test_everything_rests_and_comes_back_and_nothing_else_is_touched(
    account: Cloud, tmp_path: Path, shape: Shape
) -> None:
    folder = shape.into(tmp_path)
    account.reset()
    shape.build(account)
    before, text = shape.state(account), shape.file(folder).read_text()
    done = in_process(["pause", shape.stack, "--now", "--no-up"], folder, environment(account.url))
    assert done.returncode == 0, done.stderr
    assert shape.state(account) == shape.rested(before)
    assert "  paused: true" in shape.file(folder).read_text()
    again = in_process(["pause", shape.stack, "--now", "--no-up"], folder, environment(account.url))
    assert again.returncode == 0 and again.stderr.count("already so") == again.stderr.count("["), (
        again.stderr
    )
    shape.back(account, folder)
    assert shape.state(account) == shape.resumed(before)
    assert shape.file(folder).read_text() == text, (
        "sizes and everything else stay as they were written"
    )


@pytest.mark.real
def test_a_group_that_the_stack_no_longer_names_rests_too(account: Cloud, tmp_path: Path) -> None:
    shape = SHAPES["open"]
    folder = shape.into(tmp_path)
    account.reset()
    shape.build(account)
    file = shape.file(folder)
    file.write_text(
        file.read_text().replace("[g4dn.12xlarge]", "[g5.12xlarge]")
    )  # its old group is there until the next `up`
    done = in_process(["pause", shape.stack, "--now", "--no-up"], folder, environment(account.url))
    assert done.returncode == 0, done.stderr
    assert {
        sizes for name, sizes in shape.state(account)["groups"].items() if name != "somebody-elses"
    } == {(0, 0, 0, 0)}


@pytest.mark.parametrize("name", ["dev", "airgap"])
def test_the_line_is_written_and_taken_away_and_nothing_else(tmp_path: Path, name: str) -> None:
    path = Path(shutil.copy(ROOT / f"Pulumi.{name}.yaml", tmp_path))
    before = path.read_text()
    set_paused("test", read(path), paused=True)
    lines = path.read_text().splitlines()
    assert [line for line in lines if line not in before.splitlines()] == [
        "  paused: true # jhub resume takes this line away"
    ]
    assert read(path).values == {
        **read(ROOT / f"Pulumi.{name}.yaml").values,
        "jupyterhub-aws:paused": "true",
    }
    set_paused("test", read(path), paused=True)
    assert path.read_text().splitlines() == lines, "once is enough"
    set_paused("test", read(path), paused=False)
    assert path.read_text() == before


def test_what_the_engine_wrote_is_understood(tmp_path: Path) -> None:
    path = tmp_path / "Pulumi.dev.yaml"
    path.write_text((ROOT / "Pulumi.dev.yaml").read_text() + '  jupyterhub-aws:paused: "true"\n')
    set_paused("test", read(path), paused=False)
    assert path.read_text() == (ROOT / "Pulumi.dev.yaml").read_text()


def test_a_file_of_another_form_is_left_alone(tmp_path: Path) -> None:
    from jupyterhub_aws.config.errors import ConfigError

    path = tmp_path / "Pulumi.dev.yaml"
    text = "config: {jupyterhub-aws:name: jhub-dev}\n"
    path.write_text(text)
    with pytest.raises(
        ConfigError,
        match=r"add the line yourself, below `config:`: paused: true \[pause.file-form\]",
    ):
        set_paused("test", read(path), paused=True)
    assert path.read_text() == text and list(tmp_path.iterdir()) == [path]


@pytest.mark.real
def test_machines_that_are_not_there_or_are_spot_instances_stop_it(
    account: Cloud, tmp_path: Path
) -> None:
    shape = SHAPES["kubeadm"]
    folder, pause = shape.into(tmp_path), ["pause", shape.stack, "--now", "--no-up"]
    account.reset()
    text = shape.file(folder).read_text()
    done = in_process(pause, folder, environment(account.url))
    assert done.returncode == 2 and "pause.instances.nodes: " in done.stderr, done.stderr
    assert "[pause.no-instances]" in done.stderr and shape.file(folder).read_text() == text
    shape.build(account)
    tag = {"ResourceType": "instance", "Tags": [{"Key": "role", "Value": "node"}]}
    account.client("ec2").run_instances(
        ImageId=account.image,
        MinCount=1,
        MaxCount=1,
        InstanceMarketOptions={"MarketType": "spot"},
        TagSpecifications=[tag],
    )
    before = shape.state(account)
    done = in_process(pause, folder, environment(account.url))
    assert done.returncode == 2 and "[pause.spot-instance]" in done.stderr, done.stderr
    assert shape.state(account) == before
