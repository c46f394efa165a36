"""What a change does, and to whom: pure functions over two plans, or over what the engine
previews. They know no Pulumi.
"""
