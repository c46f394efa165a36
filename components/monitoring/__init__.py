"""Logs of pods and nodes with a retention, alarms for failures that users would notice, and
their receivers.
"""
