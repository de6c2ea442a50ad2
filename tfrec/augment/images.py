"""Pictures in the tf.data graph: read by item, and varied anew at every step by Keras layers.

Every random choice comes from a row's key (see tfrec.augment.randomness), not from a layer's state: Keras' own random
layers keep a generator, so that a run entered at step n, or mapped by several threads, would not repeat.
"""

from __future__ import annotations

from typing import Any

from tfrec.augment.image_layers import RandomColor, RandomCrop, RandomErase
from tfrec.augment.randomness import derive, uniform
from tfrec.config.images import ImageAugmentConfig, ImagesConfig
from tfrec.data.shop import ShopData
from tfrec.errors import ConfigError
from tfrec.tensorflow_setup import tf

_HIDE = 99


class ItemImages:
    """The pictures of a catalogue, held as JPEG bytes and decoded in the graph.

    Args:
        images: JPEG bytes of every item, all of size x size pixels; b"" where there is none.
        size: their side in pixels.
    """

    def __init__(self, images: list[bytes], size: int) -> None:
        self.size, self.count = size, sum(1 for image in images if image)
        # One more, for items outside the catalogue; a black picture stands in, so that all rows decode alike.
        black = tf.io.encode_jpeg(tf.zeros([size, size, 3], tf.uint8))
        self._bytes = tf.constant([*images, b""], tf.string)
        self._has = tf.strings.length(self._bytes) > 0
        self._bytes = tf.where(self._has, self._bytes, black)

    @classmethod
    def of(cls, shop: ShopData, config: ImagesConfig) -> ItemImages:
        """The pictures of a prepared shop.

        Raises:
            ConfigError: the data was prepared without pictures, or for another size.
        """
        if not shop.has_images or shop.manifest["image_size"] != config.size:
            raise ConfigError(
                f"{shop.folder} was prepared without pictures of model.images.size = {config.size}: run "
                "`tfrec data prepare` with this configuration."
            )
        return cls(shop.images, config.size)

    def read(self, items: Any) -> tuple[Any, Any]:
        """Pictures as they are.

        Args:
            items: item indices, integer [B]; -1 for an item outside the catalogue.

        Returns:
            uint8 [B, size, size, 3], black where there is none, and bool [B], whether there is one.
        """
        rows = tf.where(items < 0, tf.cast(tf.shape(self._has)[0] - 1, items.dtype), items)
        shape = [self.size, self.size, 3]
        pictures = tf.map_fn(
            lambda raw: tf.ensure_shape(tf.io.decode_jpeg(raw, channels=3), shape),
            tf.gather(self._bytes, rows),
            fn_output_signature=tf.TensorSpec(shape, tf.uint8),
            parallel_iterations=16,
        )
        return pictures, tf.gather(self._has, rows)


class ImageAugmentation:
    """Crop and flip, light and colour, erase, in this order; then some pictures are hidden.

    Args:
        config: how often and how strongly; a part at zero is left out of the graph.
        size: side of the pictures in pixels.
        seed: the run's.
    """

    def __init__(self, config: ImageAugmentConfig, size: int, seed: int) -> None:
        self._hide, self._seed = config.hide, seed
        self.layers: list[Any] = []
        if max(config.crop, config.flip) > 0:
            self.layers.append(RandomCrop(config.crop, config.flip))
        if max(config.brightness, config.contrast, config.color) > 0:
            self.layers.append(RandomColor(config.brightness, config.contrast, config.color))
        if config.erase > 0:
            self.layers.append(RandomErase(config.erase, config.erase_area))
        for layer in self.layers:
            layer.build([(None, size, size, 3), (None,)])

    def __call__(self, pictures: Any, has: Any, items: Any, step: Any) -> tuple[Any, Any]:
        """A new variant of every picture.

        Args:
            pictures: uint8 [B, S, S, 3].
            has: bool [B], which rows have one.
            items: item indices, integer [B]; with the step and the seed they decide everything.
            step: int scalar, number of the batch.

        Returns:
            uint8 [B, S, S, 3] and bool [B], false in further rows that are hidden.
        """
        keys = derive(derive(tf.cast(tf.cast(items, tf.int64), tf.uint64), self._seed), step)
        if self.layers:
            varied = tf.cast(pictures, tf.float32) / 255.0
            for number, layer in enumerate(self.layers):
                varied = layer([varied, derive(keys, number)])
            pictures = tf.saturate_cast(tf.round(varied * 255.0), tf.uint8)
        if self._hide > 0:
            has = tf.logical_and(has, uniform(keys, _HIDE) >= self._hide)
        return pictures, has
