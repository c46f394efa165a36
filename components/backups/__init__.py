"""Backups of what cannot be made again: a vault, a plan that finds its resources by one tag, and
roles that back up or restore and not both.
"""
