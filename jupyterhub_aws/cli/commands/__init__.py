"""One file for each subcommand of `jhub`."""
