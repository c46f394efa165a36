"""A node's memory as a bar: one piece for each server that fits, and what stays free."""

from __future__ import annotations

import drawsvg

_WIDTH, _HEIGHT = 240, 16
#: More pieces than this would be thinner than the lines between them.
_MOST = 60


def seats(count: int, share: float) -> str:
    """The bar of `count` servers that each take this share of the memory that servers can have.
    Decoration: the numbers stand beside it.
    """
    drawing = drawsvg.Drawing(_WIDTH, _HEIGHT, class_="seats", aria_hidden="true")
    drawing.append(drawsvg.Rectangle(0.5, 0.5, _WIDTH - 1, _HEIGHT - 1, rx=3, class_="free"))
    wide = (_WIDTH - 4) * min(share, 1 / max(count, 1))
    for index in range(min(count, _MOST)):
        drawing.append(
            drawsvg.Rectangle(
                round(2 + index * wide, 2),
                3,
                round(max(wide - 1.5, 1), 2),
                _HEIGHT - 6,
                rx=1.5,
                class_="taken",
            )
        )
    return str(drawing.as_svg(header=""))
