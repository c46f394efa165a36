"""Backups that are looked at, made by hand, restored into a side path, and rehearsed. Nothing
here deletes a backup or writes over what is alive.
"""
