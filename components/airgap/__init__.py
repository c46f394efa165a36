"""What only a network without the internet has: private endpoints, narrow security groups, peer
networks, a registry, and the runner.
"""
