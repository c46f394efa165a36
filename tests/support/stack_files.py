"""Stack files as the Pulumi engine hands them over: what tests change in Pulumi.dev.yaml, and how
it reaches load().

The conversions are those of pulumi's sdk/go/common/resource/config (object.go, value.go): see
`engine_values`.
"""

from __future__ import annotations

import copy
import datetime
import json
import math
import re
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

ROOT = Path(__file__).parents[2]
STACK_FILE = ROOT / "Pulumi.dev.yaml"
SOURCE = STACK_FILE.name
PROJECT = "jupyterhub-aws"
#: A project without a program: the library's is used.
PULUMI_YAML = f"name: {PROJECT}\nruntime: python\n"
#: How the configuration's top-level keys are written in a case: `region` for aws:region, `pools`
#: for jupyterhub-aws:pools.
_REGION = "aws:region"
#: A certificate for every host name of the tests, valid until 2126, by an authority of theirs;
#: nobody has its key.
CERTIFICATE = """\
-----BEGIN CERTIFICATE-----
MIIBmTCCAT+gAwIBAgIUc6twyRYifSaBUVTIz78sgT4a2qEwCgYIKoZIzj0EAwIw
ITEfMB0GA1UEAwwWQXV0aG9yaXR5IG9mIHRoZSB0ZXN0czAgFw0yNjAxMjgxMDMz
MDZaGA8yMTI2MTAzMTEwMzMwNlowGDEWMBQGA1UEAwwNKi5leGFtcGxlLm9yZzBZ
MBMGByqGSM49AgEGCCqGSM49AwEHA0IABPjxbmpDqvaHgzj8Owejd8F+uT28Vexj
IvwfpR67tdj9JHrZSvakK1F1PLJlCA5qciLG6aNCknac5jae6FKXKhmjXDBaMAwG
A1UdEwEB/wQCMAAwNQYDVR0RBC4wLIINKi5leGFtcGxlLm9yZ4ILZXhhbXBsZS5v
cmeCDiouY29ycC5leGFtcGxlMBMGA1UdJQQMMAoGCCsGAQUFBwMBMAoGCCqGSM49
BAMCA0gAMEUCIQDDLCokwxXnqwKsI8vgtku6/1JBwBjOgqLQiY2/FL8pcAIgHxDu
rz147ngCZdIXIdgFxEaaaa5bQi0Q4NtoYLncsy8=
-----END CERTIFICATE-----
"""


def read_yaml(path: Path) -> Any:
    """A YAML 1.2 document, like the engine reads it: `yes` and `on` are text. Fresh for every
    caller.
    """
    return copy.deepcopy(_parsed(path.read_text(encoding="utf-8")))


@cache
def _parsed(text: str) -> Any:
    return YAML(typ="safe", pure=True).load(text)


def dev_stack() -> dict[str, Any]:
    """The `config:` map of the real Pulumi.dev.yaml, fresh for every caller."""
    return copy.deepcopy(_dev_stack())


@cache
def _dev_stack() -> dict[str, Any]:
    return config_of(STACK_FILE)


def config_of(path: Path) -> dict[str, Any]:
    """The `config:` map of a stack file as the engine has it: an unprefixed key belongs to the
    project.
    """
    return {engine_key(key): value for key, value in read_yaml(path)["config"].items()}


def engine_key(key: str) -> str:
    """A key of a stack file as the engine hands it over."""
    return key if ":" in key else f"{PROJECT}:{key}"


def full_key(section: str) -> str:
    if section == "region":
        return _REGION
    return section if ":" in section else f"{PROJECT}:{section}"


def changed(
    config: dict[str, Any], *, put: dict[str, Any] | None = None, remove: list[str] | None = None
) -> dict[str, Any]:
    """The configuration with values put at and removed from paths such as
    `pools.memory.size.max` or `network.zones[1]`.
    """
    result = copy.deepcopy(config)
    for path in remove or []:
        *way, last = _parts(path)
        del _at(result, way, path)[last]
    for path, value in (put or {}).items():
        *way, last = _parts(path)
        _at(result, way, path)[last] = copy.deepcopy(value)
    return result


def _parts(path: str) -> list[str | int]:
    section, *rest = re.findall(r"\[\d+\]|'[^']*'|[^.\[']+", path)
    return [
        full_key(section.strip("'")),
        *(int(part[1:-1]) if part[0] == "[" else part.strip("'") for part in rest),
    ]


def _at(config: dict[str, Any], way: list[str | int], path: str) -> Any:
    here: Any = config
    for part in way:
        if isinstance(part, str) and part not in here:
            raise KeyError(f"{path}: no {part} in {sorted(here)}")
        here = here[part]
    return here


def engine_values(config: dict[str, Any]) -> tuple[dict[str, str], set[str]]:
    """What the engine gives the program for a `config:` map: one string for each key, and the
    keys that are secret.
    """
    values = {key: _text(value) for key, value in config.items()}
    return values, {key for key, value in config.items() if _is_secret(value)}


def _text(value: Any) -> str:
    if value is None:  # yaml.v3 calls no unmarshaler for null: the zero Value, an empty string
        return ""
    if _is_ciphertext(value):
        return "decrypted"
    plain = _plain(value)
    return (
        plain
        if isinstance(plain, str)
        else json.dumps(plain, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    )


def _plain(value: Any) -> Any:
    """object.go's unmarshalObject, then encoding/json: 1.30 becomes 1.3, 2.0 becomes 2, a date
    becomes a Go time's text.
    """
    if isinstance(value, dict):
        return (
            "decrypted"
            if _is_ciphertext(value)
            else {_go_text(key): _plain(item) for key, item in value.items()}
        )
    if isinstance(value, list):
        return [_plain(item) for item in value]
    if isinstance(value, datetime.date):
        moment = (
            value
            if isinstance(value, datetime.datetime)
            else datetime.datetime(value.year, value.month, value.day)
        )
        return f"{moment:%Y-%m-%d %H:%M:%S} +0000 UTC"
    if isinstance(value, int) and not isinstance(value, bool) and not -(2**63) <= value < 2**64:
        value = float(value)
    if isinstance(value, float) and value.is_integer() and math.fabs(value) < 1e21:
        return int(Decimal(repr(value)))  # the shortest digits, padded with zeros
    return value


def _go_text(key: Any) -> str:
    if isinstance(key, bool):
        return "true" if key else "false"
    return "<nil>" if key is None else str(key)


def _is_ciphertext(value: Any) -> bool:
    return (
        isinstance(value, dict) and list(value) == ["secure"] and isinstance(value["secure"], str)
    )


def _is_secret(value: Any) -> bool:
    if isinstance(value, dict):
        return _is_ciphertext(value) or any(map(_is_secret, value.values()))
    return isinstance(value, list) and any(map(_is_secret, value))
