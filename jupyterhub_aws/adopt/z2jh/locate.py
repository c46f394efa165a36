"""Where in a file the values of the chart are: at its top, in an umbrella chart's, or in what a
tool of GitOps hands to Helm. Or nowhere, which is said.

Sources: the chart's schema (which sections and keys it has) and its changelog (`auth`, before
0.10); Flux's HelmRelease (`spec.values`, `spec.valuesFrom`, `spec.chart.spec.version`); Argo CD's
Application (`spec.source(s)[].helm.valuesObject`, `.values`, `.valueFiles`, `.parameters`,
`targetRevision`); the HelmChart of k3s and RKE2 (`spec.valuesContent`, `spec.version`); the headers
of `helm get values`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from jupyterhub_aws.config.chart import default_values
from jupyterhub_aws.config.errors import ConfigError, Problem, dotted
from jupyterhub_aws.config.tree import Path as TreePath

COMMAND = "jhub adopt config"
#: Sections that charts before 4 had, with the keys by which one knows them.
_OLD: Mapping[str, frozenset[str]] = {
    "auth": frozenset(
        "type admin whitelist allowlist state ldap github google gitlab globus dummy custom azuread"
        " cilogon mediawiki lti scopes".split()
    ),
    "hub": frozenset(
        "cookieSecret uid fsGid publicURL extraConfigMap config extraConfig existingSecret services"
        " allowNamedServers".split()
    ),
    "singleuser": frozenset(
        "imagePullSecret cloudMetadata uid fsGid memory cpu profileList storage".split()
    ),
    "proxy": frozenset("secretToken nginx kubelego pdb chp https".split()),
}
_SECTIONS = ("hub", "proxy", "singleuser", "auth", "cull", "scheduling", "prePuller")
_DEEPEST = 6
#: What `helm get values` prints above them.
_HEADERS = ("USER-SUPPLIED VALUES", "COMPUTED VALUES")
_NAME = re.compile(r"[A-Za-z][A-Za-z0-9._-]{0,40}")


@dataclass(frozen=True, kw_only=True)
class Holding:
    """What a file hands to Helm, and what else is in it."""

    values: Mapping[str, Any]
    holder: str = ""
    chart: str | None = None
    beside: tuple[tuple[TreePath, str], ...] = ()
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Located:
    """The chart's values, where they were, and what is beside them."""

    path: TreePath
    values: Mapping[str, Any]
    beside: tuple[tuple[TreePath, str], ...]


@cache
def _known() -> Mapping[str, frozenset[str]]:
    defaults = default_values()
    found = {
        name: frozenset(defaults[name]) if isinstance(defaults.get(name), Mapping) else frozenset()
        for name in _SECTIONS
    }
    return {name: keys | _OLD.get(name, frozenset()) for name, keys in found.items()}


def unwrapped(documents: Sequence[Any], path: Path) -> Holding:
    """The values in a file's documents. Raises ConfigError where there are none, or several."""
    maps = [item for item in documents if isinstance(item, Mapping) and item]
    if not maps or any(not isinstance(item, Mapping) and item is not None for item in documents):
        raise _refused(
            path,
            "is not a map of chart values",
            "name the config.yaml that `helm upgrade --values` is given",
        )
    found = [(item, holding) for item in maps if (holding := _held(item, path)) is not None]
    if len(found) > 1:
        raise _refused(
            path,
            f"holds {len(found)} documents with values",
            "give each to the command as a file of its own",
        )
    if not found:
        kinds = ", ".join(
            sorted(
                {
                    str(item.get("kind"))[:40]
                    for item in maps
                    if _NAME.fullmatch(str(item.get("kind")))
                }
            )
        )
        what = f"is a manifest ({kinds})" if kinds else "is not a map of chart values"
        raise _refused(
            path,
            f"{what}, and hands no values to Helm",
            "name the config.yaml that `helm upgrade --values` is given",
        )
    document, holding = found[0]
    others = tuple(
        ((str(item.get("kind", "document")),), "is another document of the file")
        for item in maps
        if item is not document
    )
    return Holding(
        values=holding.values,
        holder=holding.holder,
        chart=holding.chart,
        beside=(*holding.beside, *others),
        notes=holding.notes,
    )


def _held(document: Mapping[str, Any], path: Path) -> Holding | None:
    """What one document hands to Helm; None for a manifest that hands nothing."""
    kind, spec = document.get("kind"), document.get("spec")
    if not (isinstance(kind, str) and isinstance(document.get("apiVersion"), (str, float, int))):
        return _plain(document)
    if not isinstance(spec, Mapping):
        return None
    name = at(document, "metadata", "name")
    holder = f"{kind} {name}" if isinstance(name, str) and _NAME.fullmatch(name) else kind
    if kind == "HelmRelease" and isinstance(spec.get("values"), Mapping):
        further = at(spec, "valuesFrom")
        notes = (
            (
                (
                    f"{holder} takes further values from a Secret or ConfigMap (valuesFrom): they"
                    " are not in this file"
                ),
            )
            if further
            else ()
        )
        return Holding(
            values=spec["values"],
            holder=f"{holder}: spec.values",
            chart=_version(at(spec, "chart", "spec"), "version"),
            notes=notes,
        )
    if kind == "Application":
        return _application(spec, holder, path)
    if kind == "HelmChart" and isinstance(spec.get("valuesContent"), str):
        values = _inner(spec["valuesContent"], path)
        return Holding(
            values=values, holder=f"{holder}: spec.valuesContent", chart=_version(spec, "version")
        )
    return None


