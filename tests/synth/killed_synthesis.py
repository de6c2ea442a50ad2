"""Makes the samples of the configuration in argv[1] into argv[2]; its test kills it midway."""

import sys
import zlib
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from tfrec.config import Config, load_config
from tfrec.data.prepare import prepare
from tfrec.evaluation.baselines import Bm25
from tfrec.synth.examples import SyntheticExamples
from tfrec.synth.source import Teacher
from tfrec.synth.stage import synthesise


def encode(texts: Sequence[str]) -> np.ndarray:
    """Texts with words in common get similar vectors."""
    vectors = np.zeros([len(texts), 64], np.float32)
    for row, text in enumerate(texts):
        for word in text.split():
            vectors[row, zlib.crc32(word.encode()) % 64] += 1
    return vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-6)


def make(config: Config, folder: Path) -> SyntheticExamples:
    """The stage as training calls it, with a teacher that needs no TensorFlow."""
    shop = prepare(config)
    texts = shop.item_texts
    return synthesise(config, shop, lambda: Teacher(encode(texts), encode, Bm25.fit(texts).scores), "t" * 64, folder)


if __name__ == "__main__":
    make(load_config(sys.argv[1], sys.argv[3:]), Path(sys.argv[2]))
