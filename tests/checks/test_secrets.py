"""What looks like a secret must be one for the engine too: the check passes on `dev` and names
what stands in clear text.
"""

from __future__ import annotations

from typing import Any

import pytest

from jupyterhub_aws.checks.security import secrets
from tests.checks.doctored import dev, doctored

GROUP = "aws:autoscaling/group:Group"
PEM = "-----BEGIN {}PRIVATE KEY-----\nMIIEvQ\n-----END {}PRIVATE KEY-----"


def judged(inputs: dict[str, Any]) -> list[tuple[str, str, tuple[str, ...]]]:
    """Findings about `dev` with these inputs on one of its groups; the group's URN stands as
    `here`.
    """
    resource, resources = doctored(dev()[1], GROUP, lambda given: given.update(inputs))
    found = secrets(dev()[0], resources)
    return [
        (
            finding.status,
            finding.message.removeprefix(f"{resource.label}: "),
            tuple("here" if u == resource.urn else u for u in finding.subjects),
        )
        for finding in found
    ]


def test_dev_passes() -> None:
    assert [finding.status for finding in secrets(*dev())] == ["pass"]


@pytest.mark.parametrize(
    ("inputs", "path"),
    [
        ({"masterPassword": "hunter2hunter2"}, "masterPassword"),
        ({"values": {"proxy": {"secretToken": "c0ffee"}}}, "values.proxy.secretToken"),
        (
            {"values": {"hub": {"extraEnv": {"GITHUB_TOKEN": "ghp_x"}}}},
            "values.hub.extraEnv.GITHUB_TOKEN",
        ),
        ({"config": {"client_secret": "x"}}, "config.client_secret"),
        ({"apiKey": "x"}, "apiKey"),
        ({"api_key": "x"}, "api_key"),
        ({"secretAccessKey": "x"}, "secretAccessKey"),
        ({"privateKey": "x"}, "privateKey"),
        ({"PASSPHRASE": "x"}, "PASSPHRASE"),
        ({"credentials": "x"}, "credentials"),
        ({"tokens": ["[secret]", "x"]}, "tokens[1]"),
        ({"notes": ["", PEM.format("RSA ", "RSA ")]}, "notes[1]"),
        ({"notes": PEM.format("", "")}, "notes"),
        ({"notes": {"a": [{"b": "before " + PEM.format("OPENSSH ", "OPENSSH ")}]}}, "notes.a[0].b"),
    ],
)
def test_a_secret_in_clear_text_fails_with_its_place_and_without_its_value(
    inputs: dict[str, Any], path: str
) -> None:
    assert judged(inputs) == [("fail", f"{path} is in clear text", ("here",))]


def test_each_secret_is_named() -> None:
    assert [message for _, message, _ in judged({"zPassword": "x", "aToken": "y"})] == [
        "zPassword is in clear text",
        "aToken is in clear text",
    ]


@pytest.mark.parametrize(
    "inputs",
    [
        {"masterPassword": "[secret]"},
        {"masterPassword": "[unknown]"},
        {"masterPassword": ""},
        {"masterPassword": "${random.result}"},
        {"masterPassword": None},
        {"metadataOptions": {"httpTokens": "required"}},
        {"automountServiceAccountToken": True},
        {"existingSecretName": "hub"},
        {"secretArn": "arn:aws:secretsmanager:us-east-1:123456789012:secret:x"},
        {"tokenRef": "x"},
        {"notes": "-----BEGIN CERTIFICATE-----"},
        {"notes": "-----BEGIN PUBLIC KEY-----"},
    ],
)
def test_what_is_sealed_or_says_only_where_a_secret_is_passes(inputs: dict[str, Any]) -> None:
    assert [status for status, _, _ in judged(inputs)] == ["pass"]
