"""JupyterHub on AWS as one Pulumi program."""
