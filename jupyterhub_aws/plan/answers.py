"""Placeholders for the answers of a provider: to data sources, and to functions that calculate
without a remote call.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from typing import Any, ForwardRef, Union, get_args, get_origin

from pulumi import Output

from jupyterhub_aws.checks.resources import LIBRARY, in_placeholder
from jupyterhub_aws.components.pulumi_internals import output_properties, types

#: Data sources that this library queries about resources of other owners: only AWS knows whether
#: they match the stack file.
_ASKED_HERE: Mapping[str, dict[str, Any]] = {
    **{key: {} for key in ("aws:ec2/getVpc:getVpc", "aws:ec2/getSubnet:getSubnet")},
    "aws:ec2/getPrefixList:getPrefixList": {"id": "${aws.s3-prefix-list}"},
}
#: Data sources with answers that every part of a plan knows by these words.
_KNOWN: Mapping[str, dict[str, Any]] = {
    "aws:index/getCallerIdentity:getCallerIdentity": {
        "accountId": "${aws.account}",
        "arn": "${aws.caller}",
        "id": "${aws.account}",
        "userId": "${aws.user}",
    }
}


class UnknownCallError(Exception):
    """A component of this library queries AWS for an answer that no recording has."""


class UnreadableError(Exception):
    """What a provider would refuse: the reason, in its place."""


def answer(token: str, arguments: Mapping[str, Any], *, strict: bool) -> dict[str, Any] | None:
    """The answer to a look-up; None where only the provider knows it. `strict`: this library asks,
    and every question of its is modelled.

    Raises UnknownCallError for a query of this library's that is not modelled,
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


# --- Answers to look-ups in their prompt form (`aws.ec2.get_ami(…).id`), of which only the provider
# knows the real ones.


#: Types inside of types are answered so deep.
_DEEPEST_ANSWER = 4


class PromptList(list[Any]):
    """A list of unknown length: it holds one item, and has a placeholder at every other place."""

    def __init__(self, path: str, kind: Any, depth: int) -> None:
        self._path, self._kind, self._depth = path, kind, depth
        super().__init__([self._make(0)])

    def _make(self, index: int) -> Any:
        return _of_type(self._kind, f"{self._path}[{index}]", self._depth)

    def __getitem__(self, index: Any) -> Any:
        if isinstance(index, slice):
            stop = index.stop if isinstance(index.stop, int) and index.stop >= 0 else 1
            return [
                self[place]
                for place in range(*slice(index.start, stop, index.step).indices(max(stop, 1)))
            ]
        return self._make(index)


class PromptMap(dict[str, Any]):
    """A map of unknown keys: empty, with a placeholder at every key that it is asked for."""

    def __init__(self, path: str, kind: Any, depth: int) -> None:
        super().__init__()
        self._path, self._kind, self._depth = path, kind, depth

    def _make(self, key: str) -> Any:
        return _of_type(self._kind, f"{self._path}.{key}", self._depth)

    def __missing__(self, key: str) -> Any:
        return self._make(key)

    def get(self, key: str, default: Any = None) -> Any:
        """The placeholder of a key, whatever the default."""
        del default
        return self._make(key)


def prompt_answer(token: str, kind: type | None) -> Any:
    """The placeholder of a look-up's answer: an instance of its result type. None where the
    SDK has no type for it.
    """
    return (
        None if kind is None else _of_type(kind, token.rpartition(":")[2] or token, _DEEPEST_ANSWER)
    )


def _of_type(kind: Any, path: str, depth: int) -> Any:
    kind = types.unwrap_optional_type(kind) if kind is not None else None
    if kind is None or depth < 0:
        return None
    if isinstance(kind, type) and types.is_output_type(kind):
        values = {
            name: _of_type(inner, f"{path}.{name}", depth - 1)
            for name, inner in types.output_type_types(kind).items()
        }
        return types.output_type_from_dict(kind, values)
    if kind is str or kind is Any:
        return "${" + path + "}"
    origin = get_origin(kind) or kind
    arguments = get_args(kind)
    if isinstance(origin, type) and issubclass(origin, Mapping):
        return PromptMap(
            path, arguments[1] if len(arguments) == 2 else str, depth - 1
        )  # of keys and of values
    if isinstance(origin, type) and issubclass(origin, Sequence):
        return PromptList(path, arguments[0] if arguments else str, depth - 1)
    return None


# --- What a resource would answer once it exists: readable placeholders such as
# `${network-vpc.id}`, from the SDK's own types.


