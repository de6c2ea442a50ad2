"""Random changes of pictures as Keras layers without state.

All are called with [pictures float32 [B, H, W, 3] in 0..1, keys uint64 [B]]; see tfrec.augment.randomness for the keys.
"""

from __future__ import annotations

from typing import Any

from tfrec.augment.randomness import uniform
from tfrec.tensorflow_setup import keras, tf

_LUMA = [0.299, 0.587, 0.114]  # ITU-R BT.601
_LONGEST = 2.0  # of an erased rectangle, longer over shorter side
_GREY = 0.5


class RandomCrop(keras.layers.Layer):
    """Cuts up to a share off each side's length, scales what is left back to the full size, and mirrors some.

    Args:
        share: largest share that is cut off height and width; share and place are drawn for each side.
        flip: chance that a picture is mirrored left and right; one resampling does both.
    """

    def __init__(self, share: float, flip: float) -> None:
        super().__init__(name="random_crop", trainable=False)
        self.share, self.flip = share, flip

    def call(self, inputs: Any) -> Any:
        """float32 [B, H, W, 3]; bilinear."""
        pictures, keys = inputs
        (tops, bottoms), (lefts, rights) = self._cut(keys, 0), self._cut(keys, 2)
        mirrored = uniform(keys, 4) < self.flip
        lefts, rights = tf.where(mirrored, rights, lefts), tf.where(mirrored, lefts, rights)
        boxes = tf.stack([tops, lefts, bottoms, rights], axis=1)
        rows, size = tf.range(tf.shape(pictures)[0]), tf.shape(pictures)[1:3]
        return tf.ensure_shape(tf.image.crop_and_resize(pictures, boxes, rows, size), pictures.shape)

    def _cut(self, keys: Any, salt: int) -> tuple[Any, Any]:
        """Start and end of what is left of one side, in 0..1, float32 [B] each."""
        gone = self.share * uniform(keys, salt)
        start = gone * uniform(keys, salt + 1)
        return start, start + 1.0 - gone


class RandomColor(keras.layers.Layer):
    """Changes contrast, saturation, the colour of the light, and brightness, but no hue: queries name colours.

    Args:
        brightness: largest shift of all channels.
        contrast: largest relative change of the distance to the picture's mean.
        color: largest relative change of saturation and of each channel for itself.
    """

    def __init__(self, brightness: float, contrast: float, color: float) -> None:
        super().__init__(name="random_color", trainable=False)
        self.brightness, self.contrast, self.color = brightness, contrast, color

    def call(self, inputs: Any) -> Any:
        """float32 [B, H, W, 3], clipped to 0..1."""
        pictures, keys = inputs
        contrast = _around_one(keys, 0, self.contrast)[:, None, None]
        saturation = _around_one(keys, 1, self.color)[:, None, None]
        light = tf.stack([_around_one(keys, salt, self.color) for salt in (2, 3, 4)], axis=1)[:, None, :]
        shift = self.brightness * (2.0 * uniform(keys, 5) - 1.0)[:, None, None]
        # All four are affine in a pixel's channels, so one small matrix per picture does them in one pass.
        grey = tf.constant(_LUMA)[:, None] * tf.ones([1, 3])
        mixed = (saturation * tf.eye(3) + (1.0 - saturation) * grey) * light  # [B, 3, 3]
        mean = tf.reduce_mean(pictures, axis=[1, 2])[:, None, :]
        offset = tf.matmul((1.0 - contrast) * mean, mixed) + shift
        flat = tf.reshape(pictures, [tf.shape(pictures)[0], -1, 3])
        return tf.reshape(tf.clip_by_value(tf.matmul(flat, contrast * mixed) + offset, 0.0, 1.0), tf.shape(pictures))


def _around_one(keys: Any, salt: int, spread: float) -> Any:
    """Uniform in [1 - spread, 1 + spread), float32 [B]."""
    return 1.0 + spread * (2.0 * uniform(keys, salt) - 1.0)


class RandomErase(keras.layers.Layer):
    """Blanks a rectangle with grey (Zhong et al. 2020, Random Erasing Data Augmentation, arXiv 1708.04896).

    Args:
        chance: of each picture.
        area: largest share of the picture that the rectangle covers.
    """

    def __init__(self, chance: float, area: float) -> None:
        super().__init__(name="random_erase", trainable=False)
        self.chance, self.area = chance, area

    def call(self, inputs: Any) -> Any:
        """float32 [B, H, W, 3]."""
        pictures, keys = inputs
        area = self.area * uniform(keys, 1)
        stretch = tf.pow(_LONGEST, uniform(keys, 2) - 0.5)  # height = side * stretch, width = side / stretch
        sides = [tf.minimum(tf.sqrt(area) * part, 1.0) for part in (stretch, 1.0 / stretch)]
        inside = [
            self._within(tf.shape(pictures)[axis], side, uniform(keys, salt))
            for axis, side, salt in ((1, sides[0], 3), (2, sides[1], 4))
        ]
        drawn = (uniform(keys, 0) < self.chance)[:, None, None]
        erased = tf.logical_and(drawn, tf.logical_and(inside[0][:, :, None], inside[1][:, None, :]))
        return tf.where(erased[..., None], _GREY, pictures)

    @staticmethod
    def _within(length: Any, side: Any, place: Any) -> Any:
        """Which of `length` pixels lie in a stretch of share `side` [B] at `place` [B] (0..1): bool [B, length]."""
        centres = (tf.cast(tf.range(length), tf.float32) + 0.5) / tf.cast(length, tf.float32)
        start = place * (1.0 - side)
        return tf.logical_and(centres >= start[:, None], centres < (start + side)[:, None])
