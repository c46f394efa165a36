"""Conditions of IAM statements: operators, set operators, `…IfExists`, policy variables.
Three-valued: what is not known is never taken for true.

Rules: IAM user guide, "IAM JSON policy elements: Condition operators", "Set operators for
multi-valued context keys", "Policy variables". Knows nothing of this project.
"""

from __future__ import annotations

import datetime
import ipaddress
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Literal

# --- Texts that policies write, compared with those of a request: wildcards, placeholders for
# itself, and the account that only AWS knows.


#: True, False, or None where it depends on what is not known.
Truth = bool | None
#: How the account is written where only AWS knows it. A written account number may be it or not.
ACCOUNT = "${aws.account}"
_NUMBER = re.compile(r"(?<![0-9])[0-9]{12}(?![0-9])")
#: Stand for a `*`, `?` and `$` that are meant as such, in patterns and in texts that are compared
#: with them.
LITERAL = {"*": "\ue000", "?": "\ue001", "$": "\ue002"}


def either(found: Iterable[Truth]) -> Truth:
    """True if one is, None if one may be, else False."""
    unknown = False
    for value in found:
        if value:
            return True
        unknown = unknown or value is None
    return None if unknown else False


def every(found: Iterable[Truth]) -> Truth:
    """False if one is, None if one may be, else True."""
    return negated(either(map(negated, found)))


def negated(value: Truth) -> Truth:
    """The opposite; what is not known stays so."""
    return None if value is None else not value


@lru_cache(maxsize=8192)
def glob(pattern: str, text: str) -> bool:
    """Whether a text matches a pattern in which `*` matches any characters and `?` one.
    Case counts.
    """
    head = pattern.split("*", 1)[0].split("?", 1)[0]
    # Most patterns end here: they are of another service.
    if len(head) == len(pattern) or not text.startswith(head):
        return pattern == text
    at = mark = len(head)
    star, start = -1, 0
    while at < len(text):
        if mark < len(pattern) and pattern[mark] == "*":
            star, start, mark = mark, at, mark + 1
        elif mark < len(pattern) and pattern[mark] in ("?", text[at]):
            at, mark = at + 1, mark + 1
        elif star >= 0:
            start += 1
            at, mark = start, star + 1
        else:
            return False
    return not pattern[mark:].strip("*")


def literal(text: str) -> str:
    """A text in which `*`, `?` and `$` stand for themselves when it becomes part of a pattern,
    or is compared with one.
    """
    if any(char in text for char in LITERAL):
        return "".join(LITERAL.get(char, char) for char in text)
    return text


def matches(pattern: str, text: str) -> Truth:
    """Whether a text matches a pattern; None where a written account number decides, and the
    account is not known.
    """
    return _decided(lambda one, other: glob(one, literal(other)), pattern, text)


def equals(written: str, text: str) -> Truth:
    """Whether both are the same; None where a written account number decides, and the account is
    not known.
    """
    return _decided(lambda one, other: one == literal(other), written, text)


def _decided(same: Callable[[str, str], bool], written: str, text: str) -> Truth:
    if same(written, text):
        return True
    if ACCOUNT in text and same(_NUMBER.sub(literal(ACCOUNT), written), text):
        return None
    return False


_VARIABLE = re.compile(r"\$\{([*?$]|[A-Za-z0-9-]+:[^}]*)\}")
_EACH: Mapping[str, Literal["all", "any"]] = {"forallvalues": "all", "foranyvalue": "any"}


class ConditionError(ValueError):
    """An operator or a value that IAM does not have."""


@dataclass(frozen=True)
class RequestContext:
    """What is known of a request: values by key, in lower case. A key that is in neither is not
    known, unless it begins with one of `closed`: of those every key is known, so that it is absent.
    """

    known: Mapping[str, tuple[str, ...]]
    closed: tuple[str, ...] = ()

    def values(self, key: str) -> tuple[str, ...] | None:
        """The values of a key; empty where the request does not have it, None where that is not
        known.
        """
        key = key.lower()
        found = self.known.get(key)
        if found is None and key.startswith(self.closed):
            return ()
        return found


def expanded(text: str, context: RequestContext) -> str | Literal[False] | None:
    """A pattern with values in the place of its policy variables. None where one is not known,
    False where the request has none: nothing matches then.
    """
    if "${" not in text:
        return text
    unknown = absent = False

    def value(match: re.Match[str]) -> str:
        nonlocal unknown, absent
        if match[1] in LITERAL:
            return LITERAL[match[1]]
        key, _, default = match[1].partition(",")
        found = context.values(key.strip())
        if found is None:
            unknown = True
        elif not found:
            if default.strip():
                return literal(default.strip().strip("'"))
            absent = True
        return literal(found[0]) if found else ""

    text = _VARIABLE.sub(value, text)
    if absent:
        return False
    if unknown:
        return None
    return text.replace(ACCOUNT, literal(ACCOUNT)).replace("${", f"{LITERAL['$']}{{")


@dataclass(frozen=True, kw_only=True)
class OperatorRule:
    """How one operator compares a written value with one of the request; `negative`: it holds
    where none of the written values is met.
    """

    compare: Callable[[str, str], Truth]
    negative: bool = False
    value: Callable[[str], object] = str

    def check(self, values: Sequence[str]) -> None:
        """Raise ConditionError for a written value of another kind."""
        for text in values:
            if "${" in text:
                continue
            try:
                self.value(text)
            except ValueError:
                raise ConditionError(f"{text!r} is no value of that operator") from None


@dataclass(frozen=True, kw_only=True)
class Operator:
    """`name` without its forms; `each`: `all` or `any` of the request's values (ForAllValues,
    ForAnyValue).
    """

    name: str
    if_exists: bool = False
    each: Literal["all", "any"] | None = None
    written: str = ""


