"""One JupyterHub: its names, its values for the chart (pure), and the component that makes it."""
