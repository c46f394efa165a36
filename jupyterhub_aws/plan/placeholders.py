"""What a resource would answer once it exists: readable placeholders such as
`${network-vpc.id}`, from the SDK's own types.
"""

from __future__ import annotations

import sys
from functools import cache
from typing import Any, ForwardRef, Union, get_args, get_origin

from pulumi import Output
from pulumi._types import (
    _py_properties,
)  # the SDK's record of a class's outputs; it has no public one

from jupyterhub_aws.checks.resources import in_placeholder

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
#: Outputs that stand inside what was given as an input (docs of the resource itself, "Attribute
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
        and any(name == "tags" for _, name, _ in _py_properties(found))
    )


@cache
def _outputs(cls: type) -> tuple[tuple[str, Any], ...]:
    """The outputs of a class that are text or hold text: their names, and `str` or the nested
    class.
    """
    found = []
    for _, name, prop in _py_properties(cls):
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
    """Placeholders for outputs that stand inside inputs, by input."""
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
