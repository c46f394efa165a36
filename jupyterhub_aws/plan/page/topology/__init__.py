"""The picture of a stack: what was recorded (facts), where it stands (layout), and how it looks
(draw).
"""
