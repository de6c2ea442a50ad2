"""What to say where a part of tfrec is used whose packages are not installed, as with `tfrec-shop[client]` alone."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager

_OWN = ("tfrec", "serving", "tuner")


@contextmanager
def packages_for(
    user: str, failure: Callable[[str], BaseException] = ImportError, install: str = "'tfrec-shop[all]'"
) -> Iterator[None]:
    """Where an import inside fails for a package that is not installed, one sentence names it and the way out.

    A missing module of ours keeps its own error, and with TFREC_DEBUG=1 every one does.

    Args:
        user: what needs the packages, such as "the server".
        failure: makes what is raised of the sentence.
        install: what pip is to install.
    """
    try:
        yield
    except ModuleNotFoundError as error:
        package = (error.name or "").partition(".")[0]
        if not package or package in _OWN or os.environ.get("TFREC_DEBUG") == "1":
            raise
        told = f"{user} needs the package {package}, which is not installed: pip install {install}."
        raise failure(told) from None


def exit_with(message: str) -> SystemExit:
    """How a command ends that cannot begin: with one line on standard error."""
    return SystemExit(f"error: {message}")
