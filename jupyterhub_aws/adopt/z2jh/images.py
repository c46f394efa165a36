"""Images of the old hub: of all servers, of a profile, and those that a user might choose; never
one that was for some users only.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from jupyterhub_aws.adopt.z2jh.taken import Dropped, LedgerStatus, Taking, restricts
from jupyterhub_aws.checks.resources import SECRET
from jupyterhub_aws.config.errors import SectionError, dotted
from jupyterhub_aws.config.profiles import ImageChoice, split_image
from jupyterhub_aws.config.stack_text import Noted, fill
from jupyterhub_aws.config.tree import KeyPath
from jupyterhub_aws.config.unlisted_image import UnlistedImage

# --- Names of profiles, choices and pools, as a stack file and a page have room for them; and what
# is left out under its own name.


_SHORT, LONGEST_TEXT, LONGEST_NOTE = 20, 80, 300


def slug_of(text: Any, taken: Mapping[str, Any]) -> str:
    """A short name of lower-case letters, digits and dashes that is not taken yet."""
    plain = re.sub(r"[^a-z0-9]+", "-", str(text if text != SECRET else "").lower()).strip("-")
    plain = (plain if plain[:1].isalpha() else f"p-{plain}".rstrip("-"))[:_SHORT].rstrip("-")
    plain = "user" if plain == "core" else plain
    name, number = plain, 2
    while name in taken:
        name, number = f"{plain[: _SHORT - 3].rstrip('-')}-{number}", number + 1
    return name


def brief_of(text: Any, longest: int, otherwise: str = "unnamed") -> str:
    """A text in one line, without HTML and of a length that a page has room for."""
    plain = " ".join(re.sub(r"<[^>]*>", "", str(text if text != SECRET else "")).split())
    return plain[:longest].strip() or otherwise


def leave_out(taking: Taking, path: KeyPath, why: str) -> None:
    """List a profile or a choice as a whole: its item stays in the list, so that the others keep
    their numbers.
    """
    for key in taking.keys(*path):
        taking.drop((*path, key), why, access=False)
    here = dotted(path)
    below = (f"{here}.", f"{here}[")
    taking.dropped = [item for item in taking.dropped if not item.path.startswith(below)]
    taking.dropped.append(Dropped(here, why, access=True))
    taking.mark_below(path, LedgerStatus.LISTED, why)


IMAGES = ("image", "image_spec")


#: The placeholder for a tag that only the operator knows: no image has it, and it is not mistaken
#: for one.
_TAG = "FILL-IN"


_UNLISTED = (
    "let users write images by an expression that names no registry, or more than one prefix: list"
    " the registries and paths under unlisted_image.allowed"
)
#: What an expression allows that is a prefix, then anything: `^quay\.io/pangeo/.*$`, and with a
#: colon before the tag.
_PREFIX = re.compile(
    r"\^?(?P<prefix>(?:[a-z0-9_-]|\\?\.(?![*+])|/)+?)/(?:\(?\.[*+]\)?)(?::\(?\.[*+]\)?)?\$?"
)


def named_image(taking: Taking, reference: str, path: KeyPath, where: str) -> Any:
    """An image as it is, where its tag says which; its JupyterHub must fit the new hub's, which
    only a look inside tells.
    """
    try:
        name, tag = split_image(reference)
    except ValueError:
        taking.to_fill_in(*path, where=where)
        note = f"it was {reference[:80]}, which is no image with a tag"
        return fill("quay.io/jupyter/scipy-notebook:2025-12-31", note)
    if not tag or tag == "latest":
        taking.to_fill_in(*path, where=where)
        was = "latest changes" if tag else "it had none, and would change"
        return fill(f"{name}:{_TAG}", f"the tag that you tried: {was} without notice")
    return Noted(value=reference, note="its JupyterHub must be of major version 5")


def override_image(taking: Taking, over: KeyPath, where: str) -> Any:
    """`image`, or `image_spec` as KubeSpawner called it before 0.11."""
    found = None
    for name in IMAGES:
        reference = taking.text(*over, name)
        if reference is None:
            continue
        if found is None:
            found = named_image(taking, reference, (*over, name), where)
        else:
            taking.settle(*over, name, why="is said twice")
    return found


def _free_choice(taking: Taking, place: KeyPath) -> dict[str, Any] | None:
    """`unlisted_image`, where the old expression is a registry with a path and what is below it.
    Docker Hub is said by its host here.
    """
    free = taking.look(*place)
    if not isinstance(free, Mapping) or free.get("enabled") is not True:
        taking.drop_all(*place, why="was switched off: no user could enter an image")
        return None
    match = _PREFIX.fullmatch(str(free.get("validation_regex") or ""))
    override = free.get("kubespawner_override")
    whole = isinstance(override, Mapping) and list(override.values()) == ["{value}"]
    if (
        match is None
        or not whole
        or not isinstance(override, Mapping)
        or set(override) - set(IMAGES)
    ):
        taking.drop_all(*place, why=_UNLISTED)
        return None
    prefix = match["prefix"].replace("\\", "")
    host = prefix.partition("/")[0]
    allowed = prefix if "." in host else f"docker.io/{prefix}"
    try:
        UnlistedImage(allowed=(allowed,))
    except SectionError:
        taking.drop_all(*place, why=_UNLISTED)
        return None
    shown = taking.text(*place, "display_name")
    taking.take(*place, "validation_regex", to="unlisted_image.allowed")
    for key in taking.keys(*place):
        taking.settle(*place, key, why="follows from unlisted_image")
    taking.notes.append(
        f"{dotted(place)}: an image needs a tag other than latest, or a digest, from now on, which"
        " the old expression did not say"
    )
    return {
        "allowed": [allowed],
        **({"display_name": brief_of(shown, LONGEST_TEXT)} if shown else {}),
    }


def choices_of(
    taking: Taking, path: KeyPath
) -> tuple[dict[str, Any] | None, dict[str, Any] | None]:
    """Images that a user may choose, and `unlisted_image` beside them; other choices are the
    operator's to make profiles or sizes of. None for the first: there were, and every one was for
    some only.
    """
    options = taking.look(*path, "profile_options")
    images: dict[str, Any] = {}
    written: dict[str, Any] | None = None
    gated = False
    for key in taking.keys(*path, "profile_options"):
        place = (*path, "profile_options", key)
        option = options[key]
        if isinstance(option, Mapping) and any(
            restricts((*place, str(name)), None)
            for name in option
            if name not in ("choices", "unlisted_choice")
        ):
            why = "had a rule of who may choose, which no choice here has: it is left out"
            leave_out(taking, place, why)
            gated = True
            continue
        found = _images_of(taking, (*place, "choices"))
        gated = gated or found is None
        if found and not images:
            images = found
            taking.settle(*place, "display_name", why="the page calls it Image")
            if taking.has(*place, "unlisted_choice"):
                written = _free_choice(taking, (*place, "unlisted_choice"))
        elif taking.look(*place):
            why = "is a choice of something else than images: write `sizes`, or a profile for each"
            taking.drop_all(*place, why=why)
    return None if gated and not images else images, written


def _page_of(taking: Taking, path: KeyPath) -> dict[str, str]:
    """The page that the servers of a choice open."""
    found = taking.look(*path)
    if not isinstance(found, str) or found == SECRET:
        return {}
    try:
        ImageChoice(image="quay.io/a/a:1", default_url=found)
    except SectionError:
        return {}
    return {"default_url": str(taking.take(*path, to="default_url"))}


def _images_of(taking: Taking, path: KeyPath) -> dict[str, Any] | None:
    """The choices of an option, where each names an image; without those that were for some
    users only. None: none was left.
    """
    choices = taking.look(*path)
    if not isinstance(choices, Mapping) or not choices:
        return {}
    overrides = [
        choice.get("kubespawner_override") if isinstance(choice, Mapping) else None
        for choice in choices.values()
    ]
    if not all(
        isinstance(over, Mapping)
        and any(isinstance(over.get(name), str) and over[name] != SECRET for name in IMAGES)
        for over in overrides
    ):
        if any(
            restricts((*path, name, str(key)), None)
            for name, choice in choices.items()
            if isinstance(choice, Mapping)
            for key in choice
        ):
            why = (
                "is a choice of something else than images, and some of it was for some users only:"
                " write `sizes`, or a profile with `groups` for each"
            )
            leave_out(taking, path[:-1], why)
        return {}
    images: dict[str, Any] = {}
    for name in list(choices):
        place = (*path, name)
        gates = [str(key) for key in choices[name] if restricts((*place, str(key)), None)]
        if gates:
            rule = choices[name][gates[0]]
            who = (
                ", ".join(str(item) for item in rule if item != SECRET)
                if isinstance(rule, list)
                else None
            )
            of = "" if who is None else f" ({who[:80]})"
            why = (
                f"was for some users only{of}, and a choice here is for all users who have the"
                " profile: make it a profile with groups"
            )
            leave_out(taking, place, why)
            continue
        image = override_image(taking, (*place, "kubespawner_override"), "images of the profile")
        display = taking.text(*place, "display_name")
        images[slug_of(name, images)] = {
            "image": image,
            **({"display_name": brief_of(display, LONGEST_TEXT)} if display else {}),
            **_page_of(taking, (*place, "kubespawner_override", "default_url")),
            **({"default": True} if taking.flag(*place, "default") else {}),
        }
        why = (
            "a choice of images says image and page, and nothing else: make it a profile of its own"
        )
        for key in taking.keys(*place, "kubespawner_override"):
            taking.drop_all(*place, "kubespawner_override", key, why=why)
    chosen = [name for name, choice in images.items() if choice.get("default")]
    for name in chosen[1:]:
        del images[name]["default"]
        taking.notes.append(
            f"{dotted(path)}: several images were the default one; {chosen[0]} is, and {name}"
            " is not"
        )
    return images or None
