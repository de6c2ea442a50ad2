"""Looking after `--model_config_file`: a changed file is read and served."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Sequence
from pathlib import Path

from serving.server.model_config import ModelConfig, read_model_config_file
from serving.server.status import StatusError
from tfrec.errors import TfrecError
from tfrec.files import sha256_file

logger = logging.getLogger("serving.server")


class ConfigWatch:
    """Reads a model config file again whenever its content changes.

    A file that cannot be read or served changes nothing, is told in the log once, and is tried again when it changes.

    Args:
        path: the file.
        reload: takes the models it names.
        every: seconds between two looks.
    """

    def __init__(self, path: Path | str, reload: Callable[[Sequence[ModelConfig]], None], every: float) -> None:
        self._path = Path(path)
        self._reload = reload
        self._every = every
        self._seen = self._hash()
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, name="watch-config", daemon=True)

    def __enter__(self) -> ConfigWatch:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stopped.set()
        self._thread.join(60)

    def look(self) -> bool:
        """Looks once; tells whether a changed file is served now."""
        found = self._hash()
        if found == self._seen:
            return False
        self._seen = found
        try:
            self._reload(read_model_config_file(self._path))
        except (TfrecError, StatusError) as error:
            logger.error("The models stay as they were: %s", error)
            return False
        logger.info("Serving what %s says now", self._path)
        return True

    def _run(self) -> None:
        while not self._stopped.wait(self._every):
            try:
                self.look()
            except Exception as error:  # the watch outlives whatever a file system does
                logger.error("Looking at %s failed: %s", self._path, type(error).__name__)

    def _hash(self) -> str:
        try:
            return sha256_file(self._path)
        except OSError:
            return ""
