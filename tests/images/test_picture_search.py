"""Items by a picture, with words or without, by a two-sided encoder trained here; hostile files and encoders."""

from __future__ import annotations

import struct
import types
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.images.two_sided import EACH, KINDS, SIZE, drawn, new_picture, png, shop_items
from tfrec.errors import EncoderError, ExportError


@pytest.fixture(scope="module")
def answering(two_sided: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Any, Any]:
    """The signatures that take a picture over 18 shapes and two items without one: in this process, and saved and
    loaded back. All else of an export is left out (tests/images/test_picture_serving.py has a whole one)."""
    import tensorflow_text  # noqa: F401

    from tfrec.augment.images import ItemImages
    from tfrec.config.images import SentPicturesConfig
    from tfrec.encoder.hub_loading import hub_module
    from tfrec.encoder.two_sided import TwoSidedEncoder
    from tfrec.export.loaded import LoadedModel
    from tfrec.export.ops import check_ops
    from tfrec.export.picture_signatures import picture_signatures
    from tfrec.export.signatures import traced
    from tfrec.models.spelling.speller import as_typed
    from tfrec.retrieval.dense import DenseScorer
    from tfrec.retrieval.filters import ColumnFilters
    from tfrec.retrieval.picture_search import PictureSearch, picture_vectors
    from tfrec.retrieval.ranking import named
    from tfrec.retrieval.retriever import Retriever
    from tfrec.tensorflow_setup import tf

    items = shop_items()
    kept = [tf.io.encode_jpeg(one.pixels, quality=95).numpy() if one.pixels is not None else b"" for one in items]
    encoder = TwoSidedEncoder(hub_module(str(two_sided)), str(two_sided), SIZE)
    vectors = picture_vectors(encoder, ItemImages(kept, SIZE), range(len(items)))
    assert not vectors[-2:].any() and np.allclose(np.linalg.norm(vectors[:-2], axis=1), 1, atol=1e-5)
    settings = SentPicturesConfig(max_bytes=20_000, max_pixels=10_000)

    class Shop(tf.Module):
        def __init__(self) -> None:
            super().__init__()
            self.pictures = PictureSearch(encoder, vectors, settings)
            self.catalogue = tf.Variable(np.eye(len(items), dtype=np.float32))
            filters = ColumnFilters({"color": [one.color for one in items]}, len(items))
            self.retriever = Retriever(DenseScorer(self.catalogue), filters, self.catalogue)
            self.mended, self._ids = as_typed, tf.constant([one.item_id for one in items])

        def named(self, found: tuple[Any, Any]) -> dict[str, Any]:
            return named(*found, self._ids)

    shop, folder = Shop(), tmp_path_factory.mktemp("pictures")
    signatures = {function.__name__: traced(function) for function in picture_signatures(shop)}
    tf.saved_model.save(shop, str(folder), signatures=signatures)
    check_ops(folder)
    manifest = {"items": len(items), "retrieval": {"filter_kinds": shop.retriever.filters.kinds}}
    here = types.SimpleNamespace(signatures=signatures, shop=shop)
    return LoadedModel(folder, manifest, here), LoadedModel(folder, manifest, tf.saved_model.load(str(folder)))


@pytest.fixture(scope="module")
def loaded(answering: tuple[Any, Any]) -> Any:
    return answering[1]


def kinds_of(hits: list[tuple[str, float]]) -> list[tuple[str, ...]]:
    return [tuple(item.split("-")[:2]) for item, _ in hits]


def test_a_new_picture_finds_the_items_that_look_like_it(loaded: Any) -> None:
    found = loaded.search_image([new_picture(kind) for kind in KINDS], EACH)
    right = [kind == other for row, kind in enumerate(KINDS) for other in kinds_of(found.hits(row))]
    assert np.mean(right) > 0.9
    own = shop_items()[7]
    assert loaded.search_image(png(own.pixels), 1).hits(0) == [(own.item_id, pytest.approx(1, abs=0.01))]


def test_what_is_saved_answers_as_this_process(answering: tuple[Any, Any]) -> None:
    pictures = [new_picture(kind, 3) for kind in KINDS[:3]]
    several: list[dict[str, Any]] = [
        {}, {"words": "green"}, {"words": ["blue", "", "red cross"], "words_share": 0.2},
        {"filters": ["color=red"], "diversity": 0.4},
    ]  # fmt: skip
    for options in several:
        here, there = (model.search_image(pictures, 50, **options) for model in answering)
        np.testing.assert_array_equal(here.item_ids, there.item_ids)
        np.testing.assert_allclose(here.scores, there.scores, atol=1e-5)


