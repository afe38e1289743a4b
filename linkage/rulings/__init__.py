"""People's decisions: as constraints on this run's profiles, and where they contradict each other."""
