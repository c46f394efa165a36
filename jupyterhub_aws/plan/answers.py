"""What stands for the answers of a provider: to data sources, and to functions that calculate
without asking anybody.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

from jupyterhub_aws.checks.resources import LIBRARY

#: Data sources that this library asks about things of somebody else's: whether they are what the
#: stack file says, only AWS knows.
_ASKED_HERE: Mapping[str, dict[str, Any]] = {
    **{key: {} for key in ("aws:ec2/getVpc:getVpc", "aws:ec2/getSubnet:getSubnet")},
    "aws:ec2/getPrefixList:getPrefixList": {"id": "${aws.s3-prefix-list}"},
}
#: Data sources whose answers every part of a plan knows by these words.
_KNOWN: Mapping[str, dict[str, Any]] = {
    "aws:index/getCallerIdentity:getCallerIdentity": {
        "accountId": "${aws.account}",
        "arn": "${aws.caller}",
        "id": "${aws.account}",
        "userId": "${aws.user}",
    },
}


class UnknownCallError(Exception):
    """A component of this library asks AWS something that no recording can answer."""


class UnreadableError(Exception):
    """What a provider would refuse: the reason, in its place."""


def answer(token: str, arguments: Mapping[str, Any], *, strict: bool) -> dict[str, Any] | None:
    """The answer to a look-up; None where only the provider knows it. `strict`: this library asks,
    and every question of its is modelled.

    Raises UnknownCallError for a question of this library's that nobody has modelled,
    UnreadableError for arguments that a provider would refuse.
    """
    if token in _KNOWN:
        return _KNOWN[token]
    if token in _CALCULATED:
        return _CALCULATED[token](arguments)
    if not strict:
        return None
    if token not in _ASKED_HERE:
        raise UnknownCallError(
            f"a component of {LIBRARY.rstrip(':')} calls {token}, which only AWS can answer; take"
            " the value from the stack file instead"
        )
    return _ASKED_HERE[token]


def _objects_of(arguments: Mapping[str, Any]) -> dict[str, Any] | None:
    """`kubernetes:yaml:decode`: the objects of a YAML text, without those that have no kind or
    version (pulumi-kubernetes 4, provider/pkg/provider/invoke_decode_yaml.go). A default namespace
    needs the cluster, which knows what is in a namespace: not known here.
    """
    from ruamel.yaml import YAML

    if arguments.get("defaultNamespace"):
        return None
    yaml = YAML(typ="safe", pure=True)
    yaml.version = (1, 1)  # Kubernetes' own reader takes `yes` for true
    try:
        documents = list(yaml.load_all(str(arguments.get("text", ""))))
    except Exception as error:  # besides YAMLError whatever a constructor trips over
        raise UnreadableError(
            f"is not readable as YAML: {' '.join(str(error).split())[:200]}"
        ) from None
    found = [
        document
        for document in documents
        if isinstance(document, dict) and document.get("kind") and document.get("apiVersion")
    ]
    return {"result": json.loads(json.dumps(found, default=str))}  # a date is text there


_CALCULATED: Mapping[str, Callable[[Mapping[str, Any]], dict[str, Any] | None]] = {
    "kubernetes:yaml:decode": _objects_of
}