def test_items_without_a_picture_never_come(loaded: Any) -> None:
    picture = new_picture(KINDS[0])
    for options in ({}, {"words": "bare"}, {"words": "red", "words_share": 1.0}, {"filters": ["color=red"]}):
        ids = [item for item, _ in loaded.search_image(picture, 50, **options).hits(0)]
        assert len(ids) == (EACH * 3 if "filters" in options else EACH * len(KINDS)) == len(set(ids))
        assert not any(item.startswith("bare") for item in ids)


def test_words_beside_a_picture(loaded: Any) -> None:
    red_circle = new_picture(("red", "circle"))
    alone = loaded.search_image(red_circle, 20).hits(0)
    assert kinds_of(alone)[0] == ("red", "circle")
    mixed = loaded.search_image(red_circle, 20, words="blue").hits(0)
    assert kinds_of(mixed)[:EACH] == [("blue", "circle")] * EACH, "the shape of the picture, the colour of the words"

    def order(**options: Any) -> list[str]:
        return [item for item, _ in loaded.search_image(red_circle, 20, **options).hits(0)]

    assert order(words="blue", words_share=0.0) == [item for item, _ in alone] == order(words=" ", words_share=0.9)
    green = new_picture(("green", "cross"))
    by_words = [item for item, _ in loaded.search_image(green, 20, words="blue square", words_share=1.0).hits(0)]
    assert order(words="blue square", words_share=1.0) == by_words
    assert kinds_of([(item, 0.0) for item in by_words[:EACH]]) == [("blue", "square")] * EACH
    assert order(words="blue", words_share=0.5) == order(words="blue")


def chunk(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))


