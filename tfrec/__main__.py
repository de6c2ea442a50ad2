"""`python -m tfrec` is the command `tfrec`."""

from __future__ import annotations


def main() -> None:
    """Runs the command line, or says what to install where only the client is."""
    try:
        from tfrec.cli.main import main as command
    except ModuleNotFoundError as error:
        if error.name not in ("typer", "rich"):
            raise
        raise SystemExit(
            "error: only tfrec's client is installed here, without the command line: pip install 'tfrec[all]'."
        ) from None
    command()


if __name__ == "__main__":
    main()
