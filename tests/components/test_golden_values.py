"""The values of hubs of every kind are those that somebody read; a changed one is to be read
again.
"""

from __future__ import annotations

from typing import get_args

import pytest

from jupyterhub_aws.config.entry import LoadBalancerEntry
from jupyterhub_aws.config.hub import Hub
from jupyterhub_aws.config.stack import StackConfig
from tests.support.golden_values import FOLDER, GOLDEN, golden, path_of
from tests.support.stacks import record


@pytest.mark.real
@pytest.mark.parametrize("case", GOLDEN)
def test_values_are_those_that_were_read(case: str) -> None:
    assert golden(case) == path_of(case).read_text(encoding="utf-8"), (
        ".venv/bin/python -m tests.support.golden_values, and read the difference"
    )


def test_no_file_is_left_over() -> None:
    assert {path.name for path in FOLDER.iterdir()} == {path_of(case).name for case in GOLDEN}


def test_every_kind_of_sign_in_homes_and_tls_is_there() -> None:
    def kinds(model: type, field: str) -> set[str]:
        annotation = model.model_fields[field].annotation
        return {
            get_args(member.model_fields["kind"].annotation)[0] for member in get_args(annotation)
        }

    texts = "".join(path.read_text(encoding="utf-8") for path in FOLDER.iterdir())
    classes = {
        "github": "authenticator_class: github", "oidc": "login_service: single sign-on", "cognito": "cognito:groups", "ldap": "DirectoryAuthenticator",
        "native": "AccountsAuthenticator", "shared_password": "shared-password", "google": "GoogleAccountsAuthenticator",
        "entra": "EntraAccountsAuthenticator", "cilogon": "InstitutionsAuthenticator", "lti13": "LaunchAuthenticator",
    }  # fmt: skip
    assert kinds(Hub, "sign_in") == set(classes)
    assert all(said in texts for said in classes.values())
    homes = {
        "efs": "pvcName: homes",
        "efs_access_point": "pvcName: homes",
        "ebs": "storageClass:",
        "nfs": "home/{escaped_username}",
        "ephemeral": "type: none",
    }
    assert kinds(StackConfig, "homes") == set(homes)
    assert all(said in texts for said in homes.values())
    tls = {
        "acm": "https://hub.example.org/",
        "certificate": "type: secret",
        "none": "public_url: http://hub.example.org/",
    }
    assert kinds(LoadBalancerEntry, "tls") == set(tls)
    assert all(said in texts for said in tls.values())


def test_no_secret_is_in_them() -> None:
    recording = record(*GOLDEN["as committed"])
    assert "[secret]" in golden("as committed")
    assert all(
        "auth_token: '[secret]'" in path.read_text(encoding="utf-8") for path in FOLDER.iterdir()
    )
    assert recording.resources
