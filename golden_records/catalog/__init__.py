"""The catalog store: what was published, release by release, and everything ever published before."""
