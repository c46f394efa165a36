"""The one place that reads `pulumi.Config`, and makes a platform of it."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from pathlib import Path

import pulumi
from pulumi.runtime import config as engine_config

from jupyterhub_aws.components.base import ArgumentError
from jupyterhub_aws.components.platform import JupyterHubPlatform, JupyterHubPlatformArgs
from jupyterhub_aws.config.cloud_config import Configuration, from_engine, whole
from jupyterhub_aws.config.errors import ConfigError
from jupyterhub_aws.config.keys import engine_spelling
from jupyterhub_aws.config.project import stack_folder
from jupyterhub_aws.config.stack import PROJECT


def from_stack_file(name: str = "platform") -> JupyterHubPlatform:
    """The platform that the stack file of this run describes, under that resource name, with the
    stack's outputs exported.

    A program may add resources of any provider after it, with its outputs as handles.

    Raises ArgumentError (a pulumi.RunError, which the engine prints without a traceback) with every
    problem of the stack file.
    """
    values = engine_config.CONFIG.get() or engine_config.get_config_env()
    given = _configuration(values)
    args = JupyterHubPlatformArgs(
        configuration=given.values, secrets=_secrets(values, given.secret), source=given.source
    )
    platform = JupyterHubPlatform(name, args)
    for key, value in platform.exports.items():
        pulumi.export(key, value)
    return platform


def _configuration(values: Mapping[str, str]) -> Configuration:
    secret = tuple(key for key in values if engine_config.is_config_secret(key))
    plain = {key: value for key, value in values.items() if key not in secret}
    try:
        given = from_engine(
            plain,
            secret=secret,
            project=pulumi.get_project(),
            source=f"Pulumi.{pulumi.get_stack()}.yaml",
        )
        return whole(given, stack_folder(Path(pulumi.get_root_directory())))
    except ConfigError as error:
        raise ArgumentError(error.source, error.problems) from None


def _secrets(values: Mapping[str, str], sealed: Collection[str]) -> dict[str, pulumi.Output[str]]:
    """The encrypted values of the stack file by key. They are only passed on."""
    found = {}
    for full in sealed:
        namespace, _, name = full.partition(":")
        if namespace == PROJECT:
            spelt, _, key = engine_spelling(name, values, pulumi.get_project()).partition(":")
            found[name] = pulumi.Config(spelt).require_secret(key)
    return found
