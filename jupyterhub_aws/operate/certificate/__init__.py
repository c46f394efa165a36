"""Certificates made and looked at here."""
