"""Trying a hub's sign-in from here: the same class, the same settings, one step after the other."""
