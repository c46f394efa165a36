"""Private repositories for every image and chart of the stack, from the same inventory as the
bundle that fills them.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

import pulumi
from pulumi_aws import ecr

from jupyterhub_aws.components.base import Component, named
from jupyterhub_aws.config.bundle import destination

#: What no tag and no manifest list names any more: an interrupted push, for example.
_UNTAGGED_DAYS = 14
#: Old versions stay, for `helm rollback` and for whoever still runs them.
_VERSIONS = 20


@dataclass(frozen=True, kw_only=True, eq=False)
class RepositoriesArgs:
    """`registry` is `HOST/PREFIX` of the account's registry in ECR; `images` and `charts` are
    what it holds, under their makers' names.
    """

    registry: str
    images: Sequence[str]
    charts: Sequence[str]
    tags: Mapping[str, str]


def repository_names(registry: str, images: Iterable[str], charts: Iterable[str]) -> list[str]:
    """The path of each repository below the registry's host."""
    host = registry.partition("/")[0]
    names = (
        *(destination(registry, image) for image in images),
        *(f"{registry}/charts/{chart}" for chart in charts),
    )
    return sorted({name.removeprefix(f"{host}/") for name in names})


def lifecycle() -> str:
    """Expire what nothing names, and keep the last versions of the rest (ECR user guide,
    "Lifecycle policy"). Images of a manifest list go with it only.
    """
    rules = [
        {
            "rulePriority": 1,
            "description": "what nothing names",
            "selection": {
                "tagStatus": "untagged",
                "countType": "sinceImagePushed",
                "countUnit": "days",
                "countNumber": _UNTAGGED_DAYS,
            },
            "action": {"type": "expire"},
        },
        {
            "rulePriority": 2,
            "description": "old versions",
            "selection": {
                "tagStatus": "tagged",
                "tagPatternList": ["*"],
                "countType": "imageCountMoreThan",
                "countNumber": _VERSIONS,
            },
            "action": {"type": "expire"},
        },
    ]
    return json.dumps({"rules": rules})


class Repositories(Component):
    """One repository for each image and chart. Tags cannot be moved, layers are encrypted, and
    each push is scanned.
    """

    token: ClassVar[str] = "jupyterhub-aws:airgap:Repositories"

    def __init__(
        self, name: str, args: RepositoriesArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__(name, opts)
        paths = repository_names(args.registry, args.images, args.charts)
        prefix = args.registry.partition("/")[2]
        for path in paths:
            short = path.removeprefix(f"{prefix}/").replace("/", "-")
            repository = ecr.Repository(
                f"{name}-{short}",
                name=path,
                image_tag_mutability="IMMUTABLE",
                encryption_configurations=[{"encryption_type": "KMS"}],
                image_scanning_configuration={"scan_on_push": True},
                force_delete=False,
                tags=named(args.tags, path),
                opts=self.child(),
            )
            ecr.LifecyclePolicy(
                f"{name}-{short}", repository=repository.name, policy=lifecycle(), opts=self.child()
            )
        self.register_outputs({"repositories": paths})
