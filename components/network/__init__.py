"""The network: a pure CIDR plan, and the component that makes it."""

from components.network.network import Network, NetworkArgs

__all__ = ["Network", "NetworkArgs"]
