"""What a change does, and who is affected: pure functions over two plans, or over what the engine
previews. They know no Pulumi.
"""
