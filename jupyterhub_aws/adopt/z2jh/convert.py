"""From a chart's values to a stack file that passes the plan: sections first, then what is left,
of which whatever the plan refuses is named and dropped.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path as FilePath
from typing import Any

from jupyterhub_aws.adopt.z2jh.entry import entry_of
from jupyterhub_aws.adopt.z2jh.homes import homes_of
from jupyterhub_aws.adopt.z2jh.mend import mend, without_unfit
from jupyterhub_aws.adopt.z2jh.pools import pools_section
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
from jupyterhub_aws.adopt.z2jh.servers import servers_of
from jupyterhub_aws.adopt.z2jh.sign_in import sign_in_of, somebody
from jupyterhub_aws.adopt.z2jh.taken import (
    Dropped,
    LedgerEntry,
    LedgerStatus,
    SecretCommand,
    Taking,
)
from jupyterhub_aws.components.validated import validated
from jupyterhub_aws.config.errors import ConfigError, Problem, dotted
from jupyterhub_aws.config.halves import Configuration
from jupyterhub_aws.config.stack import file_key
from jupyterhub_aws.config.stack_file import engine_string
from jupyterhub_aws.config.stack_text import fill, plain, text_of, to_fill_in
from jupyterhub_aws.config.tree import Path
from jupyterhub_aws.config.versions import kubernetes_versions

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
    ledger: Mapping[Path, LedgerEntry] = field(default_factory=dict)
    beside: tuple[tuple[Path, str], ...] = ()
    sources: Mapping[Path, str] = field(default_factory=dict)

    @property
    def access(self) -> list[Dropped]:
        """What kept users out of something, and does not any more: to be looked at before
        anything else.
        """
        return [item for item in self.dropped if item.access]

    @property
    def finished(self) -> bool:
        """Whether nothing is left to fill in, and nobody gets further than before."""
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
        "network": "The cluster's own; only what pods must know of it stands here.",
        "pools": "Nodes that are there. Label those of the hub as docs/operations.md says.",
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
        "culling": culling_of(taking) or None,
    }
    section = {
        "sign_in": sign_in,
        "entry": entry,
        "database": database_of(taking),
        **{key: value for key, value in options.items() if value is not None},
    }
    egress = _egress(taking)
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
        for path, section in (
            ("sign_in.ca_certificate", hub["sign_in"].get("ca_certificate")),
            ("entry.tls.certificate", hub["entry"]["tls"].get("certificate")),
        ):
            if isinstance(section, str) and "FILL IN" in section:
                found.append(
                    (f"hubs.{name}.{path}", section.splitlines()[1].removeprefix("FILL IN "))
                )
    return found


def _egress(taking: Taking) -> Any:
    """How servers get out. Where the chart's own rule for the internet was off, or replaced as
    charts before 2.0 had it, they may not have got out at all.
    """
    policy: Path = ("singleuser", "networkPolicy")
    switch = taking.look(*policy, "egressAllowRules", "nonPrivateIPs") is False
    rules = taking.look(*policy, "egress")
    newer = taking.chart is not None and not taking.chart.lstrip("v").startswith(("0.", "1."))
    narrow = (
        isinstance(rules, list)
        and bool(rules)
        and not newer
        and not any(_lets_all(rule) for rule in rules)
    )
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
    return any(
        isinstance(peer, Mapping)
        and isinstance(peer.get("ipBlock"), Mapping)
        and peer["ipBlock"].get("cidr") == "0.0.0.0/0"
        for peer in peers
    )


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
        others = [
            problem
            for problem in problems
            if not problem.path.startswith(inside) and not _filled(problem, sections)
        ]
        mended = mend(sections, others, taking)
        somebody(section["sign_in"], str(plain(section["sign_in"]["kind"])))
        if not below and not mended:
            return others
        for problem in below:
            path = tuple(
                quoted or bare
                for quoted, bare in _PART.findall(problem.path.removeprefix(f"{inside}."))
            )
            gone = removed(rest, path)
            if not gone:
                rest = {}  # the plan means something that follows from all of it together
            taking.drop(
                taking.origin(gone or path or ("helm_values",)), f"{problem.what}; {problem.fix}"
            )
            _listed(taking, gone, f"{problem.what}; {problem.fix}")
    section.pop("helm_values", None)
    why = "the plan refuses what is left, for more reasons than can be told"
    taking.drop(("helm_values",), why)
    _listed(taking, (), why)
    return [problem for problem in problems_of(sections) if not _filled(problem, sections)]


def _listed(taking: Taking, gone: Path, why: str) -> None:
    """What went with a part of helm_values that the plan refuses; all of it, for an empty path."""
    for end, entry in taking.ledger.items():
        if (
            entry.status is LedgerStatus.CARRIED
            and entry.why.startswith("helm_values")
            and (not gone or entry.why.startswith(f"helm_values.{dotted(gone)}"))
        ):
            taking.ledger[end] = LedgerEntry(status=LedgerStatus.LISTED, why=why)


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
