"""`jhub versions`: how each version in use stands, and the table of them refreshed from an
account.
"""
