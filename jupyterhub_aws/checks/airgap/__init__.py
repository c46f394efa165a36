"""The proof that an isolated network is isolated, over what the program registers: each rule names
resource, value and remedy.
"""
