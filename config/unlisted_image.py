"""A free choice of a server's image: from which registries, by which pattern, and for which groups.
The expression is one that KubeSpawner matches in Python and browsers match in JavaScript. Pure.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Annotated

from pydantic import AfterValidator, Field

from jupyterhub_aws.config.errors import refuse, shown
from jupyterhub_aws.config.model import Model, option

#: distribution/reference, "Grammar": path-component, domain (here with a dot or a port), tag,
#: digest. Without \w and the like, which mean more in Python than in JavaScript; with escapes that
#: JavaScript's flag `v` wants inside of classes (HTML standard, the attribute `pattern`).
_COMPONENT = r"[a-z0-9]+(?:(?:\.|__|_|-+)[a-z0-9]+)*"
_TAG = r":[A-Za-z0-9_][A-Za-z0-9_.\-]{0,127}"
_DIGEST = r"@sha256:[0-9a-f]{64}"
#: Inside one component of a path.
_REST = r"[a-z0-9._\-]*"
_LABEL = r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"
_HOST = rf"{_LABEL}(?:\.{_LABEL})+(?::[0-9]{{1,5}})?|(?:{_LABEL}|localhost):[0-9]{{1,5}}"
_PART = re.compile(r"[a-z0-9*]+(?:(?:\.|__|_|-+)[a-z0-9*]+)*")
_ALLOWED = re.compile(rf"(?P<host>{_HOST})(?P<path>(?:/[^/]*)*)")
#: distribution/reference: a name has at most 255 characters, a tag 128; a digest has 71.
_LONGEST = 255 + 129 + 72
_BEGIN = rf"^(?=.{{1,{_LONGEST}}}$)(?=[a-z0-9.:\-]+(?:\/{_COMPONENT})+(?:[:@]|$))"
_END = rf"(?:(?!:latest$){_TAG}|(?:{_TAG})?{_DIGEST})$(?!\n)"


def _allowed(value: str) -> str:
    match = _ALLOWED.fullmatch(value)
    bare = value.partition("://")[2] if "://" in value else value
    if match is None:
        host, slash, _ = bare.partition("/")
        if "*" in host:
            fix = "name each host; a * is for parts of a path, such as quay.io/pangeo/*-notebook"
        elif "://" in value:
            fix = f"write {bare}"
        elif slash and _PART.fullmatch(host) and "." not in host:
            fix = f"write docker.io/{bare} for one of Docker Hub"
        else:
            fix = "write the host first, such as quay.io/jupyter"
        what = f"does not begin with a registry's host (got {shown(value)})"
        raise refuse("unlisted-image.host", what, fix)
    for part in match["path"].split("/")[1:]:
        if ":" in part or "@" in part:
            what = f"has a tag or a digest (got {shown(value)}): those are the users' to choose"
            fix = f"write {value.partition('@')[0].rpartition(':')[0] or value}"
            raise refuse("unlisted-image.tag", what, fix)
        if not _PART.fullmatch(part):
            what = f"is not a path of a registry (got {shown(value)})"
            fix = "write lower-case words between slashes, such as quay.io/jupyter; * for a part"
            raise refuse("unlisted-image.path", what, fix)
    return value


class UnlistedImage(Model):
    """A text field where users write an image of their own, from the registries that are listed
    here. It must have a tag other than latest, or a digest.
    """

    allowed: tuple[
        Annotated[
            str,
            AfterValidator(_allowed),
            Field(json_schema_extra={"examples": ["quay.io/jupyter"]}),
        ],
        ...,
    ] = option(
        help=(
            "Where images may come from: a registry's host and a path below which all repositories"
            " are allowed, such as quay.io/jupyter; `*` stands for a part of a path, as in"
            " quay.io/pangeo/*-notebook. In an isolated network only the stack's own registry."
        ),
        changing=(
            "The hub restarts. For servers that start later: an image that is no longer allowed"
            " cannot be chosen again."
        ),
        min_length=1,
        max_length=30,
    )
    display_name: str = option(
        "Another image",
        help="Its text on the page.",
        changing="At once.",
        min_length=1,
        max_length=80,
    )
    groups: tuple[Annotated[str, Field(min_length=1, max_length=255)], ...] = option(
        (),
        help=(
            "Only members of one of these groups (and administrators) may write an image. Empty:"
            " all users who have the profile."
        ),
        changing="The hub restarts; running servers are not affected.",
        max_length=50,
    )


def image_pattern(allowed: Iterable[str]) -> str:
    """The expression of the images that these prefixes allow, anchored at both ends.

    KubeSpawner uses `re.match`, so it needs an end of its own; Python's `$` also matches before a
    newline at the end, which the last group refuses. Browsers read the same text.
    """
    names = "|".join(_names(prefix) for prefix in sorted(set(allowed)))
    return f"{_BEGIN}(?:{names}){_END}"


def is_image_pattern(expression: object) -> bool:
    """Whether an expression is one of `image_pattern`."""
    return (
        isinstance(expression, str)
        and expression.startswith(f"{_BEGIN}(?:")
        and expression.endswith(f"){_END}")
    )


def prefixes_of(expression: object) -> tuple[str, ...]:
    """The prefixes that an expression of `image_pattern` was made from. Of another one itself, or
    `any registry` where there is none.
    """
    if not isinstance(expression, str) or not expression:
        return ("any registry",)
    if not is_image_pattern(expression):
        return (expression,)
    names = expression.removeprefix(f"{_BEGIN}(?:").removesuffix(f"){_END}")
    return tuple(
        name.removesuffix(rf"(?:\/{_REST})*")
        .removesuffix(rf"(?:\/{_REST})+")
        .replace(_REST, "*")
        .replace("\\", "")
        for name in names.split("|")
    )


def _names(prefix: str) -> str:
    """A prefix and what is below it. The form of a component is the look-ahead's to check."""
    host, slash, path = prefix.partition("/")
    known = _escaped(host)
    if not slash:
        return rf"{known}(?:\/{_REST})+"
    parts = "".join(rf"\/{_REST.join(map(_escaped, part.split('*')))}" for part in path.split("/"))
    return rf"{known}{parts}(?:\/{_REST})*"


def _escaped(text: str) -> str:
    # not re.escape: it escapes the dash too, which JavaScript refuses outside of a class
    return text.replace(".", r"\.")


def described(allowed: Iterable[str]) -> str:
    """What a browser says of a text that does not match. In an HTML attribute: no quotes."""
    return (
        f"An image below {' or '.join(sorted(set(allowed)))}, with a tag other than latest or with"
        " a digest: REGISTRY/NAME:TAG"
    )
