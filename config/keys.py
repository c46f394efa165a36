"""Which option a key of a stack file is. Pulumi reads `pools` as `PROJECT:pools`; PROJECT is the
name in the user's own Pulumi.yaml.

Inside the program every key has one spelling, `jupyterhub-aws:pools`, whatever the project is
called and whether the prefix was written.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache
from typing import Any, TypeVar

from jupyterhub_aws.config.errors import ConfigError, Problem, closest, dotted
from jupyterhub_aws.config.formats import new_name
from jupyterhub_aws.config.secrets import is_hub_secret
from jupyterhub_aws.config.stack import PROJECT, PROVIDER_KEYS, StackConfig

T = TypeVar("T")

#: What Pulumi itself stores beside `config` (sdk/go/common/workspace, ProjectStack, v3.260). It
#: silently ignores every other key.
ENGINE_KEYS = ("secretsprovider", "encryptedkey", "encryptionsalt", "environment")
#: Settings of the AWS provider that change who calls AWS and how, and nothing in a plan (pulumi_aws
#: 7.51.1, config/vars.py; a test compares).
AWS_CALLS = frozenset(
    "accessKey allowedAccountIds assumeRoleWithWebIdentity assumeRoles customCaBundle"
    " ec2MetadataServiceEndpoint ec2MetadataServiceEndpointMode httpProxy httpsProxy insecure"
    " maxRetries noProxy profile region retryMode s3UsEast1RegionalEndpoint s3UsePathStyle"
    " secretKey sharedConfigFiles sharedCredentialsFiles skipCredentialsValidation"
    " skipMetadataApiCheck skipRegionValidation skipRequestingAccountId stsRegion token"
    " tokenBucketRateLimiterCapacity useDualstackEndpoint useFipsEndpoint userAgents".split()
)
#: Settings of the AWS provider that change what is made, or refuse to make it. The same source.
AWS_EFFECTS = frozenset(
    {"defaultTags", "endpoints", "forbiddenAccountIds", "ignoreTags", "tagPolicyCompliance"}
)
#: Settings of every provider that the engine itself reads: which plugin it runs.
_OF_EVERY_PROVIDER = frozenset({"version", "pluginDownloadURL"})
#: Settings of the AWS provider that are secrets.
AWS_SECRETS = frozenset({"secretKey", "token"})
#: The providers of this program, and the engine's own namespace (`pulumi:tags`,
#: `pulumi:autonaming`).
PROVIDERS = ("aws", "eks", "kubernetes", "pulumi", "random")


def canonical_key(key: str, project: str) -> str:
    """The one spelling of a key: `pools`, `PROJECT:pools` and `PROJECT:config:pools` are
    `jupyterhub-aws:pools`; `aws:config:region` is `aws:region`.
    """
    if ":" not in key:
        return f"{PROJECT}:{key}"
    namespace, _, name = key.partition(":")
    name = name.removeprefix("config:") if name.count(":") == 1 else name
    return f"{PROJECT if namespace == project else namespace}:{name}"


def canonical(config: Mapping[str, T], project: str, source: str) -> dict[str, T]:
    """A configuration by the one spelling of its keys. Raises ConfigError for a key that is
    present in two spellings, or that the engine cannot read.
    """
    written: dict[str, list[str]] = {}
    for key in config:
        written.setdefault(canonical_key(key, project), []).append(key)
    problems = [_twice(full, keys) for full, keys in written.items() if len(keys) > 1]
    problems += [_unreadable(keys[0]) for full, keys in written.items() if full.count(":") > 1]
    if problems:
        raise ConfigError(source, problems)
    return {full: config[keys[0]] for full, keys in written.items()}


def _twice(full: str, keys: list[str]) -> Problem:
    name = full.partition(":")[2]
    listed = " and ".join(dotted((key,)) for key in keys)
    fix = f"keep one of them, such as {dotted((name if full.startswith(f'{PROJECT}:') else full,))}"
    return Problem(
        id="key.twice",
        path=dotted((name,)),
        what=f"is present twice, as {listed}: for Pulumi both are the same key",
        fix=fix,
    )


def _unreadable(key: str) -> Problem:
    what = "is no key that Pulumi reads: it has more than one colon outside `NAMESPACE:NAME`"
    return Problem(
        id="key.unreadable",
        path=dotted((key,)),
        what=what,
        fix=f"write {dotted((key.rpartition(':')[2],))}",
    )


def engine_spelling(name: str, given: Iterable[str], project: str) -> str:
    """The form of a key in the configuration from the engine: with the project's name as prefix,
    or with this program's.
    """
    full = f"{project}:{name}"
    return full if full in given else f"{PROJECT}:{name}"


def as_engine(config: Mapping[str, T], project: str) -> dict[str, T]:
    """A configuration as the engine hands it over to a program of this project:
    `jupyterhub-aws:pools` is `PROJECT:pools`.
    """
    return {
        f"{project}:{key.partition(':')[2]}" if key.startswith(f"{PROJECT}:") else key: value
        for key, value in config.items()
    }


def own_settings(keys: Iterable[str]) -> frozenset[str]:
    """The keys of the caller's own program, which it reads by `pulumi.Config`: they neither are
    nor resemble an option of this library, and their prefix neither is nor resembles that of a
    provider. A plan says which of them the program does not read.
    """
    return frozenset(key for key in keys if _is_own(key))


def _is_own(key: str) -> bool:
    namespace, _, name = key.partition(":")
    if namespace == PROJECT:
        options = [PROVIDER_KEYS.get(option, option) for option in StackConfig.model_fields]
        head = name.partition(".")[0]
        ours = (
            head in StackConfig.model_fields
            or new_name(head, options) is not None
            or is_hub_secret(name)
        )  # an option is known by its old name too
        return name.isprintable() and not ours and closest(name, options) is None
    return (
        namespace not in PROVIDERS and not _installed(namespace) and _meant(namespace, name) is None
    )


def misplaced(document: Mapping[Any, Any]) -> Iterator[Problem]:
    """Find the keys beside `config:` that Pulumi ignores."""
    for key in map(str, document):
        if key == "config" or key in ENGINE_KEYS:
            continue
        name = key.rpartition(":")[2]
        what = "is beside `config:`, where Pulumi ignores it"
        if name in StackConfig.model_fields or key in PROVIDER_KEYS.values() or is_hub_secret(name):
            yield Problem(
                id="key.beside-config",
                path=dotted((key,)),
                what=what,
                fix=f"indent it below `config:`, as {PROVIDER_KEYS.get(name, name)}",
            )
            continue
        guess = closest(key, ("config", *ENGINE_KEYS)) or closest(name, StackConfig.model_fields)
        fix = (
            "did you mean"
            f" {guess}{'' if guess in ('config', *ENGINE_KEYS) else ' below `config:`'}?"
            if guess
            else "remove it, or move it below `config:`"
        )
        yield Problem(id="key.beside-config", path=dotted((key,)), what=what, fix=fix)


def foreign(keys: Iterable[str], *, sealed: Iterable[str] = ()) -> Iterator[Problem]:
    """Find problems of keys in other namespaces than the program's: a namespace that nothing reads,
    and a setting that a provider refuses.

    `sealed` are the keys among them whose values are encrypted.
    """
    hidden = set(sealed)
    for key in keys:
        namespace, colon, name = key.partition(":")
        if namespace == PROJECT or not colon:
            continue
        if namespace == "aws":
            yield from _of_aws(key, name, hidden)
        elif namespace not in PROVIDERS and not _installed(namespace):
            fix = (
                _meant(namespace, name)
                or f"remove it, or install the provider that it configures (pulumi-{namespace})"
            )
            yield Problem(
                id="key.unknown-prefix",
                path=dotted((key,)),
                what=f"has a prefix that nothing in this stack reads ({namespace}:)",
                fix=fix,
            )


def _of_aws(key: str, name: str, hidden: set[str]) -> Iterator[Problem]:
    if name in StackConfig.model_fields and name not in AWS_CALLS:
        yield Problem(
            id="key.not-of-aws-provider",
            path=dotted((key,)),
            what="is no setting of the AWS provider",
            fix=f"write {PROVIDER_KEYS.get(name, name)}: an option of this program",
        )
    elif name not in AWS_CALLS | AWS_EFFECTS | _OF_EVERY_PROVIDER:
        guess = closest(name, sorted(AWS_CALLS | AWS_EFFECTS))
        what = (
            "is no setting of the AWS provider, which refuses to start with one that it does not"
            " know"
        )
        yield Problem(
            id="key.not-of-aws-provider",
            path=dotted((key,)),
            what=what,
            fix=f"did you mean aws:{guess}?" if guess else f"remove it: pulumi config rm {key}",
        )
    elif name in AWS_SECRETS and key not in hidden:
        fix = (
            "rotate it (it was exposed), then use AWS_PROFILE instead, or run: pulumi config set"
            f" --secret {key}"
        )
        yield Problem(
            id="secret.clear-text",
            path=dotted((key,)),
            what="is a secret, but is stored in clear text",
            fix=fix,
        )


def _meant(namespace: str, name: str) -> str | None:
    """The fix for a key with a misspelt prefix; None where no known key is similar."""
    root = name.partition(".")[0]
    if name in StackConfig.model_fields or is_hub_secret(name):
        return f"write {PROVIDER_KEYS.get(name, name)}: options of this program need no prefix"
    near = closest(namespace, [*PROVIDERS, PROJECT])
    option = closest(root, StackConfig.model_fields)
    if near == PROJECT and option:
        return f"did you mean {option}? Options of this program need no prefix"
    if near == "aws" and (setting := closest(name, sorted(AWS_CALLS | AWS_EFFECTS))):
        return f"did you mean aws:{setting}?"
    return None if near in (None, PROJECT) else f"did you mean {near}:{name}?"


@lru_cache(maxsize=64)
def _installed(namespace: str) -> bool:
    """Whether the SDK of a provider is installed: a program that adds resources of another
    provider configures it in the stack file.
    """
    module = namespace.replace("-", "_")
    return module.isidentifier() and any(
        importlib.util.find_spec(f"{maker}_{module}") is not None
        for maker in ("pulumi", "pulumiverse")
    )
