"""What follows from a cluster section: the control plane, who administers it, and how a program
reaches its API. Pure.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from jupyterhub_aws.config.cluster import EksCluster


@dataclass(frozen=True, kw_only=True)
class ClusterAccess:
    """How a program reaches the Kubernetes API of a cluster, and from which networks.

    `cluster` is the cluster's name: a provider of another name is another cluster's.
    `public_access_cidrs` are the networks outside the VPC that the API lets in, where this program
    makes the cluster; None where it does not. `inside`: only from inside the network, where another
    stack made it. `kubeconfig` and `context` name the file of a cluster that exists already (None:
    the caller's own, and its current context). `paused`: it may be stopped with its instances.
    `option` is how the reader of a message calls what `public_access_cidrs` says.
    """

    cluster: str
    public_access_cidrs: tuple[str, ...] | None = None
    inside: bool = False
    kubeconfig: str | None = None
    context: str | None = None
    paused: bool = False
    option: str = "cluster.api.public_access_cidrs"


@dataclass(frozen=True, kw_only=True)
class ClusterSpec:
    """An EKS control plane. `name` is its name in EKS and the prefix of physical names.

    `administrators` maps the end of each access entry's resource name to the IAM principal that
    gets cluster-admin.
    """

    name: str
    region: str
    version: str
    service_cidr: str
    public_access_cidrs: tuple[str, ...]
    logs: tuple[str, ...]
    log_retention_days: int
    administrators: Mapping[str, str] = field(default_factory=dict)
    volume_key: str | None = None
    protected: bool = True

    @property
    def access(self) -> ClusterAccess:
        """How the program that makes the cluster reaches it."""
        return ClusterAccess(cluster=self.name, public_access_cidrs=self.public_access_cidrs)


def cluster_spec(section: EksCluster, *, name: str, region: str) -> ClusterSpec:
    """What follows from a cluster section of kind `eks`."""
    return ClusterSpec(
        name=name,
        region=region,
        version=section.version,
        service_cidr=section.service_cidr,
        public_access_cidrs=section.api.public_access_cidrs,
        logs=section.logs,
        log_retention_days=section.log_retention_days,
        administrators={_entry_name(principal): principal for principal in section.administrators},
        volume_key=section.volume_key,
        protected=section.protected,
    )


def _entry_name(principal: str) -> str:
    """Account, role or user, and name: with fewer parts two principals could get the same name."""
    account, _, path = principal.partition("iam::")[2].partition(":")
    return f"{account}-{path.partition('/')[0]}-{path.rpartition('/')[2]}"
