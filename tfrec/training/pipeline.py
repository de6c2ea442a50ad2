"""From TFRecord shards to batches of tokens: a tf.data graph, exact for a seed, that can be entered anywhere."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from tfrec.config import Config
from tfrec.data.shards import feature_spec
from tfrec.data.shop import ShopData
from tfrec.encoder.store import is_pretrained
from tfrec.encoder.text_encoder import Role
from tfrec.synth.examples import SyntheticExamples
from tfrec.synth.hard_negatives import MinedNegatives
from tfrec.tensorflow_setup import tf
from tfrec.training.candidate_sampling import candidate_probability
from tfrec.training.known_positives import KnownPositives
from tfrec.training.mined import MinedTable
from tfrec.training.mixture import OWN_TASKS, RECOMMENDATION_TASKS, MixedStream, Mixture, mixture

if TYPE_CHECKING:
    from tfrec.augment.augmentation import Augmentation
    from tfrec.training.replay import Chosen

_EPOCHS, _FEW_EPOCHS = 10, 3
Tokenize = Callable[[Any, int, Role], Any]


class Batches:
    """The training batches of a shop.

    Args:
        config: sections data, encoder and training are read.
        shop: the prepared data.
        tokenize: string [B], most tokens, role -> ragged int32 [B, None]; runs inside the graph.
        synthetic: examples made beside the shop's own, or None.
        images: the items' pictures (tfrec.augment.images.ItemImages), or None.
        augmentation: what changes the texts, or None.
        mined: hard negatives to draw from beside the judged ones, or None.
        chosen: the only examples, in their shards, or None for all of the shop's.
        passes: share of the usual passes over the examples.
    """

    def __init__(
        self,
        config: Config,
        shop: ShopData,
        tokenize: Tokenize,
        synthetic: SyntheticExamples | None = None,
        images: Any = None,
        augmentation: Augmentation | None = None,
        mined: MinedNegatives | None = None,
        chosen: tuple[Chosen, Sequence[Path]] | None = None,
        passes: float = 1.0,
    ) -> None:
        self._config, self._tokenize, self._passes = config, tokenize, passes
        self._mined = None if mined is None or not len(mined.items) else MinedTable(mined)
        self._images, self._augmentation = images, augmentation
        if images is not None:
            from tfrec.augment.images import ImageAugmentation

            self._vary = ImageAugmentation(config.model.images.augment, images.size, config.seed)
        shards = shop.train_shards if chosen is None else chosen[1]
        self.mixture: Mixture = mixture(config, shards, _count_tasks(shards), synthetic)
        self.tasks = list(dict.fromkeys(stream.task for stream in self.mixture.streams))
        self.examples = sum(stream.size for stream in self.mixture.streams)
        groups, items = shop.known_positives
        if synthetic is not None:
            groups, items = np.append(groups, synthetic.groups), np.append(items, synthetic.items)
        if chosen is not None:
            groups, items = np.append(groups, chosen[0].groups), np.append(items, chosen[0].items)
            counts = chosen[0].counts(shop.size)
            self.mixture = Mixture([replace(stream, counts=counts[stream.task]) for stream in self.mixture.streams])
        self._known = KnownPositives(groups, items, shop.size)
        self._texts = tf.constant(shop.item_texts)
        probability = np.ones(shop.size, np.float32)
        if config.training.logq != "none":
            probability = candidate_probability(shop, self.mixture, config.training.hard_negatives, mined)
        self._probability = tf.constant(probability)

    @property
    def steps_per_epoch(self) -> int:
        """Batches in which as many examples are drawn as there are."""
        return max(1, round(self.examples / self._config.training.batch_size))

    @property
    def total_steps(self) -> int:
        """Batches of a run that no time budget and no early stopping ends."""
        training = self._config.training
        epochs = training.epochs or (_FEW_EPOCHS if self._knows_enough else _EPOCHS)
        total = max(1, math.ceil(self._passes * epochs * self.steps_per_epoch))
        return min(total, training.max_steps or total)

    @property
    def _knows_enough(self) -> bool:
        """Whether all that is trained understands the texts before: no random weights, and no shoppers."""
        return is_pretrained(self._config.encoder.name) and not any(s.histories for s in self.mixture.streams)

    def from_step(self, step: int) -> Any:
        """An endless dataset of feature dictionaries (see TwoTower.compute_loss) that begins at batch `step`."""
        training = self._config.training
        streams = [self._examples_of(stream) for stream in self.mixture.streams]
        if len(streams) == 1:
            examples = streams[0]
        else:
            shares = self.mixture.weights(self.total_steps * training.batch_size)
            examples = tf.data.Dataset.sample_from_datasets(streams, shares, seed=self._config.seed)
        batches = examples.ragged_batch(training.batch_size, drop_remainder=True).enumerate().skip(step)
        return batches.map(self._features, num_parallel_calls=2, deterministic=True).prefetch(4)

    def _examples_of(self, stream: MixedStream) -> Any:
        files, task = [str(path) for path in stream.shards], stream.task
        features = feature_spec()
        seed, buffer = self._config.seed, self._config.training.shuffle_buffer

        @tf.autograph.experimental.do_not_convert
        def parsed(row: Any) -> Any:
            return tf.io.parse_single_example(row, features)

        @tf.autograph.experimental.do_not_convert
        def wanted(row: Any) -> Any:
            return tf.equal(row["task"], task)

        @tf.autograph.experimental.do_not_convert
        def epoch(number: Any) -> Any:
            data = tf.data.TFRecordDataset(files, num_parallel_reads=None).map(parsed).filter(wanted)
            return data.shuffle(buffer, seed=seed + number, reshuffle_each_iteration=False)

        return tf.data.Dataset.range(1 << 40).flat_map(epoch)

    @tf.autograph.experimental.do_not_convert  # no Python control flow inside depends on data
    def _features(self, step: Any, rows: dict[str, Any]) -> dict[str, Any]:
        judged = rows["negatives"]
        near = judged if self._mined is None else self._mined.beside(judged, rows["group"])
        negatives = _draw(near, self._config.training.hard_negatives, [self._config.seed, step])
        items = tf.concat([rows["item"], negatives], axis=0)
        texts = {"query": rows["query"], "item": tf.gather(self._texts, items)}
        allowed = self._known.allowed(rows["group"], items)
        if self._augmentation is not None:
            texts, allowed = self._augmented(self._augmentation, step, rows, items, allowed)
        encoder = self._config.encoder
        lengths = {"query": encoder.query_tokens, "view": encoder.query_tokens, "item": encoder.item_tokens}
        roles: dict[str, Role] = {"query": "query", "view": "query", "item": "item"}
        features = {f"{name}_tokens": self._tokenize(text, lengths[name], roles[name]) for name, text in texts.items()}
        if self._config.augment.adversarial.kind == "vat":
            features["noise_seed"] = tf.stack([tf.constant(self._config.seed, tf.int64), step])
        return features | {
            "has_text": tf.strings.length(tf.strings.strip(rows["query"])) > 0,
            "history": tf.cast(rows["history"].to_tensor(default_value=-1), tf.int32),
            "items": tf.cast(items, tf.int32),
            "weight": rows["weight"],
            "is_search": tf.reduce_all(tf.not_equal(rows["task"][:, None], RECOMMENDATION_TASKS), axis=1),
            "allowed": allowed,
            "probability": tf.gather(self._probability, items),
            **self._pictures_of(items, step),
        }

    def _pictures_of(self, items: Any, step: Any) -> dict[str, Any]:
        """The items' pictures, varied anew at every step; nothing for a model without pictures."""
        if self._images is None:
            return {}
        pictures, has = self._images.read(items)
        pictures, has = self._vary(pictures, has, items, step)
        return {"images": pictures, "has_image": has}

    def _augmented(
        self, augmentation: Augmentation, step: Any, rows: dict[str, Any], items: Any, allowed: Any
    ) -> tuple[dict[str, Any], Any]:
        """The batch's texts as training sees them, and the mask, stricter where a candidate is of two items."""
        unit = self.steps_per_epoch if self._config.augment.unit == "epochs" else self.total_steps
        progress = tf.cast(step, tf.float32) / float(unit)
        partners = items
        if augmentation.mixes:
            draws = augmentation.draws(rows["query"], rows["item"], step)
            another = self._known.another(rows["group"], rows["item"], draws)
            # Only judged searches say that two items answer the same need; purchases of one shopper do not.
            another = tf.where(tf.equal(rows["task"], "search"), another, rows["item"])
            partners = tf.concat([another, items[tf.size(another) :]], axis=0)
        item, mixed = augmentation.items(items, partners, step, progress)
        if augmentation.mixes:
            allowed &= self._known.allowed(rows["group"], tf.where(mixed, partners, items))
        variant = augmentation.queries(rows["query"], step, progress)
        if augmentation.extra_view:
            return {"query": rows["query"], "item": item, "view": variant}, allowed
        return {"query": variant, "item": item}, allowed


