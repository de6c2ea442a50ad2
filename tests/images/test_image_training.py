"""Pictures from the shop's files to a served answer, and a program that is unchanged without them."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tfrec.config import Config

COLORS = 6


@pytest.fixture(scope="module")
def seeing(color_shop: Path, make_config: Callable[..., Config]) -> Any:
    """The shop trained with pictures."""
    import tfrec

    return tfrec.train(make_config(color_shop, "seeing"))


@pytest.fixture(scope="module")
def blind(color_shop: Path, make_config: Callable[..., Config]) -> Any:
    """The shop trained without pictures, in a program where an import of anything about them would fail."""
    import tfrec

    with pytest.MonkeyPatch.context() as patch:
        for module in ("data.images", "augment.images", "augment.image_layers", "models.image_part"):
            patch.setitem(sys.modules, f"tfrec.{module}", None)
        with pytest.raises(ImportError):
            tfrec.train(make_config(color_shop, "unable"))
        return tfrec.train(make_config(color_shop, "blind", {"enabled": False}, epochs=5))


def test_pictures_separate_what_texts_cannot(seeing: Any, blind: Any) -> None:
    import tfrec

    scores = [max(run["score"] for run in trained.summary["evaluations"]) for trained in (seeing, blind)]
    assert scores[0] > 0.95, "every query finds its colour"
    assert scores[1] < 0.35, "equal texts cannot be told apart"
    assert tfrec.evaluate(seeing)["search"].systems["tfrec"].means["nDCG@10"] == pytest.approx(scores[0], abs=1e-6)
    new = seeing.catalogue[-2 * COLORS :]  # in no training example
    names = ["red", "green", "blue", "yellow", "black", "white"]
    found = (seeing.model.query_vectors(names) @ new.T).argmax(axis=0)
    assert (found == np.arange(len(new)) % COLORS).mean() > 0.8
    again = tfrec.load(seeing.config)
    np.testing.assert_allclose(again.catalogue, seeing.catalogue, atol=1e-6)


def test_the_export_serves_the_pictures(seeing: Any) -> None:
    from tfrec.export.loaded import LoadedModel
    from tfrec.pipeline.api import export

    folder = export(seeing)
    loaded = LoadedModel.open(folder)
    assert loaded.manifest["images"] == {"used": True, "items": 72, "size": 32}
    hits = loaded.search(["blue"], 10).hits(0)
    assert [int(item[1:]) % COLORS for item, _ in hits] == [2] * 10
    similar = loaded.similar_items(["v3"], 8).hits(0)
    assert [int(item[1:]) % COLORS for item, _ in similar] == [3] * 8
    text_alone = seeing.model.item_vectors(["vase"], [-1], "")
    np.testing.assert_allclose(loaded.embed_item(["vase"]), text_alone, atol=1e-5)


def test_batches_with_pictures_repeat_and_can_be_entered_anywhere(
    color_shop: Path, make_config: Callable[..., Config]
) -> None:
    from tfrec.augment.images import ItemImages
    from tfrec.data.prepare import prepare
    from tfrec.encoder.loading import load_encoder
    from tfrec.training.pipeline import Batches

    config = make_config(color_shop, "seeing")
    shop = prepare(config)
    images = ItemImages.of(shop, config.model.images)
    batches = Batches(config, shop, load_encoder(config.encoder, config.seed).tokenize, images=images)
    first = list(batches.from_step(0).take(3))
    late = next(iter(batches.from_step(2)))
    for key in ("images", "has_image", "items"):
        np.testing.assert_array_equal(first[2][key].numpy(), late[key].numpy())
    plain, has = images.read(late["items"])
    assert has.numpy().all() and not np.array_equal(plain.numpy(), late["images"].numpy())


def test_an_item_without_a_picture_keeps_its_text_vector(
    seeing: Any, make_config: Callable[..., Config], color_shop: Path
) -> None:
    from tfrec.augment.images import ItemImages
    from tfrec.models.two_tower import TwoTower

    some = seeing.shop.images
    images = ItemImages([*some[:3], b"", *some[4:]], 32)
    model = TwoTower(seeing.config, seeing.model.encoder, len(some), np.zeros(len(some)), None, images)
    start = model.item_vectors(["vase"] * 3, [0, 3, -1], "")
    np.testing.assert_allclose(start, start[:1].repeat(3, axis=0), atol=1e-6)  # pictures start without effect
    for new, old in zip(model.image_part.variables, seeing.model.image_part.variables, strict=True):
        new.assign(old)
    trained, without, outside = model.item_vectors(["vase"] * 3, [0, 3, -1], "")
    np.testing.assert_allclose(without, outside, atol=1e-6)
    assert np.abs(trained - without).max() > 0.1


def test_without_pictures_nothing_of_them_is_written(blind: Any) -> None:
    assert blind.model.image_part is None and not blind.shop.has_images
    manifest = blind.shop.manifest
    assert not any("image" in key for key in [*manifest, *manifest["files"], *blind.shop.report])
    assert not any("image" in variable.name for variable in blind.model.saved_variables)


def test_a_tf_hub_image_encoder_gives_fixed_features(
    color_shop: Path, make_config: Callable[..., Config], tmp_path: Path
) -> None:
    from tfrec.errors import EncoderError
    from tfrec.models.image_part import ImagePart
    from tfrec.tensorflow_setup import tf

    hub = tf.train.Checkpoint()  # TF-Hub's reusable SavedModel interface
    weights = tf.Variable(np.random.default_rng(0).normal(0, 3, [3, 8]).astype(np.float32))

    @tf.function(input_signature=[tf.TensorSpec([None, 32, 32, 3], tf.float32)])
    def mean_color(pictures: Any) -> Any:
        return tf.tanh(tf.matmul(tf.reduce_mean(pictures, axis=[1, 2]) - 0.5, weights))

    hub.__call__, hub.variables, hub.trainable_variables = mean_color, [weights], [weights]
    hub.regularization_losses = []
    tf.saved_model.save(hub, str(tmp_path / "hub"))

    def images(**values: Any) -> Any:
        return make_config(color_shop, "hub", values).model.images

    part = ImagePart(images(encoder=str(tmp_path / "hub")), 16, 1)
    assert sorted(variable.shape.as_list() for variable in part.trainable_variables) == [[8], [8], [8, 16]]
    np.testing.assert_array_equal(part.features.variables[0], weights)
    pictures, has = tf.constant(np.array([[[[255, 0, 0]]], [[[0, 0, 255]]]], np.uint8)), tf.constant([True, True])
    pictures = tf.tile(pictures, [1, 32, 32, 1])
    assert not part(pictures, has).numpy().any()
    part.out.kernel.assign(tf.eye(8, 16))
    red, blue = part(pictures, has).numpy()
    assert np.abs(red - blue).max() > 0.5 and not part(pictures, tf.constant([False, False])).numpy().any()

    with pytest.raises(EncoderError, match="model.images.size = 48"):
        ImagePart(images(encoder=str(tmp_path / "hub"), size=48), 16, 1)
    with pytest.raises(EncoderError, match="cannot be loaded"):
        ImagePart(images(encoder=str(tmp_path)), 16, 1)
