"""The cluster autoscaler: its IAM policy, its identity, and its release."""
