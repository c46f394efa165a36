"""The Pulumi package on the real engine: its schema and SDKs as the CLI makes them, and both
examples, from preview to destroy.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.engine.account import plaintext_secrets
from tests.engine.harness import NOT_RUN, Engine
from tests.support.stack_files import ROOT

pytestmark = pytest.mark.real

SECRET = "planted-client-secret-7be2"
EXAMPLES = ROOT / "examples"
PLUGIN = "pulumi-resource-jupyterhub-aws"
#: Where `pip install` puts the programs of the library.
PROGRAMS = Path(sys.executable).parent


def needs(*hosts: str) -> None:
    """Skip with a line where a language cannot be run here."""
    missing = [host for host in hosts if shutil.which(host) is None]
    if missing:
        pytest.skip(f"no `{'`, no `'.join(missing)}` on PATH: {NOT_RUN}")


def environment(plugins: list[Path]) -> dict[str, str]:
    """The plugin of this environment is found as any other is: on PATH."""
    return {"PATH": os.pathsep.join([*map(str, plugins), str(PROGRAMS), os.environ["PATH"]])}


@pytest.fixture(scope="module")
def bare(new_engine: Callable[..., Engine], plugins: list[Path]) -> Engine:
    """An engine for commands that run no program."""
    return new_engine(
        program=EXAMPLES / "yaml",
        stack="bare",
        language="yaml",
        files=("Pulumi.yaml",),
        environment=environment(plugins),
    )


# --- schema and SDKs ---


def bare_of(schema: dict[str, Any]) -> Any:
    """A schema without what is empty, and without the version by which the SDK writes it: the
    CLI drops the one and adds the other.
    """
    if isinstance(schema, dict):
        return {
            key: found
            for key, item in schema.items()
            if (found := bare_of(item)) not in ({}, [], None)
        }
    return [bare_of(item) for item in schema] if isinstance(schema, list) else schema


def test_the_cli_prints_the_committed_schema(bare: Engine) -> None:
    printed = json.loads(bare.run("package", "get-schema", str(PROGRAMS / PLUGIN)).stdout)
    assert bare_of(printed) == bare_of(
        json.loads((ROOT / "provider" / "schema.json").read_text(encoding="utf-8"))
    )


def test_the_cli_makes_an_sdk_that_python_reads(bare: Engine, tmp_path: Path) -> None:
    bare.run(
        "package", "gen-sdk", str(PROGRAMS / PLUGIN), "--language", "python", "--out", str(tmp_path)
    )
    modules = sorted((tmp_path / "python").rglob("*.py"))
    for module in modules:
        compile(module.read_text(encoding="utf-8"), str(module), "exec")
    assert "jupyter_hub_platform.py" in {module.name for module in modules}


def test_the_cli_makes_an_sdk_for_node(bare: Engine, tmp_path: Path) -> None:
    needs("pulumi-language-nodejs")
    bare.run(
        "package", "gen-sdk", str(PROGRAMS / PLUGIN), "--language", "nodejs", "--out", str(tmp_path)
    )
    assert (
        json.loads((tmp_path / "nodejs" / "package.json").read_text())["name"] == "jupyterhub-aws"
    )
    assert (
        "network: pulumi.Input<inputs.NetworkHandleArgs>"
        in (tmp_path / "nodejs" / "cluster.ts").read_text()
    )


# --- YAML ---


@pytest.fixture(scope="module")
def yaml(new_engine: Callable[..., Engine], plugins: list[Path]) -> Engine:
    needs("pulumi-language-yaml")
    engine = new_engine(
        program=EXAMPLES / "yaml",
        stack="dev",
        language="yaml",
        files=("Pulumi.yaml",),
        environment=environment(plugins),
    )
    return configured(engine)


def configured(engine: Engine) -> Engine:
    engine.run("config", "set", "aws:region", "us-east-1")
    engine.set_secret("client-secret", SECRET)
    return engine


def built(engine: Engine) -> set[str]:
    """The types in the state after a preview and an `up`, which made what the preview said."""
    planned = {step["urn"] for step in engine.preview().steps if step["op"] == "create"}
    engine.up()
    made = [
        item
        for item in engine.resources()
        if not re.search(r"::pulumi:providers:[\w-]+::default", item["urn"])
    ]
    assert {item["urn"] for item in made} - planned == set()
    return {item["type"] for item in made}


def stays_as_it_is(engine: Engine) -> None:
    assert engine.preview("--expect-no-changes").changes == {}
    assert plaintext_secrets(engine.export(), [SECRET]) == []


def goes(engine: Engine) -> None:
    """Destroyed but for what holds data, as a program in Python is."""
    engine.destroy("--exclude-protected")
    left = {item["type"] for item in engine.resources()}
    assert (
        "aws:efs/fileSystem:FileSystem" in left
        and "kubernetes:helm.sh/v3:Release" not in left
        and "aws:eks/nodeGroup:NodeGroup" not in left
    )


def test_a_platform_in_yaml_is_previewed_built_and_left_alone(yaml: Engine) -> None:
    kinds = built(yaml)
    assert {
        "jupyterhub-aws:index:JupyterHubPlatform",
        "jupyterhub-aws:index:JupyterHub",
        "aws:s3/bucket:Bucket",
        "aws:iam/rolePolicy:RolePolicy",
    } <= kinds
    (environment_,) = [
        item for item in yaml.resources() if item["urn"].endswith("::hub-main-server-environment")
    ]
    (bucket,) = yaml.account.made_as("aws:s3/bucket:Bucket::data")
    assert environment_["inputs"]["data"] == {"DATA_BUCKET": bucket}
    (role,) = [
        item["outputs"]["arn"]
        for item in yaml.resources()
        if item["urn"].endswith("aws:iam/role:Role::reader")
    ]
    (identity,) = [
        item
        for item in yaml.resources()
        if item["urn"].endswith("::hub-main-servers") and "podIdentity" in item["type"]
    ]
    assert identity["inputs"]["roleArn"] == role
    stays_as_it_is(yaml)
    assert (
        json.loads(yaml.run("stack", "output", "hubs", "--json", "--show-secrets").stdout)["main"][
            "url"
        ]
        == "http://localhost:8000/"
    )


def test_mistakes_in_yaml_are_lines_without_a_traceback_or_a_secret(yaml: Engine) -> None:
    program = yaml.project / "Pulumi.yaml"
    text = program.read_text(encoding="utf-8")
    wrong = text.replace("mode: open,", "mode: open, cidrs: x,").replace(
        "homes: { kind: efs }", 'homes: { kind: efs, note: "${client-secret}" }'
    )
    try:
        program.write_text(wrong.replace('note: "${client-secret}"', "note: x"), encoding="utf-8")
        said = yaml.refused("preview")
        assert (
            "JupyterHubPlatform 'platform': network.cidrs: is not an option here; did you mean"
            " cidr?" in said
        )
        assert "JupyterHubPlatform 'platform': homes.note: " in said
        program.write_text(wrong, encoding="utf-8")
        sealed = yaml.refused("preview")
        assert "JupyterHubPlatform 'platform': configuration.homes.note: is a secret" in sealed
    finally:
        program.write_text(text, encoding="utf-8")
    for text_ in (said, sealed):
        assert "Traceback" not in text_ and ".py" not in text_ and SECRET not in text_


def test_an_api_that_does_not_answer_is_one_line_and_then_everything_goes(yaml: Engine) -> None:
    yaml.api.close()
    said = yaml.refused("preview")
    (line,) = {
        item.partition("problem: ")[2]
        for item in said.splitlines()
        if "does not answer from here" in item and "problem: " in item
    }
    assert line.startswith(
        "the Kubernetes API at 127.0.0.1 does not answer from here (connection refused): "
    )
    assert "cluster.api.public_access_cidrs allows 203.0.113.0/24" in line
    assert "Traceback" not in said and "server.py" not in said and "RunError" not in said
    goes(yaml)


# --- TypeScript ---


def npm(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [
        "npm",
        *arguments,
        "--no-audit",
        "--no-fund",
        "--prefer-offline",
        "--fetch-retries=1",
    ]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=400)


@pytest.fixture(scope="module")
def typescript(new_engine: Callable[..., Engine], plugins: list[Path]) -> Engine:
    """The example with its packages, and with the SDK that `pulumi package add` makes for it."""
    needs("pulumi-language-nodejs", "node", "npm")
    files = ("Pulumi.yaml", "package.json", "tsconfig.json", "index.ts")
    engine = new_engine(
        program=EXAMPLES / "typescript",
        stack="lab",
        language="nodejs",
        files=files,
        environment=environment(plugins),
    )
    installed = npm(engine.project, "install")
    if installed.returncode != 0:
        pytest.skip(
            f"npm cannot install the packages of examples/typescript here: {NOT_RUN}"
            f" ({installed.stderr.strip().splitlines()[-1:]})"
        )
    engine.run("package", "add", str(PROGRAMS / PLUGIN))
    return configured(engine)


def test_the_typescript_example_compiles_and_a_wrong_argument_does_not(typescript: Engine) -> None:
    def compiled() -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            ["npx", "--no-install", "tsc", "--noEmit"],
            cwd=typescript.project,
            capture_output=True,
            text=True,
            timeout=180,
        )

    assert compiled().returncode == 0, compiled().stdout
    program = typescript.project / "index.ts"
    text = program.read_text(encoding="utf-8")
    program.write_text(
        text.replace("instanceTypes:", "instanceTipes:").replace(
            "network: network.handle", "network: network.vpcId"
        ),
        encoding="utf-8",
    )
    try:
        wrong = compiled()
    finally:
        program.write_text(text, encoding="utf-8")
    assert (
        wrong.returncode != 0
        and "instanceTipes" in wrong.stdout
        and "NetworkHandle" in wrong.stdout
    )


def test_a_hub_in_typescript_is_previewed_built_left_alone_and_destroyed(
    typescript: Engine,
) -> None:
    kinds = built(typescript)
    for kind in (
        "Network",
        "Cluster",
        "NodePools",
        "NodeAgents",
        "ClusterAutoscaler",
        "EfsHomes",
        "JupyterHub",
        "Monitoring",
    ):
        assert f"jupyterhub-aws:index:{kind}" in kinds
    by_name = {item["urn"].rpartition("::")[2]: item for item in typescript.resources()}
    assert by_name["lab-cluster-control-plane-eksCluster"]["inputs"]["vpcConfig"][
        "publicAccessCidrs"
    ] == ["203.0.113.0/24"]
    dependencies = {
        urn.rpartition("::")[2] for urn in by_name["lab-pools-core-group"]["dependencies"]
    }
    assert dependencies & {
        "lab-cluster",
        "lab-cluster-addons-vpc-cni",
    }, "nodes come after the add-ons by which they join, and go before them"
    assert "lab-pools" in {
        urn.rpartition("::")[2] for urn in by_name["dask-gateway"]["dependencies"]
    }
    stays_as_it_is(typescript)
    assert typescript.run("stack", "output", "url").stdout.strip() == "http://localhost:8000/"
    goes(typescript)


def test_mistakes_in_typescript_are_the_lines_of_python(typescript: Engine) -> None:
    program = typescript.project / "index.ts"
    text = program.read_text(encoding="utf-8")
    program.write_text(
        text.replace(
            'zones: ["us-east-1a", "us-east-1b"]',
            'zones: ["us-east-1a", "us-west-1"], physicalName: "Lab"',
        ),
        encoding="utf-8",
    )
    try:
        said = typescript.refused("preview")
    finally:
        program.write_text(text, encoding="utf-8")
    assert "Network 'lab': zones[1]: is not an availability zone (got 'us-west-1')" in said
    assert "Network 'lab': physicalName: must be lower-case letters" in said
    assert "host.py" not in said and SECRET not in said
