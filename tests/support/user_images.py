"""The sample's hub with images to choose, as settings of `record` and `jhub plan --set`."""

from __future__ import annotations

import json
from typing import Any

from tests.support.stack_files import ROOT, config_of

SCIPY, R = "quay.io/jupyter/scipy-notebook:2026-08-03", "quay.io/jupyter/r-notebook:2026-08-03"
CUDA = "quay.io/jupyter/pytorch-notebook:cuda12-2026-08-03"
CHOICES = {
    "sci": {"image": SCIPY, "description": "NumPy and more", "default": True},
    "r": {"image": R, "display_name": "R"},
}


def hub_with(stack: str = "dev", **options: Any) -> str:
    """The hub `main` of a sample without its own image, with these options besides."""
    config = config_of(ROOT / f"Pulumi.{stack}.yaml")
    hub = dict(config["jupyterhub-aws:hubs"]["main"])
    hub.pop("image", None)
    return f"hubs.main={json.dumps({**hub, 'image_choices': CHOICES, **options})}"
