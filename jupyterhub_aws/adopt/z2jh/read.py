"""Reading a config.yaml: whatever YAML may hold becomes plain JSON-like data, and what may be a
secret becomes a path and nothing else.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from jupyterhub_aws.adopt.z2jh.locate import located, unwrapped
from jupyterhub_aws.adopt.z2jh.seal import sealed_values
from jupyterhub_aws.adopt.z2jh.taken import ends
from jupyterhub_aws.config.errors import ConfigError, Problem, dotted
from jupyterhub_aws.config.tree import Path as TreePath
from jupyterhub_aws.config.tree import leaves

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
            raise _refused(
                path,
                f"is larger than {_LARGEST // 1_000_000} MB",
                "name the config.yaml that `helm upgrade --values` is given",
            )
        return path.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise _refused(
            path,
            f"cannot be read ({error.strerror})",
            "name the config.yaml that `helm upgrade --values` is given",
        ) from None
    except UnicodeDecodeError as error:
        raise _refused(
            path, f"is not UTF-8 (byte {error.start})", "convert it: iconv -t utf-8"
        ) from None


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
        raise _refused(
            path, "is nested too deeply, or contains itself", "write it without `&` and `*`"
        ) from None
    except DuplicateKeyError as error:
        name = re.match(r'found duplicate key "([A-Za-z][\w./-]{0,60})" with', str(error.problem))
        first, line = error.context_mark, error.problem_mark
        what = (
            f"has the key {name[1] if name else 'of a map'} twice, at line {line.line + 1} again,"
            f" in the map of line {first.line + 1}"
        )
        raise _refused(
            path,
            f"{what}: Helm takes the last one and says nothing of the others",
            "keep one of them",
        ) from None
    except Exception as error:  # besides YAMLError whatever a constructor trips over
        mark = getattr(error, "problem_mark", None)
        where = f" at line {mark.line + 1}" if mark is not None else ""
        # Not the reason: YAML's own messages quote the line, and it may hold a secret.
        raise _refused(
            path,
            f"is not readable as YAML{where}",
            "mend it, or export the values again: helm get values RELEASE -o yaml",
        ) from None


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
    return ConfigError(COMMAND, [Problem(path=path.name, what=what, fix=fix)])


def _plain(value: Any, depth: int) -> Any:
    """Data as JSON has it: keys are text, dates and other things of YAML's are text."""
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
