"""What a workflow on GitHub tells people about a pull request: one comment, one status, and
whose word counts.
"""
