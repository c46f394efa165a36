"""The policies: each check of `checks/` that is sound on what the engine shows, under its own name.

A finding that fails a plan stops `up` (mandatory); one that warns is printed (advisory). The stack
is read from the configuration that the engine hands to the pack. What is left out is in
NOT_HERE with its reason, and a test holds that every check is in one of the two.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from pulumi_policy import (
    EnforcementLevel,
    PolicyPack,
    ReportViolation,
    StackValidationArgs,
    StackValidationPolicy,
)

from jupyterhub_aws.checks import (
    backups,
    hubs,
    monitoring,
    nodes,
    places,
    security,
    storage,
    versions,
)
from jupyterhub_aws.checks.airgap import all as airgap
from jupyterhub_aws.checks.core_nodes import core_nodes_fit
from jupyterhub_aws.checks.finding import Finding
from jupyterhub_aws.checks.identities.all import identity_findings
from jupyterhub_aws.checks.identities.servers import server_access
from jupyterhub_aws.checks.images import accelerators, images
from jupyterhub_aws.checks.limits import limits
from jupyterhub_aws.checks.program import paused
from jupyterhub_aws.checks.pulled_images import image_sizes, pulled_images
from jupyterhub_aws.checks.resources import UNKNOWN, Resources
from jupyterhub_aws.checks.scope import Check, judge
from jupyterhub_aws.config.project import project_of
from jupyterhub_aws.config.secrets import ends_as_secret
from jupyterhub_aws.config.stack import StackConfig
from jupyterhub_aws.policy.resources import translated


@dataclass(frozen=True)
class Enforced:
    """A check, and the inputs that decide it: where a preview does not know one of those of a
    resource, the run that knows it judges.
    """

    check: Check
    decides: tuple[str, ...] = ()


#: Name of the policy -> the check behind it.
ENFORCED: Mapping[str, Enforced] = {
    "no-open-door": Enforced(
        security.open_ingress, ("cidrBlocks", "cidrIpv4", "cidrIpv6", "ingress", "vpcConfig")
    ),
    "everything-encrypted": Enforced(
        security.encryption,
        ("blockDeviceMappings", "encrypted", "encryptionConfig", "parameters", "storageEncrypted"),
    ),
    "metadata-service-guarded": Enforced(security.metadata, ("launchTemplate", "metadataOptions")),
    "data-protected": Enforced(security.protected),
    "instance-types-agree": Enforced(nodes.instance_types),
    "quotas": Enforced(nodes.quotas, ("instanceTypes", "maxSize", "mixedInstancesPolicy")),
}
_STACK_FILE = "it is about the stack file alone"
_LOCK = "sizes of images are in the lock of the stack file, and what they mean is told in the plan"
_HUB_VALUES = (
    "a hub's values hold secrets, and the engine shows a map with a secret in it as unknown as a"
    " whole"
)
#: Checks that a plan makes and the engine's view cannot carry, and why.
NOT_HERE: Mapping[Check, str] = {
    security.secrets: (
        "the engine masks or hands over secret values; that none is written down is proven on the"
        " plan, whose values are typed"
    ),
    security.tags: (
        "a policy does not see which types take tags, and the provider adds tags of its own to what"
        " it shows"
    ),
    security.placeholders: _STACK_FILE,
    paused: _STACK_FILE,
    identity_findings: (
        "policies and the ARNs in them are one text each, which a preview shows as unknown as a"
        " whole: who may do what is proven on the plan"
    ),
    server_access: (
        "the policies of servers' roles are one text each, which a preview shows as unknown as a"
        " whole: what servers may do is proven on the plan"
    ),
    backups.covered: (
        "the id of a backup plan has no form by which the pack would find the plan of a selection;"
        " what a stack makes is covered on the plan"
    ),
    pulled_images: _LOCK,
    image_sizes: _LOCK,
    monitoring.logs_end: (
        "log groups of others that a stack does not make are judged nowhere, and its own are judged"
        " on the plan"
    ),
    monitoring.watched: (
        "the hub of an alarm is in values and filters that a preview may show as unknown as a whole"
    ),
    nodes.priorities: (
        "the autoscaler's values are one input of its release, which a preview may show as unknown"
        " as a whole"
    ),
    nodes.addresses: (
        "it reads user data, which an engine shows encoded after the first `up` and unknown before"
    ),
    hubs.values: _HUB_VALUES,
    hubs.network_policies: _HUB_VALUES,
    hubs.sections_have_effect: _HUB_VALUES,
    hubs.servers_find_nodes: _HUB_VALUES,
    limits: _HUB_VALUES,
    core_nodes_fit: _HUB_VALUES,
    images: _HUB_VALUES,
    accelerators: "it is about the stack file alone, and only warns",
    hubs.database_is_near: _HUB_VALUES,
    storage.volumes: _HUB_VALUES,
    places.zones: _STACK_FILE,
    places.service_roles: _STACK_FILE,
    places.spot_price: _STACK_FILE,
    places.region_types: _STACK_FILE,
    hubs.worth_knowing: "it is about the stack file alone, and only warns",
    versions.verified: "it is about the tables of this project, and only warns",
    versions.secure: "it is about the tables of this project and the stack file alone",
    airgap.proof: (
        "it follows every rule, route and policy document to its end, and one unknown of a preview"
        " would end the proof: it is made on the plan"
    ),
}


def make_pack(folder: Path) -> PolicyPack:
    """The pack, served to the engine that started this process. `folder` is in the project of the
    stacks that it judges; the engine does not say.
    """
    return PolicyPack(
        name="jupyterhub-aws",
        enforcement_level=EnforcementLevel.MANDATORY,
        policies=[*policies(partial(_stack, folder))],
    )


def policies(stack: Callable[[], StackConfig]) -> list[StackValidationPolicy]:
    """One mandatory policy for each check, and one advisory one for its warnings."""
    found = []
    for name, enforced in ENFORCED.items():
        about = " ".join((enforced.check.__doc__ or name).split())
        for level, status, suffix in (
            (EnforcementLevel.MANDATORY, "fail", ""),
            (EnforcementLevel.ADVISORY, "warn", "-warnings"),
        ):
            found.append(
                StackValidationPolicy(
                    name=f"{name}{suffix}",
                    description=about,
                    enforcement_level=level,
                    validate=_validator(enforced, status, stack),
                )
            )
    return found


def _validator(
    enforced: Enforced, status: str, stack: Callable[[], StackConfig]
) -> Callable[[StackValidationArgs, ReportViolation], None]:
    def validate(args: StackValidationArgs, report: ReportViolation) -> None:
        for finding in violations(enforced, status, stack(), translated(args.resources)):
            report(message(finding), finding.subjects[0] if finding.subjects else None)

    return validate


def violations(
    enforced: Enforced, status: str, stack: StackConfig, resources: Resources
) -> list[Finding]:
    """The findings of a check with this status; what cannot be judged yet is left to the run that
    knows it.

    What the caller's program added is judged as on a plan: it warns, by the advisory policy, and
    stops nothing.
    """
    seen = Resources(
        resource
        for resource in resources
        if not any(_unknown(resource.inputs.get(key)) for key in enforced.decides)
    )
    return [finding for finding in judge(enforced.check, stack, seen) if finding.status == status]


def _unknown(value: object) -> bool:
    """Whether an input that could decide is not known yet. An id, an ARN or a version inside
    never does.
    """
    if isinstance(value, Mapping):
        return any(
            _unknown(item)
            for key, item in value.items()
            if not str(key).lower().endswith(("id", "arn", "version"))
        )
    return any(map(_unknown, value)) if isinstance(value, list) else value == UNKNOWN


def message(finding: Finding) -> str:
    """A finding as one line: what is wrong, and what to do."""
    where = f"{finding.path}: " if finding.path else ""
    return f"{where}{finding.message}" + (f" ({finding.fix})" if finding.fix else "")


def _stack(folder: Path) -> StackConfig:
    """The stack of the run, from the configuration that the engine hands over. Its secrets are
    left where they are.
    """
    import pulumi
    from pulumi.runtime import config as engine_config

    from jupyterhub_aws.components.validated import validated
    from jupyterhub_aws.config.cloud_config import from_engine, whole

    given = engine_config.CONFIG.get() or engine_config.get_config_env()
    secret = tuple(
        key
        for key in given
        if engine_config.is_config_secret(key) or ends_as_secret(key.partition(":")[2])
    )
    plain = {key: value for key, value in given.items() if key not in secret}
    project = pulumi.get_project()
    source = from_engine(
        plain,
        secret=secret,
        project=project,
        source=f"Pulumi.{pulumi.get_stack()}.yaml of {project}",
    )
    home = project_of(folder)
    return validated(whole(replace(source, folder=home.working_folder), home.stack_folder))
