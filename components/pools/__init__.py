"""The nodes: arguments of pools, Auto Scaling groups, and the component that makes them."""
