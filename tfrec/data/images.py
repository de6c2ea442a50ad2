"""Image files of a shop: checked, shrunk and packed beside the catalogue, so that no later stage meets a broken one."""

from __future__ import annotations

import hashlib
import os
import struct
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import polars as pl

from tfrec.config.preparation import CleaningConfig
from tfrec.data.shrunk_picture import decoded_jpeg, shrunk
from tfrec.errors import DataError
from tfrec.progress import track

IMAGES_FILE = "images.parquet"
_QUALITY = 95
_MOST_BYTES = 64 << 20
_MOST_PIXELS = 100_000_000
_NAMED = 3
_LISTED = 20
_MISSING = "there is no such file"
_URL = "it is an address, and tfrec reads files: download it first"


def pack_images(
    item_ids: Sequence[str], names: Sequence[str], root: Path, size: int, cleaning: CleaningConfig, folder: Path
) -> dict[str, Any]:
    """Shrinks every item's picture into one file; an item without a readable picture has an empty entry.

    Args:
        item_ids: the items' ids, N of them.
        names: their image files, relative to root; "" for none.
        root: folder of the shop's files.
        size: side of the kept pictures in pixels; other shapes are filled up with white.
        cleaning: how strict to be.
        folder: where `images.parquet` goes: one column `image`, JPEG bytes; row = item index.

    Returns:
        the part of report.json: {"items", "with_image", "no_image", "missing", "unreadable", "first": [{item_id, file,
        what}], "note": one sentence, "" when every named file is well}.

    Raises:
        DataError: no item names a picture, or more than max_faulty_share of the named files (strict: any) is missing
            or unreadable.
    """
    if not any(names):
        raise DataError(
            "model.images.enabled needs image files, but no item names one: map the column with "
            "data.items.columns: {image: <its name>}, or switch model.images.enabled off."
        )
    files = list(dict.fromkeys(name for name in names if name))
    with ThreadPoolExecutor(os.cpu_count()) as threads:
        results = threads.map(lambda name: _shrunk(name, root, size), files)
        kept = dict(zip(files, track(results, "Reading pictures", len(files)), strict=True))
    rows = [kept[name] if name else (b"", "") for name in names]
    faults = [(item, name, what) for item, name, (_, what) in zip(item_ids, names, rows, strict=True) if what]
    pl.DataFrame({"image": [image for image, _ in rows]}, schema={"image": pl.Binary}).write_parquet(
        folder / IMAGES_FILE
    )
    named = sum(1 for name in names if name)
    note = _judged(faults, named, cleaning)
    missing = sum(what in (_MISSING, _URL) for _, _, what in faults)
    first = [{"item_id": item, "file": name, "what": what} for item, name, what in faults[:_LISTED]]
    return {
        "items": len(names), "with_image": named - len(faults), "no_image": len(names) - named, "missing": missing,
        "unreadable": len(faults) - missing, "first": first, "note": note,
    }  # fmt: skip


def files_state(names: Sequence[str], root: Path) -> str:
    """sha256 (hex) over path, size and time of change of the named files, to see cheaply whether any has changed."""
    digest = hashlib.sha256()
    for name in sorted({name for name in names if name}):
        try:
            about = (root / name).stat()
            state = f"{about.st_size} {about.st_mtime_ns}"
        except (OSError, ValueError):  # ValueError: a NUL in the name
            state = "missing"
        digest.update(f"{name}\0{state}\0".encode())
    return digest.hexdigest()


def _judged(faults: list[tuple[str, str, str]], named: int, cleaning: CleaningConfig) -> str:
    if not faults:
        return ""
    listed = "; ".join(f"{name} of item {item}: {what}" for item, name, what in faults[:_NAMED])
    listed += "; …" if len(faults) > _NAMED else ""
    sentence = f"{len(faults)} of {named} pictures are missing or unreadable ({listed})"
    if cleaning.strict:
        raise DataError(f"{sentence}: repair them, or set data.cleaning.strict=false to go on with those items' texts.")
    if len(faults) / named > cleaning.max_faulty_share:
        raise DataError(
            f"{sentence}: check data.root and data.items.columns.image, or allow more with "
            "data.cleaning.max_faulty_share."
        )
    return f"{sentence}; their text alone stands for these items"


def _shrunk(name: str, root: Path, size: int) -> tuple[bytes, str]:
    """The picture as JPEG bytes of size x size, or b"" and what is wrong with it."""
    path = root / name
    if "://" in name:
        return b"", _URL
    try:
        if not path.is_file():
            return b"", _MISSING
        if path.stat().st_size > _MOST_BYTES:
            return b"", f"it is larger than {_MOST_BYTES >> 20} MB"
        raw = path.read_bytes()
    except (OSError, ValueError) as error:
        return b"", f"it cannot be read ({getattr(error, 'strerror', None) or error})"
    from tfrec.tensorflow_setup import tf

    if _claimed_pixels(raw) > _MOST_PIXELS:
        return b"", f"it has more than {_MOST_PIXELS:,} pixels"
    try:
        kept = tf.io.encode_jpeg(shrunk(_decoded(raw, size), size), quality=_QUALITY, chroma_downsampling=False)
        return kept.numpy(), ""
    except tf.errors.OpError:
        return b"", "it is no whole JPEG, PNG, GIF, BMP or WebP picture"


def _claimed_pixels(raw: bytes) -> int:
    """Pixels that the header of a PNG, GIF or BMP claims, 0 for others: few bytes can claim gigabytes."""
    width = height = 0
    if raw[:8] == b"\x89PNG\r\n\x1a\n" and len(raw) >= 24:
        width, height = struct.unpack(">II", raw[16:24])
    elif raw[:4] == b"GIF8" and len(raw) >= 10:
        width, height = struct.unpack("<HH", raw[6:10])
    elif raw[:2] == b"BM" and len(raw) >= 26:
        width, height = struct.unpack("<ii", raw[18:26])
    return abs(int(width) * int(height))


def _decoded(raw: bytes, size: int) -> Any:
    """uint8 [H, W, 1..4]."""
    from tfrec.tensorflow_setup import tf

    if raw[:2] == b"\xff\xd8":
        height, width, _ = tf.io.extract_jpeg_shape(raw).numpy()
        if height * width > _MOST_PIXELS:
            raise tf.errors.InvalidArgumentError(None, None, "too many pixels")
        return decoded_jpeg(raw, size)
    return tf.io.decode_image(raw, expand_animations=False)
