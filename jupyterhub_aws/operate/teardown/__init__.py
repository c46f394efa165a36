"""Teardown: in which order a stack is destroyed, what stays and what it costs, what is unmanaged;
and what is found afterwards. Deletes nothing.
"""
