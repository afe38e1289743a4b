"""Who may see what of the catalog: roles, tokens, what is shown, and the log of who looked."""
