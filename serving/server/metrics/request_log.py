"""Logs as JSON lines, and a log of requests that never holds what a shopper typed or who it was.

Texts appear, if asked for, as keyed hashes only: equal texts can be counted, and without the key nobody can try out
guesses. Without a key in the options every process makes its own, so hashes of different runs do not match.
"""

from __future__ import annotations

import datetime
import hashlib
import hmac
import json
import logging
import secrets
from collections.abc import Mapping
from typing import Any, Literal

import numpy as np

Mode = Literal["off", "basic", "hashed"]
logger = logging.getLogger("serving.requests")
_MOST_HASHES = 8  # per input


class JsonFormatter(logging.Formatter):
    """One JSON object per record: time (UTC), level, logger, message, and the record's `fields` if it has any."""

    def format(self, record: logging.LogRecord) -> str:
        """See logging.Formatter."""
        when = datetime.datetime.fromtimestamp(record.created, datetime.timezone.utc)
        told: dict[str, Any] = {
            "time": when.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
            "level": record.levelname,
            "logger": record.name,
            "message": record.getMessage(),
        }
        told.update(getattr(record, "fields", {}))
        if record.exc_info:
            told["traceback"] = self.formatException(record.exc_info)
        return json.dumps(told, ensure_ascii=False, default=str)


class RequestLog:
    """Writes a line per prediction to the logger "serving.requests".

    Args:
        mode: "off"; "basic": model, version, signature, rows, code, milliseconds; "hashed": hashes of the texts too.
        key: secret of the hashes; empty makes one.
    """

    def __init__(self, mode: Mode = "off", key: bytes = b"") -> None:
        self._mode = mode
        self._key = key or secrets.token_bytes(32)

    def prediction(
        self, servable: Any, signature: str, inputs: Mapping[str, np.ndarray], code: str, seconds: float
    ) -> None:
        """Notes one prediction.

        Args:
            servable: the version that answered.
            signature: what was called.
            inputs: its arrays.
            code: name of the status code.
            seconds: how long it took.
        """
        if self._mode == "off":
            return
        fields: dict[str, Any] = {
            "model": servable.name, "version": servable.version, "signature": signature,
            "rows": max((array.shape[0] for array in inputs.values() if array.ndim), default=1),
            "code": code, "milliseconds": round(1e3 * seconds, 3),
        }  # fmt: skip
        if self._mode == "hashed":
            fields["hashes"] = {name: self._hashes(array) for name, array in inputs.items() if array.dtype == object}
        logger.info("prediction", extra={"fields": fields})

    def _hashes(self, array: np.ndarray) -> list[str]:
        texts = array.ravel()[:_MOST_HASHES].tolist()
        return [hmac.new(self._key, text, hashlib.sha256).hexdigest()[:16] for text in texts]
