"""How people reach a hub: balancer, certificate, record, and the port of the core nodes behind
them.
"""
