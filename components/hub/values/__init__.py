"""The chart's values for one hub, as pure functions: nothing here knows Pulumi, so a wrong value
is found before any SDK is loaded.
"""
