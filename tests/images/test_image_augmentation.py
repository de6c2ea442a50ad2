"""What may happen to a picture on the way into a training step, and what may not."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from tfrec.config.images import ImageAugmentConfig

SIZE = 32
NONE = {"crop": 0, "flip": 0, "brightness": 0, "contrast": 0, "color": 0, "erase": 0, "hide": 0}


@pytest.fixture(scope="module")
def pictures() -> np.ndarray:
    """uint8 [200, SIZE, SIZE, 3]: smooth, all different."""
    from tfrec.tensorflow_setup import tf

    coarse = np.random.default_rng(0).uniform(40, 215, [200, 4, 4, 3])
    return np.round(tf.image.resize(coarse, [SIZE, SIZE]).numpy()).astype(np.uint8)


def vary(pictures: np.ndarray, items: Any = None, seed: int = 1, step: int = 0, **parts: Any) -> Any:
    """Pictures and has after augmentation by `parts` alone, run inside tf.data."""
    from tfrec.augment.images import ImageAugmentation
    from tfrec.tensorflow_setup import tf

    augmentation = ImageAugmentation(ImageAugmentConfig(**{**NONE, **parts}), SIZE, seed)
    items = np.arange(len(pictures)) if items is None else np.asarray(items)
    data = tf.data.Dataset.from_tensors((pictures, np.ones(len(pictures), bool), items))
    varied = tf.autograph.experimental.do_not_convert(lambda p, h, i: augmentation(p, h, i, np.int64(step)))
    out, has = next(iter(data.map(varied)))
    assert out.dtype == tf.uint8 and out.shape[1:] == [SIZE, SIZE, 3]
    return out.numpy(), has.numpy()


def test_nothing_configured_changes_nothing(pictures: np.ndarray) -> None:
    out, has = vary(pictures)
    np.testing.assert_array_equal(out, pictures)
    assert has.all()


def test_a_variant_belongs_to_item_seed_and_step_and_not_to_the_batch(pictures: np.ndarray) -> None:
    parts = {name: field.default for name, field in ImageAugmentConfig.model_fields.items()}
    whole, has = vary(pictures, **parts)
    order = np.random.default_rng(1).permutation(200)[:50]
    some, some_has = vary(pictures[order], order, **parts)
    # one level of 255: a CPU sums a picture in another order when its neighbours in the batch are others
    np.testing.assert_allclose(some.astype(int), whole[order], rtol=0, atol=1)
    np.testing.assert_array_equal(some_has, has[order])
    one, _ = vary(pictures[7:8], [7], **parts)
    np.testing.assert_allclose(one[0].astype(int), whole[7], rtol=0, atol=1)
    for other in (vary(pictures, step=1, **parts)[0], vary(pictures, seed=2, **parts)[0]):
        changed = (other != whole).any(axis=(1, 2, 3))
        assert changed.mean() > 0.95
    assert 0.02 < 1 - has.mean() < 0.25


def test_flip_mirrors_about_its_share_exactly(pictures: np.ndarray) -> None:
    out, _ = vary(pictures, flip=0.5)
    same = (out == pictures).all(axis=(1, 2, 3))
    mirrored = (out == pictures[:, :, ::-1]).all(axis=(1, 2, 3))
    assert (same | mirrored).all() and 0.35 < mirrored.mean() < 0.65
    np.testing.assert_array_equal(vary(pictures, flip=1.0)[0], pictures[:, :, ::-1])


def test_crop_shows_a_part_of_the_picture() -> None:
    ramp = np.zeros([200, SIZE, SIZE, 3], np.uint8)
    ramp[..., 0] = np.linspace(0, 248, SIZE)[None, :, None]  # rows
    ramp[..., 1] = np.linspace(0, 248, SIZE)[None, None, :]  # columns
    out, _ = vary(ramp, crop=0.4)
    for channel, axis in ((0, 1), (1, 2)):
        lines = out[..., channel].mean(axis=3 - axis).astype(float)  # values along the axis are where they came from
        assert (np.diff(lines, axis=1) >= -1e-3).all()
        share = (lines[:, -1] - lines[:, 0]) / 248
        assert share.min() > 0.6 - 0.02 and share.max() <= 1.0 and share.std() > 0.05
        assert lines[:, 0].max() > 40 and lines[:, -1].min() < 215, "the place varies too"


def test_colours_move_within_bounds_and_keep_their_hue(pictures: np.ndarray) -> None:
    flat = np.broadcast_to(np.array([180, 60, 60], np.uint8), [200, SIZE, SIZE, 3])
    brighter, _ = vary(flat, brightness=0.1)
    moved = brighter[:, 0, 0].astype(int) - (180, 60, 60)
    assert np.abs(moved).max() <= 26 and np.ptp(moved[:, 0]) > 30 and (np.ptp(moved, axis=1) <= 1).all()
    np.testing.assert_array_equal(vary(flat, contrast=0.5)[0], flat)  # no contrast to change
    contrasted, _ = vary(pictures, contrast=0.3)
    spread = contrasted.std(axis=(1, 2)) / pictures.std(axis=(1, 2))
    assert spread.min() > 0.68 and spread.max() < 1.32 and spread.std() > 0.1
    coloured, _ = vary(flat, color=0.15)
    red, green, blue = coloured[:, 0, 0].astype(int).T
    assert ((red > green + 60) & (red > blue + 60)).all() and np.ptp(red) > 20
    extreme, _ = vary(np.full_like(pictures, 250), brightness=1.0)
    assert extreme.max() == 255 and extreme.min() == 0 or extreme.min() < 30, "clipped, not wrapped around"


def test_erase_blanks_one_rectangle_of_bounded_size() -> None:
    white = np.full([200, SIZE, SIZE, 3], 255, np.uint8)
    out, _ = vary(white, erase=0.5, erase_area=0.3)
    blank = (out == 128).all(axis=-1)
    hit = blank.any(axis=(1, 2))
    assert 0.3 < hit.mean() < 0.65 and ((out == 255) | (out == 128)).all()
    for mask in blank[hit]:
        rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
        assert mask[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1].all(), "a full rectangle"
        assert mask.sum() <= (np.sqrt(0.3) * SIZE + 1) ** 2 * 1.2


def test_hide_hides_about_its_share(pictures: np.ndarray) -> None:
    out, has = vary(pictures, hide=0.3)
    np.testing.assert_array_equal(out, pictures)
    assert 0.6 < has.mean() < 0.8


def test_reading_gives_masks_for_items_without_a_picture(pictures: np.ndarray) -> None:
    from tfrec.augment.images import ItemImages
    from tfrec.tensorflow_setup import tf

    raw = [tf.io.encode_jpeg(picture, quality=95, chroma_downsampling=False).numpy() for picture in pictures[:3]]
    images = ItemImages([raw[0], b"", raw[2]], SIZE)
    assert images.count == 2
    read = tf.function(images.read)
    found, has = read(tf.constant([2, 1, -1, 0, 0], tf.int64))
    assert has.numpy().tolist() == [True, False, False, True, True]
    assert not found.numpy()[1:3].any()
    assert np.abs(found.numpy()[[0, 3, 4]].astype(int) - pictures[[2, 0, 0]]).max() < 25
    empty, _ = read(tf.zeros([0], tf.int64))
    assert empty.shape == [0, SIZE, SIZE, 3]