def _plain(document: Mapping[str, Any]) -> Holding:
    values = {
        key: value
        for key, value in document.items()
        if not (str(key).upper() in _HEADERS and value is None)
    }
    if str(next(iter(document))).upper() == _HEADERS[1] and len(values) < len(document):
        note = (
            "these are computed values (helm get values --all), the chart's defaults among them:"
            " those are settled, as the new chart has its own"
        )
        return Holding(values=values, notes=(note,))
    return Holding(values=values)


def _application(spec: Mapping[str, Any], holder: str, path: Path) -> Holding | None:
    sources = (
        [spec["source"]]
        if isinstance(spec.get("source"), Mapping)
        else [item for item in spec.get("sources") or () if isinstance(item, Mapping)]
    )
    for source in sources:
        helm = source.get("helm")
        if not isinstance(helm, Mapping):
            continue
        notes = tuple(
            f"{holder} has {name} besides: they are not in this file"
            for name in ("valueFiles", "parameters", "fileParameters")
            if helm.get(name)
        )
        chart = _version(source, "targetRevision")
        if isinstance(helm.get("valuesObject"), Mapping):
            return Holding(
                values=helm["valuesObject"],
                holder=f"{holder}: helm.valuesObject",
                chart=chart,
                notes=notes,
            )
        if isinstance(helm.get("values"), str):
            return Holding(
                values=_inner(helm["values"], path),
                holder=f"{holder}: helm.values",
                chart=chart,
                notes=notes,
            )
    return None


def _inner(text: str, path: Path) -> Mapping[str, Any]:
    from jupyterhub_aws.adopt.z2jh.read import documents

    found = [item for item in documents(text, path) if isinstance(item, Mapping)]
    if len(found) != 1:
        raise _refused(
            path,
            "holds a text of values that is no map",
            "name the config.yaml that `helm upgrade --values` is given",
        )
    return found[0]


def _version(chart: Any, key: str) -> str | None:
    """The version of the JupyterHub chart: an umbrella chart's own version says nothing."""
    name, version = at(chart, "chart"), at(chart, key)
    if not isinstance(name, str) or name.rpartition("/")[2] != "jupyterhub":
        return None
    return (
        version
        if isinstance(version, str) and re.fullmatch(r"v?\d+\.\d+[\w.+-]{0,40}", version)
        else None
    )


def located(values: Mapping[str, Any], under: str | None, path: Path) -> Located:
    """The chart's values among what Helm gets. Raises ConfigError where they are not, or where
    several are.
    """
    if under is not None:
        parts = tuple(under.split("."))
        found = at(values, *parts)
        if not isinstance(found, Mapping) or not found:
            raise _refused(
                Path("--under"),
                f"there is nothing at {under[:80]} in {path.name}",
                "write the keys that lead to hub, proxy and singleuser",
            )
        places: list[TreePath] = [parts]
    else:
        places = list(_places(values, ()))
    if len(places) > 1:
        names = ", ".join(dotted(place) for place in places[:5])
        raise _refused(
            path,
            f"holds the values of {len(places)} hubs: {names}",
            f"choose one with --under {dotted(places[0])}, and convert each by itself",
        )
    if not places:
        named = [str(key) for key in values if _NAME.fullmatch(str(key))][:4]
        has = f" (it has {', '.join(named)})" if named else ""
        inner = values.get("config")
        if isinstance(inner, Mapping) and any(":" in str(key) or key == "hubs" for key in inner):
            what = "is a stack file of this program"
        elif {"name", "version", "apiVersion"} <= set(values):
            what = "is a chart's Chart.yaml"
        else:
            what = f"holds no values of the JupyterHub chart{has}"
        raise _refused(
            path,
            what,
            "name the config.yaml that `helm upgrade --values` is given: it has hub, proxy or"
            " singleuser",
        )
    place = places[0]
    return Located(path=place, values=at(values, *place), beside=tuple(_around(values, place)))


def _places(values: Mapping[str, Any], path: TreePath) -> Iterator[TreePath]:
    """Where maps look like the chart's values, the outermost of each branch. Below the top only
    with servers or a hub: other charts have an `auth` too.
    """
    if _looks_like_it(values) and (not path or "hub" in values or "singleuser" in values):
        yield path
    elif len(path) < _DEEPEST:
        for key, inner in values.items():
            if isinstance(inner, Mapping):
                yield from _places(inner, (*path, key))


def _looks_like_it(values: Mapping[str, Any]) -> bool:
    """Whether more of the sections' keys are the chart's than are not; and there is one."""
    known = unknown = 0
    for section, keys in _known().items():
        inner = values.get(section)
        if isinstance(inner, Mapping):
            known += len([key for key in inner if key in keys])
            unknown += len([key for key in inner if key not in keys])
            known += 1 if not inner and section in ("hub", "singleuser") else 0
    return known > 0 and known >= unknown


def _around(values: Mapping[str, Any], place: TreePath) -> Iterator[tuple[TreePath, str]]:
    here: Any = values
    for depth, part in enumerate(place):
        for key in here:
            if key == part:
                continue
            why = (
                "is what sops says of its encryption"
                if key == "sops"
                else "belongs to another chart beside JupyterHub: this program does not make it"
            )
            yield (*place[:depth], key), why
        here = here[part]


def at(values: Any, *path: str | int) -> Any:
    """What is at a path, or None."""
    for key in path:
        values = values.get(key) if isinstance(values, Mapping) else None
    return values


def _refused(path: Path, what: str, fix: str) -> ConfigError:
    return ConfigError(COMMAND, [Problem(path=path.name, what=what, fix=fix)])
