"""The table of traits and keys against the chart's own jupyterhub_config.py: everything that it
sets is in the table.
"""

from __future__ import annotations

import ast
import os

import pytest

from jupyterhub_aws.config.traits import COMPOSED, FIXED, SAME
from tests.support.chart import chart_folder

pytestmark = [
    pytest.mark.real,
    pytest.mark.skipif(
        not os.environ.get("JHUB_CHART"),
        reason="no chart at JHUB_CHART: the table of traits was not compared",
    ),
]


def set_by_the_chart(text: str) -> set[str]:
    """`Class.trait` for each assignment to `c`, and each loop over (trait, key) pairs that ends
    in set_config_if_not_none.
    """
    found: set[str] = set()
    for node in ast.walk(ast.parse(text)):
        for target in node.targets if isinstance(node, ast.Assign) else ():
            if (
                isinstance(target, ast.Attribute)
                and isinstance(target.value, ast.Attribute)
                and ast.unparse(target.value.value) == "c"
            ):
                found.add(f"{target.value.attr}.{target.attr}")
        if (
            isinstance(node, ast.Call)
            and ast.unparse(node.func) == "set_config_if_not_none"
            and isinstance(node.args[1], ast.Constant)
        ):
            found.add(f"{ast.unparse(node.args[0]).removeprefix('c.')}.{node.args[1].value}")
        if isinstance(node, ast.For) and ast.unparse(node.target) == "(trait, cfg_key)":
            (call,) = [
                item
                for item in ast.walk(node)
                if isinstance(item, ast.Call) and ast.unparse(item.func) == "set_config_if_not_none"
            ]
            found |= {
                f"{ast.unparse(call.args[0]).removeprefix('c.')}.{pair.elts[0].value}"
                for pair in node.iter.elts
            }
    return found


def test_everything_that_the_chart_sets_is_in_the_table() -> None:
    found = set_by_the_chart(
        (chart_folder() / "files" / "hub" / "jupyterhub_config.py").read_text(encoding="utf-8")
    )
    assert len(found) > 70
    assert found == {*SAME, *COMPOSED, *FIXED}
