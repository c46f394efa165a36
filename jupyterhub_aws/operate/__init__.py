"""Commands that look into a running stack, or change it: pause, backups, health, drain,
teardown, versions.
"""
