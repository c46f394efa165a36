"""Repositories of a stack's own for the images that its operators or users build."""

from __future__ import annotations

from jupyterhub_aws.config.model import Model, option


class ImageRepository(Model):
    """A private repository in ECR, which the nodes of the stack can pull from. Its tags cannot be
    moved, each push is scanned, and its images are encrypted.
    """

    keep: int = option(
        20,
        help=(
            "Number of tagged images that are retained, the newest by push. An older one is"
            " deleted, even if a stack file names it: keep more than you use."
        ),
        unit="images",
        changing="In place. Images beyond a smaller number are deleted within a day.",
        ge=1,
        le=1000,
    )


def repository_path(prefix: str, name: str) -> str:
    """The path of a repository below the registry's host. No publisher's host and no chart is
    called so, so it is none of a bundle's (components/airgap/registry.py).
    """
    return f"{prefix}/images/{name}"
