"""Taking over what exists: an account is looked at, matched with what the program would make,
and written down. Nothing here changes anything.
"""
