"""From a chart's values to a stack file that passes the plan: sections first, then what is left, of which whatever the plan refuses is named and dropped."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from components.validated import validated
from config.errors import ConfigError, Problem
from config.halves import Configuration
from config.stack import file_key
from config.stack_file import engine_string
from config.versions import kubernetes_versions
from ops.adopt.written import fill, plain, text_of, to_fill_in
from ops.adopt.z2jh.entry import entry_of
from ops.adopt.z2jh.homes import homes_of
from ops.adopt.z2jh.read import Old
from ops.adopt.z2jh.rest import culling_of, database_of, decided, helm_values, named_servers_of, pruned, removed
from ops.adopt.z2jh.servers import pools_section, servers_of
from ops.adopt.z2jh.sign_in import sign_in_of
from ops.adopt.z2jh.taken import Dropped, SecretCommand, Taking

#: More refusals than this are no chart's values any more.
_ROUNDS = 60
_PART = re.compile(r"'((?:[^'\\]|\\.)*)'|([^.\[\]]+)")


@dataclass(kw_only=True)
class Converted:
    """A stack file, and what became of the rest."""

    text: str
    to_fill_in: list[tuple[str, str]]
    secrets: list[SecretCommand]
    dropped: list[Dropped]
    notes: list[str]
    problems: list[Problem] = field(default_factory=list)
    stack: str = ""

    @property
    def finished(self) -> bool:
        """Whether nothing is left to fill in."""
        return not (self.to_fill_in or self.problems)


def convert(old: Old, *, hub: str, stack: str, source: str) -> Converted:
    """Convert. Never raises for anything that YAML may hold."""
    taking = Taking(values=dict(old.values), hub=hub)
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
        f"From {source}, the values of a zero-to-jupyterhub chart, by `jhub adopt config`. Secrets were not copied.\n"
        "Lines with FILL IN are yours. Step by step: docs/adopting.md; every option: docs/reference.md."
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
    section = {"sign_in": sign_in, "entry": entry, "database": database_of(taking), **{key: value for key, value in options.items() if value is not None}}
    decided(taking)
    return {
        "name": fill("jhub", "the beginning of names in the cluster"),
        "tags": {"owner": fill("unknown", "who answers for it"), "environment": fill("production", "dev, staging or production")},
        "network": {
            "mode": "unmanaged",
            "ranges": fill(["10.0.0.0/16"], "ranges of nodes and pods"),
            "egress": {"kind": fill("internet", "internet, proxy or none")},
        },
        "cluster": {"kind": "existing", "version": fill(sorted(kubernetes_versions())[-1], "kubectl version")},
        "pools": pools_section(servers),
        "homes": homes,
        "hubs": {hub: {**section, "profiles": servers.profiles}},
    }


def _pem(sections: dict[str, Any]) -> list[tuple[str, str]]:
    """Certificates that are to be pasted: a text of several lines has no room for a comment at its end."""
    found = []
    for name, hub in sections["hubs"].items():
        for path, section in (
            ("sign_in.ca_certificate", hub["sign_in"].get("ca_certificate")),
            ("entry.tls.certificate", hub["entry"]["tls"].get("certificate")),
        ):
            if isinstance(section, str) and "FILL IN" in section:
                found.append((f"hubs.{name}.{path}", section.splitlines()[1].removeprefix("FILL IN ")))
    return found


def _settle(sections: dict[str, Any], rest: dict[str, Any], hub: str, taking: Taking) -> list[Problem]:
    """Put what is left under helm_values, as far as the plan takes it; what it refuses is dropped with the plan's own reason."""
    section = sections["hubs"][hub]
    for _ in range(_ROUNDS):
        rest = pruned(rest)
        section.pop("helm_values", None)
        if rest:
            section["helm_values"] = rest
        problems = problems_of(sections)
        below = [problem for problem in problems if problem.path.startswith(f"hubs.{hub}.helm_values")]
        if not below:
            return [problem for problem in problems if not _filled(problem, sections)]
        for problem in below:
            path = tuple(quoted or bare for quoted, bare in _PART.findall(problem.path.removeprefix(f"hubs.{hub}.helm_values.")))
            if not removed(rest, path):
                rest = {}  # the plan means something that follows from all of it together
            taking.drop(path or ("helm_values",), f"{problem.what}; {problem.fix}")
    section.pop("helm_values", None)
    taking.drop(("helm_values",), "the plan refuses what is left, for more reasons than can be told")
    return [problem for problem in problems_of(sections) if not _filled(problem, sections)]


def _filled(problem: Problem, sections: dict[str, Any]) -> bool:
    """Whether a problem is about a line that is to be filled in anyway."""
    return any(problem.path.startswith(path) for path, _ in to_fill_in(sections))


def problems_of(sections: dict[str, Any]) -> list[Problem]:
    """What the plan says against sections, secrets apart."""
    from config.load import load
    from config.secrets import required_secrets

    values = {file_key(name): engine_string(plain(value)) for name, value in sections.items()}
    try:
        stack = load(values, source="Pulumi.yaml")
        secret = tuple(needed.in_file for needed in required_secrets(stack.hubs))
        validated(Configuration(values=values, secret=secret, source=str(Path("Pulumi.yaml"))))
    except ConfigError as error:
        return list(error.problems)
    return []
