"""Speed of fine-tuning and of bulk encoding: tfrec beside sentence-transformers in bf16, same encoder, batch and texts.

    pip install -c constraints.txt -e '.[bench]'
    python benchmarks/training_speed.py --config configs/esci.yaml --set data.root=FOLDER

Each side runs in processes of its own, taken in turn; the median of the rounds and the ratio are printed and written to
benchmarks/results/training_speed.json. A training step is forward, backward and AdamW of both texts of each pair with
the embeddings frozen on both sides; tokenising counts on both sides. The first steps are not counted.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

BATCH, QUERY_TOKENS, ITEM_TOKENS = 64, 32, 64


def measure_tfrec(work: Path, steps: int) -> dict[str, float]:
    """The trainer's own step on the trainer's own pipeline, and TextEncoder.encode."""
    from training_step import training_step

    import tfrec
    from tfrec.encoder.loading import load_encoder
    from tfrec.training.pipeline import Batches

    config = tfrec.load_config(work / "config.yaml")
    shop = tfrec.prepare(config)
    encoder = load_encoder(config.encoder, config.seed)
    step = training_step(config, shop, encoder)
    batches = list(Batches(config, shop, encoder.tokenize).from_step(0).take(steps))
    for number, batch in enumerate(batches):  # every shape compiles once
        step(batch, number)
    stream = iter(Batches(config, shop, encoder.tokenize).from_step(0))
    started = time.perf_counter()
    for number in range(steps):
        step(next(stream), number)
    pairs = steps * BATCH / (time.perf_counter() - started)
    texts = json.loads((work / "texts.json").read_text())
    encoder.encode(texts, ITEM_TOKENS)
    started = time.perf_counter()
    encoder.encode(texts, ITEM_TOKENS)
    return {"pairs_per_second": pairs, "items_per_second": len(texts) / (time.perf_counter() - started)}


def measure_sentence_transformers(work: Path, steps: int) -> dict[str, float]:
    """MultipleNegativesRankingLoss' arithmetic under bf16 autocast; encoding with the model cast to bf16."""
    import torch
    from sentence_transformers import SentenceTransformer

    torch.set_num_threads(2)
    model = SentenceTransformer(str(work / "checkpoint"), device="cpu")
    model.max_seq_length = ITEM_TOKENS
    for name, parameter in model[0].named_parameters():
        parameter.requires_grad_("embeddings" not in name)
    optimizer = torch.optim.AdamW([p for p in model.parameters() if p.requires_grad], lr=1e-6, fused=True)
    pairs = json.loads((work / "pairs.json").read_text())
    batches = [pairs[BATCH * number : BATCH * (number + 1)] for number in range(steps)]
    model.train()

    def step(batch: list[list[str]]) -> float:
        optimizer.zero_grad()
        with torch.autocast("cpu", dtype=torch.bfloat16):
            sides = [model(model.tokenize([pair[side] for pair in batch]))["sentence_embedding"] for side in (0, 1)]
        queries, items = (torch.nn.functional.normalize(side.float()) for side in sides)
        loss = torch.nn.functional.cross_entropy(queries @ items.T * 20.0, torch.arange(len(batch)))
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        return float(loss)

    for batch in batches[:4]:
        step(batch)
    started = time.perf_counter()
    for batch in batches:
        step(batch)
    rate = steps * BATCH / (time.perf_counter() - started)
    texts = json.loads((work / "texts.json").read_text())
    model.eval()
    model.bfloat16()
    best = 0.0
    for batch_size in (32, 128):  # its default, and a larger one
        model.encode(texts[:256], batch_size=batch_size, convert_to_tensor=True, show_progress_bar=False)
        started = time.perf_counter()
        model.encode(texts, batch_size=batch_size, convert_to_tensor=True, show_progress_bar=False)
        best = max(best, len(texts) / (time.perf_counter() - started))
    return {"pairs_per_second": rate, "items_per_second": best}


