"""The picture of the landing page: the stack `dev` as `jhub plan dev --html` draws it.

    python -m scripts.site.picture

A wide and a tall one, each in a light and in a dark file, because a picture in a page cannot know
which palette its reader chose.
"""

from __future__ import annotations

import datetime
import re
from pathlib import Path

from jupyterhub_aws.plan.page.page import page
from jupyterhub_aws.plan.plan import Plan

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / "docs" / "pictures"
#: The picture has no date of its own; support dates that are judged as of a day are beside it.
AS_OF = datetime.date(2026, 11, 30)
#: A block of rules for some screens alone, with the rules in it.
_MEDIA = re.compile(r"@media[^{]*\{(?:[^{}]*\{[^{}]*\})*[^{}]*\}")
_RULE = re.compile(r"([^{}]+)\{([^{}]*)\}")
#: The pictures of the page, in its order.
_SHAPES = ("", "-tall")
_FONT = "font-family: system-ui, sans-serif; background: var(--paper)"


def pictures(plan: Plan) -> dict[str, str]:
    """The SVG files by their names."""
    html = page(plan)
    drawn = re.findall(r'<svg[^>]*class="topology\b.*?</svg>', html, re.DOTALL)
    style = re.search(r"<style[^>]*>(.*?)</style>", html, re.DOTALL)
    if len(drawn) != len(_SHAPES) or style is None:
        raise ValueError("the page of the plan has no wide and tall picture (class `topology`)")
    light, dark, rules = _colours(style[1])
    return {
        f"dev{shape}-{scheme}.svg": _alone(svg, f":root {{ {own} {_FONT} }} {rules}")
        for shape, svg in zip(_SHAPES, drawn, strict=True)
        for scheme, own in (("light", light), ("dark", light + dark))
    }


def _alone(svg: str, style: str) -> str:
    """A picture of the page as a file: its links, which lead to parts of that page, are taken out,
    and what styles it is put in.
    """
    svg = re.sub(r"<a href=[^>]*>|</a>", "", svg)
    if "xmlns=" not in svg:
        svg = svg.replace("<svg ", '<svg xmlns="http://www.w3.org/2000/svg" ', 1)
    end = svg.index(">") + 1
    return f"{svg[:end]}<style>{style}</style>{svg[end:]}\n"


def _colours(style: str) -> tuple[str, str, str]:
    """The colours of the page in the light and in the dark, and the rules of the picture."""
    style = re.sub(r"/\*.*?\*/", "", style, flags=re.DOTALL)
    everywhere = _MEDIA.sub("", style)
    dark = "".join(block[0] for block in _MEDIA.finditer(style) if "scheme: dark" in block[0])
    rules = [
        f"{selector.strip()} {{{body}}}"
        for selector, body in _RULE.findall(everywhere)
        if ".topology" in selector and "a:" not in selector
    ]
    return _variables(everywhere), _variables(dark), " ".join(rules)


def _variables(style: str) -> str:
    return " ".join(
        " ".join(f"{each};" for each in re.findall(r"--[\w-]+:[^;]*", body))
        for selector, body in _RULE.findall(style)
        if selector.strip().endswith(":root")
    )


def main() -> None:
    """Write the files."""
    from jupyterhub_aws.cli.arguments import stack_file
    from jupyterhub_aws.plan.plan import make_plan

    FOLDER.mkdir(exist_ok=True)
    for name, text in pictures(make_plan(stack_file("dev"), AS_OF)).items():
        (FOLDER / name).write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