@dataclass(frozen=True, kw_only=True)
class Condition:
    """One line of a Condition block."""

    operator: Operator
    key: str
    values: tuple[str, ...]

    @property
    def text(self) -> str:
        """As a message shows it: `StringEquals aws:ResourceTag/a = b`."""
        return f"{self.operator.written} {self.key} = {' or '.join(self.values)}"


def parse_operator(written: str) -> Operator:
    """An operator as a policy writes it, such as `ForAnyValue:StringLikeIfExists`. Raises
    ConditionError.
    """
    prefix, _, rest = written.rpartition(":")
    each = _EACH.get(prefix.lower())
    name = rest.lower()
    if_exists = name.endswith("ifexists")
    name = name.removesuffix("ifexists")
    if name not in OPERATORS or (prefix and each is None) or (if_exists and name == "null"):
        raise ConditionError(f"{written!r} is no condition operator of IAM's")
    return Operator(name=name, if_exists=if_exists, each=each, written=written)


def holds(condition: Condition, context: RequestContext, *, variables: bool) -> Truth:
    """Whether a condition holds for a request."""
    operator, found = condition.operator, context.values(condition.key)
    if operator.name == "null":
        if found is None:
            return None
        return either(wanted == ("false" if found else "true") for wanted in condition.values)
    if found is None:
        return None
    rule = OPERATORS[operator.name]
    if not found:
        return (
            operator.if_exists
            or operator.each == "all"
            or (rule.negative and operator.each is None)
        )
    wanted = [
        expanded(value, context) if variables else value.replace("$", LITERAL["$"])
        for value in condition.values
    ]

    def met(value: str) -> Truth:
        met_one = either(
            None if item is None else item is not False and rule.compare(item, value)
            for item in wanted
        )
        return negated(met_one) if rule.negative else met_one

    # A negative operator asks it of every value: one that is met is enough to fail (without a set
    # operator too).
    together = (
        every if operator.each == "all" or (rule.negative and operator.each is None) else either
    )
    return together(map(met, found))


def _ordered(
    compare: Callable[[float, float], bool], number: Callable[[str], float]
) -> Callable[[str, str], Truth]:
    def decided(written: str, value: str) -> Truth:
        try:
            return compare(number(value), number(written))
        except ValueError:
            return False

    return decided


def _instant(text: str) -> float:
    """Seconds since 1970 of a date in ISO 8601, or of seconds."""
    try:
        return float(text)
    except ValueError:
        found = datetime.datetime.fromisoformat(text)
    return (found if found.tzinfo else found.replace(tzinfo=datetime.UTC)).timestamp()


def _inside(written: str, value: str) -> Truth:
    try:
        return ipaddress.ip_address(value) in ipaddress.ip_network(written, strict=False)
    except ValueError:
        return False


def _arn(written: str, value: str) -> Truth:
    """Part by part: a `*` does not reach over a colon into the next of an ARN's six parts."""
    one, other = written.split(":", 5), value.split(":", 5)
    if len(one) < len(other):
        return matches(written, value) if written == "*" else False
    if len(one) == len(other):
        return every(matches(part, real) for part, real in zip(one, other, strict=True))
    return matches(written, value)


def _same(written: str, value: str) -> Truth:
    return equals(literal(written) if "*" in written or "?" in written else written, value)


def _same_letters(written: str, value: str) -> Truth:
    return _same(written.lower(), value.lower())


def _rules() -> dict[str, OperatorRule]:
    order: dict[str, Callable[[float, float], bool]] = {
        "lessthan": lambda one, other: one < other,
        "lessthanequals": lambda one, other: one <= other,
        "greaterthan": lambda one, other: one > other,
        "greaterthanequals": lambda one, other: one >= other,
        "equals": lambda one, other: one == other,
    }
    found = {
        "stringequals": OperatorRule(compare=_same),
        "stringnotequals": OperatorRule(compare=_same, negative=True),
        "stringequalsignorecase": OperatorRule(compare=_same_letters),
        "stringnotequalsignorecase": OperatorRule(compare=_same_letters, negative=True),
        "stringlike": OperatorRule(compare=matches),
        "stringnotlike": OperatorRule(compare=matches, negative=True),
        "bool": OperatorRule(compare=_same_letters, value=_boolean),
        "binaryequals": OperatorRule(compare=_same),
        "ipaddress": OperatorRule(compare=_inside, value=_range),
        "notipaddress": OperatorRule(compare=_inside, negative=True, value=_range),
        "null": OperatorRule(compare=_same_letters, value=_boolean),
        **{name: OperatorRule(compare=_arn) for name in ("arnequals", "arnlike")},
        **{
            name: OperatorRule(compare=_arn, negative=True)
            for name in ("arnnotequals", "arnnotlike")
        },
    }
    for name, compare in order.items():
        found[f"numeric{name}"] = OperatorRule(compare=_ordered(compare, float), value=float)
        found[f"date{name}"] = OperatorRule(compare=_ordered(compare, _instant), value=_instant)
    for kind in ("numeric", "date"):
        found[f"{kind}notequals"] = replace(found[f"{kind}equals"], negative=True)
    return found


def _boolean(text: str) -> str:
    if text.lower() not in ("true", "false"):
        raise ValueError(text)
    return text


def _range(text: str) -> object:
    return ipaddress.ip_network(text, strict=False)


#: Every operator that IAM has, in lower case, without `ForAllValues:`, `ForAnyValue:` and
#: `IfExists`.
OPERATORS: Mapping[str, OperatorRule] = _rules()
