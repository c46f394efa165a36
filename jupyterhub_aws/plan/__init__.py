"""Evaluating the program in this process, without an engine: what would be built, and what is
wrong with it.
"""
