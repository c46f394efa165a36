"""`jhub drain`: nodes of a pool are left by people in their own time, and go when they are
empty.
"""
