"""The `jhub` command line."""
