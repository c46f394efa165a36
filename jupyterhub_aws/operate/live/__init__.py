"""What is there, asked of those who know: AWS, the cluster, the hub. Whatever changes something
here is done in steps that can be run again.
"""
