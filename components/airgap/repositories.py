"""Private repositories for every image and chart of the stack, from the same inventory as the bundle that fills them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import pulumi
from pulumi_aws import ecr

from jupyterhub_aws.components.base import Component, named
from jupyterhub_aws.components.needed import needed_charts, needed_images
from jupyterhub_aws.config.bundle import destination
from jupyterhub_aws.config.stack import StackConfig

#: What no tag and no manifest list names any more: an interrupted push, for example.
_UNTAGGED_DAYS = 14
#: Old versions stay, for `helm rollback` and for whoever still runs them.
_VERSIONS = 20


@dataclass(frozen=True, kw_only=True, eq=False)
class RepositoriesArgs:
    """The stack, whose `registry` is of kind `ecr`."""

    stack: StackConfig
    tags: Mapping[str, str]


def repository_names(stack: StackConfig) -> list[str]:
    """The path of each repository below the registry's host."""
    registry = str(stack.own_registry)
    host = registry.partition("/")[0]
    images = [destination(registry, image.reference) for image in needed_images(stack)]
    charts = [f"{registry}/charts/{chart.reference}" for chart in needed_charts(stack)] if getattr(stack.registry, "charts", None) is None else []
    return sorted({name.removeprefix(f"{host}/") for name in (*images, *charts)})


def lifecycle() -> str:
    """Expire what nothing names, and keep the last versions of the rest (ECR user guide, "Lifecycle policy"). Images of a manifest list go with it only."""
    rules = [
        {
            "rulePriority": 1,
            "description": "what nothing names",
            "selection": {"tagStatus": "untagged", "countType": "sinceImagePushed", "countUnit": "days", "countNumber": _UNTAGGED_DAYS},
            "action": {"type": "expire"},
        },
        {
            "rulePriority": 2,
            "description": "old versions",
            "selection": {"tagStatus": "tagged", "tagPatternList": ["*"], "countType": "imageCountMoreThan", "countNumber": _VERSIONS},
            "action": {"type": "expire"},
        },
    ]
    return json.dumps({"rules": rules})


class Repositories(Component):
    """One repository for each image and chart. Tags cannot be moved, layers are encrypted, and each push is scanned."""

    token: ClassVar[str] = "jupyterhub-aws:airgap:Repositories"

    def __init__(self, name: str, args: RepositoriesArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__(name, opts)
        paths = repository_names(args.stack)
        for path in paths:
            short = path.removeprefix(f"{args.stack.name}/").replace("/", "-")
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
            ecr.LifecyclePolicy(f"{name}-{short}", repository=repository.name, policy=lifecycle(), opts=self.child())
        self.register_outputs({"repositories": paths})
