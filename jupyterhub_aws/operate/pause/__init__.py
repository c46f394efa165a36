"""Pausing a stack and resuming it: users first, then servers, the autoscaler, nodes and databases;
the stack file records whether it is paused.
"""
