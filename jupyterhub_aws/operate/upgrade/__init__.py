"""`jhub upgrade plan`: from one Kubernetes minor to another, step by step, with the effect of each
step on users.
"""
