"""The pods of users' servers, predicted from a hub's values: what the scheduler and the
kubelet see of them.

KubeSpawner 7.0.0 under chart 4.4.0 makes them so: the prediction is compared with pods that the
real ones made (tests/real/test_hub_on_chart.py records, tests/checks/test_user_pods.py compares).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from jupyterhub_aws.checks.hub_values.fault import items
from jupyterhub_aws.checks.resources import Resource, Resources, chart_name
from jupyterhub_aws.config.chart import CHART, effective, merged
from jupyterhub_aws.config.traits import number_of_bytes, resolve
from jupyterhub_aws.config.tree import at

RELEASE = "kubernetes:helm.sh/v3:Release"


@dataclass(frozen=True, kw_only=True)
class UserPod:
    """One choice of a hub's users. `requests` are in cores and bytes, and whole devices."""

    hub: str
    profile: str
    display_name: str
    node_selector: Mapping[str, str]
    tolerations: tuple[Mapping[str, Any], ...]
    requests: Mapping[str, float]
    limits: Mapping[str, float]
    image: str
    #: `node_affinity_required`: terms of which one must hold; empty where there is no such rule.
    required: tuple[Mapping[str, Any], ...] = ()

    def may_run_on(self, labels: Mapping[str, str]) -> bool:
        """Whether selector and required affinity let it onto a node with these labels (operators
        that the program renders: In, NotIn, Exists, DoesNotExist).
        """
        terms = [term.get("matchExpressions") or [] for term in self.required]
        return self.node_selector.items() <= labels.items() and (
            not terms or any(all(_holds(item, labels) for item in term) for term in terms)
        )

    def tolerates(self, taint: Mapping[str, str]) -> bool:
        """Whether a node's taint lets it pass (Kubernetes, "Taints and Tolerations")."""
        return any(_matches(toleration, taint) for toleration in self.tolerations)


def _holds(expression: Mapping[str, Any], labels: Mapping[str, str]) -> bool:
    there, values = labels.get(str(expression.get("key"))), expression.get("values") or []
    answers = {
        "In": there in values,
        "NotIn": there not in values,
        "Exists": there is not None,
        "DoesNotExist": there is None,
    }  # Gt and Lt are the scheduler's to say
    return answers.get(str(expression.get("operator")), True)


def _matches(toleration: Mapping[str, Any], taint: Mapping[str, str]) -> bool:
    if toleration.get("effect") not in (None, "", taint["effect"]):
        return False
    if toleration.get("operator", "Equal") == "Exists":
        return toleration.get("key") in (None, "", taint["key"])
    return (toleration.get("key"), toleration.get("value", "")) == (taint["key"], taint["value"])


def hub_releases(resources: Resources) -> list[Resource]:
    """The releases of the chart that are hubs of this library. One that the caller's program
    releases by itself is its own.
    """
    return [release for release in resources.own.of(RELEASE) if chart_name(release) == CHART]


def hub_of(release: Resource) -> str:
    """The name of a release's hub in the stack file."""
    return str(release.inputs["name"]).removeprefix("hub-")


def user_pods(release: Resource) -> Iterator[UserPod]:
    """Every pod that users of a hub can start: one for each profile and each choice inside it,
    or one where there are none.
    """
    values = resolve(effective(release.inputs.get("values", {}))).values
    listed = items(at(values, "singleuser", "profileList"))
    if not listed:
        yield _pod(values, release, {}, ("", "default"))
    for index, entry in enumerate(listed):
        name = str(at(entry, "slug") or at(entry, "display_name") or index)
        shown = str(at(entry, "display_name") or name)
        for suffix, override in _choices(entry):
            yield _pod(
                values, release, override, ("/".join([name, *suffix]), ", ".join([shown, *suffix]))
            )


def _choices(entry: object) -> Iterator[tuple[tuple[str, ...], Mapping[str, Any]]]:
    """A profile as it is without a choice, and with each choice in it, the others left as they
    are: its key, and what it overrides.

    Overrides are applied in turn, and maps in them merge as Helm's values do (KubeSpawner 7,
    `_apply_overrides`).
    """
    options = at(entry, "profile_options") or {}
    usual: Mapping[str, Any] = at(entry, "kubespawner_override") or {}
    for option in options.values():
        usual = merged(usual, _default(at(option, "choices") or {}))
    yield (), usual
    for option in options.values():
        choices = at(option, "choices") or {}
        for key, choice in choices.items():
            override = at(choice, "kubespawner_override") or {}
            if choice is not _default_choice(choices):
                yield (str(key),), merged(usual, override)


def _default_choice(choices: Mapping[str, Any]) -> Any:
    first = next(iter(choices.values()), None)
    return next((choice for choice in choices.values() if at(choice, "default")), first)


def _default(choices: Mapping[str, Any]) -> Mapping[str, Any]:
    found: Mapping[str, Any] = at(_default_choice(choices), "kubespawner_override") or {}
    return found


def _pod(
    values: Mapping[str, Any], release: Resource, override: Mapping[str, Any], name: tuple[str, str]
) -> UserPod:
    single = at(values, "singleuser") or {}
    image = f"{at(single, 'image', 'name')}:{at(single, 'image', 'tag')}"
    requests = _amounts(override, single, "guarantee")
    limits = _amounts(override, single, "limit")
    for kind, amounts in (("guarantees", requests), ("limits", limits)):
        devices = {
            **(at(single, "extraResource", kind) or {}),
            **(override.get(f"extra_resource_{kind}") or {}),
        }
        amounts.update({key: float(value) for key, value in devices.items()})
    for key, value in limits.items():  # Kubernetes takes a limit without a request as the request
        requests.setdefault(key, value)
    return UserPod(
        hub=hub_of(release),
        profile=name[0],
        display_name=name[1],
        node_selector={
            **(single.get("nodeSelector") or {}),
            **(override.get("node_selector") or {}),
        },
        tolerations=tuple(override.get("tolerations", _base_tolerations(values))),
        requests=requests,
        limits=limits,
        image=str(override.get("image") or image),
        required=tuple(override.get("node_affinity_required") or ()),
    )


def _base_tolerations(values: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    return [
        *(at(values, "scheduling", "userPods", "tolerations") or ()),
        *(at(values, "singleuser", "extraTolerations") or ()),
    ]


def _amounts(
    override: Mapping[str, Any], single: Mapping[str, Any], which: str
) -> dict[str, float]:
    found = {}
    cores = override.get(f"cpu_{which}", at(single, "cpu", which))
    memory = override.get(f"mem_{which}", at(single, "memory", which))
    if cores is not None:
        found["cpu"] = float(cores)
    if memory is not None:
        found["memory"] = number_of_bytes(memory)
    return found
