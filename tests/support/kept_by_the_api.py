"""What the Kubernetes API does not keep of an object: empty lists and empty maps. From the types of
pulumi_kubernetes, so without a table of ours.

Types of Kubernetes (k8s.io/api) say `omitempty` of their lists and maps; an empty object is kept
(`podSelector: {}`, `emptyDir: {}`), and so is each item of a list (`ingress: [{}]`). Sent all the
same, an empty list or map is new at every preview.
"""

from __future__ import annotations

import importlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, get_args, get_origin
from unittest import mock

from pulumi import _types

from jupyterhub_aws.checks.resources import SECRET_SIGNATURE, SIGNATURE, Resource
from jupyterhub_aws.plan import values
from tests.support.stacks import quiet_sdks


@contextmanager
def secrets_shown() -> Iterator[None]:
    """While a recording is made: what is secret stands there as it is, because an empty secret
    is sent too.
    """
    masked = values._struct

    def shown(struct: Any) -> Any:
        secret = (
            struct.fields[SIGNATURE].string_value == SECRET_SIGNATURE
            if SIGNATURE in struct.fields
            else False
        )
        return values.plain(struct.fields["value"]) if secret else masked(struct)

    with mock.patch.object(values, "_struct", shown):
        yield


def not_kept(resource: Resource) -> list[str]:
    """Paths of inputs of a Kubernetes object that its API drops. Values of a Helm release are no
    object of the API.
    """
    module, _, kind = resource.type.removeprefix("kubernetes:").rpartition(":")
    if not resource.type.startswith("kubernetes:") or module.startswith("helm.sh"):
        return []
    group, _, version = module.partition("/")
    name = group.removesuffix(".k8s.io").removesuffix(".authorization")
    with quiet_sdks():
        types = importlib.import_module(f"pulumi_kubernetes.{name}.{version}")
    arguments = getattr(types, f"{kind}InitArgs", None) or getattr(types, f"{kind}Args")
    return list(_empty(resource.inputs, arguments, ""))


def _empty(value: Any, kind: Any, path: str) -> Iterator[str]:
    if isinstance(value, Mapping):
        if _types.is_input_type(kind):
            fields = _types.input_type_types(kind)
            for key, inner in value.items():
                yield from _empty(
                    inner, _types.unwrap_type(fields[key]), f"{path}.{key}" if path else key
                )
        elif not value:
            yield path
        else:
            of_values = get_args(kind)[1] if get_origin(kind) is not None else Any
            for key, inner in value.items():
                yield from _empty(inner, of_values, f"{path}.{key}")
    elif isinstance(value, Sequence) and not isinstance(value, str):
        if not value:
            yield path
        (of_items,) = get_args(kind) or (Any,)
        for index, inner in enumerate(value):
            yield from _empty(inner, _types.unwrap_type(of_items), f"{path}[{index}]")
