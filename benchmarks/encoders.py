"""Encoders side by side, untrained and trained, on generated shops in English, in Chinese and in both.

    python benchmarks/encoders.py
    python benchmarks/encoders.py --encoders minilm multilingual minilm+multilingual --steps 200 --minutes 10

The towers alone rank (scorer dense) the whole catalogue for the shop's test queries. Of the encoder with its weights as
constants, as an export holds them: milliseconds of one query (median) and queries a second in batches of 32; items a
second as `tfrec train` encodes a catalogue; MiB of the installed files. Times are of the processor, all threads
together, which other jobs on the machine move least. Each cell is a process of its own that ends after `--minutes` and
is then told as not measured; what has been measured is read back, so a stopped run goes on. Writes
benchmarks/results/encoders/.
"""

from __future__ import annotations

import argparse
import csv
import statistics
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

RESULTS = Path(__file__).parent / "results" / "encoders"
LANGUAGES = {"English": ("en",), "Chinese": ("zh",), "mixed": ("en", "zh")}
PLAIN = {
    "retrieval": {"scorers": ["dense"]}, "ranking": {"enabled": "never"}, "model": {"spelling": False},
    "synthesis": {"enabled": False},
}  # fmt: skip
BATCH, ROUNDS, METRIC = 32, 40, "nDCG@10"


