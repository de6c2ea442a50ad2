"""Speed of augmentation: every operation and policy in one tf.data pipeline, beside nlpaug's matching augmenter.

    pip install -c constraints.txt -e '.[bench]'
    python benchmarks/augmentation_speed.py --config configs/esci.yaml --set data.root=FOLDER

Texts are the shop's own: half item texts, half queries (labelled ones, and ones cut from the catalogue). Both sides
change every text; each is taken in turn, the median of the rounds and the ratio are printed. nlpaug works text by text
in Python, so it gets a sample. Then a real training step with and without the policy `standard`, in turn. Writes
benchmarks/results/augmentation_speed.json.
"""

from __future__ import annotations

import argparse
import itertools
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

BATCH = 2048
TEXTS = 100_000
SAMPLE = 2_000  # texts that nlpaug gets
POLICIES = ("light", "standard", "strong")


def counterparts(synonyms: dict[str, list[str]]) -> dict[str, Callable[[list[str]], Any]]:
    """Operation -> the augmenter of nlpaug that does the same or comes nearest."""
    from nlpaug.augmenter import char, word

    def one_word(action: str) -> Any:
        return word.RandomWordAug(action=action, aug_p=0.3)

    def one_character(action: str) -> Any:
        return char.RandomCharAug(action=action, aug_word_max=1, aug_char_max=1)

    reserved = [[phrase, *others] for phrase, others in synonyms.items()]
    return {
        "word_dropout": one_word("delete").augment,
        "word_swap": one_word("swap").augment,
        "span_crop": one_word("crop").augment,
        "typo_insert": one_character("insert").augment,
        "typo_delete": one_character("delete").augment,
        "typo_transpose": one_character("swap").augment,
        "typo_substitute": char.KeyboardAug(aug_word_max=1, aug_char_max=1).augment,
        "typo_double": one_character("insert").augment,
        "spacing": word.SplitAug(aug_p=0.3).augment,
        "synonyms": word.ReservedAug(reserved_tokens=reserved, aug_p=0.3).augment,
    }