def bomb(side: int) -> bytes:
    """A PNG whose header claims side x side pixels, in a few hundred bytes."""
    header = chunk(b"IHDR", struct.pack(">IIBBBBB", side, side, 8, 6, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + header + chunk(b"IDAT", zlib.compress(b"\0" * 4096)) + chunk(b"IEND", b"")


def hostile() -> dict[str, tuple[bytes, str]]:
    """Name -> file, and what its error says."""
    from tfrec.tensorflow_setup import tf

    pixels = np.random.default_rng(2).integers(0, 255, [60, 60, 3]).astype(np.uint8)
    jpeg, whole = tf.io.encode_jpeg(pixels).numpy(), png(pixels)
    start = jpeg.index(b"\xff\xda")
    return {
        "nothing": (b"", "neither a JPEG nor a PNG"),
        "words": (b"red sofa", "neither a JPEG nor a PNG"),
        "another kind": (tf.io.encode_png(pixels).numpy().replace(b"IHDR", b"JUNK"), "neither a JPEG nor a PNG"),
        "a GIF": (b"GIF89a" + bytes(200), "neither a JPEG nor a PNG"),
        "half a JPEG": (jpeg[: len(jpeg) // 2], "JPEG file that is cut off"),
        "the head of a JPEG": (jpeg[:3], "JPEG file that is cut off"),
        "half a PNG": (whole[: len(whole) // 2], "PNG file that is cut off"),
        "the head of a PNG": (whole[:24], "PNG file that is cut off"),
        "a JPEG without a header": (jpeg[:20] + b"\xff\xd9", "broken"),
        "a broken PNG": (whole[:200] + bytes(60) + whole[260:], "broken"),
        "many bytes": (whole + bytes(20_000), "more than 20,000 bytes"),
        "many pixels": (png(np.zeros([101, 100, 1], np.uint8)), "more than 10,000 pixels"),
        "a bomb": (bomb(30_000), "more than 10,000 pixels"),
        "sides beyond all numbers": (bomb(2**32 - 1), "more than 10,000 pixels"),
        "a JPEG of many pixels": (tf.io.encode_jpeg(np.zeros([101, 100, 1], np.uint8)).numpy(), "more than 10,000 pix"),
        "a thousand scans": (jpeg[:start] + jpeg[start : start + 14] * 1000 + jpeg[start:], "more than 200 scans"),
    }


def test_hostile_files_are_refused_in_one_sentence(loaded: Any) -> None:
    good = new_picture(KINDS[0])
    for name, (file, sentence) in hostile().items():
        with pytest.raises(ExportError, match=sentence) as told:
            loaded.search_image([good, file], 3)
        assert "\n" not in str(told.value) and str(told.value).count(". ") == 0, name
    assert loaded.search_image(good, 3).hits(0)


def test_other_pictures_are_read_alike(loaded: Any) -> None:
    """Grey, transparent, progressive, of other proportions, larger than any side that is kept."""
    from tfrec.tensorflow_setup import tf

    big = drawn("red", "cross", np.random.default_rng(4), 96)
    opaque = np.concatenate(
        [np.where((big > 250).all(axis=2, keepdims=True), 0, big), np.full([96, 96, 1], 255)], axis=2
    )
    opaque[(big > 250).all(axis=2)] = 0  # the white is transparent black
    wide = np.concatenate([np.full([40, 8, 3], 255), drawn("red", "cross", np.random.default_rng(4), 40),
                           np.full([40, 8, 3], 255)], axis=1)  # fmt: skip
    files = [
        png(big), png(opaque.astype(np.uint8)), tf.io.encode_jpeg(big, progressive=True, quality=95).numpy(),
    ]  # fmt: skip
    found = loaded.search_image(files, 50)
    scores = [dict(found.hits(row)) for row in range(len(files))]
    for other in scores[1:]:
        assert max(abs(scores[0][item] - other[item]) for item in other) < 0.03
    assert kinds_of(loaded.search_image(png(wide.astype(np.uint8)), 1).hits(0))[0][0] == "red"
    assert len(loaded.search_image(png(np.zeros([5, 90, 1], np.uint8)), 50).hits(0)) == EACH * len(KINDS)


def test_wrong_arguments_are_refused(loaded: Any) -> None:
    picture = new_picture(KINDS[0])
    for arguments, options, sentence in (
        (("photo.png",), {}, "must be the bytes of a file"), ((["photo.png"],), {}, "number 0 is"),
        (([picture],), {"words": ["a", "b"]}, "1 images need as many words, not 2"),
        ((picture,), {"words_share": 1.5}, "from 0 to 1"), ((picture, 0), {}, "k must"),
        ((picture,), {"filters": ["weight=3"]}, "weight"),
    ):  # fmt: skip
        with pytest.raises(ExportError, match=sentence):
            loaded.search_image(*arguments, **options)
    from tfrec.export.loaded import LoadedModel

    blind = LoadedModel(Path("blind"), {}, types.SimpleNamespace(signatures={}))
    with pytest.raises(ExportError, match="without the signature search_image: set model.images.encoder"):
        blind.search_image(picture)


def test_pictures_of_another_size_are_refused(two_sided: Path) -> None:
    from tfrec.encoder.hub_loading import hub_module
    from tfrec.encoder.two_sided import TwoSidedEncoder

    with pytest.raises(EncoderError, match=r"image of clip does not run .*model.images.size = 24 must be its S"):
        TwoSidedEncoder(hub_module(str(two_sided)), "clip", 24)


@pytest.mark.slow  # each form is a SavedModel of its own
def test_an_encoder_of_another_form_is_refused(make_config: Any, tmp_path: Path) -> None:
    from tfrec.models.image_part import ImagePart
    from tfrec.tensorflow_setup import tf

    module = tf.Module()
    kinds = {"image": tf.TensorSpec([None, SIZE, SIZE, 3]), "text": tf.TensorSpec([None], tf.string)}

    def part(name: str, **outputs: Callable[[Any], Any]) -> Any:
        functions = {side: tf.function(make, input_signature=[kinds[side]]) for side, make in outputs.items()}
        tf.saved_model.save(module, str(tmp_path / name), signatures=functions)
        return tmp_path / name

    def image(pixels: Any) -> Any:
        return {"vectors": tf.reduce_mean(pixels, [1, 2])}

    lone = part("lone", image=image)
    unequal = part("unequal", image=image, text=lambda words: {"vectors": tf.ones([tf.shape(words)[0], 4])})
    several = part("several", image=image, text=lambda words: {"a": tf.ones([1, 3]), "b": tf.ones([1, 3])})
    matrix = part("matrix", image=image, text=lambda words: {"vectors": tf.ones([1, 3])})
    for folder, sentence in (
        (lone, "cannot be loaded"), (unequal, "of 3 numbers for pictures and of 4"),
        (several, "gives 2 outputs"), (matrix, "text .* gives no finite vector for each row"),
    ):  # fmt: skip
        images = make_config(tmp_path, "other", {"encoder": str(folder), "size": SIZE}).model.images
        with pytest.raises(EncoderError, match=sentence):
            ImagePart(images, 8, 1)
