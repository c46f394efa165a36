"""`jhub init`: a project of a user's own, from a few answers."""
