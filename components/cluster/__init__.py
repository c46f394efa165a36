"""The EKS control plane, and the documents that it needs."""
