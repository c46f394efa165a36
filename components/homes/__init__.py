"""Home directories: the EFS file system that everybody shares, and what each hub sees of it."""
