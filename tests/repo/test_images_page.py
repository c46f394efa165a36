"""docs/images.md: each piece of a stack file in it is one that the sample takes."""

from __future__ import annotations

import re
from typing import Any

import pytest
import yaml

from jupyterhub_aws.config.chart import merged
from tests.support.stack_cases import validated_values
from tests.support.stack_files import ROOT, config_of, engine_values

PAGE = (ROOT / "docs" / "images.md").read_text(encoding="utf-8")
PIECES = re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL)


def test_there_is_a_recipe_for_each_kind_and_the_page_says_that_none_was_started() -> None:
    titles = re.findall(r"(?m)^### (.*)$", PAGE)
    assert titles == ["RStudio", "VS Code", "A remote desktop", "PyTorch on GPUs"]
    assert len(PIECES) == 8 and "None of these images was started here" in PAGE


@pytest.mark.parametrize("number", range(len(PIECES)))
def test_the_sample_takes_each_piece(number: int) -> None:
    said = yaml.safe_load(PIECES[number])
    piece: dict[str, Any] = {f"jupyterhub-aws:{key}": value for key, value in said.items()}
    config = merged(config_of(ROOT / "Pulumi.dev.yaml"), piece)
    hub = config["jupyterhub-aws:hubs"]["main"]
    if hub.get("image_choices"):
        del hub["image"]
    for profile in hub["profiles"].values():
        if profile.get("images"):
            profile.pop("image", None)
    stack = validated_values(*engine_values(config))
    assert stack.hubs["main"].image_choices or stack.hubs["main"].image
