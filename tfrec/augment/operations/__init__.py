"""The text operations, by name."""

from __future__ import annotations

from tfrec.augment.operation import Operation

OPERATIONS: dict[str, type[Operation]] = {}
