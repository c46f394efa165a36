"""The EKS control plane, and the documents that it needs."""

from components.cluster.cluster import Cluster, ClusterArgs

__all__ = ["Cluster", "ClusterArgs"]
