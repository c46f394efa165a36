"""What an operator asks every day: each question one line, each answer from those who know, each
kubectl or helm command shown.
"""
