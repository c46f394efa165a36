"""User names as directory names: the three schemes of KubeSpawner 7.0.0, and JupyterHub's
normalized form of a name. Pure.

Sources: kubespawner/slugs.py (safe_slug, strip_and_hash), escapism 1.0 (escape),
kubespawner/spawner.py (_expand_user_properties, where a slug has at most 48 characters),
jupyterhub/auth.py (normalize_username, validate_username). A property test compares with the real
ones.
"""

from __future__ import annotations

import hashlib
import re
import string
from collections.abc import Callable

_LETTERS = tuple(string.ascii_lowercase)
_ALPHANUMERIC = frozenset(string.ascii_lowercase + string.digits)
_LONGEST_SLUG, _LONGEST_NAME, _HASH = 48, 63, 8


def normalized(name: str) -> str:
    """A name as JupyterHub normalizes it: in lower case, so that Ada and ada are the same user."""
    return name.lower()


def is_name(name: str) -> bool:
    """Whether this (normalized) name is a valid user name of JupyterHub."""
    return bool(name) and "/" not in name and name == name.strip()


def safe(name: str) -> str:
    """`{safe_username}`: the name where it is a DNS label already, else its valid characters and
    a hash. The scheme of chart 4 and later.
    """
    valid = (
        re.match(r"^[a-z0-9\-]+$", name)
        and name[0] in _LETTERS
        and name[-1] in _ALPHANUMERIC
        and len(name) <= _LONGEST_NAME
    )
    if valid and "--" not in name and len(name) <= _LONGEST_SLUG:
        return name
    return f"{_stripped(name, _LONGEST_SLUG - _HASH - 3)}---{hashlib.sha256(name.encode()).hexdigest()[:_HASH]}"


def _stripped(name: str, longest: int) -> str:
    left = re.sub(r"[^a-z0-9]+", "-", name.lower()).lstrip("-")[:longest].rstrip("-")
    if left and not left.startswith(_LETTERS):
        left = f"x-{left[: longest - 2]}"
    return left or "x"


def escaped(name: str) -> str:
    """`{escaped_username}`: each byte but lower-case letters and digits as `-` and its number in
    hexadecimal digits. The scheme of charts before 4.0.
    """
    return "".join(
        char if char in _ALPHANUMERIC else "".join(f"-{byte:x}" for byte in char.encode())
        for char in name
    ).lower()


def directory(template: str, name: str) -> str:
    """A user's directory by a template of the stack file (config/homes.py, HomeDirectory);
    `name` is normalized.
    """
    schemes: dict[str, Callable[[str], str]] = {
        "safe_username": safe,
        "escaped_username": escaped,
        "unescaped_username": lambda raw: raw,
    }
    return re.sub(r"\{(\w+)\}", lambda match: schemes[match[1]](name), template)


#: The chart's `pod_name_template` is KubeSpawner's own.
_POD = "jupyter-"


def pod_name(name: str) -> str:
    """The name of the pod of a user's one server, of a normalized name: `jupyter-{user_server}`
    with slug scheme `safe` (KubeSpawner._expand_user_properties, where names that leave no room for
    a server's name are shortened in another way; multi_slug).
    """
    slug = safe(name)
    if len(slug) + 2 <= _LONGEST_SLUG:
        return f"{_POD}{slug}"
    digest = hashlib.sha256(name.encode() + b"\xff").hexdigest()[:_HASH]
    longest = (_LONGEST_SLUG - _HASH - 1) // 2 - 2
    return f"{_POD}{_stripped(name, longest)}--{_stripped('', longest)}---{digest}"
