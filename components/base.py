"""What every component shares: its type token, its children's options, and how names and tags reach them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, ClassVar

import pulumi

from jupyterhub_aws.config.errors import Problem


class ArgumentError(pulumi.RunError):
    """Arguments from which nothing can be made. `problems` has all of them, each with its path; the engine prints them without a traceback."""

    def __init__(self, source: str, problems: Iterable[Problem]) -> None:
        """Collect the problems of one source: a stack file's name, or the component's class and name."""
        self.problems = tuple(sorted(set(problems)))
        super().__init__("\n".join(problem.line(source) for problem in self.problems))


class Component(pulumi.ComponentResource):
    """Subclasses set `token` (`jupyterhub-aws:<module>:<Type>`), make children in their constructor only, and end with `register_outputs`."""

    token: ClassVar[str]

    def __init__(self, name: str, opts: pulumi.ResourceOptions | None = None) -> None:
        """Register the component itself under its token; `opts` belong to it alone and are never handed to children."""
        super().__init__(self.token, name, {}, opts)

    def child(self, **options: Any) -> pulumi.ResourceOptions:  # noqa: ANN401 -- ResourceOptions' own keywords
        """Options of a child: this parent, and whatever this one child needs besides."""
        return pulumi.ResourceOptions(parent=self, **options)

    def kept(self, **options: Any) -> pulumi.ResourceOptions:  # noqa: ANN401 -- ResourceOptions' own keywords
        """Options of a child that people would cry over: neither deleted by `destroy` nor by a change of the program."""
        return self.child(protect=True, retain_on_delete=True, **options)

    def retained(self, *, protected: bool, **options: Any) -> pulumi.ResourceOptions:  # noqa: ANN401 -- ResourceOptions' own keywords
        """Options of a child inside the cluster through which people reach what is kept: it stays when the program forgets it.

        `protected` as the cluster is: a protected object would keep a cluster alive that is meant to be torn down, and
        the data behind it is protected by itself.
        """
        return self.child(protect=protected, retain_on_delete=True, **options)


def named(tags: Mapping[str, str], name: str) -> dict[str, str]:
    """The stack's tags with the Name that the AWS console shows."""
    return {**tags, "Name": name}
