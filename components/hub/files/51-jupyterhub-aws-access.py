"""Executed by the chart's configuration of the hub, which has `c` and `get_config` in scope."""

from jupyterhub_aws_access import configure

configure(c, get_config("custom.jupyterhubAws.awsAccess", {}))  # noqa: F821 -- the chart's own names