def _draw(negatives: Any, count: int, seed: list[Any]) -> Any:
    """Draws up to `count` of each row's negatives, int64 [at most B * count]; rows without any give none."""
    if count == 0:
        return tf.zeros([0], tf.int64)
    lengths = tf.cast(negatives.row_lengths(), tf.int32)
    seeds = tf.stack([tf.cast(part, tf.int64) for part in seed])
    share = tf.random.stateless_uniform([tf.shape(lengths)[0], count], seeds)
    picks = tf.minimum(tf.cast(share * tf.cast(lengths, tf.float32)[:, None], tf.int32), lengths[:, None] - 1)
    starts = tf.cast(negatives.row_starts(), tf.int32)[:, None]
    chosen = tf.boolean_mask(starts + picks, tf.broadcast_to(lengths[:, None] > 0, tf.shape(picks)))
    return tf.unique(tf.gather(negatives.flat_values, chosen)).y


def _count_tasks(shards: Sequence[Path]) -> dict[str, int]:
    counts = dict.fromkeys(OWN_TASKS, 0)
    if not shards:
        return counts
    data = tf.data.TFRecordDataset([str(path) for path in shards]).batch(1024)
    for tasks in data.map(lambda rows: tf.io.parse_example(rows, {"task": feature_spec()["task"]})["task"]):
        for task in counts:
            counts[task] += int(tf.reduce_sum(tf.cast(tf.equal(tasks, task), tf.int32)))
    return counts
