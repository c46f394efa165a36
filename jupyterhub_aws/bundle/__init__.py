"""What an isolated network needs from external hosts, as one folder that can be carried in: images,
charts, wheels, the engine and its plugins.
"""
