"""What a real engine, real plugins and a real API server found wrong, each held to its right
answer without them. tests/engine has the long form.
"""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.support.in_process import in_process
from tests.support.kept_by_the_api import not_kept, secrets_shown
from tests.support.stack_files import ROOT
from tests.support.stacks import ALL_STACKS, record, record_anew

_MORE = {
    "no mount options": ("stack=examples/kubeadm/Pulumi.kubeadm.yaml", "homes.mount_options=[]"),
    "a usage report over NFS": (
        "stack=examples/kubeadm/Pulumi.kubeadm.yaml",
        "homes.usage_report={}",
    ),
    "a closed hub without a volume": (
        "stack=airgap",
        "parts=all",
        "hubs.main.database={kind: sqlite_memory}",
    ),
    "first try": ("stack=examples/first-try/Pulumi.first-try.yaml",),
}


@pytest.mark.real
@pytest.mark.parametrize(
    "settings", [*ALL_STACKS.values(), *_MORE.values()], ids=[*ALL_STACKS, *_MORE]
)
def test_nothing_is_sent_that_the_api_does_not_keep(settings: tuple[str, ...]) -> None:
    with secrets_shown():
        resources = record_anew(*settings).resources
    found = {f"{item.type}::{item.name}": paths for item in resources if (paths := not_kept(item))}
    assert found == {}


# --- a hub's release is not imported (E2, E3, E4) ---


@pytest.mark.parametrize("file", ["Pulumi.dev.yaml", "Pulumi.airgap-hub.yaml"])
def test_a_hubs_release_among_imports_is_refused_with_the_way_that_works(
    file: str, tmp_path: Path
) -> None:
    for name in ("Pulumi.dev.yaml", "Pulumi.airgap.yaml", "Pulumi.airgap-hub.yaml", "Pulumi.yaml"):
        shutil.copy(ROOT / name, tmp_path / name)
    text = (tmp_path / file).read_text()
    entry = (
        '\n  jupyterhub-aws:imports: { "kubernetes:helm.sh/v3:Release::hub-main-release":'
        " hub-main/hub-main }\n"
    )
    (tmp_path / file).write_text(text.replace("config:\n", "config:" + entry, 1))
    done = in_process(["plan", file.removeprefix("Pulumi.").removesuffix(".yaml")], tmp_path)
    assert (
        done.returncode == 2
        and "imports.kubernetes:helm.sh/v3:Release::hub-main-release: is a hub's Helm release, which cannot be imported"
        in done.stderr
    )
    assert (
        "helm uninstall hub-main --namespace hub-main (claims and volumes stay), pulumi refresh"
        " --yes --clear-pending-creates, pulumi up" in done.stderr
    )


@pytest.mark.real
def test_other_releases_hold_no_secret_and_may_be_imported() -> None:
    key = "kubernetes:helm.sh/v3:Release::autoscaler-release"
    assert record(f'imports={{"{key}": kube-system/cluster-autoscaler}}').outputs["imported"] == [
        key
    ]


# --- a second file of the same stack (E5) ---


def test_a_file_that_stack_init_made_says_so_and_where_the_other_is(tmp_path: Path) -> None:
    shutil.copy(ROOT / "Pulumi.yaml", tmp_path / "Pulumi.yaml")
    (tmp_path / "examples" / "first-try").mkdir(parents=True)
    shutil.copy(
        ROOT / "examples" / "first-try" / "Pulumi.first-try.yaml",
        tmp_path / "examples" / "first-try",
    )
    (tmp_path / "Pulumi.first-try.yaml").write_text("encryptionsalt: v1:abc=:v1:def:ghi==\n")
    done = in_process(["plan", "first-try"], tmp_path)
    assert (
        done.returncode == 2
        and "config: is missing: this file holds only what `pulumi stack init` wrote" in done.stderr
    ), done.stderr
    assert (
        "cat examples/first-try/Pulumi.first-try.yaml >> Pulumi.first-try.yaml; or name the other"
        " file: jhub plan examples/first-try/" in done.stderr
    )
    with (tmp_path / "Pulumi.first-try.yaml").open("a") as file:  # as it says
        file.write((tmp_path / "examples" / "first-try" / "Pulumi.first-try.yaml").read_text())
    assert in_process(["plan", "first-try"], tmp_path).returncode == 0


def test_examples_say_no_line_that_leaves_two_files_of_one_stack() -> None:
    for readme in sorted((ROOT / "examples").glob("*/README.md")):
        lines = [
            line for line in readme.read_text().splitlines() if line.strip().startswith("pulumi ")
        ]
        assert not [line for line in lines if "--config-file" in line], readme
