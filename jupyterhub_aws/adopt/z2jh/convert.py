"""From a chart's values to a stack file that passes the plan: sections first, then what is left,
of which whatever the plan refuses is named and dropped.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path as FilePath
from typing import Any

from jupyterhub_aws.adopt.z2jh.aws import aws_of
from jupyterhub_aws.adopt.z2jh.entry import entry_of
from jupyterhub_aws.adopt.z2jh.homes import homes_of
from jupyterhub_aws.adopt.z2jh.read import Old
from jupyterhub_aws.adopt.z2jh.rest import (
    culling_of,
    database_of,
    decided,
    helm_values,
    named_servers_of,
    pruned,
    removed,
)
from jupyterhub_aws.adopt.z2jh.servers import pools_section, servers_of
from jupyterhub_aws.adopt.z2jh.services import services_of
from jupyterhub_aws.adopt.z2jh.sign_in import require_access_rule, sign_in_of
from jupyterhub_aws.adopt.z2jh.taken import (
    Dropped,
    LedgerEntry,
    LedgerStatus,
    SecretCommand,
    Taking,
    found_at,
)
from jupyterhub_aws.components.validated import validated
from jupyterhub_aws.config.cloud_config import Configuration
from jupyterhub_aws.config.errors import ConfigError, Problem, dotted
from jupyterhub_aws.config.stack import file_key
from jupyterhub_aws.config.stack_file import engine_string
from jupyterhub_aws.config.stack_text import Noted, fill, plain, text_of, to_fill_in
from jupyterhub_aws.config.tree import KeyPath, at
from jupyterhub_aws.config.versions import kubernetes_versions

# --- What the plan refuses outside `helm_values` becomes a line to fill in, with the plan's own
# reason; or it goes, and is listed.


_MENDED_PART = re.compile(r"'((?:[^'\\]|\\.)*)'|\[(\d+)\]|([^.\[\]]+)")
#: A value that the plan takes, for options that a file cannot do without. None of them gives
#: access.
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
#: are right. An empty one would give all users access.
_GATES = ("groups",)


def repair(sections: dict[str, Any], problems: list[Problem], taking: Taking) -> bool:
    """Fix what can be fixed. Whether anything was."""
    done = False
    # Of a list the last item first.
    for problem in sorted(problems, key=lambda item: item.path, reverse=True):
        done |= _repair(sections, problem, taking)
    return done


def _repair(sections: dict[str, Any], problem: Problem, taking: Taking) -> bool:
    parts: list[str | int] = [
        int(index) if index else quoted or bare
        for quoted, index, bare in _MENDED_PART.findall(problem.path)
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
        short = isinstance(value, (str, int, float)) and len(str(value)) <= 60  # a line
        was = f"it was {value}: " if short and str(value) not in problem.what else ""
        holder[key] = fill(_STAND_INS[key], f"{was}{problem.what}")
        _mark(taking, value, LedgerStatus.FILL_IN, problem.path)
        return True
    if not isinstance(holder, list) and isinstance(value, (Mapping, list)):
        return False  # about more than one option: the operator's
    del holder[key]
    taking.dropped.append(Dropped(problem.path, reason))
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
    note = f"{reason}. Without it all users would have it"
    holder[key] = replace(fill(holder[key], note), unfit=True)
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
    return found_at(_bare(value), (part,))[1]


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
            taking.mark(end, status, why)


def without_unfit(value: Any) -> Any:
    """The same without lines whose value the plan refuses until they are filled in."""
    if isinstance(value, Noted):
        return Noted(value=without_unfit(value.value), note=value.note, fill=value.fill)
    if isinstance(value, Mapping):
        return {
            key: without_unfit(item)
            for key, item in value.items()
            if not (isinstance(item, Noted) and item.unfit)
        }
    return [without_unfit(item) for item in value] if isinstance(value, (list, tuple)) else value


#: More refusals than this are no chart's values any more.
_ROUNDS = 60
#: What a program may set that decides who comes in, who gets which profile, and what servers are.
_DECIDES = re.compile(
    r"(?i)authenticator|allow|admin|block|spawner_class|profile_list|options_form|spawn_hook|state_hook|load_roles|load_groups"
)
_PART = re.compile(r"'((?:[^'\\]|\\.)*)'|([^.\[\]]+)")


@dataclass(kw_only=True)
class Converted:
    """A stack file, and what became of the rest. `ledger`: every end of the input, each once."""

    text: str
    to_fill_in: list[tuple[str, str]]
    secrets: list[SecretCommand]
    dropped: list[Dropped]
    notes: list[str]
    problems: list[Problem] = field(default_factory=list)
    stack: str = ""
    ledger: Mapping[KeyPath, LedgerEntry] = field(default_factory=dict)
    beside: tuple[tuple[KeyPath, str], ...] = ()
    sources: Mapping[KeyPath, str] = field(default_factory=dict)

    @property
    def access(self) -> list[Dropped]:
        """What kept users out of something, and does not any more: to be looked at before
        anything else.
        """
        return [item for item in self.dropped if item.access]

    @property
    def finished(self) -> bool:
        """Whether nothing is left to fill in, and no user gets more access than before."""
        return not (self.to_fill_in or self.problems or self.access)


def convert(old: Old, *, hub: str, stack: str, source: str) -> Converted:
    """Convert. Never raises for anything that YAML may hold."""
    taking = Taking(values=dict(old.values), hub=hub, programs=old.programs, chart=old.chart)
    taking.notes += old.notes
    if old.found_at:
        taking.notes.append(f"the chart's values are at {old.found_at[:120]}")
    if old.replaced:
        names = ", ".join(sorted({name for _, name in old.replaced}))
        taking.notes.append(
            f"{len(old.replaced)} values of {names[:100]} are replaced by a later file, as Helm"
            " merges them"
        )
    for name in sorted(name for name in old.programs if _DECIDES.search(name))[:10]:
        taking.notes.append(
            f"a program sets c.{name}, and programs are not carried over: read it, for it may"
            " decide who gets what"
        )
    sections = _sections(taking, hub)
    rest = helm_values(taking)
    problems = _settle(sections, rest, hub, taking)
    comments = {
        "cluster": "Reached by KUBECONFIG, or by `kubeconfig` and `context` here.",
        "network": "The cluster's own; only what pods must know of it is listed here.",
        "pools": "Existing nodes. Label those of the hub as docs/operations.md says.",
        "homes": "Where home directories are. Nothing is moved.",
    }
    head = (
        f"From {source}, the values of a zero-to-jupyterhub chart, by `jhub adopt config`. Secrets"
        " were not copied.\nLines with FILL IN are yours. Step by step: docs/adopting.md; every"
        " option: docs/reference.md."
    )
    todo = [*to_fill_in(sections), *_pem(sections)]
    return Converted(
        text=text_of(head, sections, comments),
        to_fill_in=todo,
        secrets=sorted(set(taking.secrets)),
        dropped=sorted(set(taking.dropped)),
        notes=list(dict.fromkeys(taking.notes)),
        problems=problems,
        stack=stack,
        ledger=taking.ledger,
        beside=old.beside,
        sources=old.sources,
    )


def _sections(taking: Taking, hub: str) -> dict[str, Any]:
    sign_in, (homes, directory), entry = sign_in_of(taking), homes_of(taking), entry_of(taking)
    servers = servers_of(taking)
    if plain(directory) is not None and "{unescaped_username}" in str(plain(directory)):
        sign_in.setdefault("usernames", "dotted")
    options: dict[str, Any] = {
        "image": servers.image,
        "home_directory": directory,
        "named_servers": named_servers_of(taking) or None,
        "services": services_of(taking) or None,
        "culling": culling_of(taking) or None,
    }
    section = {
        "sign_in": sign_in,
        "entry": entry,
        "database": database_of(taking),
        **{key: value for key, value in options.items() if value is not None},
    }
    egress = _egress(taking)
    aws_of(taking)
    decided(taking)
    return {
        "name": fill("jhub", "the beginning of names in the cluster"),
        "tags": {
            "owner": fill("unknown", "who answers for it"),
            "environment": fill("production", "dev, staging or production"),
        },
        "network": {
            "mode": "unmanaged",
            "ranges": fill(["10.0.0.0/16"], "ranges of nodes and pods"),
            "egress": {"kind": egress},
        },
        "cluster": {
            "kind": "existing",
            "version": fill(sorted(kubernetes_versions())[-1], "kubectl version"),
        },
        "pools": pools_section(servers),
        "homes": homes,
        "hubs": {hub: {**section, "profiles": servers.profiles}},
    }


def _pem(sections: dict[str, Any]) -> list[tuple[str, str]]:
    """Certificates that are to be pasted: a text of several lines has no room for a comment at
    its end.
    """
    found = []
    for name, hub in sections["hubs"].items():
        for path, text in (
            ("sign_in.ca_certificate", hub["sign_in"].get("ca_certificate")),
            ("entry.tls.certificate", hub["entry"]["tls"].get("certificate")),
        ):
            if isinstance(text, str) and "FILL IN" in text:
                note = text.splitlines()[1].removeprefix("FILL IN ")
                found.append((f"hubs.{name}.{path}", note))
    return found


def _egress(taking: Taking) -> Any:
    """How servers get out. Where the chart's own rule for the internet was off, or replaced as
    charts before 2.0 had it, they may not have got out at all.
    """
    policy: KeyPath = ("singleuser", "networkPolicy")
    switch = taking.look(*policy, "egressAllowRules", "nonPrivateIPs") is False
    rules = taking.look(*policy, "egress")
    newer = taking.chart is not None and not taking.chart.lstrip("v").startswith(("0.", "1."))
    listed = rules if isinstance(rules, list) and not newer else []
    narrow = bool(listed) and not any(map(_lets_all, listed))
    if not (switch or narrow):
        return fill("internet", "internet, proxy or none")
    why = (
        "the old servers reached the internet by rules of their own only, if at all: with egress"
        " internet they do; write none to keep them in"
    )
    if switch:
        taking.drop((*policy, "egressAllowRules", "nonPrivateIPs"), why, access=True)
    if narrow:
        taking.drop((*policy, "egress"), why, access=True)
    return fill("internet", f"internet, proxy or none; {why}")


def _lets_all(rule: Any) -> bool:
    """Whether a rule of a network policy lets through to every address."""
    if not isinstance(rule, Mapping) or not rule.get("to"):
        return True
    peers = rule["to"] if isinstance(rule["to"], list) else []
    return any(at(peer, "ipBlock", "cidr") == "0.0.0.0/0" for peer in peers)


def _settle(
    sections: dict[str, Any], rest: dict[str, Any], hub: str, taking: Taking
) -> list[Problem]:
    """Put what is left under helm_values, as far as the plan takes it; what it refuses is dropped
    with the plan's own reason.

    What it refuses elsewhere gets a stand-in that is to be filled in: one wrong word must not hide
    what the plan says of the rest.
    """
    section, inside = sections["hubs"][hub], f"hubs.{hub}.helm_values"
    for _ in range(_ROUNDS):
        rest = pruned(rest)
        section.pop("helm_values", None)
        if rest:
            section["helm_values"] = rest
        problems = problems_of(sections)
        below = [problem for problem in problems if problem.path.startswith(inside)]
        outside = (problem for problem in problems if problem not in below)
        others = [problem for problem in outside if not _filled(problem, sections)]
        fixed = repair(sections, others, taking)
        require_access_rule(section["sign_in"], str(plain(section["sign_in"]["kind"])))
        if not below and not fixed:
            return others
        for problem in below:
            parts = _PART.findall(problem.path.removeprefix(f"{inside}."))
            path = tuple(quoted or bare for quoted, bare in parts)
            gone, why = removed(rest, path), f"{problem.what}; {problem.fix}"
            if not gone:
                rest = {}  # the plan means something that follows from all of it together
            taking.drop(taking.origin(gone or path or ("helm_values",)), why)
            _listed(taking, gone, why)
    section.pop("helm_values", None)
    why = "the plan refuses what is left, for more reasons than can be told"
    taking.drop(("helm_values",), why)
    _listed(taking, (), why)
    return [problem for problem in problems_of(sections) if not _filled(problem, sections)]


def _listed(taking: Taking, gone: KeyPath, why: str) -> None:
    """What went with a part of helm_values that the plan refuses; all of it, for an empty path."""
    for end, entry in taking.ledger.items():
        if (
            entry.status is LedgerStatus.CARRIED
            and entry.why.startswith("helm_values")
            and (not gone or entry.why.startswith(f"helm_values.{dotted(gone)}"))
        ):
            taking.mark(end, LedgerStatus.LISTED, why)


def _filled(problem: Problem, sections: dict[str, Any]) -> bool:
    """Whether a problem is about a line that is to be filled in anyway."""
    return any(problem.path.startswith(path) for path, _ in to_fill_in(sections))


def problems_of(sections: dict[str, Any]) -> list[Problem]:
    """What the plan says against sections, secrets apart. Lines to fill in that hold no stand-in
    are left out, so that they hide nothing.
    """
    from jupyterhub_aws.config.load import load
    from jupyterhub_aws.config.secrets import required_secrets

    values = {
        file_key(name): engine_string(plain(without_unfit(value)))
        for name, value in sections.items()
    }
    try:
        stack = load(values, source="Pulumi.yaml")
        secret = tuple(needed.in_file for needed in required_secrets(stack.hubs))
        validated(Configuration(values=values, secret=secret, source=str(FilePath("Pulumi.yaml"))))
    except ConfigError as error:
        return list(error.problems)
    return []
