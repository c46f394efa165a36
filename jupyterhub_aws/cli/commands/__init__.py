"""The subcommands of `jhub`: `NAME` is the function `NAME_command` of one of these modules."""
