"""What the engine reads and a plan cannot: settings of providers, values from Pulumi ESC,
another outer file.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator

from jupyterhub_aws.checks.finding import Finding, fail, warn
from jupyterhub_aws.config.keys import AWS_EFFECTS, canonical_key, own_settings
from jupyterhub_aws.config.stack import PROJECT
from jupyterhub_aws.config.stack_file import CLOUD_STACK, StackFile

#: Namespaces whose settings nothing here reads: the program makes its own Kubernetes provider, and
#: the other two have no settings.
_WITHOUT_EFFECT = {
    "kubernetes": "this program makes its own Kubernetes provider from the cluster",
    "eks": "the provider has no settings",
    "random": "the provider has no settings",
}
_ID = "settings-beyond-the-plan"


def beyond_the_plan(
    file: StackFile, read: Collection[str] = (), packages: Collection[str] = ()
) -> list[Finding]:
    """Keys that the engine hands to others than this library, where that changes what `up` does: a
    plan says that it does not know how.

    `read` are the keys that the program asked for, `packages` the providers whose resources it
    registers.
    """
    keys = sorted({*file.values, *file.sealed})
    used = {canonical_key(key, file.project) for key in read}
    own = own_settings(keys)
    found = [
        finding
        for key in keys
        if key not in used
        for finding in (_of_own(key, packages) if key in own else _of_key(key, packages))
    ]
    if file.environments:
        message = (
            "Pulumi ESC environments may add or change values of this stack, and the plan reads the"
            " file alone"
        )
        fix = "write the values into the file, or compare with `pulumi preview`"
        found.append(warn(_ID, message, fix, path="environment"))
    return found


def _of_own(key: str, packages: Collection[str]) -> Iterator[Finding]:
    """A setting that is no option of this library, and that the program does not ask for."""
    namespace, _, name = key.partition(":")
    if namespace in packages:
        return
    path = name if namespace == PROJECT else key
    message = "is no option of this library, and the program does not read it"
    fix = f"compare it with the reference, or remove it: pulumi config rm {path}"
    yield fail("settings-unread", message, fix, path=path)


def _of_key(key: str, packages: Collection[str]) -> Iterator[Finding]:
    namespace, _, name = key.partition(":")
    compare = "compare with `pulumi preview` before `pulumi up`"
    if namespace == "aws" and name in AWS_EFFECTS:
        message = "the AWS provider gets this setting; what it changes is not in this plan"
        yield warn(_ID, message, compare, path=key)
    elif namespace in _WITHOUT_EFFECT and namespace not in packages:
        message = f"this setting changes nothing: {_WITHOUT_EFFECT[namespace]}"
        yield warn(_ID, message, f"remove it: pulumi config rm {key}", path=key)
    elif namespace == "pulumi" and name != "tags":
        message = "the engine gets this setting; what it changes is not in this plan"
        yield warn(_ID, message, compare, path=key)
    elif namespace not in (PROJECT, "aws", "pulumi", *packages):
        message = (
            f"a provider that this program does not use gets this setting ({namespace}): the plan"
            " knows nothing about it"
        )
        yield warn(_ID, message, "nothing, if you added resources of that provider", path=key)


def same_outer_file(file: StackFile) -> list[Finding]:
    """The outer stack's file is the one that the engine reads: it looks in the project, and this
    plan beside the stack's own file.
    """
    outer, project = file.values.get(CLOUD_STACK), file.home.path
    if outer is None or not file.engine_option:
        return []
    name = f"Pulumi.{outer}.yaml"
    theirs, ours = file.home.stack_folder / name, file.path.parent / name
    fix = f"keep both stack files beside {project}"
    if theirs.is_file() and ours.is_file() and theirs.read_bytes() != ours.read_bytes():
        message = f"this plan read {ours}, and `pulumi up` reads {theirs}, which has other values"
        return [fail("outer-file", message, fix, path="cloud_stack")]
    if not theirs.is_file():
        message = f"`pulumi up` will not find {name}: it looks beside {project}"
        return [warn("outer-file", message, fix, path="cloud_stack")]
    return []
