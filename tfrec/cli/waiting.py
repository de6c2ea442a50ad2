"""Commands that stay until they are stopped."""

from __future__ import annotations

import contextlib
import signal
import threading
from collections.abc import Iterator


def wait_for_interrupt() -> None:
    """Waits until Ctrl-C raises KeyboardInterrupt."""
    threading.Event().wait()


@contextlib.contextmanager
def terminated_as_interrupted() -> Iterator[None]:
    """SIGTERM ends the block as Ctrl-C does."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