def shop_texts(shop: Any, seed: int) -> tuple[list[str], list[str]]:
    """Item texts and queries, TEXTS / 2 each."""
    from tfrec.synth.catalogue_queries import catalogue_queries

    labelled = list(shop.judgments("train")) if shop.has_searches else []
    made = [query for query, _ in catalogue_queries(shop.item_texts, TEXTS // 2 - len(labelled), (), seed)]
    half = TEXTS // 2
    return tuple(list(itertools.islice(itertools.cycle(texts), half)) for texts in (shop.item_texts, labelled + made))  # type: ignore[return-value]


def pipeline_rate(texts: list[str], change: Callable[[Any, Any], Any]) -> Callable[[], float]:
    """Gives a function that measures the texts per second of one tf.data pipeline on all cores."""
    from tfrec.tensorflow_setup import tf

    data = tf.data.Dataset.from_tensor_slices(texts).batch(BATCH, drop_remainder=True).enumerate().cache()
    data = data.map(lambda step, rows: change(rows, step), num_parallel_calls=2, deterministic=True).prefetch(4)

    return lambda: drained_rate(data)


def drained_rate(data: Any, per_batch: int = BATCH) -> float:
    """Texts per second of a dataset after its first batch, which waits for TensorFlow to optimise the graph."""
    batches = iter(data)
    next(batches)
    started, count = time.perf_counter(), 0
    for _ in batches:
        count += per_batch
    return count / (time.perf_counter() - started)


def operation_rates(texts: list[str], resources: Any, rounds: int, seed: int) -> dict[str, dict[str, float]]:
    """Texts per second of every operation, of nlpaug's, and the ratio."""
    import random

    from tfrec.augment.operations import OPERATIONS
    from tfrec.augment.randomness import row_keys

    others = counterparts(dict(resources.synonyms))
    # nlpaug's crop fails on texts of one or two words
    sample = random.Random(seed).sample([text for text in texts if len(text.split()) > 3], SAMPLE)
    found: dict[str, dict[str, float]] = {}
    empty = {"synonyms": not resources.synonyms, "word_neighbours": not resources.neighbours}
    for name, kind in OPERATIONS.items():
        if empty.get(name):  # without its table it does nothing
            continue
        operation = kind(0.3, resources)
        measure = pipeline_rate(texts, lambda rows, step, act=operation: act(rows, row_keys(rows, seed, step)))
        ours, theirs = [], []
        for _ in range(rounds):
            ours.append(measure())
            if name in others:
                started = time.perf_counter()
                for text in sample:
                    others[name](text)
                theirs.append(SAMPLE / (time.perf_counter() - started))
        found[name] = {"texts_per_second": statistics.median(ours)}
        if theirs:
            found[name]["nlpaug"] = statistics.median(theirs)
            found[name]["ratio"] = statistics.median(a / b for a, b in zip(ours, theirs, strict=True))
    return found


def policy_rates(config: Any, shop: Any, encoder: Any, queries: list[str], rounds: int) -> dict[str, float]:
    """Texts per second of each ready-made policy: queries through its query list, items through its item lists."""
    import numpy as np

    from tfrec.tensorflow_setup import tf
    from tfrec.training.augmentation import shop_augmentation

    found = {}
    for name in POLICIES:
        changed = config.model_copy(update={"augment": config.augment.model_copy(update={"policy": name})})
        augmentation = shop_augmentation(changed, shop, encoder)
        items = tf.constant(np.arange(len(queries)) % shop.size, tf.int64)
        data = (
            tf.data.Dataset.from_tensor_slices((queries, items)).batch(BATCH, drop_remainder=True).enumerate().cache()
        )

        def both(step: Any, rows: Any, augmentation: Any = augmentation) -> Any:
            typed, numbers = rows
            progress = tf.constant(0.5)
            return augmentation.queries(typed, step, progress), augmentation.items(numbers, numbers, step, progress)

        data = data.map(both, num_parallel_calls=2, deterministic=True).prefetch(4)
        found[name] = statistics.median(drained_rate(data, 2 * BATCH) for _ in range(rounds))
    return found


def step_costs(config: Any, shop: Any, encoder: Any, rounds: int, steps: int) -> dict[str, float]:
    """Seconds of a real training step without and with `standard`, in turn, and the share that it adds."""
    from training_step import training_step

    from tfrec.training.augmentation import shop_augmentation
    from tfrec.training.pipeline import Batches

    step = training_step(config, shop, encoder)
    streams = {}
    for policy in ("none", "standard"):
        changed = config.model_copy(update={"augment": config.augment.model_copy(update={"policy": policy})})
        augmentation = None if policy == "none" else shop_augmentation(changed, shop, encoder)
        streams[policy] = iter(Batches(changed, shop, encoder.tokenize, augmentation=augmentation).from_step(0))
    taken: dict[str, list[float]] = {policy: [] for policy in streams}
    for number in range((rounds + 1) * steps):  # step by step in turn, so that a busy moment meets both
        for policy, stream in streams.items():
            started = time.perf_counter()
            step(next(stream), number)
            if number >= steps:  # shapes compile in the first round
                taken[policy].append(time.perf_counter() - started)
    seconds = {policy: statistics.median(times) for policy, times in taken.items()}
    return {**seconds, "added_share": seconds["standard"] / seconds["none"] - 1.0}


def main() -> None:
    """Measures and prints."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--config", type=Path, default=Path("configs/demo.yaml"))
    parser.add_argument("--set", action="append", default=[], dest="overrides")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--steps", type=int, default=15, help="training steps per round; 0 leaves training out")
    options = parser.parse_args()
    from rich.console import Console
    from rich.table import Table

    import tfrec
    from tfrec.augment.resources import shop_resources
    from tfrec.augment.synonyms.build import build_synonyms, load_synonyms
    from tfrec.encoder.loading import load_encoder
    from tfrec.encoder.word_neighbours import word_neighbours
    from tfrec.files import write_json

    config = tfrec.load_config(options.config, options.overrides)
    shop = tfrec.prepare(config)
    encoder = load_encoder(config.encoder, config.seed)
    titles, queries = shop_texts(shop, config.seed)
    if not load_synonyms(config, shop):
        build_synonyms(config, shop, None)
    resources = shop_resources(config, shop, word_neighbours(encoder))
    operations = operation_rates(titles + queries, resources, options.rounds, config.seed)
    policies = policy_rates(config, shop, encoder, queries, options.rounds)
    console = Console(width=120)
    table = Table(
        title=f"{len(titles) + len(queries):,} texts, half items, half queries; median of {options.rounds} rounds"
    )
    for column in ("operation or policy", "texts/s", "nlpaug texts/s", "ratio"):
        table.add_column(column, justify="left" if column.startswith("operation") else "right")
    for name, found in operations.items():
        other = [f"{found['nlpaug']:,.0f}", f"{found['ratio']:.1f}x"] if "ratio" in found else ["", ""]
        table.add_row(name, f"{found['texts_per_second']:,.0f}", *other)
    for name, rate in policies.items():
        table.add_row(f"policy {name}", f"{rate:,.0f}", "", "")
    console.print(table)
    costs = step_costs(config, shop, encoder, options.rounds, options.steps) if options.steps else {}
    if costs:
        console.print(
            f"A training step takes {1000 * costs['none']:.0f} ms without augmentation and "
            f"{1000 * costs['standard']:.0f} ms with the policy standard ({costs['added_share']:+.1%}).",
            highlight=False,
        )
    result = {"operations": operations, "policies": policies, "training_step_seconds": costs}
    write_json(Path("benchmarks/results/augmentation_speed.json"), result)


if __name__ == "__main__":
    main()
