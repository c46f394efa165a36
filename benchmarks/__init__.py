"""`make bench`: how long `jhub plan` takes, compared in one run with what it cannot do without."""
