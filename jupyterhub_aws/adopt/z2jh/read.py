"""Reading a config.yaml: whatever YAML may hold becomes plain JSON-like data, and what may be a
secret becomes a path and nothing else.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from jupyterhub_aws.adopt.z2jh.seal import sealed_values
from jupyterhub_aws.adopt.z2jh.taken import ends
from jupyterhub_aws.config.chart import default_values
from jupyterhub_aws.config.errors import ConfigError, dotted, refused
from jupyterhub_aws.config.tree import KeyPath as TreePath
from jupyterhub_aws.config.tree import at, leaves

# --- Where in a file the values of the chart are: at its top, in an umbrella chart's, or in what a
# tool of GitOps hands to Helm. Or nowhere, which is said.


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
_DEEPEST_WRAPPER = 6
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
        fix = "name the config.yaml that `helm upgrade --values` is given"
        raise _refused(path, "is not a map of chart values", fix)
    found = [(item, holding) for item in maps if (holding := _held(item, path)) is not None]
    if len(found) > 1:
        fix = "give each to the command as a file of its own"
        raise _refused(path, f"holds {len(found)} documents with values", fix)
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
        fix = "name the config.yaml that `helm upgrade --values` is given"
        raise _refused(path, f"{what}, and hands no values to Helm", fix)
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
        return _held_by(document)
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


def _held_by(document: Mapping[str, Any]) -> Holding:
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

    found = [item for item in documents(text, path) if isinstance(item, Mapping)]
    if len(found) != 1:
        fix = "name the config.yaml that `helm upgrade --values` is given"
        raise _refused(path, "holds a text of values that is no map", fix)
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
            fix = "write the keys that lead to hub, proxy and singleuser"
            raise _refused(Path("--under"), f"there is nothing at {under[:80]} in {path.name}", fix)
        places: list[TreePath] = [parts]
    else:
        places = list(_places(values, ()))
    if len(places) > 1:
        names = ", ".join(dotted(place) for place in places[:5])
        fix = f"choose one with --under {dotted(places[0])}, and convert each by itself"
        raise _refused(path, f"holds the values of {len(places)} hubs: {names}", fix)
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
        fix = (
            "name the config.yaml that `helm upgrade --values` is given: it has hub, proxy or"
            " singleuser"
        )
        raise _refused(path, what, fix)
    place = places[0]
    return Located(path=place, values=at(values, *place), beside=tuple(_around(values, place)))


def _places(values: Mapping[str, Any], path: TreePath) -> Iterator[TreePath]:
    """Where maps look like the chart's values, the outermost of each branch. Below the top only
    with servers or a hub: other charts have an `auth` too.
    """
    if _looks_like_it(values) and (not path or "hub" in values or "singleuser" in values):
        yield path
    elif len(path) < _DEEPEST_WRAPPER:
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


COMMAND = "jhub adopt config"
_LARGEST = 5_000_000
_DEEPEST = 60


@dataclass(frozen=True, kw_only=True)
class Old:
    """A chart's values with a mark in the place of each secret."""

    values: Mapping[str, Any]
    #: The paths that held a secret.
    secrets: tuple[TreePath, ...]
    #: Where in the files the values were: `jupyterhub` of an umbrella chart, `HelmRelease hub:
    #: spec.values`.
    found_at: str = ""
    #: The chart's version, where a HelmRelease or an Application says it.
    chart: str | None = None
    #: What the files hold besides, by the top of it, with the reason why it is not looked at.
    beside: tuple[tuple[TreePath, str], ...] = ()
    #: Which file each value is from, where there are several; and values that a later file
    #: replaced.
    sources: Mapping[TreePath, str] = field(default_factory=dict)
    replaced: tuple[tuple[TreePath, str], ...] = ()
    #: `Class.trait` that programs among the values set (hub.extraConfig, hub.extraFiles).
    programs: frozenset[str] = frozenset()
    notes: tuple[str, ...] = ()

    def has_secret(self, *path: str) -> bool:
        """Whether something at a path was taken for a secret."""
        return any(found[: len(path)] == path for found in self.secrets)


def read_values(paths: Sequence[Path], under: str | None = None) -> Old:
    """The values of files, merged as `helm upgrade --values A --values B` does. Raises ConfigError,
    and nothing else.

    `under`: where the chart's values are in an umbrella chart's (`basehub.jupyterhub`); None: it is
    looked for.
    """
    found = [(path, _text(path)) for path in paths]
    return several([(text, path) for path, text in found], under)


def _text(path: Path) -> str:
    try:
        if path.stat().st_size > _LARGEST:
            fix = "name the config.yaml that `helm upgrade --values` is given"
            raise _refused(path, f"is larger than {_LARGEST // 1_000_000} MB", fix)
        return path.read_text(encoding="utf-8-sig")
    except OSError as error:
        fix = "name the config.yaml that `helm upgrade --values` is given"
        raise _refused(path, f"cannot be read ({error.strerror})", fix) from None
    except UnicodeDecodeError as error:
        fix = "convert it: iconv -t utf-8"
        raise _refused(path, f"is not UTF-8 (byte {error.start})", fix) from None


