"""Every sample and every example on the real engine: built once, and then nothing is left to do."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from ruamel.yaml import YAML

from tests.engine.harness import ROOT, Engine
from tests.support.certificates import self_signed

pytestmark = pytest.mark.real

#: What some stack files leave to whoever uses them, and a first `up` asks for.
_CLIENT = {"hub-main-client-secret": "planted-client-secret-5be1"}
_SECRETS = {"dev": _CLIENT, "dask-gateway": _CLIENT}
_EXAMPLES = ROOT / "examples"


def stack_files() -> list[Path]:
    """Every stack file of the checkout whose program is the checkout's own: the samples, and the
    examples without a program.
    """
    samples = [
        path for path in sorted(ROOT.glob("Pulumi.*.yaml")) if not path.name.endswith(".local.yaml")
    ]
    return samples + [
        path
        for path in sorted(_EXAMPLES.glob("*/Pulumi.*.yaml"))
        if not (path.parent / "__main__.py").exists()
    ]


def programs() -> list[Path]:
    """The examples that are programs of their own, with a stack file. Those without one are in
    test_composed and test_existing_vpc.
    """
    return sorted(
        path.parent
        for path in _EXAMPLES.glob("*/__main__.py")
        if list(path.parent.glob("Pulumi.*.yaml"))
    )


def test_every_stack_and_program_of_the_checkout_is_found() -> None:
    assert {path.name for path in stack_files()} >= {
        f"Pulumi.{name}.yaml" for name in ("dev", "airgap", "airgap-hub", "first-try", "kubeadm")
    }
    assert {path.name for path in programs()} >= {"backend", "ci"}


def _engine(new_engine: Callable[..., Engine], file: Path) -> Engine:
    stack = file.name.removeprefix("Pulumi.").removesuffix(".yaml")
    inner = YAML(typ="safe").load(file.read_text(encoding="utf-8"))["config"]
    outer = next(
        (str(value) for key, value in inner.items() if key.rpartition(":")[2] == "cloud_stack"),
        None,
    )
    engine = new_engine(stack=outer or "unused")
    if outer is not None:
        engine.up()
    engine.stack = stack
    (engine.project / file.name).write_bytes(file.read_bytes())
    engine.run("stack", "init", stack)
    for key, value in _SECRETS.get(stack, {}).items():
        engine.run("config", "set", "--secret", key, value)
    if stack == "kubeadm":  # its certificate is a sample without a key
        certificate = self_signed("hub.corp.example")
        engine.put(hubs__main__entry__tls__certificate=certificate.pem)
        engine.set_secret("hub-main-tls-key", certificate.key_pem)
    return engine


@pytest.mark.parametrize("file", stack_files(), ids=lambda file: file.name)
def test_a_second_preview_of_a_stack_has_nothing_to_do(
    new_engine: Callable[..., Engine], file: Path
) -> None:
    engine = _engine(new_engine, file)
    engine.up()
    assert engine.preview("--expect-no-changes").changes == {}


@pytest.mark.parametrize("folder", programs(), ids=lambda folder: folder.name)
def test_a_second_preview_of_a_program_has_nothing_to_do(
    new_engine: Callable[..., Engine], folder: Path
) -> None:
    (file,) = folder.glob("Pulumi.*.yaml")
    engine = new_engine(
        stack=file.name.removeprefix("Pulumi.").removesuffix(".yaml"), program=folder
    )
    for module in folder.glob("*.py"):
        (engine.project / module.name).write_bytes(module.read_bytes())
    for key, value in _SECRETS.get(folder.name, {}).items():
        engine.run("config", "set", "--secret", key, value)
    engine.up()
    assert engine.preview("--expect-no-changes").changes == {}
