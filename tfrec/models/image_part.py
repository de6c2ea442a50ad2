"""What an item's picture adds to its vector."""

from __future__ import annotations

from typing import Any

from tfrec.config.images import ImagesConfig
from tfrec.encoder.hub_loading import hub_module
from tfrec.encoder.two_sided import FORM, TwoSidedEncoder, has_sides
from tfrec.errors import EncoderError
from tfrec.tensorflow_setup import keras, tf


class ImagePart(keras.layers.Layer):
    """Pictures to vectors that are added to the items' text vectors.

    The last matrix starts at zero, so that training begins at the text model; an item without a picture gets nothing
    added, so it stays the text model's.

    Args:
        config: a convolution net trained from scratch, or a TF-Hub image feature vector with fixed weights, or the
            picture side of a two-sided encoder.
        dimension: size of the vectors.
        seed: seed of the start values.

    Attributes:
        two_sided: the two-sided encoder, or None.
    """

    def __init__(self, config: ImagesConfig, dimension: int, seed: int) -> None:
        super().__init__(name="image_part")
        self.two_sided: TwoSidedEncoder | None = None
        if config.encoder is None:
            self.features: Any = ConvNet(config.width, seed)
            size = self.features.size
        else:
            loaded = load_image_encoder(config.encoder, config.size)
            if isinstance(loaded, TwoSidedEncoder):
                self.two_sided, size = loaded, loaded.dimension
                self.features = lambda pictures, training: loaded.image_vectors(pictures)
            else:
                self.features, size = loaded, _feature_size(loaded, config)
        self.norm = keras.layers.LayerNormalization(epsilon=1e-6, name="norm")
        self.out = keras.layers.Dense(dimension, use_bias=False, kernel_initializer="zeros", name="out")
        if config.encoder is None:
            self.features.build((None, config.size, config.size, 3))
        self.norm.build((None, size))
        self.out.build((None, size))
        self._learns = config.encoder is None
        self.built = True

    def call(self, pictures: Any, has: Any) -> Any:
        """Vectors to add.

        Args:
            pictures: uint8 [B, S, S, 3].
            has: bool [B], whether an item has a picture.

        Returns:
            float32 [B, dimension], zeros where it has none.
        """
        pictures = tf.cast(pictures, tf.float32) / 255.0  # TF-Hub's convention for image inputs
        features = self.features(pictures) if self._learns else self.features(pictures, training=False)
        return self.out(self.norm(features)) * tf.cast(has, tf.float32)[:, None]


class ConvNet(keras.layers.Layer):
    """A small residual convolution net (pre-activation, He et al. 2016, arXiv 1603.05027) ending in a global mean.

    It begins with patches of 4 x 4 pixels: at full size a CPU would spend most of a step there. Normalisation is inside
    the residual branches alone: the stream itself keeps how bright and which colour a picture is, which normalised
    features lose.

    Args:
        width: channels of the first layer; the last has four times as many.
        seed: seed of the start values.
    """

    _STAGES = ((1, 4), (2, 2), (4, 2))  # channels over width, and what the sides are divided by

    def __init__(self, width: int, seed: int) -> None:
        super().__init__(name="conv_net")
        self.size = width * self._STAGES[-1][0]
        self._down, self._norms, self._convs = [], [], []
        for number, (factor, stride) in enumerate(self._STAGES):
            start = [keras.initializers.HeNormal(seed=seed + 10 * number + k) for k in (1, 2)]
            channels = width * factor
            self._down.append(_conv(channels, max(3, stride), stride, start[0], f"down_{number}"))
            self._norms.append(keras.layers.GroupNormalization(1, epsilon=1e-6, name=f"norm_{number}"))
            self._convs.append(_conv(channels, 3, 1, start[1], f"conv_{number}"))

    def build(self, shape: Any) -> None:
        """Makes the weights for pictures float32 [B, S, S, 3]."""
        shape = tf.TensorShape(shape)
        for down, norm, conv in zip(self._down, self._norms, self._convs, strict=True):
            down.build(shape)
            shape = down.compute_output_shape(shape)
            norm.build(shape)
            conv.build(shape)
        self.built = True

    def call(self, pictures: Any) -> Any:
        """float32 [B, S, S, 3] in 0..1 to features float32 [B, size]."""
        stream = 2.0 * pictures - 1.0
        for down, norm, conv in zip(self._down, self._norms, self._convs, strict=True):
            stream = down(stream)
            stream += conv(tf.nn.gelu(norm(stream)))
        return tf.reduce_mean(tf.nn.gelu(stream), axis=[1, 2])


def _conv(channels: int, size: int, stride: int, start: Any, name: str) -> Any:
    return keras.layers.Conv2D(channels, size, stride, padding="same", kernel_initializer=start, name=name)


def load_image_encoder(handle: str, size: int) -> Any:
    """A two-sided encoder, or a TF-Hub image feature vector as a layer with fixed weights.

    Args:
        handle: URL, Kaggle handle or folder.
        size: side in pixels of the pictures that it will get.

    Returns:
        TwoSidedEncoder or hub.KerasLayer.

    Raises:
        EncoderError: it cannot be loaded, or is neither.
    """
    import tensorflow_hub
    import tensorflow_text  # noqa: F401  (registers the ops of tokenizers)

    try:
        loaded = hub_module(handle)
        if not has_sides(loaded):
            return tensorflow_hub.KerasLayer(loaded, trainable=False, name="features")
    except Exception as error:  # tensorflow_hub raises many kinds, all mean the same to the user
        lines = str(error).strip().splitlines() or [type(error).__name__]
        raise EncoderError(
            f"model.images.encoder {handle} cannot be loaded ({lines[0][:200]}): check the handle and the network, or "
            f"give a local folder: a TF-Hub image feature vector, or {FORM}."
        ) from error
    return TwoSidedEncoder(loaded, handle, size)


def _feature_size(layer: Any, config: ImagesConfig) -> int:
    """Length of the vectors that an image encoder gives for pictures of the configured size."""
    try:
        features = layer(tf.zeros([1, config.size, config.size, 3]), training=False)
    except Exception as error:  # a signature, a shape or an op that does not fit
        lines = str(error).strip().splitlines() or [type(error).__name__]
        raise EncoderError(
            f"model.images.encoder {config.encoder} does not read pictures of model.images.size = {config.size} "
            f"({lines[0][:200]}): set the size it was made for."
        ) from error
    if getattr(features, "shape", None) is None or features.shape.rank != 2 or not features.dtype.is_floating:
        raise EncoderError(
            f"model.images.encoder {config.encoder} is no image feature vector: pictures do not give one vector each."
        )
    return int(features.shape[-1])
