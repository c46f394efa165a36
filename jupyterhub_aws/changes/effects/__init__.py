"""What changed resources mean for people, data and access. One file for each kind of meaning."""