WORKERS = {"tfrec": measure_tfrec, "sentence-transformers": measure_sentence_transformers}


def prepare_work(work: Path, config_path: Path, overrides: list[str], steps: int, items: int) -> None:
    """Writes what both sides read: the configuration, pairs, texts and the checkpoint."""
    import numpy as np

    import tfrec
    from tfrec.config import plain_yaml
    from tfrec.encoder.published import PUBLISHED, fetch_files

    settings = [
        *overrides, f"runs_dir={work}", f"training.batch_size={BATCH}", "training.hard_negatives=0",
        "synthesis.enabled=false", f"encoder.query_tokens={QUERY_TOKENS}", f"encoder.item_tokens={ITEM_TOKENS}",
        "encoder.name=minilm", "encoder.freeze=embeddings",
    ]  # fmt: skip
    config = tfrec.load_config(config_path, settings)
    (work / "config.yaml").write_text(plain_yaml(config))
    shop = tfrec.prepare(config)
    rows = {item: n for n, item in enumerate(shop.item_ids)}
    pairs = [
        (query, shop.item_texts[rows[item]])
        for query, gains in shop.judgments("train").items()
        for item, gain in gains.items()
        if gain >= config.training.min_gain
    ]
    rng = np.random.default_rng(config.seed)
    order = np.concatenate([rng.permutation(len(pairs)) for _ in range(1 + steps * BATCH // len(pairs))])
    (work / "pairs.json").write_text(json.dumps([pairs[n] for n in order]))
    (work / "texts.json").write_text(json.dumps(shop.item_texts[:items]))
    fetch_files(PUBLISHED["minilm"], work)


def main() -> None:
    """Measures both sides in turn and prints the ratio."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--config", type=Path, default=Path("configs/demo.yaml"))
    parser.add_argument("--set", action="append", default=[], dest="overrides")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--steps", type=int, default=20)
    parser.add_argument("--items", type=int, default=3000)
    parser.add_argument("--worker", choices=sorted(WORKERS), help=argparse.SUPPRESS)
    parser.add_argument("--work", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.worker:
        print(json.dumps(WORKERS[options.worker](options.work, options.steps)))
        return

    from tfrec.files import write_json

    found: dict[str, list[dict[str, float]]] = {name: [] for name in WORKERS}
    with tempfile.TemporaryDirectory() as folder:
        work = Path(folder)
        prepare_work(work, options.config, options.overrides, options.steps, options.items)
        for number in range(options.rounds):
            for name in WORKERS:
                command = [sys.executable, __file__, "--worker", name, "--work", folder, "--steps", str(options.steps)]
                done = subprocess.run(command, capture_output=True, text=True)
                if done.returncode:
                    sys.exit(f"{name} failed:\n{done.stderr[-2000:]}")
                found[name].append(json.loads(done.stdout.splitlines()[-1]))
                print(f"round {number + 1} {name}: {found[name][-1]}", file=sys.stderr, flush=True)
    result: dict[str, Any] = {"rounds": found, "median": {}, "ratio": {}}
    for what in ("pairs_per_second", "items_per_second"):
        medians = {name: statistics.median(run[what] for run in runs) for name, runs in found.items()}
        ratios = [
            ours[what] / theirs[what]
            for ours, theirs in zip(found["tfrec"], found["sentence-transformers"], strict=True)
        ]
        result["median"][what], result["ratio"][what] = medians, statistics.median(ratios)
        print(
            f"{what.replace('_', ' ')}: tfrec {medians['tfrec']:.0f}, sentence-transformers "
            f"{medians['sentence-transformers']:.0f}, ratio {statistics.median(ratios):.2f} "
            f"({min(ratios):.2f} to {max(ratios):.2f})"
        )
    write_json(Path("benchmarks/results/training_speed.json"), result)


if __name__ == "__main__":
    main()
