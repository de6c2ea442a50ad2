"""Encoders of tfrec hold to the contract that users' own ones are tested by."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tfrec.config.modelling import EncoderConfig, LoraConfig
from tfrec.encoder.loading import load_encoder
from tfrec.encoder.text_encoder import TextEncoder
from tfrec.tensorflow_setup import tf
from tfrec.testing import EncoderContract
from tfrec.testing.encoders import TEXTS

SIZES = {"hidden": 16, "layers": 1, "heads": 2, "vocabulary_size": 120, "seed": 1}


class TestPacked(EncoderContract):
    tolerance = 1e-4

    @pytest.fixture(scope="class")
    def encoder(self, scratch_encoder: Callable[..., Path]) -> TextEncoder:
        folder = scratch_encoder(TEXTS, **SIZES)
        return load_encoder(EncoderConfig(name=str(folder), precision="f32", freeze="none", dropout=0.0), 1)


class TestAdapted(EncoderContract):
    """With LoRA's adapters, as if they had been trained."""

    tolerance = 1e-4

    @pytest.fixture(scope="class")
    def encoder(self, scratch_encoder: Callable[..., Path]) -> TextEncoder:
        folder = scratch_encoder(TEXTS, **SIZES)
        config = EncoderConfig(name=str(folder), precision="f32", dropout=0.0, lora=LoraConfig(rank=2))
        encoder = load_encoder(config, 1)
        for number, variable in enumerate(encoder.trainable_variables):
            variable.assign_add(tf.random.stateless_normal(variable.shape, [number, 7], stddev=0.1))
        return encoder
