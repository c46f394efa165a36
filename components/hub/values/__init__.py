"""The chart's values for one hub, as pure functions without Pulumi, so that a wrong value is
found before any SDK is loaded.
"""
