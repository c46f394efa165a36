"""Reading a config.yaml: whatever YAML may hold becomes plain JSON-like data, and what may be a secret becomes a path and nothing else."""

from __future__ import annotations

import itertools
import math
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from changes.mask import masked_text
from checks.resources import SECRET
from config.errors import ConfigError, Problem, dotted, names_secret
from config.tree import Path as TreePath
from config.tree import leaves
from ops.adopt.z2jh.locate import located, unwrapped
from ops.adopt.z2jh.taken import default_of, ends

COMMAND = "jhub adopt config"
_LARGEST = 5_000_000
_DEEPEST = 60
_SHORTEST = 6
#: Beyond what names a secret elsewhere (config/errors.py): how people call them in values, variables and commands.
_NAMES = re.compile(
    r"(?i)(passw|pwd\b|passphrase|\bpass\b|secret|token|credential|bearer|cookie_?secret|(?<!en)crypt|salt\b|\bpin\b|private|api_?key|_key\b|-key\b|\bkey\b|authorization)"
)
#: Names with such a word that hold none.
_HARMLESS = re.compile(
    r"(?i)(pvcName|secretName|existingSecret|secretKeyRef|configMapKeyRef|.*_(url|claim|groups_key)|(username|user_id|groups?|user_name)_?(key|claim)"
    r"|claim_groups_key|auth_state_groups_key|user_auth_state_key|topologyKey|key|tokenUrl|enable_auth_state|secret|automountServiceAccountToken|manual)$"
)
#: Text with a credential in it whatever it is called: `user:password` of curl, a header, a word and what stands behind it.
_INSIDE = re.compile(
    r"(?i)(\s-u\s*\S+:\S+|--password|--token|authorization:|bearer\s+\S{8,}|\b(passw\w*|passphrase|\w*secret|\w*token|\w*api_?key|credentials?)s?[\"']?\s*[:=\s]\s*\S+)"
)
#: What sops, Ansible and sealed-secrets leave in the place of a value, which nobody here can read.
_CIPHERTEXT = re.compile(r"ENC\[|\$ANSIBLE_VAULT|vault:|ref\+\w+://")
#: A run of letters and digits that nobody would type: keys, hashes, encoded text.
_RANDOM = re.compile(r"[A-Za-z0-9+/_=-]{20,}")


@dataclass(frozen=True, kw_only=True)
class Old:
    """A chart's values with a mark in the place of each secret."""

    values: Mapping[str, Any]
    #: The paths that held a secret.
    secrets: tuple[TreePath, ...]
    #: Where in the files the values were: `jupyterhub` of an umbrella chart, `HelmRelease hub: spec.values`.
    found_at: str = ""
    #: The chart's version, where a HelmRelease or an Application says it.
    chart: str | None = None
    #: What the files hold besides, by the top of it, with the reason why it is not looked at.
    beside: tuple[tuple[TreePath, str], ...] = ()
    #: Which file each value is from, where there are several; and values that a later file replaced.
    sources: Mapping[TreePath, str] = field(default_factory=dict)
    replaced: tuple[tuple[TreePath, str], ...] = ()
    #: `Class.trait` that programs among the values set (hub.extraConfig, hub.extraFiles).
    programs: frozenset[str] = frozenset()
    notes: tuple[str, ...] = ()

    def has_secret(self, *path: str) -> bool:
        """Whether something at a path was taken for a secret."""
        return any(found[: len(path)] == path for found in self.secrets)


def read_values(paths: Sequence[Path], under: str | None = None) -> Old:
    """The values of files, merged as `helm upgrade --values A --values B` does. Raises ConfigError, and nothing else.

    `under`: where the chart's values are in an umbrella chart's (`basehub.jupyterhub`); None: it is looked for.
    """
    found = [(path, _text(path)) for path in paths]
    return several([(text, path) for path, text in found], under)


