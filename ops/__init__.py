"""What a person runs: the `jhub` command."""
