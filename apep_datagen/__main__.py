"""`python -m apep_datagen`."""

from apep_datagen.cli.app import main

if __name__ == "__main__":
    main()
