"""Configuration of pictures: whether items are read by their image file too, and how pictures vary in training."""

from __future__ import annotations

from pydantic import Field

from tfrec.config.base import Section


class ImageAugmentConfig(Section):
    """What is done to the pictures of a training step, anew each time. All zeros switch it off.

    Evaluated and exported pictures stay as they are.
    """

    crop: float = Field(0.15, ge=0, le=0.9, description="At most this share of each side is cut off before rescaling.")
    flip: float = Field(0.5, ge=0, le=1, description="Chance of a left-right flip.")
    brightness: float = Field(0.1, ge=0, le=1, description="Largest shift of all channels; 1 is from black to white.")
    contrast: float = Field(0.1, ge=0, lt=1, description="Largest relative change of contrast.")
    color: float = Field(
        0.1,
        ge=0,
        lt=1,
        description="Largest relative change of saturation and of each channel (the light's colour); hues stay, "
        "because shoppers name them.",
    )
    erase: float = Field(0.25, ge=0, le=1, description="Chance that a rectangle is blanked.")
    erase_area: float = Field(0.2, gt=0, lt=1, description="Largest share of the picture that it covers.")
    hide: float = Field(
        0.1, ge=0, lt=1, description="Chance that the whole picture is hidden, so that texts alone stay well placed."
    )


class ImagesConfig(Section):
    """Pictures of items, read from the files that the item column image names (relative to data.root)."""

    enabled: bool = Field(False, description="Read them; data prepare then checks every file and keeps it shrunk.")
    size: int = Field(64, ge=16, le=512, description="Side in pixels that pictures are shrunk to; the rest is white.")
    width: int = Field(32, ge=4, le=256, description="Channels of the convolution net's first layer.")
    encoder: str | None = Field(
        None,
        description="An encoder (URL, Kaggle handle or folder) whose fixed vectors are read instead of training a "
        "small convolution net from scratch; size must suit it. A TF-Hub image feature vector, or a two-sided encoder "
        "like CLIP (signatures image and text), with which the export also answers search_image.",
    )
    augment: ImageAugmentConfig = Field(default_factory=lambda: ImageAugmentConfig())


class SentPicturesConfig(Section):
    """Pictures that requests of search_image may hold; with a two-sided model.images.encoder only."""

    max_bytes: int = Field(8 << 20, ge=1024, le=1 << 30, description="Most bytes of a file; a larger one is refused.")
    max_pixels: int = Field(
        25_000_000, ge=1024, le=1 << 30, description="Most pixels; the file's header is asked before it is decoded."
    )
    words_share: float = Field(
        0.5, ge=0, le=1, description="How much words beside a picture count, where a request does not say so."
    )