def parsed(text: str, path: Path) -> Old:
    """The same of one file's text."""
    return several([(text, path)], None)


def several(files: Sequence[tuple[str, Path]], under: str | None) -> Old:
    """The same of the texts of several files."""
    merged: dict[str, Any] = {}
    sources: dict[TreePath, str] = {}
    replaced: list[tuple[TreePath, str]] = []
    beside: list[tuple[TreePath, str]] = []
    notes: list[str] = []
    chart, holder = None, ""
    for text, path in files:
        holding = unwrapped(documents(text, path), path)
        beside += holding.beside
        notes += holding.notes
        chart, holder = holding.chart or chart, holding.holder or holder
        merged = _merged(merged, holding.values, (), _Merge(path.name, sources, replaced))
    found = located(merged, under, files[-1][1])
    beside += [(place, why) for place, why in found.beside]
    inside = found.path
    programs = _programs(found.values)
    values, secrets = sealed_values(found.values)
    cut = len(inside)
    return Old(
        values=values,
        secrets=secrets,
        found_at=": ".join(part for part in (holder, dotted(inside)) if part),
        chart=None if inside else chart,
        beside=tuple(beside),
        sources=(
            {path[cut:]: name for path, name in sources.items() if path[:cut] == inside}
            if len(files) > 1
            else {}
        ),
        replaced=tuple((path[cut:], name) for path, name in replaced if path[:cut] == inside),
        programs=programs,
        notes=tuple(notes),
    )


def documents(text: str, path: Path) -> list[Any]:
    """The documents of a YAML file, as plain data."""
    from ruamel.yaml import YAML
    from ruamel.yaml.constructor import DuplicateKeyError

    try:
        return [_plain(document, 0) for document in YAML(typ="safe", pure=True).load_all(text)]
    except RecursionError:
        fix = "write it without `&` and `*`"
        raise _refused(path, "is nested too deeply, or contains itself", fix) from None
    except DuplicateKeyError as error:
        name = re.match(r'found duplicate key "([A-Za-z][\w./-]{0,60})" with', str(error.problem))
        first, line = error.context_mark, error.problem_mark
        what = (
            f"has the key {name[1] if name else 'of a map'} twice, at line {line.line + 1} again,"
            f" in the map of line {first.line + 1}"
        )
        fix = "keep one of them"
        raise _refused(
            path, f"{what}: Helm takes the last one and says nothing of the others", fix
        ) from None
    except Exception as error:  # besides YAMLError whatever a constructor trips over
        mark = getattr(error, "problem_mark", None)
        where = f" at line {mark.line + 1}" if mark is not None else ""
        # Not the reason: YAML's own messages quote the line, and it may hold a secret.
        fix = "fix it, or export the values again: helm get values RELEASE -o yaml"
        raise _refused(path, f"is not readable as YAML{where}", fix) from None


@dataclass(frozen=True)
class _Merge:
    name: str
    sources: dict[TreePath, str]
    replaced: list[tuple[TreePath, str]]


def _merged(
    base: Mapping[str, Any], over: Mapping[str, Any], path: TreePath, into: _Merge
) -> dict[str, Any]:
    """Values over values as Helm merges files (pkg/cli/values, MergeMaps): maps merge,
    everything else replaces, nulls too.
    """
    result = dict(base)
    for key, value in over.items():
        here, below = (*path, key), result.get(key)
        if isinstance(value, Mapping) and isinstance(below, Mapping):
            result[key] = _merged(below, value, here, into)
            continue
        if key in result:
            for end, _ in ends(below, here):
                into.replaced.append((end, into.sources.pop(end, "an earlier file")))
        result[key] = value
        into.sources.update({end: into.name for end, _ in ends(value, here)})
    return result


#: Where programs of the chart's values are, and how they set a trait.
_TRAIT = re.compile(r"\bc\.([A-Z][A-Za-z]{2,60})\.([a-z][a-z_]{1,60})\b")


def _programs(values: Mapping[str, Any]) -> frozenset[str]:
    hub = values.get("hub")
    code = (
        [hub.get(name) for name in ("extraConfig", "extraFiles")]
        if isinstance(hub, Mapping)
        else []
    )
    return frozenset(
        f"{cls}.{trait}" for text in strings(code) for cls, trait in _TRAIT.findall(text)
    )


def _refused(path: Path, what: str, fix: str) -> ConfigError:
    return refused(COMMAND, "adopt.values", path.name, what, fix)


def _plain(value: Any, depth: int) -> Any:
    """Data as JSON has it: keys are text, dates and other types of YAML are text."""
    if depth > _DEEPEST:
        raise RecursionError
    if isinstance(value, Mapping):
        return {str(key): _plain(item, depth + 1) for key, item in value.items()}
    if isinstance(value, (list, tuple, set, frozenset)):
        return [_plain(item, depth + 1) for item in value]
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    return value if value is None or isinstance(value, (str, int, float, bool)) else str(value)


def strings(value: Any) -> Iterator[str]:
    """Every text in a value."""
    return (item for _, item in leaves(value) if isinstance(item, str))
