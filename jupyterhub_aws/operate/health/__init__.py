"""Whether users can work: what they would do, done by a test user, from the endpoint to a cell, and
everything cleaned up again.
"""
