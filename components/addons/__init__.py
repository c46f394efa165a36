"""EKS add-ons: which ones a stack gets and how each is configured, and the two components that
install them.
"""
