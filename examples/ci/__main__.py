"""The roles of one stack's workflows. An administrator runs this once, by hand: a workflow must
not be able to widen its own role.
"""

from __future__ import annotations

import pulumi
import pulumi_aws as aws

from jupyterhub_aws.components.ci import Backend, ResourceScope, Roles, RolesArgs

config, region = pulumi.Config(), pulumi.Config("aws").require("region")
account = config.get("account") or aws.get_caller_identity().account_id
branches = config.require_object("branches")
if not isinstance(branches, list) or not branches:
    raise pulumi.RunError("jupyterhub-aws-ci:branches is no list of branches; write [main]")
roles = Roles(
    "ci",
    RolesArgs(
        repository=config.require("repository"),
        branches=tuple(map(str, branches)),
        environment=config.require("environment"),
        place=ResourceScope(
            region=region,
            account=account,
            prefix=config.require("prefix"),
            further_regions=tuple(config.get_object("further_regions") or ()),
        ),
        backend=Backend(bucket=config.require("bucket"), key_arn=config.require("key_arn")),
        tags={"owner": config.require("owner"), "managed-by": "jupyterhub-aws-ci"},
        provider_arn=config.get("provider_arn"),
        boundary=config.get("boundary"),
        attach=tuple(config.get_object("attach") or ()),
        image_repositories=tuple(config.get_object("image_repositories") or ()),
    ),
)
pulumi.export("preview_role", roles.preview_role_arn)
pulumi.export("up_role", roles.up_role_arn)
if roles.images_role_arn is not None:
    pulumi.export("images_role", roles.images_role_arn)
