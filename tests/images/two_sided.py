"""A small two-sided encoder, trained here on generated shapes, and a shop of such shapes."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

COLORS = {"red": (210, 40, 40), "green": (40, 170, 60), "blue": (50, 70, 210)}
SHAPES = ("circle", "square", "cross")
KINDS = [(color, shape) for color in COLORS for shape in SHAPES]
SIZE, DIMENSION, EACH = 16, 12, 2  # EACH items of every kind
WORDS = [*COLORS, *SHAPES]


def drawn(color: str, shape: str, generator: np.random.Generator, side: int = SIZE) -> np.ndarray:
    """uint8 [side, side, 3]: a shape on white, of varying place, size and light."""
    y, x = np.mgrid[0:side, 0:side] / (side - 1)
    y, x = y - generator.uniform(0.44, 0.56), x - generator.uniform(0.44, 0.56)
    radius = generator.uniform(0.3, 0.38)
    inside = {
        "circle": x**2 + y**2 < radius**2,
        "square": np.maximum(abs(x), abs(y)) < radius,
        "cross": (np.minimum(abs(x), abs(y)) < radius / 3) & (np.maximum(abs(x), abs(y)) < radius),
    }[shape]
    pixels = np.where(inside[:, :, None], np.array(COLORS[color]) * generator.uniform(0.9, 1.1), 255.0)
    return np.clip(np.round(pixels), 0, 255).astype(np.uint8)


def train_encoder(folder: Path, steps: int = 150) -> Path:
    """Trains both sides to each other (the loss of CLIP) and writes them in the form that tfrec reads."""
    from tfrec.tensorflow_setup import tf

    generator, seeds = np.random.default_rng(5), iter(range(100))

    def matrix(rows: int, columns: int) -> Any:
        start = tf.random.stateless_normal([rows, columns], [next(seeds), 7], stddev=rows**-0.5)
        return tf.Variable(start)

    layers = [matrix(SIZE * SIZE * 3, 64), matrix(64, DIMENSION)]
    words = matrix(len(WORDS) + 1, DIMENSION)
    weights = [*layers, words]

    def image_side(pictures: Any) -> Any:
        flat = tf.reshape(pictures, [-1, SIZE * SIZE * 3])
        return tf.matmul(tf.nn.gelu(tf.matmul(1.0 - flat, layers[0])), layers[1])

    def of_words(places: Any) -> Any:
        return tf.reduce_sum(tf.gather(words, places), axis=1)

    places = tf.constant([[WORDS.index(color), WORDS.index(shape)] for color, shape in KINDS])
    optimizer = tf.keras.optimizers.legacy.Adam(3e-3)

    @tf.function(autograph=False)
    def step(pictures: Any) -> None:
        with tf.GradientTape() as tape:
            sides = [tf.math.l2_normalize(side, axis=1) for side in (image_side(pictures), of_words(places))]
            scores = 8.0 * tf.matmul(sides[0], sides[1], transpose_b=True)
            right = tf.range(len(KINDS))
            losses = [
                tf.nn.sparse_softmax_cross_entropy_with_logits(right, some) for some in (scores, tf.transpose(scores))
            ]
            loss = tf.reduce_mean(losses[0] + losses[1])
        optimizer.apply_gradients(zip(tape.gradient(loss, weights), weights, strict=True))

    for _ in range(steps):
        step(tf.constant(np.stack([drawn(*kind, generator) for kind in KINDS]), tf.float32) / 255.0)

    module = tf.Module()
    initializer = tf.lookup.KeyValueTensorInitializer(WORDS, tf.range(len(WORDS), dtype=tf.int32))
    module.vocabulary = tf.lookup.StaticHashTable(initializer, len(WORDS))
    module.weights = weights

    @tf.function(input_signature=[tf.TensorSpec([None, SIZE, SIZE, 3], tf.float32, "pixels")])
    def image(pixels: Any) -> Any:
        return {"vectors": image_side(pixels)}

    @tf.function(input_signature=[tf.TensorSpec([None], tf.string, "words")])
    def text(words: Any) -> Any:
        pieces = tf.strings.split(tf.strings.lower(words)).to_tensor("")
        return {"vectors": of_words(module.vocabulary.lookup(pieces))}

    tf.saved_model.save(module, str(folder), signatures={"image": image, "text": text})
    return folder


def png(pixels: np.ndarray) -> bytes:
    """The pixels as a PNG file."""
    from tfrec.tensorflow_setup import tf

    return bytes(tf.io.encode_png(pixels).numpy())


def new_picture(kind: tuple[str, str], number: int = 0) -> bytes:
    """A PNG file that no item has."""
    return png(drawn(*kind, np.random.default_rng([77, number]), 48))


class Item(NamedTuple):
    """An item of the shop: its picture has SIZE pixels a side, or there is none."""

    item_id: str
    color: str
    pixels: np.ndarray | None


def shop_items() -> list[Item]:
    """EACH items of every kind, then two red ones without a picture."""
    generator = np.random.default_rng(11)
    items = [
        Item(f"{color}-{shape}-{number}", color, drawn(color, shape, generator))
        for number in range(EACH)
        for color, shape in KINDS
    ]
    return [*items, *(Item(f"bare-{number}", "red", None) for number in range(2))]


def write_shop(folder: Path) -> Path:
    """items.csv, searches.csv, rules.yaml and pictures/."""
    (folder / "pictures").mkdir(parents=True)
    items, searches = [], []
    for number, (item, color, pixels) in enumerate(shop_items()):
        file = "" if pixels is None else f"pictures/{item}.png"
        if pixels is not None:
            (folder / file).write_bytes(png(pixels))
            searches.append((f"toy {number}", item, 1, ("train", "dev")[number % 2]))
        items.append((item, f"toy {number}", file, color))
    tables = {
        "items": [("item_id", "title", "image", "color"), *items],
        "searches": [("query", "item_id", "gain", "split"), *searches],
    }
    for name, rows in tables.items():
        with (folder / f"{name}.csv").open("w", newline="") as handle:
            csv.writer(handle).writerows(rows)
    (folder / "rules.yaml").write_text("rules:\n- pin: [bare-0, green-cross-1]\n  when: {query: first}\n")
    return folder
