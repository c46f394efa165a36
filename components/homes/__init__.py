"""Home directories: the shared EFS file system, and the access point of each hub."""
