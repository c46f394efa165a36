"""Sections of `hub.config` are names of classes, and what stands in them traits: a misspelt one
is without effect, and nobody is told.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from difflib import get_close_matches

from jupyterhub_aws.checks.hub_values.fault import ValueFault, Values, at
from jupyterhub_aws.checks.hub_values.sign_in import access_is_spelt
from jupyterhub_aws.config.errors import closest
from jupyterhub_aws.config.hub_classes import (
    class_of_authenticator,
    known_classes,
    sections,
    traits_read_from,
    used_classes,
)
from jupyterhub_aws.config.hub_code import code_of
from jupyterhub_aws.config.kubespawner import HUB_TRAITS, TRAITS

#: Closer than this, another class was hardly meant: GithubOAuthenticator and GitHubOAuthenticator
#: are, MyAuthenticator and PAMAuthenticator are not.
_ALIKE = 0.86
_SPAWNERS = ("Spawner", "KubeSpawner", "NoticingKubeSpawner")


def _used(values: Values) -> frozenset[str]:
    return used_classes(
        class_of_authenticator(at(values, "hub", "config", "JupyterHub", "authenticator_class"))
    )


def _meant(section: str) -> str | None:
    """The class that a misspelt one most probably means."""
    by_fold = {name.casefold(): name for name in known_classes()}
    found = get_close_matches(section.casefold(), list(by_fold), n=1, cutoff=_ALIKE)
    return by_fold[found[0]] if found else None


def _named_in_code(values: Values, name: str) -> bool:
    """Whether the user's own code speaks of a class of that name: there it may be defined or
    imported.
    """
    return any(
        re.search(rf"\b(class|import|as)\s+{re.escape(name)}\b|,\s*{re.escape(name)}\b", code.text)
        for code in code_of(values)
    )


def _strange(values: Values) -> Iterator[str]:
    """Sections of no class that the hub's image has."""
    named = (
        str(at(values, "hub", "config", "JupyterHub", "authenticator_class"))
        .replace(":", ".")
        .rpartition(".")[2]
    )
    for section in at(values, "hub", "config") or {}:
        if (
            section not in known_classes()
            and section != named
            and not _named_in_code(values, section)
        ):
            yield section


def sections_are_spelt(values: Values) -> Iterator[ValueFault]:
    """No section is a class's name with a letter wrong, which JupyterHub reads and forgets."""
    for section in _strange(values):
        meant = _meant(section)
        if meant:
            what = (
                "is no class of the hub: what stands there is without effect, and JupyterHub does"
                " not say so"
            )
            yield ValueFault(
                path=("hub", "config", section), what=what, fix=f"did you mean {meant}?"
            )


def traits_are_spelt(values: Values) -> Iterator[ValueFault]:
    """Every trait of a class that the hub's image has exists."""
    told = {fault.path for fault in access_is_spelt(values)}
    used = _used(values)
    for section, said in (at(values, "hub", "config") or {}).items():
        if (
            section not in known_classes() or section in _SPAWNERS or not isinstance(said, Mapping)
        ):  # the rules about servers know KubeSpawner's
            continue
        known = traits_read_from(section, used)
        for name in said:
            if name not in known and ("hub", "config", section, name) not in told:
                guess = closest(name, known)
                owners = (owner for owner in sorted(used) if name in traits_read_from(owner, used))
                elsewhere = "KubeSpawner" if name in TRAITS | HUB_TRAITS else next(owners, None)
                fix = (
                    f"write it under {elsewhere}"
                    if elsewhere
                    else f"did you mean {guess}?"
                    if guess
                    else "remove it"
                )
                what = f"is not a trait of {section}: the hub would only log a warning"
                yield ValueFault(path=("hub", "config", section, name), what=what, fix=fix)


def without_effect(values: Values) -> Iterator[ValueFault]:
    """What only a person can judge: sections of classes that the hub does not use, or that
    nobody here knows. Said as warnings.
    """
    used = _used(values)
    for section in at(values, "hub", "config") or {}:
        if (
            section in known_classes()
            and section not in used
            and not any(section in sections(name) for name in used)
        ):
            others = sorted(name for name in used if name.endswith("Authenticator"))
            what = (
                f"is a class that this hub does not use ({', '.join(others)} are): what stands"
                " there is without effect"
            )
            yield ValueFault(
                path=("hub", "config", section),
                what=what,
                fix="remove it, or say it for the class in use",
            )
    for section in _strange(values):
        if not _meant(section):
            what = (
                "is no class of the hub's image: only an image of your own may know it, elsewhere"
                " it is without effect"
            )
            yield ValueFault(
                path=("hub", "config", section),
                what=what,
                fix="look whether your image has it, or remove it",
            )


RULES = (sections_are_spelt, traits_are_spelt)
