"""What a run takes over from the run before it, so that its cost is the cost of what changed."""
