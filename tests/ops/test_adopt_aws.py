"""`jhub adopt config` on hubs whose servers reached AWS: no way to a role is carried over in
silence, and what takes its place is named.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from jupyterhub_aws.adopt.z2jh.convert import Converted, convert
from jupyterhub_aws.adopt.z2jh.read import several
from jupyterhub_aws.adopt.z2jh.taken import LedgerStatus, ends
from jupyterhub_aws.config.stack_file import read
from jupyterhub_aws.plan.plan import recorded

_HUB = (
    "hub: {config: {JupyterHub: {authenticator_class: github}, GitHubOAuthenticator: {client_id:"
    " Iv1.example, allowed_organizations: [my-lab]}}}"
)


def of(singleuser: str) -> Converted:
    old = several([(f"{_HUB}\nsingleuser: {singleuser}", Path("values.yaml"))], None)
    found = convert(old, hub="main", stack="old", source="values.yaml")
    assert {path for path, _ in ends(old.values) if path} == set(found.ledger)
    return found


def listed(found: Converted) -> dict[str, str]:
    return {item.path.removeprefix("singleuser."): item.why for item in found.dropped}


def noted(found: Converted, begin: str) -> list[str]:
    return [note for note in found.notes if note.startswith(begin)]


def test_an_account_of_the_old_namespace_is_not_carried_over(tmp_path: Path) -> None:
    """It would not exist in the new hub's namespace, so no pod would be admitted."""
    found = of("{serviceAccountName: user-sa}")
    why = listed(found)["serviceAccountName"]
    assert "eks.amazonaws.com/role-arn" in why and "aws_access" in why
    assert "namespace hub-main" in why and "user-sa" not in found.text
    path = tmp_path / "Pulumi.old.yaml"
    path.write_text(found.text, encoding="utf-8")
    assert recorded(read(path))[0].hubs["main"].aws_access is None


@pytest.mark.parametrize("account", ["null", "''", "default"])
def test_no_account_of_its_own_says_nothing(account: str) -> None:
    assert "serviceAccountName" not in listed(of(f"{{serviceAccountName: {account}}}"))


@pytest.mark.parametrize(
    "name",
    [
        "AWS_ROLE_ARN",
        "AWS_WEB_IDENTITY_TOKEN_FILE",
        "AWS_CONTAINER_CREDENTIALS_FULL_URI",
        "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE",
    ],
)
def test_what_leads_to_a_role_of_the_old_cluster_goes(name: str) -> None:
    found = of(f"{{extraEnv: {{{name}: '/some/where', A: b}}}}")
    assert "aws_access" in listed(found)[f"extraEnv.{name}"]
    assert name not in found.text and "A: b" in found.text


def test_keys_of_aws_go_and_are_to_be_deleted() -> None:
    names = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN")
    found = of(f"{{extraEnv: {{{', '.join(f'{name}: PLANTED' for name in names)}}}}}")
    said = listed(found)
    assert all("every user can copy" in said[f"extraEnv.{name}"] for name in names)
    assert "PLANTED" not in found.text and not any("PLANTED" in note for note in found.notes)
    assert noted(found, "servers had keys of AWS")
    assert not noted(of("{extraEnv: {A: b}}"), "servers had keys of AWS")


def test_a_region_is_carried() -> None:
    found = of("{extraEnv: {AWS_DEFAULT_REGION: us-west-2, AWS_REQUEST_PAYER: requester}}")
    assert "AWS_DEFAULT_REGION: us-west-2" in found.text and "AWS_REQUEST_PAYER" in found.text


@pytest.mark.parametrize("name", ["SCRATCH_BUCKET", "PERSISTENT_BUCKET"])
def test_an_address_is_carried_and_gives_no_access(name: str) -> None:
    found = of(f"{{extraEnv: {{{name}: 's3://lab-data'}}}}")
    assert f"{name}: s3://lab-data" in found.text
    (note,) = noted(found, name)
    assert "gives no access" in note and "docs/aws-access.md" in note
    own = noted(of(f"{{extraEnv: {{{name}: 's3://lab-data/$(JUPYTERHUB_USER)'}}}}"), name)
    assert len(own) == 2 and "jupyter-ada" in own[1]
    assert not noted(of(f"{{extraEnv: {{{name}: gs://lab-data}}}}"), name)
    assert not noted(of(f"{{extraEnv: {{{name}: {{valueFrom: x}}}}}}"), name)


def test_an_annotation_of_kube2iam_goes_and_others_stay() -> None:
    role = "arn:aws:iam::123456789012:role/users"
    found = of(f"{{extraAnnotations: {{iam.amazonaws.com/role: '{role}', a: b}}}}")
    assert "kube2iam" in listed(found)["extraAnnotations.iam.amazonaws.com/role"]
    assert "iam.amazonaws.com" not in found.text and "a: b" in found.text


@pytest.mark.parametrize(
    ("metadata", "told"),
    [
        ("{blockWithIptables: false}", True),
        ("{enabled: true}", True),
        ("{blockWithIptables: true}", False),
        ("{enabled: false}", False),
        ("null", False),
    ],
)
def test_servers_that_may_have_used_the_role_of_nodes(metadata: str, *, told: bool) -> None:
    notes: Any = noted(of(f"{{cloudMetadata: {metadata}}}"), "servers may have used the nodes'")
    assert bool(notes) is told


def test_each_has_one_line_of_the_ledger() -> None:
    found = of(
        "{serviceAccountName: a, extraEnv: {AWS_ROLE_ARN: x, SCRATCH_BUCKET: 's3://x'},"
        " extraAnnotations: {iam.amazonaws.com/role: r}}"
    )
    status = {path[1:]: entry.status for path, entry in found.ledger.items() if path[0] != "hub"}
    assert status == {
        ("serviceAccountName",): LedgerStatus.LISTED,
        ("extraEnv", "AWS_ROLE_ARN"): LedgerStatus.LISTED,
        ("extraEnv", "SCRATCH_BUCKET"): LedgerStatus.CARRIED,
        ("extraAnnotations", "iam.amazonaws.com/role"): LedgerStatus.LISTED,
    }
