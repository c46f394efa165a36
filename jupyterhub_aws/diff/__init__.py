"""A difference between two plans as users see it, and where the older plan comes from."""
