"""The two roles of a repository's workflows: one that looks (preview, drift), one that changes
(`up`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pulumi
from pulumi_aws import iam

from jupyterhub_aws.components.base import Component, named
from jupyterhub_aws.components.ci.policy import (
    ISSUER,
    Backend,
    ResourceScope,
    changing,
    packed,
    reading,
    state,
    trust,
)
from jupyterhub_aws.components.iam import Statement
from jupyterhub_aws.config.aws_actions import known_types

_HOUR = 3600


@dataclass(frozen=True, kw_only=True, eq=False)
class RolesArgs:
    """`repository` is ORG/NAME on GitHub; `branches` may preview; a job in `environment` may
    change.

    `place` is the stack's account and names, `backend` where its state is; `types` are the kinds of
    resources that the stack has (all that the program knows, unless fewer are named).
    `provider_arn`: GitHub's OIDC provider, if the account has it already (there can be only one).
    `boundary`: ARN of a permissions boundary that every role of the stack must have. `attach`: ARNs
    of policies of yours that the stack file names (`runner.policies`).
    """

    repository: str
    branches: Sequence[str]
    environment: str
    place: ResourceScope
    backend: Backend
    tags: Mapping[str, str]
    types: Sequence[str] = tuple(sorted(known_types()))
    provider_arn: pulumi.Input[str] | None = None
    boundary: str | None = None
    attach: Sequence[str] = ()


class Roles(Component):
    """The roles, and GitHub's OIDC provider where the account has none."""

    token = "jupyterhub-aws:ci:Roles"
    preview_role_arn: pulumi.Output[str]
    up_role_arn: pulumi.Output[str]

    def __init__(
        self, name: str, args: RolesArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__(name, opts)
        provider = self._issuer(name, args)
        looks = (*reading(args.types, args.place), *state(args.backend, args.place, writes=False))
        changes = (
            *reading(args.types, args.place),
            *changing(args.types, args.place, boundary=args.boundary, attach=args.attach),
            *state(args.backend, args.place, writes=True),
        )
        preview = self._role(
            f"{name}-preview",
            args,
            provider.apply(lambda arn: trust(arn, args.repository, branches=args.branches)),
        )
        up = self._role(
            f"{name}-up",
            args,
            provider.apply(lambda arn: trust(arn, args.repository, environment=args.environment)),
        )
        self._policies(f"{name}-preview", args, preview, looks)
        self._policies(f"{name}-up", args, up, changes)
        self.preview_role_arn, self.up_role_arn = preview.arn, up.arn
        self.register_outputs(
            {"preview_role_arn": self.preview_role_arn, "up_role_arn": self.up_role_arn}
        )

    def _issuer(self, name: str, args: RolesArgs) -> pulumi.Output[str]:
        if args.provider_arn is not None:
            return pulumi.Output.from_input(args.provider_arn)
        provider = iam.OpenIdConnectProvider(
            f"{name}-github",
            url=f"https://{ISSUER}",
            client_id_lists=["sts.amazonaws.com"],
            tags=named(args.tags, "github"),
            opts=self.child(),
        )
        return provider.arn

    def _role(self, name: str, args: RolesArgs, trusted: pulumi.Output[str]) -> iam.Role:
        full = f"{args.place.prefix}-ci-{name.rpartition('-')[2]}"
        return iam.Role(
            name,
            name=full,
            description=f"Workflows of {args.repository}",
            assume_role_policy=trusted,
            max_session_duration=_HOUR if name.endswith("-preview") else 2 * _HOUR,
            tags=named(args.tags, full),
            opts=self.child(),
        )

    def _policies(
        self, name: str, args: RolesArgs, role: iam.Role, statements: Sequence[Statement]
    ) -> None:
        for index, found in enumerate(packed(statements), start=1):
            full = f"{args.place.prefix}-ci-{name.rpartition('-')[2]}-{index}"
            policy = iam.Policy(
                f"{name}-{index}",
                name=full,
                description=f"What workflows of {args.repository} may do",
                policy=found,
                tags=named(args.tags, full),
                opts=self.child(),
            )
            iam.RolePolicyAttachment(
                f"{name}-{index}", role=role.name, policy_arn=policy.arn, opts=self.child()
            )
