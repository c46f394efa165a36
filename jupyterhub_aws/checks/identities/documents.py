"""IAM policy documents, parsed: the statements of a JSON text, or what is wrong with it.

Grammar: IAM user guide, "Grammar of the IAM JSON policy language" and "IAM JSON policy element
reference". Knows nothing of this project.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from jupyterhub_aws.checks.identities.conditions import (
    OPERATORS,
    Condition,
    ConditionError,
    parse_operator,
)

#: Where policy variables began (IAM user guide, "IAM JSON policy elements: Version"); before it
#: `${…}` is plain text.
CURRENT = "2012-10-17"
_VERSIONS = (CURRENT, "2008-10-17")
_ELEMENTS = frozenset(
    "Sid Effect Principal NotPrincipal Action NotAction Resource NotResource Condition".split()
)
_PRINCIPAL_KINDS = frozenset({"AWS", "Service", "Federated", "CanonicalUser"})
_WILD = re.compile(r"[*?]")
_ACTION = re.compile(r"\*|\*:\*|[A-Za-z0-9-]+:[A-Za-z0-9*?]+")
#: A resource is `*`, an ARN with its service written out, or a value that the plan does not know
#: yet.
_RESOURCE = re.compile(r"\*|\$\{.*|arn:[^:]*:[a-z0-9-]+:.*", re.DOTALL)


class PolicyError(ValueError):
    """A document that AWS would refuse, or that is no policy at all. The message says where and
    what.
    """


@dataclass(frozen=True, kw_only=True)
class Principals:
    """The principals of a statement: pairs of kind (`AWS`, `Service`, `Federated`, `CanonicalUser`)
    and value; `excluded` for NotPrincipal.
    """

    named: tuple[tuple[str, str], ...]
    excluded: bool


@dataclass(frozen=True, kw_only=True)
class PolicyStatement:
    """One statement. `label` is its Sid, or its number where it has none. `not_actions` and
    `not_resources` tell NotAction and NotResource.

    `principals` is None in an identity policy. `variables`: whether `${…}` is replaced by values of
    the request. Actions are in lower case: `actions` those written out, `patterns` those with a
    wildcard.
    """

    label: str
    allows: bool
    principals: Principals | None
    actions: frozenset[str]
    patterns: tuple[str, ...]
    not_actions: bool
    resources: tuple[str, ...]
    not_resources: bool
    conditions: tuple[Condition, ...]
    variables: bool


@dataclass(frozen=True, kw_only=True)
class PolicyDocument:
    """A policy: `name` is how messages call it."""

    name: str
    statements: tuple[PolicyStatement, ...]


def parse_policy(name: str, document: str | Mapping[str, Any]) -> PolicyDocument:
    """The policy in a JSON text, or in its parsed form. Raises PolicyError."""
    statements = _parsed(document) if isinstance(document, str) else _statements(document)
    return PolicyDocument(name=name, statements=statements)


@lru_cache(maxsize=1024)
def _parsed(text: str) -> tuple[PolicyStatement, ...]:
    try:
        found = json.loads(text)
    except ValueError as error:
        raise PolicyError(f"is not JSON: {error}") from None
    if not isinstance(found, Mapping):
        raise PolicyError("is no JSON object")
    return _statements(found)


def _statements(found: Mapping[str, Any]) -> tuple[PolicyStatement, ...]:
    version = found.get("Version", "2008-10-17")
    if version not in _VERSIONS:
        raise PolicyError(f"Version {version!r} is none of IAM's ({', '.join(_VERSIONS)})")
    listed = found.get("Statement")
    if isinstance(listed, Mapping):
        listed = [listed]
    if not isinstance(listed, list) or not listed:
        raise PolicyError("has no Statement")
    statements = tuple(
        _statement(item, index, variables=version == CURRENT)
        for index, item in enumerate(listed, start=1)
    )
    sids = [str(item["Sid"]) for item in listed if item.get("Sid")]
    twice = next((sid for sid in sids if sids.count(sid) > 1), None)
    if twice is not None:
        raise PolicyError(f"has two statements with the Sid {twice}")
    return statements


def _statement(item: object, index: int, *, variables: bool) -> PolicyStatement:
    if not isinstance(item, Mapping):
        raise PolicyError(f"statement {index} is no object")
    label = str(item.get("Sid") or f"number {index}")
    try:
        return _elements(item, label, variables=variables)
    except (PolicyError, ConditionError) as error:
        raise PolicyError(f"statement {label}: {error}") from None


def _elements(item: Mapping[str, Any], label: str, *, variables: bool) -> PolicyStatement:
    unknown = sorted(set(item) - _ELEMENTS)
    if unknown:
        raise PolicyError(f"{unknown[0]!r} is no element of a statement")
    if item.get("Effect") not in ("Allow", "Deny"):
        raise PolicyError(f"Effect is {item.get('Effect')!r}; it has to be Allow or Deny")
    help_text = "write it like ec2:AttachVolume; `*` may stand in the name, not in the service"
    actions, not_actions = _either(item, "Action", _ACTION, help_text)
    help_text = "write `*` or an ARN; `*` may not stand for the service"
    resources, not_resources = _either(item, "Resource", _RESOURCE, help_text, optional=True)
    return PolicyStatement(
        label=label,
        allows=item["Effect"] == "Allow",
        principals=_principals(item),
        actions=frozenset(action.lower() for action in actions if not _WILD.search(action)),
        patterns=tuple(action.lower() for action in actions if _WILD.search(action)),
        not_actions=not_actions,
        resources=resources,
        not_resources=not_resources,
        conditions=tuple(_conditions(item.get("Condition", {}))),
        variables=variables,
    )


def _either(
    item: Mapping[str, Any],
    name: str,
    form: re.Pattern[str],
    help_text: str,
    *,
    optional: bool = False,
) -> tuple[tuple[str, ...], bool]:
    """The values of an element or of its Not-form, of which a statement has exactly one; a trust
    policy has no Resource.
    """
    there = [key for key in (name, f"Not{name}") if key in item]
    if len(there) > 1:
        raise PolicyError(f"has {name} and Not{name}; it takes one of them")
    if not there:
        if optional:
            return ("*",), False
        raise PolicyError(f"has no {name}")
    values = _texts(item[there[0]], there[0])
    for value in values:
        if not form.fullmatch(value):
            raise PolicyError(f"{there[0]} {value!r} is none: {help_text}")
    return values, there[0] != name


def _texts(value: object, where: str) -> tuple[str, ...]:
    found = value if isinstance(value, list) else [value]
    if not found or not all(isinstance(text, str) for text in found):
        raise PolicyError(f"{where} has to be a text or a list of texts")
    return tuple(found)


def _principals(item: Mapping[str, Any]) -> Principals | None:
    there = [key for key in ("Principal", "NotPrincipal") if key in item]
    if not there:
        return None
    if len(there) > 1:
        raise PolicyError("has Principal and NotPrincipal; it takes one of them")
    value = item[there[0]]
    if value == "*":
        return Principals(named=(("AWS", "*"),), excluded=there[0] == "NotPrincipal")
    if not isinstance(value, Mapping) or not value:
        raise PolicyError(f"{there[0]} has to be `*` or an object such as {{'AWS': …}}")
    named = []
    for kind, listed in value.items():
        if kind not in _PRINCIPAL_KINDS:
            raise PolicyError(
                f"{there[0]} {kind!r} is none of {', '.join(sorted(_PRINCIPAL_KINDS))}"
            )
        for text in _texts(listed, f"{there[0]} {kind}"):
            if text != "*" and ("*" in text or "?" in text):
                raise PolicyError(
                    f"{there[0]} {text!r}: a wildcard cannot stand for part of a principal"
                )
            named.append((kind, text))
    return Principals(named=tuple(named), excluded=there[0] == "NotPrincipal")


def _conditions(found: object) -> Sequence[Condition]:
    if not isinstance(found, Mapping):
        raise PolicyError("Condition has to be an object of operators")
    conditions = []
    for written, keys in found.items():
        operator = parse_operator(str(written))
        if not isinstance(keys, Mapping) or not keys:
            raise PolicyError(f"Condition {written} has to be an object of keys")
        for key, values in keys.items():
            listed = values if isinstance(values, list) else [values]
            if any(isinstance(value, (Mapping, list)) or value is None for value in listed):
                raise PolicyError(
                    f"Condition {written} {key} has to have texts, numbers or booleans as values"
                )
            texts = tuple(
                str(value).lower() if isinstance(value, bool) else str(value) for value in listed
            )
            OPERATORS[operator.name].check(texts)
            conditions.append(Condition(operator=operator, key=str(key), values=texts))
    return conditions
