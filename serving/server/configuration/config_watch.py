"""Looking after configuration files such as `--model_config_file`: a changed file is read and served."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tfrec.errors import TfrecError
from tfrec.files import sha256_file
from tfrec.serving.server.configuration.model_config import read_model_config_file
from tfrec.serving.server.status import StatusError

logger = logging.getLogger("tfrec.serving.server")


class ConfigWatch:
    """Reads a configuration file again whenever its content changes.

    A file that cannot be read or served changes nothing, is told in the log, and is tried again when it changes, or
    after a while: a version that it names may still be on its way.

    Args:
        path: the file.
        reload: takes what it says (the models it names).
        every: seconds between two looks.
        seen: `content_of` the file when what is served now was read; None takes its content now.
        again: seconds until a file that could not be served is tried again.
        read: reads the file.
    """

    def __init__(
        self, path: Path | str, reload: Callable[[Any], None], every: float,
        seen: str | None = None, again: float = 30.0, read: Callable[[Path], Any] = read_model_config_file,
    ) -> None:  # fmt: skip
        self._path = Path(path)
        self._reload = reload
        self._every = every
        self._read = read
        self._again = again
        self._due: float | None = None  # when a file that failed is tried again
        self._seen = content_of(path) if seen is None else seen
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, name="watch-config", daemon=True)

    def __enter__(self) -> ConfigWatch:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stopped.set()
        self._thread.join(0.1)  # a reload that is going on is given up by the core when it stops

    def look(self) -> bool:
        """Looks once; tells whether a changed file is served now."""
        found = content_of(self._path)
        if found == self._seen and (self._due is None or time.monotonic() < self._due):
            return False
        self._seen, self._due = found, None
        try:
            self._reload(self._read(self._path))
        except (TfrecError, StatusError) as error:
            logger.error("What is served stays as it was: %s", error)
            self._due = time.monotonic() + self._again
            return False
        logger.info("Serving what %s says now", self._path)
        return True

    def _run(self) -> None:
        while not self._stopped.wait(self._every):
            try:
                self.look()
            except Exception as error:  # the watch outlives whatever a file system does
                logger.error("Looking at %s failed: %s", self._path, type(error).__name__)


def content_of(path: Path | str) -> str:
    """The sha256 of a file's content; "" for a file that cannot be read."""
    try:
        return sha256_file(Path(path))
    except OSError:
        return ""
