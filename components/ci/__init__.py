"""The roles that workflows take: one that reads, one that changes, each trusted for one
repository and one place in it.
"""
