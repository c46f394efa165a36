"""Whether people can work: what they would do, done by a test user, from the door to a cell, and
everything put away again.
"""
