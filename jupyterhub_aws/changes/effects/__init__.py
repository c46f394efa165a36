"""What changed resources mean for users, data and access. One file for each kind of meaning."""
