"""The values of a zero-to-jupyterhub chart, of 0.8 to 4.x, as a stack file. No secret of theirs
ever leaves this package.
"""
