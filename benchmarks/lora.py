"""What a training step costs with LoRA's adapters beside tuning the encoder's own weights, on one encoder and one shop.

    python benchmarks/lora.py
    python benchmarks/lora.py --config configs/esci.yaml --set data.root=FOLDER --ranks 8 32

Processor time of a step (forward, backward and AdamW of the trainer's own batches), what the optimiser holds for the
encoder, and what a checkpoint holds of it. All forms are taken in turn in one process; the median of the rounds is
printed. The first steps, in which every shape compiles, are not counted.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from training_step import training_step


def measured(config: Any, shop: Any, settings: dict[str, Any], steps: int) -> tuple[Callable[[], float], float, float]:
    """A function that makes `steps` steps and gives processor seconds of one; MB of moments, MB of a checkpoint."""
    import numpy as np

    from tfrec.encoder.loading import load_encoder
    from tfrec.training.pipeline import Batches

    own = config.model_copy(update={"encoder": config.encoder.model_validate(config.encoder.model_dump() | settings)})
    encoder = load_encoder(own.encoder, own.seed)
    step = training_step(own, shop, encoder)
    batches = list(Batches(own, shop, encoder.tokenize).from_step(0).take(steps))

    def once() -> float:
        started = time.process_time()
        for number, batch in enumerate(batches):
            step(batch, number)
        return (time.process_time() - started) / steps

    once()
    trained, saved = (
        sum(4e-6 * float(np.prod(variable.shape)) for variable in variables)
        for variables in (encoder.trainable_variables, encoder.saved_variables)
    )
    return once, 2 * trained, saved


def main() -> None:
    """Prints a row for each form."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--config", type=Path, default=Path("configs/demo.yaml"))
    parser.add_argument("--set", action="append", default=[], dest="overrides")
    parser.add_argument("--ranks", type=int, nargs="+", default=[8])
    parser.add_argument("--steps", type=int, default=12)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()

    import tfrec

    forms: dict[str, dict[str, Any]] = {"embeddings frozen": {"freeze": "embeddings"}, "top:2": {"freeze": "top:2"}}
    forms |= {f"LoRA, rank {rank}": {"lora": {"rank": rank}} for rank in options.ranks}
    forms["LoRA on top:2"] = {"lora": {"rank": options.ranks[0]}, "freeze": "top:2"}
    with tempfile.TemporaryDirectory() as folder:
        settings = [*options.overrides, f"runs_dir={folder}", "synthesis.enabled=false"]
        config = tfrec.load_config(options.config, settings)
        shop = tfrec.prepare(config)
        ready = {name: measured(config, shop, changes, options.steps) for name, changes in forms.items()}
        rounds = [{name: once() for name, (once, _, _) in ready.items()} for _ in range(options.rounds)]
    print(f"{'':20} {'CPU s a step':>14} {'moments, MB':>12} {'checkpoint, MB':>15}")
    for name, (_, moments, saved) in ready.items():
        print(f"{name:20} {statistics.median(r[name] for r in rounds):14.2f} {moments:12.1f} {saved:15.1f}")


if __name__ == "__main__":
    main()
