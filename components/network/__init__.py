"""The network: a pure CIDR plan, and the component that makes it."""
