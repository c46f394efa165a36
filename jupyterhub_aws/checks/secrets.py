"""No secret outside a secret leaf: what looks like one in the recorded inputs must be sealed."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator

from jupyterhub_aws.checks.finding import Finding, verdict
from jupyterhub_aws.checks.resources import SECRET, UNKNOWN, Resource, Resources
from jupyterhub_aws.config.secrets import missing_secrets, required_secrets
from jupyterhub_aws.config.stack import StackConfig
from jupyterhub_aws.config.tree import leaves

#: Names whose values are secrets, wherever they stand. Names of where a secret is kept (…Arn,
#: …Name, …Ref) are not.
_SECRET_NAME = re.compile(
    r"(password|passphrase|secret|token|(private|api|access)_?key|credential)s?$", re.IGNORECASE
)
_HARMLESS = re.compile(r"^(httpTokens|automountServiceAccountToken|creationToken|existingSecret)$")
_PRIVATE_KEY = re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY-----")


def secrets(_stack: StackConfig, resources: Resources) -> list[Finding]:
    """Every value that looks like a secret is one for the engine too, so that it is encrypted in
    the state.
    """
    return verdict(
        "secrets",
        (finding for resource in resources for finding in _exposed(resource)),
        otherwise="no secret stands in the plan or in plaintext state",
    )


def _exposed(resource: Resource) -> Iterator[Finding]:
    for parts, value in leaves(resource.inputs):
        if not isinstance(value, str) or value in (SECRET, UNKNOWN, "") or value.startswith("${"):
            continue
        path = "".join(
            f"[{part}]" if isinstance(part, int) else f".{part}" for part in parts
        ).removeprefix(".")
        name = path.rpartition(".")[2].partition("[")[0]
        if (_SECRET_NAME.search(name) and not _HARMLESS.match(name)) or _PRIVATE_KEY.search(value):
            yield Finding(
                id="secrets",
                status="fail",
                message=f"{resource.label}: {path} is in clear text",
                fix="read it with require_secret and hand it on as an Output",
                subjects=(resource.urn,),
            )


def missing(stack: StackConfig, given: Collection[str], stack_name: str) -> list[Finding]:
    """Every secret that the stack's hubs need is in the stack file, encrypted. `given` are the
    keys that are. A plan does without; `up` does not.
    """
    wanted = required_secrets(stack.hubs_inside)
    faults = [
        Finding(
            id="secrets-given",
            status="warn",
            message=f"the {needed.what} is missing: `pulumi up` will refuse to start",
            path=f"hubs.{needed.hub}",
            fix=f"run: pulumi config set --secret --stack {stack_name} {needed.key}",
        )
        for needed in missing_secrets(stack.hubs_inside, given)
    ]
    held = (
        f"{len(wanted)} secret{'s' if len(wanted) > 1 else ''} given, encrypted in the stack file"
        if wanted
        else "no hub needs a secret in the stack file"
    )
    return verdict("secrets-given", faults, otherwise=held)
