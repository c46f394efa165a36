"""Opening a hub that was built: what the stack says of it, and the tunnel to it."""
