"""Permanent ids, survivorship, history, the catalog store and its releases."""
