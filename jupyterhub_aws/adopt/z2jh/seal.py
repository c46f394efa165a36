"""What in a chart's values may be a secret, by its name, its place or its look: it becomes a
mark before any rule sees it.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator, Mapping
from typing import Any

from jupyterhub_aws.adopt.z2jh.taken import default_of
from jupyterhub_aws.changes.mask import masked_text
from jupyterhub_aws.checks.resources import SECRET
from jupyterhub_aws.config.errors import dotted, names_secret
from jupyterhub_aws.config.tree import KeyPath as TreePath
from jupyterhub_aws.config.tree import leaves

_SHORTEST = 6


#: Beyond what names a secret elsewhere (config/errors.py): how they are called in values, variables
#: and commands.
_NAMES = re.compile(
    r"(?i)(passw|pwd\b|passphrase|\bpass\b|secret|token|credential|bearer|cookie_?secret|(?<!en)crypt|salt\b|\bpin\b|private|api_?key|_key\b|-key\b|\bkey\b|authorization)"
)


#: Names with such a word that hold none.
_HARMLESS = re.compile(
    r"(?i)(pvcName|secretName|existingSecret|secretKeyRef|configMapKeyRef|.*_(url|claim|groups_key)|(username|user_id|groups?|user_name)_?(key|claim)"
    r"|claim_groups_key|auth_state_groups_key|user_auth_state_key|topologyKey|key|tokenUrl|enable_auth_state|secret|automountServiceAccountToken|manual)$"
)


#: Text with a credential in it whatever it is called: `user:password` of curl, a header, a word and
#: what follows it.
_INSIDE = re.compile(
    r"(?i)(\s-u\s*\S+:\S+|--password|--token|authorization:|bearer\s+\S{8,}|\b(passw\w*|passphrase|\w*secret|\w*token|\w*api_?key|credentials?)s?[\"']?\s*[:=\s]\s*\S+)"
)


#: What sops, Ansible and sealed-secrets leave in the place of a value, which cannot be read here.
_CIPHERTEXT = re.compile(r"ENC\[|\$ANSIBLE_VAULT|vault:|ref\+\w+://")


#: A run of letters and digits that is not typed by hand: keys, hashes, encoded text.
_RANDOM = re.compile(r"[A-Za-z0-9+/_=-]{20,}")


def sealed_values(values: Mapping[str, Any]) -> tuple[Mapping[str, Any], tuple[TreePath, ...]]:
    """Values with a mark in the place of each secret, and where those were. A text that is a
    secret somewhere is one everywhere.
    """
    found = {
        path: value
        for path, value in leaves(values)
        if value is not None and _is_secret(path, value, values)
    }
    words = {
        word
        for path, value in found.items()
        if isinstance(value, str)
        for word in _words(value, named=not looks_secret(value))
    }
    for path, value in leaves(values):
        if isinstance(value, str) and path not in found and any(word in value for word in words):
            found[path] = value
    return _without(values, (), frozenset(found)), tuple(sorted(found, key=dotted))


def _words(text: str, *, named: bool) -> Iterator[str]:
    """What of a secret is one wherever else it is. Of a text that is one by its look only those
    parts that have the look: not the host of an address.
    """
    parts = (
        [part for part in re.split(r"[\s:@/'\"=&?]+", text) if len(part) >= 2 * _SHORTEST]
        if "\n" not in text
        else []
    )
    if named:
        yield from (
            word
            for word in (text.strip(), *parts)
            if len(word) >= _SHORTEST and not _PUBLIC.fullmatch(word)
        )
    else:
        yield text.strip()
        yield from (part for part in parts if looks_secret(part))


#: What may be at the place of a secret and is none anywhere else: names of hosts, plain words, what
#: is to be replaced by a tool.
_PUBLIC = re.compile(
    r"([A-Za-z0-9-]+\.)+[A-Za-z]{2,}(:\d+)?|[a-z]+(["
    r" _-][a-z]+)*|\$\{[^}]*\}|\$\w+|<[^>]*>|\{\{[^}]*\}\}"
)


#: A path with one of these names a Secret, a ConfigMap or a claim, or a key in it: the secret
#: itself is elsewhere.
_REFERENCES = frozenset(
    "secretKeyRef configMapKeyRef secretRef configMapRef fieldRef resourceFieldRef secretName"
    " claimName existingSecret existingClaim imagePullSecrets pullSecrets".split()
)


#: What is not secret: ids of applications, images and their tags.
_OPEN = frozenset(
    "client_id clientId github_client_id image image_spec tag hosts hostnames admin_users"
    " allowed_users blocked_users whitelist users allowed_groups admin_groups allowed_organizations"
    " allowed_teams allowed_gitlab_groups".split()
)


#: Keys of Kubernetes that hold no secret although something above them is called so, unless what
#: they hold looks like one.
_STRUCTURE = frozenset(
    "mountPath mountPropagation readOnly mode registry contactEmail volumeHandle driver".split()
)


#: Below these a `name`, a `subPath` or a `server` is a part of the cluster's, whatever the volume
#: is called.
_VOLUMES = frozenset("extraVolumes extraVolumeMounts volumes volume_mounts volumeMounts".split())


_OF_VOLUMES = frozenset("name subPath server path claimName".split())


_NAME_OF_A_THING = re.compile(r"[A-Za-z0-9]([-._A-Za-z0-9]{0,252})")


def _without(value: Any, path: TreePath, secret: frozenset[TreePath]) -> Any:
    if path in secret:
        return SECRET
    if isinstance(value, dict):
        return {key: _without(item, (*path, key), secret) for key, item in value.items()}
    return (
        [_without(item, (*path, index), secret) for index, item in enumerate(value)]
        if isinstance(value, list)
        else value
    )


def _is_secret(path: TreePath, value: Any, values: Mapping[str, Any]) -> bool:
    """Whether a leaf may be one: by its own name, by the name beside it in a list of variables,
    or by its look.
    """
    if isinstance(value, bool) or (isinstance(value, str) and not value.strip()):
        return False
    names = [part for part in path if isinstance(part, str)]
    if _shown_to_all(names, value) or default_of(path) == (True, value):
        return False
    if names[-1:] == ["key"] and "manual" in names:
        return True
    beside = _beside(path, values)
    if names[-1:] and (
        names[-1] in _STRUCTURE or (names[-1] in _OF_VOLUMES and not _VOLUMES.isdisjoint(names))
    ):
        return isinstance(value, str) and looks_secret(value)
    if any(_named(name) for name in names) or (
        beside is not None and names[-1:] == ["value"] and _named(beside)
    ):
        return True
    return isinstance(value, str) and looks_secret(value)


def _shown_to_all(names: list[str], value: Any) -> bool:
    """Whether a leaf is what all may see, whatever is around it: a certificate, the name
    of a Secret, the id of an application, an image.
    """
    if names[-1:] == ["cert"] or (
        isinstance(value, str)
        and value.strip().startswith("-----BEGIN CERTIFICATE-----")
        and "PRIVATE KEY" not in value
    ):
        return True
    if isinstance(value, str) and _CIPHERTEXT.match(value):
        return False
    harmless = not isinstance(value, str) or (
        masked_text(value) == value and not _INSIDE.search(value)
    )
    if not _REFERENCES.isdisjoint(names):
        return harmless and (not isinstance(value, str) or bool(_NAME_OF_A_THING.fullmatch(value)))
    return (
        harmless
        and bool(names[-1:])
        and (names[-1] in _OPEN or names[-1].lower().endswith("client_id"))
    )


def _named(name: str) -> bool:
    return not _HARMLESS.match(name) and (names_secret(name) or bool(_NAMES.search(name)))


def _beside(path: TreePath, values: Any) -> str | None:
    """The `name` that is beside a leaf: {name: X, value: …}."""
    here = values
    for part in path[:-1]:
        here = here[part]
    name = here.get("name") if isinstance(here, Mapping) else None
    return name if isinstance(name, str) else None


def looks_secret(text: str) -> bool:
    """Whether a text has a secret in it by its look: ciphertext, a key, a token,
    `user:password@`, a long run of random letters and digits.
    """
    if masked_text(text) != text or _INSIDE.search(text) or _CIPHERTEXT.match(text):
        return True
    return any(_random(match[0]) for match in _RANDOM.finditer(text)) and "sha256:" not in text


def _random(run: str) -> bool:
    """Letters and digits mixed as words and names are not: three or more changes between them,
    and no separators that make words of it.
    """
    parts = re.split(r"[-_/=+]", run)
    longest = max(parts, key=len)
    changes = sum(a.isdigit() is not b.isdigit() for a, b in itertools.pairwise(longest))
    return len(longest) >= 16 and changes >= 3  # shorter runs are versions, host names and ids
