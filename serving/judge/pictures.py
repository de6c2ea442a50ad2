"""The pictures of items, read from the shop's own folder and from nowhere else."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

_MOST_BYTES = 16 << 20
_KINDS = ((b"\xff\xd8\xff", "image/jpeg"), (b"\x89PNG\r\n\x1a\n", "image/png"), (b"GIF8", "image/gif"))


class Pictures:
    """Picture files by item.

    Args:
        root: the folder of the shop's files; what lies outside of it is not read, whatever a link or a name says.
        names: item id -> file, relative to root; addresses and "" have no picture.
    """

    def __init__(self, root: Path, names: Mapping[str, str]) -> None:
        self._root, self._names = Path(root).resolve(), dict(names)

    def has(self, item_id: str) -> bool:
        """Whether there is a file that may be shown."""
        return self._file(item_id) is not None

    def read(self, item_id: str) -> tuple[bytes, str] | None:
        """The bytes and the media type of an item's picture, a JPEG, PNG, GIF or WebP; None without one."""
        file = self._file(item_id)
        try:
            if file is None or file.stat().st_size > _MOST_BYTES:
                return None
            raw = file.read_bytes()
        except OSError:
            return None
        if raw[:4] == b"RIFF" and raw[8:12] == b"WEBP":
            return raw, "image/webp"
        kind = next((kind for mark, kind in _KINDS if raw.startswith(mark)), None)
        return None if kind is None else (raw, kind)

    def _file(self, item_id: str) -> Path | None:
        name = self._names.get(item_id)
        if not name or "://" in name:
            return None
        try:
            file = (self._root / name).resolve()
            return file if file.is_file() and file.is_relative_to(self._root) else None
        except (OSError, ValueError):  # ValueError: a NUL in the name
            return None
