"""The configuration of the add-on that ships logs, and the log groups that it writes into. Pure data."""

from __future__ import annotations

import json
from typing import Any

ADDON = "amazon-cloudwatch-observability"
#: The account under which Fluent Bit and the agent run, in the add-on's own namespace `amazon-cloudwatch`.
SERVICE_ACCOUNT = "cloudwatch-agent"
#: aws-observability/helm-charts 6.4.0, values.yaml, `log_group_name` of each output; `performance` is where the agent writes metrics.
LOG_KINDS = ("application", "dataplane", "host", "performance")
#: What a node gives to each. The agent's own default, 250m, is a quarter of a core on each node, for which a machine at rest has no use.
_AGENT = {"requests": {"cpu": "20m", "memory": "128Mi"}, "limits": {"cpu": "500m", "memory": "512Mi"}}
_FLUENT_BIT = {"requests": {"cpu": "50m", "memory": "25Mi"}, "limits": {"cpu": "500m", "memory": "250Mi"}}
#: What we have no use for. Application Signals would put code of its own into pods; GPUs are counted by the device plugin.
_OFF = ("applicationSignals", "dcgmExporter", "kubeStateMetrics", "neuronMonitor", "nodeExporter", "otelContainerInsights")


def log_group_name(cluster: str, kind: str) -> str:
    """The group that the add-on would make by itself, without an end to what it keeps."""
    return f"/aws/containerinsights/{cluster}/{kind}"


def agent_configuration(*, container_insights: bool) -> str:
    """The add-on's settings as EKS takes them, keys sorted so that the same ones never show as a change.

    Its pods tolerate every taint by the chart's own default (`tolerations: [{operator: Exists}]`), so that they are on user and GPU nodes too.
    Keys are those that published configurations of versions 6.3 to 6.6 have on live clusters; the schema itself is AWS's
    (`aws eks describe-addon-configuration`).
    """
    values: dict[str, Any] = {
        "agents": [{"name": SERVICE_ACCOUNT, "resources": _AGENT}],
        "containerInsights": {"enabled": container_insights},
        "containerLogs": {"enabled": True, "fluentBit": {"resources": _FLUENT_BIT}},
        "manager": {"applicationSignals": {"autoMonitor": {"monitorAllServices": False}}},
        **{name: {"enabled": False} for name in _OFF},
    }
    return json.dumps(values, sort_keys=True)
