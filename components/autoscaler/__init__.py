"""The cluster autoscaler: its IAM policy, its chart values, and the component that installs it."""

from components.autoscaler.autoscaler import Autoscaler, AutoscalerArgs
from components.autoscaler.policy import AutoscalerPolicy, AutoscalerPolicyArgs

__all__ = ["Autoscaler", "AutoscalerArgs", "AutoscalerPolicy", "AutoscalerPolicyArgs"]
