"""The resolve service: HTTP around `linkage.lookup`, with tokens, roles and the access log. Nothing imports it."""
