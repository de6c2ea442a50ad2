"""`python -m tfrec` is the command `tfrec`."""

from __future__ import annotations

import os

_OWN = ("tfrec", "serving", "tuner")


def main() -> None:
    """Runs the command line, or says what to install where a part of it is missing (as with `tfrec[client]` alone)."""
    try:
        from tfrec.cli.main import main as command

        command()
    except ModuleNotFoundError as error:
        package = (error.name or "").partition(".")[0]
        if not package or package in _OWN or os.environ.get("TFREC_DEBUG") == "1":
            raise
        raise SystemExit(
            f"error: the command line needs the package {package}, which is not installed: pip install 'tfrec[all]'."
        ) from None


if __name__ == "__main__":
    main()
