"""`python -m linkage` is `guiyi`."""

from linkage.cli.main import main

if __name__ == "__main__":
    main()
