"""Leaving: in which order a stack goes, what stays and what it costs, what nobody would take
away; and what is found afterwards. Deletes nothing.
"""
