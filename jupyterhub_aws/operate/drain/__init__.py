"""`jhub drain`: users leave the nodes of a pool in their own time, and empty nodes are removed."""