#: Outputs that programs calculate with and that are neither text nor made of text (docs of the
#: resource itself). `%` is the resource's name.
_FIRST: dict[str, dict[str, Any]] = {
    "aws:ec2/launchTemplate:LaunchTemplate": {"latestVersion": 1, "defaultVersion": 1},
    "aws:eks/nodeGroup:NodeGroup": {
        "resources": [
            {"autoscalingGroups": [{"name": "${%.resources[0].autoscalingGroups[0].name}"}]}
        ]
    },
    "aws:acm/certificate:Certificate": {
        "domainValidationOptions": [
            {
                key: "${%.domainValidationOptions[0]." + key + "}"
                for key in (
                    "domainName",
                    "resourceRecordName",
                    "resourceRecordType",
                    "resourceRecordValue",
                )
            }
        ]
    },
}
#: Outputs that are part of an input (docs of the resource itself, "Attribute
#: Reference").
_INSIDE: dict[str, dict[str, tuple[str, ...]]] = {
    "aws:eks/cluster:Cluster": {"vpcConfig": ("clusterSecurityGroupId", "vpcId")}
}
#: Deeper than this no output of the program reaches.
_DEPTH = 2


@cache
def resource_class(token: str) -> type | None:
    """The SDK class of a type token, where its package is loaded (it is, when the program
    registered one).
    """
    parts = token.split(":")
    if len(parts) != 3:  # package:module:Name; components of the caller's may be called anything
        return None
    package, module, name = parts
    module = module.partition("/")[0] if package == "aws" else module
    path = f"pulumi_{package}" + ("" if module in ("index", "") else "." + _python_module(module))
    found = getattr(sys.modules.get(path), name, None)
    return found if isinstance(found, type) else None


def _python_module(module: str) -> str:
    # kubernetes:helm.sh/v3:Release lives in pulumi_kubernetes.helm.v3, kubernetes:core/v1:Namespace
    # in pulumi_kubernetes.core.v1
    return module.replace(".k8s.io", "").replace("helm.sh", "helm").replace("/", ".")


@cache
def taggable(token: str) -> bool:
    """Whether resources of this type take AWS tags."""
    found = resource_class(token)
    return (
        token.startswith("aws:")
        and found is not None
        and any(name == "tags" for _, name, _ in output_properties(found))
    )


@cache
def _outputs(cls: type) -> tuple[tuple[str, Any], ...]:
    """The outputs of a class that are text or hold text: their names, and `str` or the nested
    class.
    """
    found = []
    for _, name, prop in output_properties(cls):
        kind = _text_or_class(prop.fget.__annotations__.get("return"), cls) if prop.fget else None
        if kind is not None:
            found.append((name, kind))
    return tuple(found)


def _text_or_class(annotation: Any, owner: type) -> Any:
    while get_origin(annotation) in (
        Output,
        Union,
    ):  # Output[Optional[X]] or Optional[X], but no list and no map
        arguments = [argument for argument in get_args(annotation) if argument is not type(None)]
        if len(arguments) != 1:
            return None
        annotation = arguments[0]
    if annotation is str:
        return str
    name = annotation.__forward_arg__ if isinstance(annotation, ForwardRef) else annotation
    if not isinstance(name, str) or "[" in name:
        return None
    home = sys.modules.get(owner.__module__.rpartition(".")[0] + ".outputs") or sys.modules.get(
        owner.__module__
    )
    found = getattr(home, name.rpartition(".")[2].strip("'"), None)
    return found if isinstance(found, type) else None


def missing_outputs(token: str, name: str, known: set[str]) -> dict[str, Any]:
    """Placeholders for every text output of a type that its inputs do not give."""
    cls = resource_class(token)
    if cls is None:
        return {}
    name = in_placeholder(name)
    answers = {
        output: _answer(kind, f"{name}.{output}", 1)
        for output, kind in _outputs(cls)
        if output not in known
    }
    return {
        **{output: answer for output, answer in answers.items() if answer},
        **_named(_FIRST.get(token, {}), name),
    }


def outputs_inside(token: str, name: str) -> dict[str, dict[str, str]]:
    """Placeholders for outputs that are part of inputs, by input."""
    name = in_placeholder(name)
    return {
        given: {output: "${" + f"{name}.{given}.{output}" + "}" for output in outputs}
        for given, outputs in _INSIDE.get(token, {}).items()
    }


def _named(value: Any, name: str) -> Any:
    if isinstance(value, dict):
        return {key: _named(item, name) for key, item in value.items()}
    if isinstance(value, list):
        return [_named(item, name) for item in value]
    return value.replace("%", name) if isinstance(value, str) else value


def _answer(kind: Any, path: str, depth: int) -> Any:
    if kind is str:
        return "${" + path + "}"
    if depth >= _DEPTH:
        return None
    return {
        output: "${" + f"{path}.{output}" + "}"
        for output, nested in _outputs(kind)
        if nested is str
    }
