"""What a closed network needs from outside, as one folder that can be carried in: images,
charts, wheels, the engine and its plugins.
"""
