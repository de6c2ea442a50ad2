"""`python -m tfrec` is the command `tfrec`."""

from __future__ import annotations

from tfrec.missing_packages import exit_with, packages_for


def main() -> None:
    """Runs the command line, or says what to install where a part of it is missing (as with the client alone)."""
    with packages_for("the command line", exit_with):
        from tfrec.cli.main import main as command

        command()


if __name__ == "__main__":
    main()
