"""Executed by the chart's configuration of the hub, which has `c` and `get_config` in scope."""

import jupyterhub_aws_heartbeat
import jupyterhub_aws_notice
from jupyterhub_aws_people import configure

c.JupyterHub.spawner_class = "jupyterhub_aws_spawner.NoticingKubeSpawner"  # noqa: F821 -- the chart's own name
jupyterhub_aws_notice.configure(c)  # noqa: F821 -- the chart's own name
configure(c, get_config("custom.jupyterhubAws", {}))  # noqa: F821 -- the chart's own names
if pages := get_config("custom.jupyterhubAws.pages"):  # noqa: F821 -- the chart's own name
    import jupyterhub_aws_pages

    jupyterhub_aws_pages.configure(c, pages)  # noqa: F821 -- the chart's own name
jupyterhub_aws_heartbeat.configure(get_config("custom.jupyterhubAws.heartbeat"))  # noqa: F821 -- the chart's own name
