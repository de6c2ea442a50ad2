"""`python -m tfrec` is the command `tfrec`."""

from __future__ import annotations

from tfrec.missing_packages import missing_package


def main() -> None:
    """Runs the command line, or says what to install where a part of it is missing (as with `tfrec[client]` alone)."""
    try:
        from tfrec.cli.main import main as command

        command()
    except ModuleNotFoundError as error:
        message = missing_package(error, "the command line")
        if message is None:
            raise
        raise SystemExit(f"error: {message}") from None


if __name__ == "__main__":
    main()
