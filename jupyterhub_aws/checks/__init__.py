"""Proofs over a validated stack and over recorded resources. Pure functions; no Pulumi."""
