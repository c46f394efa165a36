"""`jhub versions`: the status of each version in use, and the table of them refreshed from an
account.
"""
