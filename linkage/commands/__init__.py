"""The commands of `guiyi`: each checks its arguments, calls one function of the packages and prints the result."""
