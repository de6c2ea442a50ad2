"""What a training step costs with one worker and with two, one core each, and with the batch read part by part.

    python benchmarks/workers.py
    python benchmarks/workers.py --config configs/esci.yaml --set data.root=FOLDER --batch 256

Every form runs in processes of its own, all in turn, as often as there are rounds: seconds of a step, processor seconds
of a step and worker, and the greatest memory of a worker. A step is forward, backward, exchange and AdamW of the
trainer's own batches. The first steps, in which shapes compile, are not counted. What it costs to read a batch, which
every worker does for itself, is printed too.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

_WARM = 3
_FORMS = {  # name -> workers, batches in the place of one, texts at a time
    "one worker": (1, 1, 0), "two workers": (2, 1, 0), "one worker, parts": (1, 1, 96),
    "one worker, batch x4": (1, 4, 0), "one worker, batch x4, parts": (1, 4, 96),
}  # fmt: skip


def measured(config_file: Path, texts: int, steps: int) -> dict[str, float]:
    """Runs steps in this process, which may be one of several workers."""
    from tfrec.cluster import join

    join()
    import tfrec
    from tfrec.encoder.loading import load_encoder
    from tfrec.models.two_tower import TwoTower
    from tfrec.tensorflow_setup import tf
    from tfrec.training.gradient_cache import CachedGradients
    from tfrec.training.optimizer import AdamW
    from tfrec.training.pipeline import Batches
    from tfrec.training.workers import workers_of_this_process

    config, workers = tfrec.load_config(config_file), workers_of_this_process()
    shop, encoder = tfrec.prepare(config), load_encoder(config.encoder, config.seed)
    model = TwoTower(config, encoder, shop.size, [0] * shop.size)
    own = list(encoder.trainable_variables)
    optimizer = AdamW([(own, 1e-6), (model.head_variables, 1e-6)], 0.01, 1.0)
    cached = CachedGradients(model, own, model.head_variables, texts, workers) if texts or workers else None
    batches = Batches(config, shop, encoder.tokenize).from_step(0)

    def whole(batch: Any, number: Any) -> Any:
        if cached is not None:
            loss, gradients = cached(batch)
        else:
            with tf.GradientTape() as tape:
                loss = model.compute_loss(batch, training=True)
            gradients = tape.gradient(loss, optimizer.variables_in_order)
        optimizer.apply(gradients, tf.constant(1.0), number)
        return loss

    def step(batch: Any, number: Any) -> Any:
        return whole(batch, number) if workers is None else workers.run(lambda: whole(batch, number))

    number = tf.TensorSpec([], tf.int64)
    train = tf.function(step, input_signature=[batches.element_spec, number], autograph=False)
    source = iter(batches)
    read = [next(source)]  # fills the buffer that shuffles
    started = time.perf_counter()
    read += [next(source) for _ in range(_WARM + steps - 1)]
    reading = (time.perf_counter() - started) / (len(read) - 1)
    wall, cpu = [], []
    for count, batch in enumerate(read):
        before = time.perf_counter(), time.process_time()
        float(train(batch, tf.constant(count, tf.int64)))
        wall.append(time.perf_counter() - before[0])
        cpu.append(time.process_time() - before[1])
    told = next(row for row in Path("/proc/self/status").read_text().splitlines() if row.startswith("VmHWM"))
    return {
        "seconds": statistics.median(wall[_WARM:]), "cpu": statistics.median(cpu[_WARM:]), "reading": reading,
        "peak": int(told.split()[1]) / 1024,
    }  # fmt: skip


def run(form: str, folder: Path, steps: int) -> dict[str, float]:
    """One round of a form, each worker on a core of its own; the mean over the workers."""
    count, times, texts = _FORMS[form]
    with contextlib.ExitStack() as stack:
        probes = [stack.enter_context(socket.socket()) for _ in range(count)]
        for probe in probes:
            probe.bind(("127.0.0.1", 0))
        addresses = [f"127.0.0.1:{probe.getsockname()[1]}" for probe in probes]
    cores, processes = sorted(os.sched_getaffinity(0)), []
    for rank in range(count):
        told = {"cluster": {"worker": addresses}, "task": {"type": "worker", "index": rank}}
        command = [sys.executable, __file__, "--worker", str(folder / f"{times}.yaml"), str(texts), str(steps)]
        environment = os.environ | {"TF_CONFIG": json.dumps(told)}
        process = subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        os.sched_setaffinity(process.pid, {cores[rank]})
        processes.append(process)
    ended = [process.communicate() for process in processes]
    for process, (_, errors) in zip(processes, ended, strict=True):
        if process.returncode:
            sys.exit(f"{form} failed:\n{errors[-2000:]}")
    found = [json.loads(output.splitlines()[-1]) for output, _ in ended]
    print(form, found, file=sys.stderr, flush=True)
    return {name: statistics.mean(one[name] for one in found) for name in found[0]}


def main() -> None:
    """Prints a row for each form."""
    if sys.argv[1:2] == ["--worker"]:
        print(json.dumps(measured(Path(sys.argv[2]), int(sys.argv[3]), int(sys.argv[4]))))
        return
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--config", type=Path, default=Path("configs/demo.yaml"))
    parser.add_argument("--set", action="append", default=[], dest="overrides")
    parser.add_argument("--batch", type=int, default=128)
    parser.add_argument("--steps", type=int, default=8)
    parser.add_argument("--rounds", type=int, default=2)
    options = parser.parse_args()

    import tfrec
    from tfrec.config import plain_yaml

    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for times in {times for _, times, _ in _FORMS.values()}:
            settings = ["encoder.name=minilm", *options.overrides, f"runs_dir={folder}", "synthesis.enabled=false"]
            settings.append(f"training.batch_size={times * options.batch}")
            config = tfrec.load_config(options.config, settings)
            (folder / f"{times}.yaml").write_text(plain_yaml(config))
        tfrec.prepare(config)
        rounds = [{form: run(form, folder, options.steps) for form in _FORMS} for _ in range(options.rounds)]
    print(f"{'':30} {'batch':>6} {'s a step':>9} {'CPU s':>7} {'pairs/s':>8} {'peak, MB':>9} {'reading, ms':>12}")
    for form, (_, times, _) in _FORMS.items():
        middle = {what: statistics.median(one[form][what] for one in rounds) for what in rounds[0][form]}
        batch = times * options.batch
        print(
            f"{form:30} {batch:6} {middle['seconds']:9.2f} {middle['cpu']:7.2f} {batch / middle['seconds']:8.1f} "
            f"{middle['peak']:9.0f} {1000 * middle['reading']:12.0f}"
        )


if __name__ == "__main__":
    main()
