"""What machines read when they start, as text."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterator

from jupyterhub_aws.checks.resources import Resource, Resources


def decoded(text: str) -> str:
    """Text from base64; as it is where it is none."""
    try:
        return base64.b64decode(text, validate=True).decode()
    except (binascii.Error, UnicodeDecodeError, ValueError):
        return text


def texts(resources: Resources) -> Iterator[tuple[Resource, str]]:
    """The user data of every launch template and instance."""
    for resource in resources.of(
        "aws:ec2/launchTemplate:LaunchTemplate", "aws:ec2/instance:Instance"
    ):
        for key in ("userData", "userDataBase64"):
            if resource.inputs.get(key):
                yield resource, decoded(str(resource.inputs[key]))
