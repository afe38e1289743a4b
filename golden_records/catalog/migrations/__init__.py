"""Numbered migrations of the catalog store; applied in order, never changed once released."""
