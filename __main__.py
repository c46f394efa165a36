"""The sample program: everything that the stack file describes. What you add below is yours."""

from jupyterhub_aws import from_stack_file

platform = from_stack_file()

# Resources of your own, of any provider, follow here: see examples/own-resources.
