"""The picture of a stack: what was recorded (facts), where it is placed (layout), and how it looks
(draw).
"""
