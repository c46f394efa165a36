"""User names for properties: any text, what people really have, and what tries to become another
user.
"""

from __future__ import annotations

from hypothesis import strategies as st

_BASE = ("ada", "eve", "bob-smith")
#: Dashes, dots, accents, full-width letters, parts of a slug, its longest form, and digits.
_FORMS = (
    "{0}",
    "{0}-",
    "-{0}",
    "{0}--",
    "{0}--x",
    "{0}---12345678",
    "{0}.",
    "{0}@example.org",
    "{0}/../eve",
    "jupyter-{0}",
    "x-{0}",
    "3{0}",
    "ä{0}",
    "\uff41da",
    "{0}\u200b",
    "{0} x",
    "{0}*",
    "{0}${{aws:username}}",
)
ATTACKS = tuple(dict.fromkeys(form.format(base) for base in _BASE for form in _FORMS))
_LONG = st.integers(min_value=40, max_value=70).map(lambda size: "a" * size)
USER_NAMES = st.one_of(
    st.sampled_from(ATTACKS),
    st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=80),
    st.from_regex(r"[a-z0-9.@_-]{1,70}", fullmatch=True),
    _LONG,
)
