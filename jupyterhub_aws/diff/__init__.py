"""A difference between two plans as people see it, and where the older plan comes from."""
