"""What is wrong with a hub's values although Helm and the chart's schema take them: it would
fail users, or undo a protection.
"""