def _text(path: Path) -> str:
    try:
        if path.stat().st_size > _LARGEST:
            raise _refused(path, f"is larger than {_LARGEST // 1_000_000} MB", "name the config.yaml that `helm upgrade --values` is given")
        return path.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise _refused(path, f"cannot be read ({error.strerror})", "name the config.yaml that `helm upgrade --values` is given") from None
    except UnicodeDecodeError as error:
        raise _refused(path, f"is not UTF-8 (byte {error.start})", "convert it: iconv -t utf-8") from None


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
    values, secrets = _sealed(found.values)
    cut = len(inside)
    return Old(
        values=values,
        secrets=secrets,
        found_at=": ".join(part for part in (holder, dotted(inside)) if part),
        chart=None if inside else chart,
        beside=tuple(beside),
        sources={path[cut:]: name for path, name in sources.items() if path[:cut] == inside} if len(files) > 1 else {},
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
        raise _refused(path, "is nested too deeply, or contains itself", "write it without `&` and `*`") from None
    except DuplicateKeyError as error:
        name = re.match(r'found duplicate key "([A-Za-z][\w./-]{0,60})" with', str(error.problem))
        first, line = error.context_mark, error.problem_mark
        what = f"has the key {name[1] if name else 'of a map'} twice, at line {line.line + 1} again, in the map of line {first.line + 1}"
        raise _refused(path, f"{what}: Helm takes the last one and says nothing of the others", "keep one of them") from None
    except Exception as error:  # besides YAMLError whatever a constructor trips over
        mark = getattr(error, "problem_mark", None)
        where = f" at line {mark.line + 1}" if mark is not None else ""
        # Not the reason: YAML's own messages quote the line, and it may hold a secret.
        raise _refused(path, f"is not readable as YAML{where}", "mend it, or export the values again: helm get values RELEASE -o yaml") from None


@dataclass(frozen=True)
class _Merge:
    name: str
    sources: dict[TreePath, str]
    replaced: list[tuple[TreePath, str]]


def _merged(base: Mapping[str, Any], over: Mapping[str, Any], path: TreePath, into: _Merge) -> dict[str, Any]:
    """Values over values as Helm merges files (pkg/cli/values, MergeMaps): maps merge, everything else replaces, nulls too."""
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
    code = [hub.get(name) for name in ("extraConfig", "extraFiles")] if isinstance(hub, Mapping) else []
    return frozenset(f"{cls}.{trait}" for text in strings(code) for cls, trait in _TRAIT.findall(text))


def _refused(path: Path, what: str, fix: str) -> ConfigError:
    return ConfigError(COMMAND, [Problem(path=path.name, what=what, fix=fix)])


def _plain(value: Any, depth: int) -> Any:  # noqa: ANN401 -- whatever YAML holds
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


def _sealed(values: Mapping[str, Any]) -> tuple[Mapping[str, Any], tuple[TreePath, ...]]:
    """Values with a mark in the place of each secret, and where those were. A text that is a secret somewhere is one everywhere."""
    found = {path: value for path, value in leaves(values) if value is not None and _is_secret(path, value, values)}
    words = {word for path, value in found.items() if isinstance(value, str) for word in _words(value, named=not looks_secret(value))}
    for path, value in leaves(values):
        if isinstance(value, str) and path not in found and any(word in value for word in words):
            found[path] = value
    return _without(values, (), frozenset(found)), tuple(sorted(found, key=dotted))


def _words(text: str, *, named: bool) -> Iterator[str]:
    """What of a secret is one wherever else it is. Of a text that is one by its look only those parts that have the look: not the host of an address."""
    parts = [part for part in re.split(r"[\s:@/'\"=&?]+", text) if len(part) >= 2 * _SHORTEST] if "\n" not in text else []
    if named:
        yield from (word for word in (text.strip(), *parts) if len(word) >= _SHORTEST and not _PUBLIC.fullmatch(word))
    else:
        yield text.strip()
        yield from (part for part in parts if looks_secret(part))


#: What may be at the place of a secret and is none anywhere else: names of hosts, plain words, what is to be replaced by a tool.
_PUBLIC = re.compile(r"([A-Za-z0-9-]+\.)+[A-Za-z]{2,}(:\d+)?|[a-z]+([ _-][a-z]+)*|\$\{[^}]*\}|\$\w+|<[^>]*>|\{\{[^}]*\}\}")
#: A path with one of these names a Secret, a ConfigMap or a claim, or a key in it: the secret itself is elsewhere.
_REFERENCES = frozenset(
    "secretKeyRef configMapKeyRef secretRef configMapRef fieldRef resourceFieldRef secretName claimName existingSecret existingClaim imagePullSecrets "
    "pullSecrets".split()
)
#: What everybody is shown: ids of applications, images and their tags.
_OPEN = frozenset(
    "client_id clientId github_client_id image image_spec tag hosts hostnames admin_users allowed_users blocked_users whitelist users allowed_groups "
    "admin_groups allowed_organizations allowed_teams allowed_gitlab_groups".split()
)
#: Keys of Kubernetes that hold no secret although something above them is called so, unless what they hold looks like one.
_STRUCTURE = frozenset("mountPath mountPropagation readOnly mode registry contactEmail volumeHandle driver".split())
#: Below these a `name`, a `subPath` or a `server` is a part of the cluster's, whatever the volume is called.
_VOLUMES = frozenset("extraVolumes extraVolumeMounts volumes volume_mounts volumeMounts".split())
_OF_VOLUMES = frozenset("name subPath server path claimName".split())
_NAME_OF_A_THING = re.compile(r"[A-Za-z0-9]([-._A-Za-z0-9]{0,252})")


def _without(value: Any, path: TreePath, secret: frozenset[TreePath]) -> Any:  # noqa: ANN401 -- any JSON value
    if path in secret:
        return SECRET
    if isinstance(value, dict):
        return {key: _without(item, (*path, key), secret) for key, item in value.items()}
    return [_without(item, (*path, index), secret) for index, item in enumerate(value)] if isinstance(value, list) else value


def _is_secret(path: TreePath, value: Any, values: Mapping[str, Any]) -> bool:  # noqa: ANN401 -- a leaf
    """Whether a leaf may be one: by its own name, by the name beside it in a list of variables, or by its look."""
    if isinstance(value, bool) or (isinstance(value, str) and not value.strip()):
        return False
    names = [part for part in path if isinstance(part, str)]
    if _shown_to_all(names, value) or default_of(path) == (True, value):
        return False
    if names[-1:] == ["key"] and "manual" in names:
        return True
    beside = _beside(path, values)
    if names[-1:] and (names[-1] in _STRUCTURE or (names[-1] in _OF_VOLUMES and not _VOLUMES.isdisjoint(names))):
        return isinstance(value, str) and looks_secret(value)
    if any(_named(name) for name in names) or (beside is not None and names[-1:] == ["value"] and _named(beside)):
        return True
    return isinstance(value, str) and looks_secret(value)


def _shown_to_all(names: list[str], value: Any) -> bool:  # noqa: ANN401 -- a leaf
    """Whether a leaf is what everybody may see, whatever is around it: a certificate, the name of a Secret, the id of an application, an image."""
    if names[-1:] == ["cert"] or (isinstance(value, str) and value.strip().startswith("-----BEGIN CERTIFICATE-----") and "PRIVATE KEY" not in value):
        return True
    if isinstance(value, str) and _CIPHERTEXT.match(value):
        return False
    harmless = not isinstance(value, str) or (masked_text(value) == value and not _INSIDE.search(value))
    if not _REFERENCES.isdisjoint(names):
        return harmless and (not isinstance(value, str) or bool(_NAME_OF_A_THING.fullmatch(value)))
    return harmless and bool(names[-1:]) and (names[-1] in _OPEN or names[-1].lower().endswith("client_id"))


def _named(name: str) -> bool:
    return not _HARMLESS.match(name) and (names_secret(name) or bool(_NAMES.search(name)))


def _beside(path: TreePath, values: Any) -> str | None:  # noqa: ANN401 -- any JSON value
    """The `name` that stands beside a leaf: {name: X, value: …}."""
    here = values
    for part in path[:-1]:
        here = here[part]
    name = here.get("name") if isinstance(here, Mapping) else None
    return name if isinstance(name, str) else None


def looks_secret(text: str) -> bool:
    """Whether a text has a secret in it by its look: ciphertext, a key, a token, `user:password@`, a long run of random letters and digits."""
    if masked_text(text) != text or _INSIDE.search(text) or _CIPHERTEXT.match(text):
        return True
    return any(_random(match[0]) for match in _RANDOM.finditer(text)) and "sha256:" not in text


def _random(run: str) -> bool:
    """Letters and digits mixed as words and names are not: three or more changes between them, and no separators that make words of it."""
    parts = re.split(r"[-_/=+]", run)
    longest = max(parts, key=len)
    changes = sum(a.isdigit() is not b.isdigit() for a, b in itertools.pairwise(longest))
    return len(longest) >= 16 and changes >= 3  # noqa: PLR2004 -- shorter runs are versions, host names and ids


def strings(value: Any) -> Iterator[str]:  # noqa: ANN401 -- any JSON value
    """Every text in a value."""
    return (item for _, item in leaves(value) if isinstance(item, str))
