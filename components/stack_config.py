"""The one place that reads `pulumi.Config`: what the engine hands over becomes the validated stack."""

from __future__ import annotations

import pulumi
from pulumi.runtime import config as engine_config

from config.errors import ConfigError
from config.load import load
from config.stack import StackConfig


def load_stack() -> StackConfig:
    """The validated stack of this run. Raises pulumi.RunError, which the engine prints without a traceback, with every problem."""
    values = engine_config.CONFIG.get() or engine_config.get_config_env()
    secret = [key for key in values if engine_config.is_config_secret(key)]
    try:
        return load(values, secret=secret, source=f"Pulumi.{pulumi.get_stack()}.yaml")
    except ConfigError as error:
        raise pulumi.RunError(f"the stack file is wrong\n{error}") from None
