"""What only an isolated network has: private endpoints, narrow security groups, peer
networks, a registry, and the runner.
"""
