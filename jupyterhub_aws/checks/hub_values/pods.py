"""Parts of pods among a hub's values, by the fields that the Kubernetes API has: Helm and the
chart's schema take anything there.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from jupyterhub_aws.checks.hub_values.fault import ValueFault, Values, profiles
from jupyterhub_aws.config.chart import effective
from jupyterhub_aws.config.images import images_in
from jupyterhub_aws.config.pod_fields import wrong
from jupyterhub_aws.config.tree import KeyPath, at

#: Key of the chart to what it is: a kind of the API, `list` or `listed` (a list, or a map with the
#: items as its values) of one, or `part` of one, which is merged into a whole. Source: where the
#: chart's templates put each (chart 4.4.0, `grep -r` for the key below templates/).
_KEYS: Mapping[str, tuple[str, str]] = {
    "hub.extraPodSpec": ("part", "PodSpec"),
    "hub.initContainers": ("list", "Container"),
    "hub.extraContainers": ("list", "Container"),
    "hub.extraVolumes": ("list", "Volume"),
    "hub.extraVolumeMounts": ("list", "VolumeMount"),
    "hub.tolerations": ("list", "Toleration"),
    "hub.lifecycle": ("part", "Lifecycle"),
    "hub.resources": ("part", "ResourceRequirements"),
    "hub.containerSecurityContext": ("part", "SecurityContext"),
    "hub.podSecurityContext": ("part", "PodSecurityContext"),
    "proxy.chp.extraPodSpec": ("part", "PodSpec"),
    "proxy.chp.tolerations": ("list", "Toleration"),
    "proxy.chp.resources": ("part", "ResourceRequirements"),
    "proxy.chp.containerSecurityContext": ("part", "SecurityContext"),
    "proxy.traefik.extraPodSpec": ("part", "PodSpec"),
    "proxy.traefik.extraInitContainers": ("list", "Container"),
    "proxy.traefik.extraVolumes": ("list", "Volume"),
    "proxy.traefik.extraVolumeMounts": ("list", "VolumeMount"),
    "proxy.traefik.tolerations": ("list", "Toleration"),
    "proxy.traefik.resources": ("part", "ResourceRequirements"),
    "proxy.traefik.containerSecurityContext": ("part", "SecurityContext"),
    "proxy.secretSync.resources": ("part", "ResourceRequirements"),
    "scheduling.corePods.tolerations": ("list", "Toleration"),
    "scheduling.userPods.tolerations": ("list", "Toleration"),
    "scheduling.userScheduler.extraPodSpec": ("part", "PodSpec"),
    "scheduling.userScheduler.tolerations": ("list", "Toleration"),
    "scheduling.userScheduler.resources": ("part", "ResourceRequirements"),
    "scheduling.userPlaceholder.extraPodSpec": ("part", "PodSpec"),
    "scheduling.userPlaceholder.tolerations": ("list", "Toleration"),
    "scheduling.userPlaceholder.resources": ("part", "ResourceRequirements"),
    "prePuller.extraTolerations": ("list", "Toleration"),
    "prePuller.resources": ("part", "ResourceRequirements"),
    "singleuser.networkTools.resources": ("part", "ResourceRequirements"),
}
#: The same for what KubeSpawner makes pods of: trait and the chart's key, if there is one.
_TRAITS: Mapping[str, tuple[str, str, str | None]] = {
    "extra_pod_config": ("part", "PodSpec", "singleuser.extraPodConfig"),
    "extra_container_config": ("part", "Container", None),
    "init_containers": ("listed", "Container", "singleuser.initContainers"),
    "extra_containers": ("listed", "Container", "singleuser.extraContainers"),
    "volumes": ("listed", "Volume", "singleuser.storage.extraVolumes"),
    "volume_mounts": ("listed", "VolumeMount", "singleuser.storage.extraVolumeMounts"),
    "tolerations": ("listed", "Toleration", "singleuser.extraTolerations"),
    "lifecycle_hooks": ("part", "Lifecycle", "singleuser.lifecycleHooks"),
    "container_security_context": ("part", "SecurityContext", None),
    "pod_security_context": ("part", "PodSecurityContext", None),
    "node_affinity_required": (
        "listed",
        "NodeSelectorTerm",
        "singleuser.extraNodeAffinity.required",
    ),
    "node_affinity_preferred": (
        "listed",
        "PreferredSchedulingTerm",
        "singleuser.extraNodeAffinity.preferred",
    ),
    "pod_affinity_required": ("listed", "PodAffinityTerm", "singleuser.extraPodAffinity.required"),
    "pod_affinity_preferred": (
        "listed",
        "WeightedPodAffinityTerm",
        "singleuser.extraPodAffinity.preferred",
    ),
    "pod_anti_affinity_required": (
        "listed",
        "PodAffinityTerm",
        "singleuser.extraPodAntiAffinity.required",
    ),
    "pod_anti_affinity_preferred": (
        "listed",
        "WeightedPodAffinityTerm",
        "singleuser.extraPodAntiAffinity.preferred",
    ),
}
#: Maps of labels, by key of the chart and by trait: Kubernetes takes text only.
_SELECTORS = (
    "hub.nodeSelector",
    "proxy.chp.nodeSelector",
    "proxy.traefik.nodeSelector",
    "singleuser.nodeSelector",
)


def pod_fields(values: Values) -> Iterator[ValueFault]:
    """Every part of a pod has fields that exist, of the right types."""
    for key, (how, kind) in _KEYS.items():
        place = tuple(key.split("."))
        yield from _checked(place, how, kind, at(values, *place), either=False)
    for trait, (how, kind, of_chart) in _TRAITS.items():
        # A trait that has a key was put there (config/traits.py); what only traits say is under the
        # class.
        path: KeyPath = (
            tuple(of_chart.split(".")) if of_chart else ("hub", "config", "KubeSpawner", trait)
        )
        yield from _checked(path, how, kind, at(values, *map(str, path)), either=True)
    for path, override in profiles(values):
        for trait, (how, kind, _) in _TRAITS.items():
            yield from _checked((*path, trait), how, kind, override.get(trait), either=True)
        yield from _labels((*path, "node_selector"), override.get("node_selector"))
    for key in _SELECTORS:
        yield from _labels(tuple(key.split(".")), at(values, *key.split(".")))
    variables = at(values, "hub", "extraEnv")
    if isinstance(variables, (list, tuple)):
        yield from _checked(("hub", "extraEnv"), "list", "EnvVar", variables, either=False)


def _checked(
    path: KeyPath, how: str, kind: str, value: Any, *, either: bool
) -> Iterator[ValueFault]:
    if not value:
        return
    if how == "part":
        if path[-1] == "container_security_context" and not isinstance(value, Mapping):
            return  # protections.isolation says so
        yield from (
            ValueFault("helm-values.pod-field", (*path, *inner), what, fix)
            for inner, what, fix in wrong(kind, value, part=True, either=either)
        )
        return
    if how == "listed" and isinstance(value, Mapping):
        found: list[tuple[str | int, Any]] = [(str(key), item) for key, item in value.items()]
    elif isinstance(value, (list, tuple)):
        found = list(enumerate(value))
    else:
        return  # the chart's schema, or another rule, says so
    for index, item in found:
        if isinstance(item, Mapping):
            yield from (
                ValueFault("helm-values.pod-field", (*path, index, *inner), what, fix)
                for inner, what, fix in wrong(kind, item, either=either)
            )


def _labels(path: KeyPath, value: object) -> Iterator[ValueFault]:
    for key, label in value.items() if isinstance(value, Mapping) else ():
        if label is not None and not isinstance(label, str):
            what = "must be text: labels of nodes are, and Kubernetes refuses anything else"
            yield ValueFault("helm-values.label-not-text", (*path, key), what, "write it in quotes")


RULES = (pod_fields,)


# --- The images of the chart: which of them its pods use with given values, and where each is
# named.


def _letsencrypt(values: Values) -> bool:
    https = at(values, "proxy", "https")
    return bool(at(https, "enabled")) and at(https, "type") == "letsencrypt"


def _pulled(values: Values) -> bool:
    pullers = at(values, "prePuller")
    return bool(at(pullers, "hook", "enabled") or at(pullers, "continuous", "enabled"))


def _is_set(*path: str) -> Callable[[Values], bool]:
    return lambda values: bool(at(values, *path))


#: When the chart's templates use an image that its values name (templates of chart 4.4.0, the `if`
#: around each). One that is not listed here counts as used.
_USED: Mapping[KeyPath, Callable[[Values], bool]] = {
    ("proxy", "traefik", "image"): _letsencrypt,
    ("proxy", "secretSync", "image"): _letsencrypt,
    ("singleuser", "networkTools", "image"): _is_set(
        "singleuser", "cloudMetadata", "blockWithIptables"
    ),
    ("scheduling", "userScheduler", "image"): _is_set("scheduling", "userScheduler", "enabled"),
    ("scheduling", "userPlaceholder", "image"): lambda values: bool(
        at(values, "scheduling", "userPlaceholder", "enabled")
        and at(values, "scheduling", "userPlaceholder", "replicas")
    ),
    ("prePuller", "hook", "image"): _is_set("prePuller", "hook", "enabled"),
    ("prePuller", "pause", "image"): _pulled,
}


def used_images(values: Values) -> Iterator[tuple[KeyPath, str]]:
    """Every image that pods of a release with these values use, with the place that names it."""
    whole = effective(values)
    for use in images_in(whole):
        used = _USED.get(use.path)
        if used is None or used(whole):
            yield use.path, use.reference


def image_maps(values: Values) -> Iterator[tuple[KeyPath, Mapping[str, Any]]]:
    """Every image that the chart's values hold as a map of name and tag, used or not."""
    whole = effective(values)
    for use in images_in(whole):
        image: Any = whole
        for key in use.path:
            image = image[key]
        named = isinstance(image, Mapping) and "name" in image
        if named and all(isinstance(key, str) for key in use.path):
            yield use.path, image


def nested(path: KeyPath, value: Any) -> dict[str, Any]:
    """A value at a path of keys, as a map of maps."""
    for key in reversed(path):
        value = {str(key): value}
    found: dict[str, Any] = value
    return found
