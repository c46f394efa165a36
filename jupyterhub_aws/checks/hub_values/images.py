"""The images of the chart: which of them its pods use with given values, and where each is
named.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from jupyterhub_aws.checks.hub_values.fault import at
from jupyterhub_aws.config.chart import effective
from jupyterhub_aws.config.images import images_in
from jupyterhub_aws.config.tree import Path

Values = Mapping[str, Any]


def _letsencrypt(values: Values) -> bool:
    return (
        bool(at(values, "proxy", "https", "enabled"))
        and at(values, "proxy", "https", "type") == "letsencrypt"
    )


def _pulled(values: Values) -> bool:
    return bool(
        at(values, "prePuller", "hook", "enabled")
        or at(values, "prePuller", "continuous", "enabled")
    )


#: When the chart's templates use an image that its values name (templates of chart 4.4.0, the `if`
#: around each). One that is not
#: listed here counts as used.
_USED: Mapping[Path, Callable[[Values], bool]] = {
    ("proxy", "traefik", "image"): _letsencrypt,
    ("proxy", "secretSync", "image"): _letsencrypt,
    ("singleuser", "networkTools", "image"): lambda values: bool(
        at(values, "singleuser", "cloudMetadata", "blockWithIptables")
    ),
    ("scheduling", "userScheduler", "image"): lambda values: bool(
        at(values, "scheduling", "userScheduler", "enabled")
    ),
    ("scheduling", "userPlaceholder", "image"): lambda values: bool(
        at(values, "scheduling", "userPlaceholder", "enabled")
        and at(values, "scheduling", "userPlaceholder", "replicas")
    ),
    ("prePuller", "hook", "image"): lambda values: bool(at(values, "prePuller", "hook", "enabled")),
    ("prePuller", "pause", "image"): _pulled,
}


def used_images(values: Values) -> Iterator[tuple[Path, str]]:
    """Every image that pods of a release with these values use, with the place that names it."""
    whole = effective(values)
    for use in images_in(whole):
        used = _USED.get(use.path)
        if used is None or used(whole):
            yield use.path, use.reference


def image_maps(values: Values) -> Iterator[tuple[Path, Mapping[str, Any]]]:
    """Every image that the chart's values hold as a map of name and tag, used or not."""
    whole = effective(values)
    for use in images_in(whole):
        image: Any = whole
        for key in use.path:
            image = image[key]
        if (
            isinstance(image, Mapping)
            and "name" in image
            and all(isinstance(key, str) for key in use.path)
        ):
            yield use.path, image


def nested(path: Path, value: Any) -> dict[str, Any]:
    """A value at a path of keys, as a map of maps."""
    for key in reversed(path):
        value = {str(key): value}
    found: dict[str, Any] = value
    return found
