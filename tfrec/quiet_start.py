"""TensorFlow writes to standard error before its log level counts; this holds it back."""

from __future__ import annotations

import contextlib
import os
import sys
import tempfile
from collections.abc import Iterator


@contextlib.contextmanager
def quiet_start() -> Iterator[None]:
    """Holds back what is written to standard error, also by native code; shown if the block fails."""
    sys.stderr.flush()
    with tempfile.TemporaryFile() as held, open(os.dup(2), "wb") as kept:
        os.dup2(held.fileno(), 2)
        try:
            yield
        except BaseException:
            held.seek(0)
            kept.write(held.read())
            raise
        finally:
            os.dup2(kept.fileno(), 2)
