"""The one place that reads `pulumi.Config`: what the engine hands over becomes the validated stack."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pulumi
from pulumi.runtime import config as engine_config

from jupyterhub_aws.components.validated import validated
from jupyterhub_aws.config.errors import ConfigError
from jupyterhub_aws.config.halves import from_engine, whole
from jupyterhub_aws.config.keys import engine_spelling
from jupyterhub_aws.config.secrets import missing_secrets, required_secrets
from jupyterhub_aws.config.stack import StackConfig


def load_stack() -> StackConfig:
    """The validated stack of this run. Raises pulumi.RunError, which the engine prints without a traceback, with every problem."""
    values = engine_config.CONFIG.get() or engine_config.get_config_env()
    secret = tuple(key for key in values if engine_config.is_config_secret(key))
    plain = {key: value for key, value in values.items() if key not in secret}
    try:
        given = from_engine(plain, secret=secret, project=pulumi.get_project(), source=f"Pulumi.{pulumi.get_stack()}.yaml")
        stack = validated(whole(given, Path(pulumi.get_root_directory())))
    except ConfigError as error:
        raise pulumi.RunError(f"the stack file is wrong\n{error}") from None
    missing = missing_secrets(stack.hubs_inside, given.secret)
    if missing:
        lines = [f"hubs.{wanted.hub}: the {wanted.what} is missing; run: pulumi config set --secret {wanted.key}" for wanted in missing]
        raise pulumi.RunError("\n".join(["secrets are missing", *lines]))
    return stack


def stack_secrets(stack: StackConfig) -> Mapping[str, pulumi.Output[str]]:
    """The encrypted values that the stack's hubs need, by key. They are only ever handed on."""
    values = engine_config.CONFIG.get() or engine_config.get_config_env()
    found = {}
    for wanted in required_secrets(stack.hubs_inside):
        namespace, _, name = engine_spelling(wanted.key, values, pulumi.get_project()).partition(":")
        found[wanted.key] = pulumi.Config(namespace).require_secret(name)
    return found
