"""May each identity do what its software will ask of it? An evaluator of IAM documents, and the
calls that it judges.
"""
