"""Repositories in ECR for the images that operators and users of a stack build themselves."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar

import pulumi

from jupyterhub_aws.components.airgap.registry import private_repository
from jupyterhub_aws.components.arguments import Arguments
from jupyterhub_aws.components.base import Component, checked
from jupyterhub_aws.config.image_repositories import ImageRepository, repository_path
from jupyterhub_aws.config.model import Model, option
from jupyterhub_aws.config.values import ShortName


class _Repositories(Model):
    """As the section `image_repositories` of a stack file."""

    repositories: dict[ShortName, ImageRepository] = option(
        help="By name.", changing="See its options.", min_length=1, max_length=50
    )


@dataclass(frozen=True, kw_only=True)
class ImageRepositoriesSpec:
    """What follows from the arguments: the prefix of names in AWS, and the repositories by name."""

    prefix: str
    repositories: Mapping[str, ImageRepository]


@dataclass(frozen=True, kw_only=True, eq=False)
class ImageRepositoriesArgs:
    """Repositories for images. The options are those of `image_repositories` in docs/reference.md,
    under the same rules.

    Attributes:
        repositories: The repositories by name, such as `{"physics": {"keep": 10}}`.
        physical_name: The prefix of names in AWS, whose repositories are PREFIX/images/NAME;
            without it the component's resource name. At most 24 characters.
        tags: Tags of every resource.

    """

    repositories: Mapping[str, ImageRepository | Mapping[str, Any]]
    physical_name: str | None = None
    tags: Mapping[str, str] = field(default_factory=dict)

    def resolved(self, name: str) -> ImageRepositoriesSpec:
        """What follows from the arguments. Raises ArgumentError with every problem."""
        given = Arguments("ImageRepositories", name)
        given.tags(self.tags)
        prefix = given.physical_name(self.physical_name)
        section = given.section(_Repositories, {"repositories": self.repositories})
        given.done()
        assert section is not None  # noqa: S101 -- else there was a problem
        return ImageRepositoriesSpec(prefix=prefix, repositories=section.repositories)


class ImageRepositories(Component):
    """Private repositories: tags cannot be moved, images are encrypted, each push is scanned, and
    the newest are retained. They are protected, because images that servers need are in them.

    Nodes of the account pull from them by the policy of their role. Raises ArgumentError with every
    problem of the arguments.
    """

    token: ClassVar[str] = "jupyterhub-aws:index:ImageRepositories"
    #: The address of each repository by its name, as image names begin with it.
    addresses: Mapping[str, pulumi.Output[str]]
    #: The ARN of each repository by its name.
    arns: Mapping[str, pulumi.Output[str]]

    def __init__(
        self, name: str, args: ImageRepositoriesArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        spec = checked(type(self), name, args, ImageRepositoriesArgs).resolved(name)
        super().__init__(name, opts)
        found = {}
        for short, repository in sorted(spec.repositories.items()):
            path = repository_path(spec.prefix, short)
            found[short] = private_repository(
                f"{name}-{short}",
                path,
                args.tags,
                versions=repository.keep,
                opts=self.protected_options(),
                policy_opts=self.child(),
            )
        self.addresses = {short: made.repository_url for short, made in found.items()}
        self.arns = {short: made.arn for short, made in found.items()}
        self.register_outputs({"addresses": self.addresses})
