"""What follows from `monitoring`: names of log groups, metrics and rules in AWS, and what is
counted in the logs of pods. Pure.

The sentences by which a line is recognized are those of JupyterHub, the autoscaler and the
termination handler. A line arrives as JSON with `log`, `kubernetes.…`, and `log_processed` where it
was JSON itself (aws-observability/helm-charts 6.4.0, application-log.conf: Merge_Log).
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass

from jupyterhub_aws.config.monitoring import CloudWatchWatch
from jupyterhub_aws.config.specs.node_groups import NodePoolsSpec

#: aws-observability/helm-charts 6.4.0, values.yaml, `log_group_name` of each output; `performance`
#: is where the agent writes metrics.
LOG_KINDS = ("application", "dataplane", "host", "performance")
#: JupyterHub 5.5.0, jupyterhub/user.py (`spawn`, `_wait_up`) and handlers/base.py
#: (`spawn_single_user`): one of these for each start that failed.
FAILED_STARTS = (
    "server failed to start in",
    "server never showed up at",
    "Unhandled error starting",
    "Unhandled error waiting for",
    "] Error starting",
    "to proxy!",
)
#: aws-node-termination-handler 1.25, pkg/interruptioneventstore: written once for each event; its
#: description comes from pkg/monitor/spotitn.
INTERRUPTED = ("Adding new event to the event store", "Spot ITN received")
_HUB = ('$.kubernetes.namespace_name = "hub-*"', '$.kubernetes.container_name = "hub"')
HUB_DIMENSION = "Hub"


@dataclass(frozen=True, kw_only=True)
class FilterSpec:
    """A metric made of lines: `value` is 1 for each, or a field of it; with `by_hub` there is
    one metric for each hub's namespace.
    """

    metric: str
    pattern: str
    value: str = "1"
    by_hub: bool = False


def _all(*conditions: str) -> str:
    return "{ " + " && ".join(f"({condition})" for condition in conditions) + " }"


def _says(sentences: Iterable[str], joined: str) -> str:
    """`log` holds these sentences. CloudWatch Logs user guide, "Filter pattern syntax": an
    asterisk matches any text.
    """
    return joined.join(f'($.log = "*{sentence}*")' for sentence in sentences)


def _pods(name: str) -> tuple[str, str]:
    """Pods whose name begins so, in the namespace of the software that this library installs."""
    return '$.kubernetes.namespace_name = "kube-system"', f'$.kubernetes.pod_name = "{name}-*"'


HEARTBEATS = FilterSpec(
    metric="Heartbeats",
    pattern=_all(*_HUB, '$.log_processed.jupyterhub_aws = "alive"'),
    by_hub=True,
)
DATABASE_USED = FilterSpec(
    metric="DatabaseUsedPercent",
    pattern=_all(*_HUB, "$.log_processed.database_used_percent >= 0"),
    value="$.log_processed.database_used_percent",
    by_hub=True,
)
STARTS = FilterSpec(
    metric="FailedStarts", pattern=_all(*_HUB, _says(FAILED_STARTS, " || ")), by_hub=True
)
#: klog writes the level as a line's first letter (kubernetes/klog, header format).
AUTOSCALER_ERRORS = FilterSpec(
    metric="AutoscalerErrors", pattern=_all(*_pods("cluster-autoscaler"), '$.log = "E*"')
)
INTERRUPTIONS = FilterSpec(
    metric="SpotInterruptions",
    pattern=_all(*_pods("aws-node-termination-handler"), _says(INTERRUPTED, " && ")),
)
#: Of a log group that holds no other events.
FAILED_LAUNCHES = FilterSpec(
    metric="FailedLaunches", pattern='{ $.detail-type = "EC2 Instance Launch Unsuccessful" }'
)

APPLICATION_FILTERS = (HEARTBEATS, DATABASE_USED, STARTS, AUTOSCALER_ERRORS, INTERRUPTIONS)


@dataclass(frozen=True, kw_only=True)
class MonitoringSpec:
    """How one cluster and its hubs are monitored.

    `name` is the prefix of physical names, `cluster` the cluster's name in EKS, `options`
    thresholds, retention and receivers. `pools` are its node pools; None: their groups are not
    managed by this program. `paused`: there are no nodes, and no alarm sends a notification.
    """

    name: str
    cluster: str
    region: str
    options: CloudWatchWatch
    pools: NodePoolsSpec | None = None
    paused: bool = False

    def log_group(self, kind: str) -> str:
        """The log group that the add-on would create by itself, without a retention;
        `kind` is one of `LOG_KINDS`.
        """
        return f"/aws/containerinsights/{self.cluster}/{kind}"

    @property
    def agent_role_name(self) -> str:
        """The role of the agent that ships logs."""
        return f"{self.name}-amazon-cloudwatch-observability"

    @property
    def metric_namespace(self) -> str:
        """Where metrics made of logs lie in CloudWatch."""
        return f"jupyterhub-aws/{self.name}"

    @property
    def topic_name(self) -> str:
        """The SNS topic of alarms."""
        return f"{self.name}-alarms"

    @property
    def launches_name(self) -> str:
        """The rule that records failed launches, and its permission to write."""
        return f"{self.name}-failed-launches"

    @property
    def launches_log_group(self) -> str:
        """Where failed launches are recorded: EventBridge writes into groups below /aws/events
        only.
        """
        return f"/aws/events/{self.launches_name}"

    @property
    def group_prefixes(self) -> tuple[str, ...]:
        """The prefixes of the names of Auto Scaling groups; none where this program manages no
        group.

        User pools' groups are known by pool and market: of all zones and generations. The core
        pool's is named by EKS after its node group.
        """
        if self.pools is None:
            return ()
        core = [] if self.pools.core is None else [f"eks-{self.pools.core.stem}-"]
        return tuple(
            dict.fromkeys(
                [
                    *core,
                    *(
                        f"{group.prefix}-{group.pool.name}-{group.market}-"
                        for group in self.pools.groups
                        if not group.retiring
                    ),
                ]
            )
        )

    @property
    def launch_pattern(self) -> str:
        """Events of failed launches of these groups and no other (EC2 Auto Scaling user guide,
        "EC2 Instance Launch Unsuccessful").
        """
        names = [{"prefix": prefix} for prefix in self.group_prefixes]
        pattern = {
            "source": ["aws.autoscaling"],
            "detail-type": ["EC2 Instance Launch Unsuccessful"],
            "detail": {"AutoScalingGroupName": names},
        }
        return json.dumps(pattern, sort_keys=True)

    @property
    def has_spot(self) -> bool:
        """Whether AWS may reclaim nodes."""
        return self.pools is not None and any(
            group.market == "spot" for group in self.pools.groups if not group.retiring
        )
