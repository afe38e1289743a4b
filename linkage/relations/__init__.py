"""Relations between the entities of both types: who represents, runs, belongs to, succeeds and employs whom."""
