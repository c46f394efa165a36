"""A plan of `jhub` beside the state of the engine: where they differ, leaf by leaf."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Mapping, Sequence
from typing import Any


def own(resources: Sequence[Mapping[str, Any]]) -> dict[str, Mapping[str, Any]]:
    """The program's resources by URN: without the stack, and without the providers that the
    engine makes by itself.
    """
    return {
        resource["urn"]: resource
        for resource in resources
        if resource["type"] != "pulumi:pulumi:Stack"
        and not re.search(r"::pulumi:providers:\w+::default(_[\d_]+)?$", resource["urn"])
    }


def differences(
    planned: Sequence[Mapping[str, Any]], stored: Sequence[Mapping[str, Any]]
) -> list[str]:
    """Inputs and options that a plan shows otherwise than the engine has them, of resources that
    both have.
    """
    state = own(stored)
    found = []
    for resource in planned:
        known = state.get(resource["urn"])
        if known is not None:
            unlike = [
                *_inputs_differ(resource["inputs"], known.get("inputs", {})),
                *_options_differ(resource, known),
            ]
            found += [
                f"{resource['type']}::{resource['name']} {difference}" for difference in unlike
            ]
    return found


def _options_differ(planned: Mapping[str, Any], stored: Mapping[str, Any]) -> list[str]:
    pairs = {
        "protect": (planned["protect"], stored.get("protect", False)),
        "retain_on_delete": (planned["retain_on_delete"], stored.get("retainOnDelete", False)),
        "ignore_changes": (
            sorted(planned["ignore_changes"]),
            sorted(stored.get("ignoreChanges", [])),
        ),
        "parent": (
            planned["parent"],
            None if "::pulumi:pulumi:Stack::" in stored.get("parent", "") else stored.get("parent"),
        ),
    }
    return [
        f"{name}: plan {plan!r}, engine {engine!r}"
        for name, (plan, engine) in pairs.items()
        if plan != engine
    ]


def _inputs_differ(planned: Any, stored: Any, path: str = "") -> list[str]:
    """Where the engine's inputs are not the plan's. A placeholder of the plan stands for any
    text.
    """
    if isinstance(planned, dict) and isinstance(stored, dict):
        keys = {
            key
            for side in (planned, stored)
            for key, value in side.items()
            if value is not None and not key.startswith("__")
        }
        keys -= (
            {"version"} if path == "" and "kubeconfig" in stored else set()
        )  # of a provider: the engine notes its plugin's
        return [
            found
            for key in sorted(keys)
            for found in _inputs_differ(planned.get(key), stored.get(key), f"{path}.{key}")
        ]
    if isinstance(planned, list) and isinstance(stored, list) and len(planned) == len(stored):
        return [
            found
            for index, (plan, engine) in enumerate(zip(planned, stored, strict=True))
            for found in _inputs_differ(plan, engine, f"{path}[{index}]")
        ]
    return (
        [] if _same(planned, stored) else [f"{path}: plan {planned!r:.120}, engine {stored!r:.120}"]
    )


def _same(planned: Any, stored: Any) -> bool:
    if planned == stored or planned in ("[secret]", "[unknown]"):
        return True
    if isinstance(stored, dict) and "urn" in stored:  # a resource as an input
        return planned == stored["urn"]
    if not isinstance(planned, str) or not isinstance(stored, str):
        return False
    return any(
        _fits(plan, engine)
        for plan, engine in ((planned, stored), (_decoded(planned), _decoded(stored)))
    )


def _fits(planned: str, stored: str) -> bool:
    """Whether the text fits, with anything in the place of `${...}`."""
    return (
        re.fullmatch(
            ".*".join(re.escape(part) for part in re.split(r"\$\{[^}]*\}", planned)),
            stored,
            re.DOTALL,
        )
        is not None
    )


def _decoded(text: str) -> str:
    """User data is base64; what is in it has placeholders too."""
    try:
        return base64.b64decode(text, validate=True).decode()
    except (binascii.Error, UnicodeDecodeError):
        return text
