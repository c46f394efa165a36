"""The page of a paused hub: a load balancer that only answers, and leads nowhere."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from jupyterhub_aws.changes.compare import Change
from jupyterhub_aws.changes.effect import EffectContext, Reading

_COMES = "users who open the hub read a page that says that it is paused"
_GOES = "the page of the paused hub goes, with the load balancer that showed it"


def read(change: Change, context: EffectContext) -> Reading:
    """Such a balancer or its listener, created or deleted: nothing of the hub is reached by it."""
    del context
    reading = Reading(change)
    side = change.new if change.op == "create" else change.old
    if change.op not in ("create", "delete") or side is None or not _only_answers(side.inputs):
        return reading
    reading.say("routine", "users", _COMES if change.op == "create" else _GOES)
    reading.whole = True
    return reading


def _only_answers(inputs: Mapping[str, Any]) -> bool:
    """A listener all of whose actions are fixed answers, or a balancer of the kind that has them:
    its listeners say the rest.
    """
    if "loadBalancerType" in inputs:
        return bool(inputs["loadBalancerType"] == "application")
    actions = inputs.get("defaultActions") or ()
    return bool(actions) and all(action.get("type") == "fixed-response" for action in actions)
