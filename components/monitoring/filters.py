"""What is counted in the logs of pods, and how a line is known: the sentences are those of JupyterHub, the autoscaler and the termination handler.

A line arrives as JSON with `log`, `kubernetes.…`, and `log_processed` where it was JSON itself (helm-charts 6.4.0, application-log.conf: Merge_Log).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

#: JupyterHub 5.5.0, jupyterhub/user.py (`spawn`, `_wait_up`) and handlers/base.py (`spawn_single_user`): one of these for each start that failed.
FAILED_STARTS = (
    "server failed to start in",
    "server never showed up at",
    "Unhandled error starting",
    "Unhandled error waiting for",
    "] Error starting",
    "to proxy!",
)
#: aws-node-termination-handler 1.25, pkg/interruptioneventstore: written once for each event; its description comes from pkg/monitor/spotitn.
INTERRUPTED = ("Adding new event to the event store", "Spot ITN received")
_HUB = ('$.kubernetes.namespace_name = "hub-*"', '$.kubernetes.container_name = "hub"')
HUB_DIMENSION = "Hub"


@dataclass(frozen=True, kw_only=True)
class FilterSpec:
    """A metric made of lines: `value` is 1 for each, or a field of it; with `by_hub` there is one metric for each hub's namespace."""

    metric: str
    pattern: str
    value: str = "1"
    by_hub: bool = False


def metric_namespace(stack: str) -> str:
    """Where the stack's own metrics stand in CloudWatch."""
    return f"jupyterhub-aws/{stack}"


def _all(*conditions: str) -> str:
    return "{ " + " && ".join(f"({condition})" for condition in conditions) + " }"


def _says(sentences: Iterable[str], joined: str) -> str:
    """`log` holds these sentences. CloudWatch Logs user guide, "Filter pattern syntax": an asterisk stands for any text."""
    return joined.join(f'($.log = "*{sentence}*")' for sentence in sentences)


def _pods(name: str) -> tuple[str, str]:
    """Pods whose name begins so, in the namespace of what we install there ourselves."""
    return '$.kubernetes.namespace_name = "kube-system"', f'$.kubernetes.pod_name = "{name}-*"'


HEARTBEATS = FilterSpec(metric="Heartbeats", pattern=_all(*_HUB, '$.log_processed.jupyterhub_aws = "alive"'), by_hub=True)
DATABASE_USED = FilterSpec(
    metric="DatabaseUsedPercent", pattern=_all(*_HUB, "$.log_processed.database_used_percent >= 0"), value="$.log_processed.database_used_percent", by_hub=True
)
STARTS = FilterSpec(metric="FailedStarts", pattern=_all(*_HUB, _says(FAILED_STARTS, " || ")), by_hub=True)
#: klog writes the level as a line's first letter (kubernetes/klog, header format).
AUTOSCALER_ERRORS = FilterSpec(metric="AutoscalerErrors", pattern=_all(*_pods("cluster-autoscaler"), '$.log = "E*"'))
INTERRUPTIONS = FilterSpec(metric="SpotInterruptions", pattern=_all(*_pods("aws-node-termination-handler"), _says(INTERRUPTED, " && ")))
#: In a log group of its own, which holds nothing else.
FAILED_LAUNCHES = FilterSpec(metric="FailedLaunches", pattern='{ $.detail-type = "EC2 Instance Launch Unsuccessful" }')

APPLICATION_FILTERS = (HEARTBEATS, DATABASE_USED, STARTS, AUTOSCALER_ERRORS, INTERRUPTIONS)
