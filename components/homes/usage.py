"""A regular report of what each home takes, in the hub's own namespace."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import pulumi
from pulumi_kubernetes.batch.v1 import CronJob
from pulumi_kubernetes.core.v1 import ConfigMap

from jupyterhub_aws.components.base import Component
from jupyterhub_aws.components.homes.pods import HOMES, HomesProgram, pod, program_data
from jupyterhub_aws.config.specs.hub import HubSpec
from jupyterhub_aws.config.specs.images import Images
from jupyterhub_aws.config.specs.names import HOMES_CLAIM

#: Beside the homes, like shared directories: no home begins with an underscore.
_REPORT = f"{HOMES}/_reports/usage.json"
_NAME = "homes-usage"
_A_DAY = 24 * 3600


@dataclass(frozen=True, kw_only=True, eq=False)
class UsageReportJobArgs:
    """`hub` is what follows for the hub, `images` the names of images, `schedule` in cron's
    words, `namespace` the hub's, `after` the claim of its homes.
    """

    hub: HubSpec
    images: Images
    schedule: str
    namespace: pulumi.Input[str]
    after: Sequence[pulumi.Resource]


class UsageReportJob(Component):
    """Runs as the owner of homes, reaches nobody, and writes its report beside them; the table
    is in its log.
    """

    token: ClassVar[str] = "jupyterhub-aws:homes:UsageReportJob"

    def __init__(
        self, name: str, args: UsageReportJobArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__(name, opts)
        program = HomesProgram(
            file="homes_usage.py", arguments=["--depth", str(_depth(args)), "--report", _REPORT]
        )
        metadata: Any = {"name": _NAME, "namespace": args.namespace}
        text = ConfigMap(
            f"{name}-program", metadata=metadata, data=program_data(program), opts=self.child()
        )
        core, image = not args.hub.existing_cluster, args.images.named(args.hub.server_image)
        job: Any = {
            "backoff_limit": 0,
            "active_deadline_seconds": _A_DAY,
            "template": {
                "spec": pod(image, program, on_core_nodes=core, claim=HOMES_CLAIM, config_map=_NAME)
            },
        }
        CronJob(
            f"{name}-schedule",
            metadata=metadata,
            spec={
                "schedule": args.schedule,
                "suspend": args.hub.paused,
                "concurrency_policy": "Forbid",
                "successful_jobs_history_limit": 1,
                "failed_jobs_history_limit": 1,
                "job_template": {"spec": job},
            },
            opts=self.child(depends_on=[text, *args.after]),
        )
        self.register_outputs({"schedule": args.schedule})


def _depth(args: UsageReportJobArgs) -> int:
    return args.hub.options.home_directory.count("/") + 1
