"""The command line: `guiyi`."""
