"""The proof that a closed network is closed, over what the program registers: each rule names
resource, value and remedy.
"""
