"""What to say where a part of tfrec is used whose packages are not installed, as with `tfrec[client]` alone."""

from __future__ import annotations

import os

_OWN = ("tfrec", "serving", "tuner")


def missing_package(error: ModuleNotFoundError, user: str) -> str | None:
    """A sentence naming the package and the way out.

    Args:
        error: what an import raised.
        user: what needed it, such as "the server".

    Returns:
        None if the module is one of ours, or TFREC_DEBUG=1 asks for the traceback: then the error should go on.
    """
    package = (error.name or "").partition(".")[0]
    if not package or package in _OWN or os.environ.get("TFREC_DEBUG") == "1":
        return None
    return f"{user} needs the package {package}, which is not installed: pip install 'tfrec[all]'."
