"""The nodes: what follows from one pool of the stack file (pure), and the component that makes
them.
"""
