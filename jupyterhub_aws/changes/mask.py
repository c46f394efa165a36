"""No possible secret is shown in a difference: judged by its place, by its name, or by its look.

What is read is sealed at once: each secret becomes a mark that tells one from another in this
process and nothing else. So no rule that cuts, changes or quotes a value ever holds a secret; what
goes out shows `[secret]`.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import os
import re
from collections.abc import Callable
from typing import Any

from jupyterhub_aws.checks.resources import SECRET, SECRET_SIGNATURE, SIGNATURE
from jupyterhub_aws.config.errors import names_secret

#: Text that is a secret in any place: private keys, AWS and GitHub keys, signed tokens,
#: ciphertext of a stack file, a password inside an address.
_LOOKS = re.compile(
    r"-----BEGIN [A-Z ]*PRIVATE KEY-----.*?(?:-----END [A-Z ]*PRIVATE KEY-----|\Z)"
    r"|\b(?:AKIA|ASIA)[0-9A-Z]{16}\b"
    r"|\bgh[pousr]_[A-Za-z0-9]{20,}|\bgithub_pat_[A-Za-z0-9_]{20,}"
    r"|\bxox[abprs]-[A-Za-z0-9-]{10,}"
    r"|\beyJ[A-Za-z0-9_-]{8,}\.eyJ[A-Za-z0-9_-]{8,}(?:\.[A-Za-z0-9_-]*)?"
    r"|\bv1:[A-Za-z0-9+/]{16}:[A-Za-z0-9+/=]{8,}"
    r"|(?<=://)[^\s/:@]+:[^\s/@]+(?=@)"
    r"|\[secret:[0-9a-f]{16}\]",
    re.DOTALL,
)
#: Another one in each process: a mark is worth nothing outside of it.
_SALT = os.urandom(16)
_SECRET_TYPE = "kubernetes:core/v1:Secret"  # noqa: S105 -- a resource type
_KEPT = re.compile(r"\[secret\]|\[unknown\]|\$\{[^}]*\}|")  # a placeholder reveals nothing


def is_secret(path: tuple[str, ...], type_: str = "") -> bool:
    """Whether the value at a path of a resource's inputs is a secret by its place or by a name
    on the way.
    """
    if type_ == _SECRET_TYPE and path[:1] in (("data",), ("stringData",)):
        return True
    return any(names_secret(part) for part in path)


def sealed(value: Any, type_: str = "") -> Any:
    """A value in which each secret is a mark that tells it from others."""
    return masked(value, (), type_, _seal)


def _seal(value: object) -> str:
    text = value if isinstance(value, str) else json.dumps(value, sort_keys=True, default=str)
    return f"[secret:{hmac.new(_SALT, text.encode(errors='surrogatepass'), hashlib.sha256).hexdigest()[:16]}]"


def _shown(_value: object) -> str:
    return SECRET


def masked(
    value: Any, path: tuple[str, ...] = (), type_: str = "", hide: Callable[[object], str] = _shown
) -> Any:
    """A value without its secrets; what is no secret stays as it is."""
    if isinstance(value, dict):
        if value.get(SIGNATURE) == SECRET_SIGNATURE:
            return hide(value)
        named = value.get("name") or value.get("key")
        # Environment variables and tags.
        hidden = isinstance(named, str) and names_secret(named) and "value" in value
        return {
            str(key): (
                _hidden(item, hide)
                if hidden and key == "value"
                else masked(item, (*path, str(key)), type_, hide)
            )
            for key, item in value.items()
        }
    if isinstance(value, (list, tuple)):
        return [masked(item, path, type_, hide) for item in value]
    is_scalar = isinstance(value, (str, int, float)) and not isinstance(value, bool)
    if is_scalar and is_secret(path, type_):
        return _hidden(value, hide)
    return _LOOKS.sub(lambda found: hide(found[0]), value) if isinstance(value, str) else value


def _hidden(value: Any, hide: Callable[[object], str]) -> Any:
    if isinstance(value, str) and _KEPT.fullmatch(value):
        return value
    return None if value is None else hide(value)


def masked_text(text: str) -> str:
    """Text without what looks like a secret: messages of the engine, for example."""
    return _LOOKS.sub(SECRET, text)
