"""A stack to rest and back: people first, then servers, the autoscaler, nodes and databases; the
stack file remembers which it is.
"""
