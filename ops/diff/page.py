"""A difference as one self-contained page: no network, no script, light and dark, from a phone's width up."""

from __future__ import annotations

from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from changes.difference import Difference
from changes.gate import Verdict
from ops.diff.story import LOUD, bill, counts, dollars, headline, sections
from ops.diff.words import clean, unified, value
from ops.plan.page.page import style_hash

_TEMPLATES = Path(__file__).parent / "templates"
_PLAN_STYLE = Path(__file__).resolve().parents[1] / "plan" / "page" / "templates" / "page.css"
_OPS = {"create": "created", "update": "updated", "replace": "replaced", "delete": "deleted", "import": "imported"}


def page(found: Difference, verdict: Verdict | None = None) -> str:
    """The page as HTML. Whatever comes from the sides is escaped by the template."""
    style = _PLAN_STYLE.read_text(encoding="utf-8") + (_TEMPLATES / "difference.css").read_text(encoding="utf-8")
    environment = Environment(loader=FileSystemLoader(_TEMPLATES), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    environment.filters |= {"value": value, "clean": clean, "dollars": dollars}
    return environment.get_template("difference.html").render(
        found=found,
        verdict=verdict,
        headline=headline(found),
        counts=counts(found),
        bill=bill(found),
        sections=sections(found),
        loud=LOUD,
        changes=[change for change in found.changes if (change.new or change.old) is not None and (change.new or change.old).custom],  # type: ignore[union-attr]
        ops=_OPS,
        unified=unified,
        style=Markup(style),  # noqa: S704 -- files of our own
        policy=f"default-src 'none'; style-src '{style_hash(style)}'; img-src data:; base-uri 'none'; form-action 'none'",
    )
