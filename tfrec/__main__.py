"""`python -m tfrec` is the command `tfrec`."""

from tfrec.cli.main import main

if __name__ == "__main__":
    main()
