"""Whose home is where, under another scheme of names than before."""
