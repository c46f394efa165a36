"""A difference as one self-contained page: no network, no script, light and dark, from a phone's
width up.
"""

from __future__ import annotations

from pathlib import Path

from jupyterhub_aws.changes.difference import Difference
from jupyterhub_aws.changes.gate import GateVerdict
from jupyterhub_aws.diff.story import BILLS, DONE, LOUD, bill, counts, dollars, headline, sections
from jupyterhub_aws.diff.words import clean, unified, value
from jupyterhub_aws.plan.page.frame import content_policy, environment, trusted

_TEMPLATES = Path(__file__).parent / "templates"
_PLAN_STYLE = Path(__file__).resolve().parents[1] / "plan" / "page" / "templates" / "page.css"


def page(found: Difference, verdict: GateVerdict | None = None) -> str:
    """The page as HTML. Whatever comes from the sides is escaped by the template."""
    style = _PLAN_STYLE.read_text(encoding="utf-8") + (_TEMPLATES / "difference.css").read_text(
        encoding="utf-8"
    )
    templates = environment(_TEMPLATES, {"value": value, "clean": clean, "dollars": dollars})
    return templates.get_template("difference.html").render(
        found=found,
        verdict=verdict,
        headline=headline(found),
        counts=counts(found),
        bill=bill(found),
        sections=sections(found),
        loud=LOUD,
        done=DONE,
        bills=BILLS,
        unified=unified,
        style=trusted(style),
        policy=content_policy(style),
    )
