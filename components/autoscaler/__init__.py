"""The cluster autoscaler: its IAM policy, its chart values, and the component that installs it."""
