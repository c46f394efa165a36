"""Stack files from one format to the next (`jhub migrate`)."""
