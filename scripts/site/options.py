"""For the pages of the API: an option's help text is its description.

Models declare options as `name: type = option(default, help="…", changing="…")`
(jupyterhub_aws/config/model.py). A reader of the page wants the default and the text, not the call.
"""

from __future__ import annotations

import ast
from typing import Any

import griffe

_CALLS = {"option", "tag"}


class Options(griffe.Extension):
    """Read calls of `option` in class bodies."""

    def on_attribute_instance(
        self, *, node: Any, attr: griffe.Attribute, agent: Any, **kwargs: Any
    ) -> None:
        """Give the attribute its help text as a docstring, and its default as a value."""
        del agent, kwargs
        call = getattr(node, "value", None)
        if not isinstance(call, ast.Call) or not isinstance(call.func, ast.Name):
            return
        if call.func.id not in _CALLS:
            return
        words = {item.arg: item.value for item in call.keywords if item.arg}
        said = [_text(words[name]) for name in ("help", "changing") if name in words]
        if said and attr.docstring is None:
            attr.docstring = griffe.Docstring(
                said[0] + (f"\n\nA change: {said[1]}" if len(said) > 1 else ""), parent=attr
            )
        if call.args:
            attr.value = ast.unparse(call.args[0])
        else:
            attr.value = None


def _text(node: ast.expr) -> str:
    try:
        return str(ast.literal_eval(node))
    except ValueError:
        return ast.unparse(node)
