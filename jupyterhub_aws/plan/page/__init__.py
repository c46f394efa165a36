"""The page of `jhub plan --html`: one file that shows a stranger what a stack is. Loaded only
when it is asked for.
"""
