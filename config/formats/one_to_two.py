"""From format 1 to format 2: options and values get the terms of AWS, Kubernetes and operators."""

from __future__ import annotations

from jupyterhub_aws.config.formats.step import MigrationStep, Renamed, Revalued


class OneToTwo(MigrationStep):
    """The names of version 0.1 become those of version 0.2. What the options mean did not
    change.
    """

    source = 1
    target = 2
    changes = (
        Renamed(path="watch", name="monitoring"),
        Renamed(path="network.neighbours", name="peer_networks"),
        Renamed(path="network.inside_hosts", name="internal_hosts"),
        Renamed(path="network.further_endpoints", name="additional_endpoints"),
        Renamed(path="network.endpoints_made", name="manage_endpoints"),
        Renamed(path="pause.machines", name="instances"),
        Renamed(path="gate.cost.at_rest", name="idle"),
        Renamed(path="gate.cost.at_most", name="maximum"),
        Renamed(path="gate.cost.increase_at_rest", name="idle_increase"),
        Renamed(path="gate.cost.increase_at_most", name="maximum_increase"),
        Renamed(path="hubs.*.profiles.*.people_per_node", name="users_per_node"),
        Renamed(path="hubs.*.shared_directories.*.written_by", name="writable_by"),
        Revalued(path="hubs.*.shared_directories.*.written_by", old="everybody", new="users"),
        Revalued(path="hubs.*.shared_directories.*.written_by", old="nobody", new="none"),
        Revalued(
            path="hubs.*.sign_in.tls",
            old="none_so_that_anybody_on_the_way_reads_passwords",
            new="none_insecure",
        ),
        Revalued(
            path="hubs.*.database.kind",
            old="sqlite_memory_that_loses_sessions",
            new="sqlite_memory",
        ),
        Revalued(path="homes.adopted.owner", old="people", new="users"),
        Revalued(path="pools.*.capacity", old="given", new="existing"),
    )
