"""Where Helm values name container images, at any depth, and how to give them other names. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from jupyterhub_aws.config.profiles import split_image
from jupyterhub_aws.config.tree import KeyPath


@dataclass(frozen=True, kw_only=True)
class ImageUse:
    """An image that values name, and where: `path` leads to the text, or to the map of name and
    tag.
    """

    path: KeyPath
    reference: str


def images_in(values: object, path: KeyPath = ()) -> Iterator[ImageUse]:
    """Every image: `image: REPOSITORY:TAG`, `image: {name, tag}` as z2jh has it, `image:
    {repository, tag}` as most others do.
    """
    if isinstance(values, Mapping):
        for key, value in values.items():
            below = (*path, key)
            reference = (
                _reference(value) if key == "image" or path[-1:] == ("extraImages",) else None
            )
            if reference is not None:
                yield ImageUse(path=below, reference=reference)
            yield from images_in(value, below)
    elif isinstance(values, list):
        for index, value in enumerate(values):
            yield from images_in(value, (*path, index))


#: What KubeSpawner puts a user's text into (`unlisted_choice`): no image is called so.
USERS_TEXT = "{value}"


def _reference(value: object) -> str | None:
    if isinstance(value, str):
        return None if USERS_TEXT in value else value or None
    if isinstance(value, Mapping):
        name = value.get("name") or value.get("repository")
        if isinstance(name, str) and value.get("tag") is not None:
            return f"{name}:{value['tag']}"
    return None


def renamed(values: Any, rename: Callable[[str], str]) -> Any:
    """The same values with every image under the name that `rename` gives it. A map keeps its
    form: name and tag, joined by a colon again.
    """
    if isinstance(values, Mapping):
        found = {key: renamed(value, rename) for key, value in values.items()}
        for use in images_in(values):
            if len(use.path) == 1:
                found[use.path[0]] = _given(values[use.path[0]], rename(use.reference))
        if "extraImages" in found and isinstance(values["extraImages"], Mapping):
            uses = {
                use.path[1]: use.reference
                for use in images_in(values)
                if use.path[0] == "extraImages" and len(use.path) == 2
            }  # name below it
            found["extraImages"] = {
                key: _given(value, rename(uses[key])) if key in uses else value
                for key, value in values["extraImages"].items()
            }
        return found
    return [renamed(value, rename) for value in values] if isinstance(values, list) else values


def _given(value: Any, reference: str) -> Any:
    if isinstance(value, str):
        return reference
    name, tag = split_image(reference)
    return {**value, "name" if "name" in value else "repository": name, "tag": tag}
