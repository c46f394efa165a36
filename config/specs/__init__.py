"""What follows from what a stack says, decided once: frozen values that components, checks, the bill and the page read."""
