"""Image files as shops have them: every format and shape, some missing or broken, none a surprise in training."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from tfrec.config import Config
from tfrec.config.preparation import CleaningConfig
from tfrec.errors import ConfigError, DataError

SIZE = 24


def pack(folder: Path, names: list[str], **cleaning: Any) -> tuple[list[np.ndarray | None], dict[str, Any]]:
    """The packed pictures uint8 [SIZE, SIZE, 3], None for none, and the report."""
    from tfrec.data.images import pack_images
    from tfrec.tensorflow_setup import tf

    ids = [f"i{n}" for n in range(len(names))]
    report = pack_images(ids, names, folder, SIZE, CleaningConfig(**{"max_faulty_share": 1.0, **cleaning}), folder)
    raw = pl.read_parquet(folder / "images.parquet")["image"].to_list()
    return [tf.io.decode_jpeg(one).numpy() if one else None for one in raw], report


def test_every_format_and_shape_is_shrunk_onto_white(tmp_path: Path) -> None:
    from tfrec.tensorflow_setup import tf

    red = np.full([300, 150, 3], (200, 40, 40), np.uint8)
    grey = np.full([10, 50, 1], 90, np.uint8)
    clear = np.zeros([40, 40, 4], np.uint8)  # transparent; black below
    clear[:20] = (0, 0, 250, 255)
    bmp = (
        b"BM"
        + struct.pack("<IHHI", 54 + 12, 0, 0, 54)
        + struct.pack("<IiiHHIIiiII", 40, 1, 3, 1, 24, 0, 12, 0, 0, 0, 0)
    )
    bmp += b"\x00\xc0\x00\x00" * 3
    files = {
        "tall.jpg": tf.io.encode_jpeg(red).numpy(), "wide.png": tf.io.encode_png(grey).numpy(),
        "clear.png": tf.io.encode_png(clear).numpy(), "deep.png": tf.io.encode_png(red.astype(np.uint16) * 257).numpy(),
        "thin.bmp": bmp, "dot.png": tf.io.encode_png(red[:1, :1]).numpy(), 
        "wrong name.gif": tf.io.encode_png(red).numpy(),
    }  # fmt: skip
    for name, raw in files.items():
        (tmp_path / name).write_bytes(raw)
    found, report = pack(tmp_path, [*files, ""])
    assert report["with_image"] == len(files) and report["no_image"] == 1 and not report["note"]
    tall, wide, clear, deep, thin, dot, misnamed, none = found
    for picture in (tall, deep, misnamed):
        assert np.abs(picture[:, 7:17].astype(int) - (200, 40, 40)).max() < 12
        assert picture[:, :4].min() > 240 and picture[:, -4:].min() > 240
    assert np.abs(wide[11:13].astype(int) - 90).max() < 12 and wide[:8].min() > 240
    assert clear[:10, :, 2].min() > 230 and clear[:10, :, 0].max() < 20 and clear[-10:].min() > 240
    assert np.abs(thin[:, 9:15].astype(int) - (0, 192, 0)).max() < 25
    assert np.abs(dot.astype(int) - (200, 40, 40)).max() < 8
    assert none is None


def _claiming_png(width: int, height: int) -> bytes:
    body = b"IHDR" + struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + struct.pack(">I", 13) + body + struct.pack(">I", zlib.crc32(body))


def test_missing_and_broken_files_are_counted_and_named(tmp_path: Path) -> None:
    from tfrec.tensorflow_setup import tf

    good = tf.io.encode_jpeg(np.full([50, 50, 3], 99, np.uint8)).numpy()
    (tmp_path / "good.jpg").write_bytes(good)
    (tmp_path / "half.jpg").write_bytes(good[: len(good) // 2])
    (tmp_path / "text.png").write_text("<html>not found</html>")
    (tmp_path / "empty.png").write_bytes(b"")
    (tmp_path / "bomb.png").write_bytes(_claiming_png(60000, 60000))
    (tmp_path / "folder.png").mkdir()
    names = [
        "good.jpg",
        "half.jpg",
        "text.png",
        "empty.png",
        "bomb.png",
        "folder.png",
        "gone.jpg",
        "http://x/y.jpg",
        "",
    ]
    found, report = pack(tmp_path, [*names, "a\0b.jpg"])
    assert [picture is not None for picture in found] == [True] + [False] * 9
    assert (report["with_image"], report["no_image"], report["missing"], report["unreadable"]) == (1, 1, 4, 4)
    assert {fault["file"] for fault in report["first"]} == {*names[1:-1], "a\0b.jpg"}
    assert "8 of 9 pictures" in report["note"] and "half.jpg of item i1" in report["note"]
    assert "\n" not in report["note"]
    with pytest.raises(DataError, match=r"8 of 9 pictures.*data\.items\.columns\.image"):
        pack(tmp_path, [*names, "a\0b.jpg"], max_faulty_share=0.5)
    with pytest.raises(DataError, match="strict=false"):
        pack(tmp_path, ["good.jpg", "gone.jpg"], strict=True)
    with pytest.raises(DataError, match=r"\{image: "):
        pack(tmp_path, ["", ""])


def test_a_changed_picture_is_read_again(
    color_shop: Path, make_config: Callable[..., Config], tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    import shutil

    from tfrec.augment.images import ItemImages
    from tfrec.data.prepare import prepare

    root = tmp_path / "shop"
    shutil.copytree(color_shop, root, ignore=shutil.ignore_patterns("runs"))
    config = make_config(root, "changing")
    first = prepare(config)
    assert prepare(config).fingerprint == first.fingerprint and "up to date" in capfd.readouterr().err
    before = first.images
    (root / "pictures" / "v0.png").unlink()
    (root / "pictures" / "v6.jpg").write_bytes((root / "pictures" / "v7.jpg").read_bytes())
    second = prepare(config)
    assert second.fingerprint != first.fingerprint
    assert "v0.png of item v0" in capfd.readouterr().err
    assert second.images[0] == b"" and second.images[6] == before[7]
    assert second.images[7:] == before[7:]
    assert second.report["images"]["missing"] == 1

    (root / "pictures" / "v6.jpg").touch()
    assert prepare(config).fingerprint == second.fingerprint, "the same pictures prepare the same data"
    other = make_config(root, "changing", {"size": 16})
    with pytest.raises(ConfigError, match="model.images.size = 16"):
        ItemImages.of(second, other.model.images)


def test_a_shop_without_image_files_is_told_so(make_config: Callable[..., Config], color_shop: Path) -> None:
    from tfrec.data.prepare import prepare

    config = make_config(color_shop, "unmapped")
    assert config.data.items is not None
    config.data.items.columns = {"image": "no_such_column"}
    with pytest.raises(DataError, match="no_such_column|names one"):
        prepare(config)
