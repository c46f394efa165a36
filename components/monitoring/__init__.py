"""Logs of pods and nodes for a bounded time, alarms for what people would notice, and who is
told.
"""
