"""What is wrong with a hub's values although Helm and the chart's schema take them: it would
fail people, or undo a protection.
"""
