"""What the plan refuses outside `helm_values` becomes a line to fill in, with the plan's own
reason; or it goes, and is listed.

So that one wrong word (`client_id: ${client_id}`) hides nothing: what is judged after it is judged
too.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from jupyterhub_aws.adopt.z2jh.taken import Dropped, LedgerEntry, LedgerStatus, Taking
from jupyterhub_aws.config.errors import Problem
from jupyterhub_aws.config.stack_text import Noted, fill

_PART = re.compile(r"'((?:[^'\\]|\\.)*)'|\[(\d+)\]|([^.\[\]]+)")
#: A value that the plan takes, for options that a file cannot do without. None of them lets anybody
#: in.
_STAND_INS: Mapping[str, Any] = {
    "client_id": "client-id",
    "authorize_url": "https://login.example.org/authorize_url",
    "token_url": "https://login.example.org/token_url",
    "userinfo_url": "https://login.example.org/userinfo_url",
    "username_claim": "preferred_username",
    "groups_claim": "groups",
    "server": "ldap.example.org",
    "search_base": "ou=people,dc=example,dc=org",
    "search_user": "cn=search,dc=example,dc=org",
    "user_attribute": "uid",
    "storage_class": "gp3",
    "hostname": "hub.example.org",
    "home_directory": "{safe_username}",
    "image": "quay.io/jupyter/scipy-notebook:2025-12-31",
    "memory": "8G",
    "cpu": 2,
}
#: Rules of who may have something: they stay as they are, and the plan refuses the file until they
#: are right. An empty one would let everybody in.
_GATES = ("groups",)


def mend(sections: dict[str, Any], problems: list[Problem], taking: Taking) -> bool:
    """Mend what can be mended. Whether anything was."""
    done = False
    for problem in sorted(
        problems, key=lambda item: item.path, reverse=True
    ):  # of a list the last item first
        done |= _mend(sections, problem, taking)
    return done


def _mend(sections: dict[str, Any], problem: Problem, taking: Taking) -> bool:
    parts: list[str | int] = [
        int(index) if index else quoted or bare
        for quoted, index, bare in _PART.findall(problem.path)
    ]
    holder, key = _holder(sections, parts)
    refused = None if holder is None else holder[key]
    value = _bare(refused)
    reason = f"{problem.what}; {problem.fix}"
    gate = next((part for part in reversed(parts) if isinstance(part, str)), None)
    if holder is None or (isinstance(refused, Noted) and refused.fill):
        return False
    if gate in _GATES:
        return _kept(sections, parts[: parts.index(gate) + 1], reason, taking, value)
    if isinstance(key, str) and key in _STAND_INS:
        was = (
            f"it was {value}: "
            if isinstance(value, (str, int, float))
            and len(str(value)) <= 60
            and str(value) not in problem.what
            else ""
        )  # a line
        holder[key] = fill(_STAND_INS[key], f"{was}{problem.what}")
        _mark(taking, value, LedgerStatus.FILL_IN, problem.path)
        return True
    if not isinstance(holder, list) and isinstance(value, (Mapping, list)):
        return False  # about more than one option: the operator's
    del holder[key]
    taking.dropped.append(Dropped(path=problem.path, why=reason))
    _mark(taking, value, LedgerStatus.LISTED, reason)
    if isinstance(holder, list) and not holder:
        _emptied(sections, parts[:-1])
    return True


def _kept(
    sections: dict[str, Any], parts: list[str | int], reason: str, taking: Taking, value: Any
) -> bool:
    """A rule of who may have something stays as it is, marked: the plan refuses the file as long
    as it is wrong.
    """
    holder, key = _holder(sections, parts)
    if holder is None or isinstance(holder[key], Noted):
        return False
    holder[key] = replace(
        fill(holder[key], f"{reason}. Without it everybody would have it"), unfit=True
    )
    _mark(taking, value, LedgerStatus.FILL_IN, reason)
    return True


def _holder(sections: dict[str, Any], parts: list[str | int]) -> tuple[Any, str | int]:
    """The map or list that a path's last part is in, or None."""
    here: Any = sections
    for part in parts[:-1]:
        here = _at(here, part)
    if not parts or _at(here, parts[-1]) is None:
        return None, ""
    return _bare(here), parts[-1]


def _bare(value: Any) -> Any:
    return value.value if isinstance(value, Noted) else value


def _at(value: Any, part: str | int) -> Any:
    value = _bare(value)
    if isinstance(value, dict):
        return value.get(part)
    return (
        value[part]
        if isinstance(value, list) and isinstance(part, int) and part < len(value)
        else None
    )


def _emptied(sections: dict[str, Any], parts: list[str | int]) -> None:
    """A list of which nothing is left goes, unless something is to be filled in there."""
    holder, key = _holder(sections, parts)
    if holder is not None and not isinstance(holder[key], Noted):
        del holder[key]


def _mark(taking: Taking, value: Any, status: LedgerStatus, why: str) -> None:
    """The ledger's line of a value that was carried as it is."""
    for end, entry in taking.ledger.items():
        if (
            entry.status is LedgerStatus.CARRIED
            and not entry.why.startswith("helm_values")
            and str(taking.was(end)).lower() == str(value).lower()
        ):
            taking.ledger[end] = LedgerEntry(status=status, why=why)


def without_unfit(value: Any) -> Any:
    """The same without lines whose value the plan refuses until somebody has filled them in."""
    if isinstance(value, Noted):
        return Noted(value=without_unfit(value.value), note=value.note, fill=value.fill)
    if isinstance(value, Mapping):
        return {
            key: without_unfit(item)
            for key, item in value.items()
            if not (isinstance(item, Noted) and item.unfit)
        }
    return [without_unfit(item) for item in value] if isinstance(value, (list, tuple)) else value
