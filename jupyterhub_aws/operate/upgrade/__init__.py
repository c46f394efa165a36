"""`jhub upgrade plan`: from one Kubernetes minor to another, step by step, with what each step
does to people.
"""
