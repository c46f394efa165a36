"""What a plan of a paused stack says first: that it rests, and what that means."""

from __future__ import annotations

from jupyterhub_aws.checks.finding import Finding
from jupyterhub_aws.checks.resources import Resources
from jupyterhub_aws.config.stack import StackConfig


def paused(stack: StackConfig, _resources: Resources) -> list[Finding]:
    """A warning in every plan of a paused stack: nobody can work, and what is checked is the
    stack at rest. Nothing of any other.
    """
    if not stack.paused:
        return []
    return [
        Finding(
            id="paused",
            status="warn",
            message=(
                "the stack rests: no node, no server, nobody can sign in; homes and databases stay"
            ),
            path="paused",
            fix="jhub resume; what that would build: jhub plan --set paused=false",
        )
    ]
