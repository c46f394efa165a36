"""What every page of ours has: templates that escape by themselves, and a policy that lets
nothing run or load but what is in it.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Callable, Mapping
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup


def environment(templates: Path, filters: Mapping[str, Callable[..., object]]) -> Environment:
    """Templates of a folder, with these filters."""
    made = Environment(
        loader=FileSystemLoader(templates),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters |= filters
    return made


def trusted(text: str) -> Markup:
    """Markup of our own: a template file, or a picture whose words the SVG library escaped."""
    return Markup(text)  # noqa: S704 -- see above


def content_policy(style: str, script: str | None = None) -> str:
    """The page's own security policy: this style, this script if there is one, and nothing else."""
    runs = "" if script is None else f" script-src '{_hash(script)}';"
    return (
        f"default-src 'none'; style-src '{_hash(style)}';{runs} img-src data:; base-uri 'none';"
        " form-action 'none'"
    )


def _hash(text: str) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
