"""The order of steps, one verb per file; what they need from outside stands in `ports`."""
