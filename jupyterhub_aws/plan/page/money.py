"""The bill in pictures: a bar for each line, at rest and at most."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import drawsvg

from jupyterhub_aws.plan.page.text import fitted

_WIDTH, _LABEL, _VALUE, _ROW, _TEXT = 570, 238, 92, 26, 13


def dollars(value: object, digits: int = 2) -> str:
    """An amount of US dollars, or a question mark where nobody knows it."""
    return "?" if value is None else f"${float(str(value)):,.{digits}f}"


def bars(lines: Sequence[Mapping[str, Any]], key: str, title: str) -> str:
    """A bar chart of the lines that cost something, the dearest first."""
    shown = sorted(
        (line for line in lines if line[key]), key=lambda line: (-line[key], line["what"])
    )
    most = max((line[key] for line in shown), default=1)
    drawing = drawsvg.Drawing(
        _WIDTH,
        max(len(shown), 1) * _ROW + 4,
        class_="bars",
        role="img",
        aria_label=title.replace('"', ""),
    )
    for index, line in enumerate(shown):
        y, long = index * _ROW + 4, (_WIDTH - _LABEL - _VALUE) * line[key] / most
        kind = "nodes" if line["unit"] == "node month" else "fixed"
        group = drawsvg.Group(class_=kind)
        group.append(
            drawsvg.Text(
                fitted(line["what"], _LABEL - 14, _TEXT),
                _TEXT,
                _LABEL - 12,
                y + 15,
                text_anchor="end",
                class_="label",
            )
        )
        group.append(
            drawsvg.Rectangle(_LABEL, y + 1, round(max(long, 2), 2), 18, rx=3, class_="bar")
        )
        group.append(
            drawsvg.Text(
                dollars(line[key]),
                _TEXT,
                round(_LABEL + max(long, 2) + 8, 2),
                y + 15,
                class_="value",
            )
        )
        drawing.append(group)
    return str(drawing.as_svg(header=""))
