"""Which profiles are worth comparing: rules, keys, caps for oversized blocks."""
