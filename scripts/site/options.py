"""For the pages of the API: an option's help text is its description.

Models declare options as `name: type = option(default, help="…", changing="…")`
(jupyterhub_aws/config/model.py). A reader of the page wants the default and the text, not the call.
"""

from __future__ import annotations

import ast
import importlib
import inspect
import re
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
        module = attr.module.path
        said = [_text(words[name], module) for name in ("help", "changing") if name in words]
        if said and attr.docstring is None:
            attr.docstring = griffe.Docstring(
                said[0] + (f"\n\nA change: {said[1]}" if len(said) > 1 else ""), parent=attr
            )
        if call.args:
            attr.value = ast.unparse(call.args[0])
        else:
            attr.value = None


    def on_instance(self, *, obj: griffe.Object, agent: Any, **kwargs: Any) -> None:
        """Files of the repository that a docstring names are links of the site."""
        del agent, kwargs
        if obj.docstring is not None:
            obj.docstring.value = _FILE.sub(_link, obj.docstring.value)


#: A page of the documentation, as docstrings name it.
_FILE = re.compile(r"(?<![\w`/])docs/([\w-]+)\.md\b")


def _link(found: re.Match[str]) -> str:
    return f"[{found[1].replace('-', ' ')}](../{found[1]}.md)"


def _text(node: ast.expr, module: str) -> str:
    """A text, or the one that a constant of its module has."""
    try:
        return str(ast.literal_eval(node))
    except ValueError:
        if isinstance(node, ast.Name):
            return inspect.cleandoc(getattr(importlib.import_module(module), node.id))
        return ast.unparse(node)
