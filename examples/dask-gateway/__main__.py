"""A platform from a stack file, and Dask Gateway beside its hub: users of one group start clusters
on spot nodes from their notebooks.
"""

import pulumi

from jupyterhub_aws import DaskGateway, DaskGatewayArgs, DaskLimits, from_stack_file

platform = from_stack_file()
hub = platform.hubs["main"]

dask = DaskGateway(
    "dask",
    DaskGatewayArgs(
        cluster=platform.cluster.outputs,
        pools=platform.pools.outputs,
        hub=hub,
        worker_pool="dask",
        scheduler_pool="users",  # has on-demand nodes too: a scheduler that ends takes its cluster along
        limits=DaskLimits(
            clusters=1, workers=10, worker_cores=2, worker_memory_gib=8, idle_minutes=30
        ),
        images=platform.images,
    ),
)
hub.add_environment(dask.environment)

pulumi.export("dask_gateway", dask.release)
