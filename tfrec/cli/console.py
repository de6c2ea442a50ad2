"""What all commands share: one console, one manner of telling mistakes."""

from __future__ import annotations

import functools
import os
import sys
from collections.abc import Callable
from typing import Any, TypeVar

import typer
from rich.console import Console

from tfrec.errors import TfrecError
from tfrec.files import told_system_error
from tfrec.output import silence_closed_output

# Piped output has no width of its own; rich would assume 80 columns and cut the tables.
PIPED_WIDTH = 160
console = Console(width=None if sys.stdout.isatty() or "COLUMNS" in os.environ else PIPED_WIDTH)
F = TypeVar("F", bound=Callable[..., Any])


def command_errors(command: F) -> F:
    """Tells a TfrecError, or what the system refused, in one line on standard error and exits with 2.

    TFREC_DEBUG=1 shows the traceback.
    """

    @functools.wraps(command)
    def wrapped(*args: Any, **kwargs: Any) -> Any:
        try:
            return command(*args, **kwargs)
        except TfrecError as error:
            if os.environ.get("TFREC_DEBUG") == "1":
                raise
            print(f"error: {error}", file=sys.stderr)
            raise typer.Exit(2) from None
        except BrokenPipeError:  # the reader, such as head, has seen enough
            silence_closed_output()
            raise typer.Exit(1) from None
        except Exception as error:
            sentence = told_system_error(error)
            if sentence is None or os.environ.get("TFREC_DEBUG") == "1":
                raise
            print(f"error: {sentence}", file=sys.stderr)
            raise typer.Exit(2) from None
        except KeyboardInterrupt:
            print("stopped: the same command goes on where it was.", file=sys.stderr)
            raise typer.Exit(130) from None

    return wrapped  # type: ignore[return-value]
