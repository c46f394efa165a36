"""What only a network without the internet has: private endpoints, narrow security groups, neighbours, a registry, and the runner."""
