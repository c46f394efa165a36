"""Programs that compose the components by themselves, on the real engine: preview, up, no
change, destroy.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable

import pytest

from tests.engine.account import plaintext_secrets
from tests.engine.harness import Engine
from tests.support.stack_files import ROOT

pytestmark = pytest.mark.real

SECRET = "planted-client-secret-91cd"


@pytest.fixture(scope="module")
def compose(new_engine: Callable[..., Engine]) -> Engine:
    engine = new_engine(program=ROOT / "examples" / "compose", stack="lab")
    engine.run("config", "set", "aws:region", "us-east-1")
    engine.run("config", "set", "--secret", "client-secret", SECRET)
    return engine


def test_a_preview_knows_every_resource_that_up_makes(compose: Engine) -> None:
    planned = {step["urn"] for step in compose.preview().steps if step["op"] == "create"}
    compose.up()
    made = {
        resource["urn"]
        for resource in compose.resources()
        if "::pulumi:providers:" not in resource["urn"] or "default" not in resource["urn"]
    }
    assert made - planned == set()
    kinds = [resource["type"] for resource in compose.resources()]
    for kind in (
        "Network",
        "Cluster",
        "NodePools",
        "NodeAgents",
        "ClusterAutoscaler",
        "EfsHomes",
        "JupyterHub",
    ):
        assert f"jupyterhub-aws:index:{kind}" in kinds


def test_a_second_preview_changes_nothing_and_no_secret_is_in_clear(compose: Engine) -> None:
    assert compose.preview("--expect-no-changes").changes == {}
    assert plaintext_secrets(compose.export(), [SECRET]) == []


def test_wrong_arguments_are_lines_without_a_traceback(compose: Engine) -> None:
    program = compose.project / "__main__.py"
    text = program.read_text(encoding="utf-8")
    program.write_text(
        text.replace('"memory": "16G"', '"memory": "16Gi"').replace(
            'version="1.35"', 'version="1.05"'
        ),
        encoding="utf-8",
    )
    try:
        said = compose.refused("preview")
    finally:
        program.write_text(text, encoding="utf-8")
    assert "Cluster 'lab-cluster': version:" in said and "Traceback" not in said


def test_backups_and_monitoring_come_to_what_runs_already(compose: Engine) -> None:
    program = compose.project / "__main__.py"
    text = program.read_text(encoding="utf-8")
    text = text.replace(
        "from jupyterhub_aws import (",
        "from jupyterhub_aws import (\n    Backups,\n    BackupsArgs,\n    Monitoring,\n   "
        " MonitoringArgs,",
    )
    text = text.replace(
        "homes = EfsHomes(",
        'backups = Backups("lab", BackupsArgs(region="us-east-1"))\nhomes = EfsHomes(',
    )
    text = text.replace('hubs=["main"]', 'hubs=["main"], backups=backups.outputs').replace(
        "homes=homes.outputs,", "homes=homes.outputs,\n        backups=backups.outputs,"
    )
    seen = "cluster=cluster.outputs, pools=pools.outputs, homes=homes.outputs, hubs=[hub.monitored]"
    program.write_text(
        f'{text}Monitoring("lab-monitoring", MonitoringArgs({seen}))\n', encoding="utf-8"
    )
    steps = compose.preview().steps
    assert {step["op"] for step in steps} <= {
        "create",
        "update",
        "same",
    }, "nothing that runs is replaced or deleted"
    compose.up()
    assert compose.preview("--expect-no-changes").changes == {}
    assert {"jupyterhub-aws:index:Backups", "jupyterhub-aws:index:Monitoring"} <= {
        resource["type"] for resource in compose.resources()
    }
    (system,) = [
        resource
        for resource in compose.resources()
        if resource["type"] == "aws:efs/fileSystem:FileSystem"
    ]
    assert system["inputs"]["tags"]["jupyterhub-aws/backup"] == "lab"


def test_destroy_leaves_what_holds_data_and_says_so(compose: Engine) -> None:
    compose.destroy("--exclude-protected")
    left = {resource["type"] for resource in compose.resources()}
    assert (
        "aws:efs/fileSystem:FileSystem" in left
        and "kubernetes:helm.sh/v3:Release" not in left
        and "aws:eks/nodeGroup:NodeGroup" not in left
    )


@pytest.fixture(scope="module")
def own(new_engine: Callable[..., Engine]) -> Engine:
    engine = new_engine(program=ROOT / "examples" / "own-resources", stack="lab")
    engine.up()
    return engine


def test_what_a_program_adds_is_beside_the_platform(own: Engine) -> None:
    urns = [resource["urn"] for resource in own.resources()]
    bucket = next(urn for urn in urns if urn.endswith("::courses") and "bucket:Bucket" in urn)
    assert "JupyterHubPlatform" not in bucket
    association = next(
        resource
        for resource in own.resources()
        if resource["urn"].endswith("::hub-main-servers") and "podIdentity" in resource["type"]
    )
    assert (
        association["inputs"]["serviceAccount"] == "servers"
        and association["inputs"]["namespace"] == "hub-main"
    )
    assert own.preview("--expect-no-changes").changes == {}


def test_a_teardown_takes_what_was_added_but_what_is_protected(own: Engine) -> None:
    own.destroy("--exclude-protected")
    left = {resource["type"] for resource in own.resources()}
    assert (
        "aws:s3/bucket:Bucket" in left
        and "aws:iam/rolePolicy:RolePolicy" not in left
        and "kubernetes:helm.sh/v3:Release" not in left
    )


@pytest.fixture(scope="module")
def dask(new_engine: Callable[..., Engine]) -> Engine:
    engine = new_engine(program=ROOT / "examples" / "dask-gateway", stack="lab")
    engine.run("config", "set", "--secret", "hub-main-client-secret", SECRET)
    return engine


def test_dask_gateway_is_made_beside_its_hub_with_the_token_of_its_service(dask: Engine) -> None:
    planned = {step["urn"] for step in dask.preview().steps if step["op"] == "create"}
    dask.up()
    shown = json.loads(dask.run("stack", "export", "--show-secrets").stdout)["deployment"]
    made = {
        resource["urn"]: json.dumps(resource.get("inputs", {})) for resource in shown["resources"]
    }
    assert planned <= set(made)
    ours, theirs, hub = (
        next(text for urn, text in made.items() if urn.endswith(end))
        for end in ("::dask-token", "::hub-main-services-dask-gateway", "::hub-main-secrets-secret")
    )
    (token,) = set(re.findall(r"[0-9a-f]{64}", ours))
    assert token in theirs and token in hub
    assert plaintext_secrets(dask.export(), [token]) == []
    assert dask.preview("--expect-no-changes").changes == {}
