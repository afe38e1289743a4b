"""Attaching credit records (归集) to the entities of a release, through the identifiers that the rows carry."""