def write_shop(folder: Path, languages: tuple[str, ...], items: int, queries: int) -> None:
    """items.csv and searches.csv; of several languages each has its share, with ids of its own."""
    from tfrec.data.demo import generate
    from tfrec.files import atomic_directory

    if folder.is_dir():
        return
    with atomic_directory(folder) as aside:
        share = len(languages)
        rows: dict[str, list[dict[str, str]]] = {"items.csv": [], "searches.csv": []}
        for seed, language in enumerate(languages, 17):
            generate(aside / language, language, items // share, queries // share, 1, seed)
            for name, held in rows.items():
                with (aside / language / name).open(encoding="utf-8", newline="") as handle:
                    held += [
                        {key: f"{language}-{value}" if key in ("item_id", "query_id") else value
                         for key, value in row.items()}
                        for row in csv.DictReader(handle)
                    ]  # fmt: skip
        for name, held in rows.items():
            with (aside / name).open("w", encoding="utf-8", newline="") as handle:
                writer = csv.DictWriter(handle, list(held[0]))
                writer.writeheader()
                writer.writerows(held)


def measured(options: argparse.Namespace) -> dict[str, float]:
    """One cell."""
    import tfrec
    from tfrec.config import parse_config
    from tfrec.evaluation.metrics import evaluate_rankings
    from tfrec.evaluation.retrieval import to_rankings, top_k
    from tfrec.pipeline.assemble import assemble

    encoder, shop, trained = options.cell[0], options.cell[1], options.cell[2] == "trained"
    folder = RESULTS / "shops" / f"{shop}-{options.items}-{options.queries}"
    write_shop(folder, LANGUAGES[shop], options.items, options.queries)
    tree = {
        "name": f"{encoder}-{shop}", "runs_dir": str(RESULTS / "runs"), "encoder": {"name": encoder},
        "data": {"root": str(folder), "items": "items.csv", "searches": "searches.csv", "split": {"few_queries": 0},
                 "template": "{brand} {title} {color} {material} {category}"},
        "training": {"max_steps": options.steps, "max_minutes": None, "epochs": 1000, "batch_size": 64},
    }  # fmt: skip
    config = parse_config({**tree, **PLAIN}, "this benchmark")
    if trained:
        found = tfrec.train(config)
        model, data = found.model, found.shop
    else:
        assembled = assemble(config)
        model, data = assembled.model, assembled.shop
    started = time.process_time()
    catalogue = model.refresh_catalogue(data.item_texts, data.popularity)
    told = {"items_a_second": data.size / (time.process_time() - started)}
    truth = data.judgments("test")
    rankings = to_rankings(list(truth), *top_k(model.query_vectors(list(truth)), catalogue, 100), data.item_ids)
    told |= {METRIC: evaluate_rankings(truth, rankings).means[METRIC], "queries": len(truth)}
    return told if trained else told | speed(model, list(truth)) | {"mib": size_of(encoder)}


def speed(model: Any, queries: list[str]) -> dict[str, float]:
    """Of the frozen encoder: ms of a query, queries a second in batches."""
    import tensorflow as tf

    from tfrec.encoder.cpu import chosen_precision

    encode = model.encoder.inference_function(chosen_precision("auto"))
    graph = tf.function(
        lambda texts: encode(texts, model.query_tokens, "query"), [tf.TensorSpec([None], tf.string)], autograph=False
    )
    taken: dict[int, list[float]] = {1: [], BATCH: []}
    for number in range(-2, ROUNDS):
        for size, noted in taken.items():
            some = tf.constant([queries[(number + place) % len(queries)] for place in range(size)])
            started = time.process_time()
            graph(some)
            if number >= 0:
                noted.append(time.process_time() - started)
    return {
        "ms_a_query": 1e3 * statistics.median(taken[1]),
        "queries_a_second": BATCH / statistics.median(taken[BATCH]),
    }


def size_of(encoder: str) -> float:
    """MiB of the installed files of an encoder, or of both that it joins."""
    from tfrec.encoder import store

    files = [file for name in encoder.split("+") for file in store.encoder_folder(name).rglob("*") if file.is_file()]
    return sum(file.stat().st_size for file in files) / 2**20


def cell(options: argparse.Namespace, encoder: str, shop: str, state: str) -> dict[str, Any]:
    """A cell by a process of its own, or as it was measured before."""
    from tfrec.files import read_json

    file = RESULTS / "cells" / f"{encoder}-{shop}-{state}-{options.items}-{options.queries}-{options.steps}.json"
    if not file.is_file():
        size = [f"--items={options.items}", f"--queries={options.queries}", f"--steps={options.steps}"]
        command = [sys.executable, str(Path(__file__)), *size, "--cell", encoder, shop, state, str(file)]
        try:
            subprocess.run(command, timeout=60 * options.minutes, check=True, stdout=sys.stderr)
        except subprocess.TimeoutExpired:
            return {"told": f"over {options.minutes:g} min"}
        except subprocess.CalledProcessError:
            return {"told": "failed"}
    return read_json(file)


def main() -> None:
    """Measures all cells and prints the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--encoders", nargs="+", default=["minilm", "multilingual", "minilm+multilingual"])
    parser.add_argument("--shops", nargs="+", choices=list(LANGUAGES), default=list(LANGUAGES))
    parser.add_argument("--states", nargs="+", choices=["zero-shot", "trained"], default=["zero-shot", "trained"])
    parser.add_argument("--items", type=int, default=2000)
    parser.add_argument("--queries", type=int, default=1000, help="70 %% train, 15 %% dev, 15 %% test")
    parser.add_argument("--steps", type=int, default=150, help="batches of 64 of a training")
    parser.add_argument("--minutes", type=float, default=8, help="most that a cell may take")
    parser.add_argument("--cell", nargs=4, help=argparse.SUPPRESS)
    options = parser.parse_args()
    from tfrec.files import write_json

    if options.cell:
        write_json(Path(options.cell[3]), measured(options))
        return
    columns = ("mib", "ms_a_query", "queries_a_second", "items_a_second", METRIC)
    print(f"{'encoder':22} {'shop':8} {'':10}" + "".join(f"{name:>20}" for name in columns), flush=True)
    for encoder in options.encoders:
        for shop in options.shops:
            for state in options.states:
                found = cell(options, encoder, shop, state)
                values = [f"{found[name]:.4f}" if name == METRIC else f"{found[name]:.1f}" if name in found else ""
                          for name in columns if "told" not in found]  # fmt: skip
                row = "".join(f"{value:>20}" for value in values) or f"  {found.get('told')}"
                print(f"{encoder:22} {shop:8} {state:10}{row}", flush=True)


if __name__ == "__main__":
    main()
