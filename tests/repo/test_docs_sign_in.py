"""Every block of YAML in docs/users-and-sign-in.md is what a hub of a stack file may say."""

from __future__ import annotations

import re
from typing import Any

import pytest
import yaml

from jupyterhub_aws.config.hub import Hub
from jupyterhub_aws.config.secrets import required_secrets
from jupyterhub_aws.config.stack import StackConfig
from tests.support.stack_cases import load_case
from tests.support.stack_files import ROOT

PAGE = (ROOT / "docs" / "users-and-sign-in.md").read_text(encoding="utf-8")
BLOCKS = [
    (PAGE[: found.start()].rpartition("\n#")[2].partition("\n")[0].strip("# "), found[1])
    for found in re.finditer(r"^```yaml\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
]
#: Kinds whose provider gives no secret.
SECRETLESS = {"lti13"}


def loaded(text: str) -> tuple[StackConfig, dict[str, Any]]:
    said = yaml.safe_load(text)
    stack = load_case({"set": {f"hubs.main.{name}": value for name, value in said.items()}})
    return stack, said


@pytest.mark.parametrize(("heading", "text"), BLOCKS, ids=[heading for heading, _ in BLOCKS])
def test_a_block_is_valid(heading: str, text: str) -> None:
    assert heading
    stack, said = loaded(text)
    assert set(said) <= set(Hub.model_fields)
    sign_in = said.get("sign_in")
    if sign_in is None:
        return
    needed = [secret.key for secret in required_secrets(stack.hubs)]
    assert needed == ([] if sign_in["kind"] in SECRETLESS else ["hub-main-client-secret"])


def test_kinds_and_recipes_have_a_block() -> None:
    found = {yaml.safe_load(text).get("sign_in", {}).get("kind") for _, text in BLOCKS}
    assert {"google", "entra", "cilogon", "lti13", "oidc"} <= found
    recipes = [text for heading, text in BLOCKS if heading.startswith("Okta, Keycloak")]
    assert [
        word for text in recipes for word in ("okta.com", "realms/", "idp/profile") if word in text
    ] == [
        "okta.com",
        "realms/",
        "idp/profile",
    ]


def test_a_wrong_block_would_be_found() -> None:
    text = next(text for heading, text in BLOCKS if heading == "Google")
    with pytest.raises(Exception, match=r"sign_in\.allowed_domain:"):
        loaded(text.replace("allowed_domains", "allowed_domain"))
