"""Reading a config.yaml: whatever YAML may hold becomes plain JSON-like data, and what may be a secret becomes a path and nothing else."""

from __future__ import annotations

import itertools
import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from changes.mask import masked_text
from checks.resources import SECRET
from config.errors import ConfigError, Problem, dotted, names_secret
from config.tree import Path as TreePath
from config.tree import leaves

COMMAND = "jhub adopt config"
_LARGEST = 5_000_000
_DEEPEST = 60
_SHORTEST = 6
#: Beyond what names a secret elsewhere (config/errors.py): how people call them in values, variables and commands.
_NAMES = re.compile(
    r"(?i)(passw|pwd\b|passphrase|\bpass\b|secret|token|credential|bearer|cookie_?secret|crypt|salt\b|\bpin\b|private|api_?key|_key\b|-key\b|\bkey\b|authorization)"
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
#: A run of letters and digits that nobody would type: keys, hashes, encoded text.
_RANDOM = re.compile(r"[A-Za-z0-9+/_=-]{20,}")


@dataclass(frozen=True, kw_only=True)
class Old:
    """A chart's values with a mark in the place of each secret. `secrets` are the paths that held one."""

    values: Mapping[str, Any]
    secrets: tuple[TreePath, ...]

    def has_secret(self, *path: str) -> bool:
        """Whether something stood at a path that was taken for a secret."""
        return any(found[: len(path)] == path for found in self.secrets)


def read_values(path: Path) -> Old:
    """The values of a file. Raises ConfigError, and nothing else, for whatever is no map of YAML."""
    try:
        if path.stat().st_size > _LARGEST:
            raise _refused(path, f"is larger than {_LARGEST // 1_000_000} MB", "name the config.yaml that `helm upgrade --values` is given")
        text = path.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise _refused(path, f"cannot be read ({error.strerror})", "name the config.yaml that `helm upgrade --values` is given") from None
    except UnicodeDecodeError as error:
        raise _refused(path, f"is not UTF-8 (byte {error.start})", "convert it: iconv -t utf-8") from None
    return parsed(text, path)


def parsed(text: str, path: Path) -> Old:
    """The same of its text."""
    from ruamel.yaml import YAML

    try:
        document = YAML(typ="safe", pure=True).load(text)
        plain = _plain(document, 0)
    except RecursionError:
        raise _refused(path, "is nested too deeply, or contains itself", "write it without `&` and `*`") from None
    except Exception as error:  # besides YAMLError whatever a constructor trips over
        mark = getattr(error, "problem_mark", None)
        where = f" at line {mark.line + 1}" if mark is not None else ""
        # Not the reason: YAML's own messages quote the line, and it may hold a secret.
        raise _refused(path, f"is not readable as YAML{where}", "mend it, or export the values again: helm get values RELEASE -o yaml") from None
    if not isinstance(plain, dict) or not plain:
        raise _refused(path, "is not a map of chart values", "name the config.yaml that `helm upgrade --values` is given")
    return _sealed(plain)


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


def _sealed(values: dict[str, Any]) -> Old:
    """Values with a mark in the place of each secret. A text that is a secret somewhere is one everywhere."""
    found = {path: value for path, value in leaves(values) if value is not None and _is_secret(path, value, values)}
    words = {str(value).strip() for value in found.values() if isinstance(value, str) and len(str(value).strip()) >= _SHORTEST}
    words |= {word for text in words if "\n" not in text for word in re.split(r"[\s:@/'\"]+", text) if len(word) >= 2 * _SHORTEST}
    for path, value in leaves(values):
        if isinstance(value, str) and path not in found and any(word in value for word in words):
            found[path] = value
    sealed = _without(values, (), frozenset(found))
    return Old(values=sealed, secrets=tuple(sorted(found, key=dotted)))


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
    if names[-1:] == ["cert"] or (isinstance(value, str) and value.strip().startswith("-----BEGIN CERTIFICATE-----") and "PRIVATE KEY" not in value):
        return False  # a certificate is what everybody is shown
    if names[-1:] == ["key"] and "manual" in names:
        return True
    beside = _beside(path, values)
    if any(_named(name) for name in names) or (beside is not None and names[-1:] == ["value"] and _named(beside)):
        return True
    return isinstance(value, str) and looks_secret(value)


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
    """Whether a text has a secret in it by its look: a key, a token, `user:password@`, a long run of random letters and digits."""
    if masked_text(text) != text or _INSIDE.search(text):
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
