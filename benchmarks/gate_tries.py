"""How often the gate lets a sound candidate pass, and whether it refuses each damaged one.

    python benchmarks/gate_tries.py --folder FOLDER
    python benchmarks/gate_tries.py --folder FOLDER --shops 3

Each of some generated shops (simulated_weeks.py, each with a seed of its own) is trained and served, then goes through
six weeks: new products, judgments and purchases, and `tfrec refresh` as a scheduler calls it. Each is a try of a sound
candidate. What is promoted is served in the week after. In the third week of each shop the same is done on copies that
are damaged in one way each, with the checks of the incoming tables off, so that the gate alone can see it:

titles of others     each product has another one's title
shuffled judgments   each product that was judged for a training query is another one; what is held out stays
a lost column        no product has a title of its own (files without any are refused on reading)
half the catalogue   every second product is missing
a wrong template     the colour is all that is read of a product

The encoder is a small random one, so a try takes seconds. A shop is a process of its own; a stopped benchmark goes on
where it was. Intervals are exact binomial ones (Clopper and Pearson 1934). Writes benchmarks/results/gate_tries.json.
"""

from __future__ import annotations

import argparse
import csv
import gc
import json
import os
import random
import shutil
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent))

from refresh import CONFIG, config_of  # noqa: E402
from simulated_weeks import WEEKS, ChangingShop  # noqa: E402

RESULT = Path(__file__).parent / "results" / "gate_tries.json"
SOUND, DAMAGED_WEEK = "sound", 3
OWN = [
    "encoder.name=tiny", "encoder.freeze=none", "training.learning_rate=2e-3", "training.head_learning_rate=5e-3",
    "lifecycle.keep.versions=20",
]  # fmt: skip
TEMPLATE = 'data.template="{color}"'
DAMAGES = ("titles of others", "shuffled judgments", "a lost column", "half the catalogue", "a wrong template")
SIZES = {"hidden": 64, "layers": 1, "heads": 2, "vocabulary_size": 2000, "seed": 1}


def damage(how: str, files: Path) -> None:
    """Damages a shop's files in place; a wrong template is none of the files'."""
    name = "searches.csv" if how == "shuffled judgments" else "items.csv"
    with (files / name).open(encoding="utf-8", newline="") as handle:
        header, *rows = csv.reader(handle)
    if how == "half the catalogue":
        rows = rows[::2]
    elif how == "shuffled judgments":
        item, split = header.index("item_id"), header.index("split")
        trained = [row for row in rows if row[split] == "train"]
        moved = [row[item] for row in trained]
        random.Random(1).shuffle(moved)
        for row, other in zip(trained, moved, strict=True):
            row[item] = other
    elif how in ("titles of others", "a lost column"):
        title = header.index("title")
        moved = [row[title] for row in rows]
        random.Random(1).shuffle(moved)
        for number, (row, other) in enumerate(zip(rows, moved, strict=True)):
            row[title] = other if how == "titles of others" else f"product {number}"
    with (files / name).open("w", encoding="utf-8", newline="") as handle:
        csv.writer(handle).writerows([header, *rows])


def tried(folder: Path, name: str, overrides: list[str]) -> dict[str, Any]:
    """One refresh: how it ended, what the gate found, and the processor's seconds."""
    from tfrec.errors import ExportError
    from tfrec.lifecycle.models_config import Servers
    from tfrec.lifecycle.refresh import refresh
    from tfrec.lifecycle.verdict_file import read_verdict
    from tfrec.pipeline.run_folder import RunFolder

    config, spent = config_of(folder, name, [*OWN, *overrides]), time.process_time()
    export = RunFolder(config).export
    done = refresh(config, Servers(export, config.name))
    try:
        verdict = read_verdict(export, done.version)
    except ExportError:
        verdict = None
    checks = [] if verdict is None else verdict.numbers["checks"]
    told = [[check["name"], check["outcome"], check["sentence"]] for check in checks]
    return {"outcome": done.outcome, "seconds": time.process_time() - spent, "told": done.told, "checks": told}


def go_through(folder: Path, seed: int) -> None:
    """All tries of one shop; writes tries/SEED-WEEK-KIND.json."""
    from tfrec.encoder import store
    from tfrec.encoder.install import install_scratch
    from tfrec.files import atomic_directory, write_json
    from tfrec.tensorflow_setup import keras, tf

    # Improving the graphs of so small a model takes longer than running them.
    tf.config.optimizer.set_experimental_options({"disable_meta_optimizer": True})
    own = folder / str(seed)
    os.environ["TFREC_HOME"] = str(own / "home")
    shop = ChangingShop(own, seed)
    shop.write(own / "shop", 0)
    (own / "shop.yaml").write_text(CONFIG.replace("STEPS", "120"))
    if store.find("tiny") is None:
        install_scratch([*(own / "shop" / "items.csv").read_text().splitlines(), *shop.queries(0)], "tiny", **SIZES)
    for week in range(WEEKS + 1):
        for kind in (*(DAMAGES if week == DAMAGED_WEEK else ()), SOUND):
            if (cell := folder / "tries" / f"{seed}-{week}-{kind.replace(' ', '_')}.json").is_file():
                continue
            shop.write(own / "shop", week)
            name = SOUND
            overrides = []
            if kind != SOUND:
                name, overrides = kind.replace(" ", "-"), ["checks.enabled=false"]
                if not (copy := own / "runs" / name).exists():
                    with atomic_directory(copy) as aside:
                        shutil.copytree(own / "runs" / SOUND, aside, symlinks=True, dirs_exist_ok=True)
                if kind == "a wrong template":
                    overrides.append(TEMPLATE)
                else:
                    damage(kind, own / "shop")
            found = tried(own, name, overrides)
            keras.backend.clear_session()  # the graphs of the tries before
            gc.collect()
            write_json(cell, {"seed": seed, "week": week, "kind": kind, **found})
            print(f"{time.strftime('%H:%M:%S')} shop {seed} week {week} {kind}: {found['outcome']}, "
                  f"{found['seconds']:.0f} s", flush=True)  # fmt: skip


def table(folder: Path) -> dict[str, Any]:
    """Prints how the tries ended, and gives all of it."""
    from scipy.stats import binomtest

    tries = [json.loads(path.read_text()) for path in sorted((folder / "tries").glob("*.json"))]
    tries = [one for one in tries if one["week"]]  # the first version has nothing to stand beside
    result: dict[str, Any] = {}
    for kind in (SOUND, *DAMAGES):
        own = [one for one in tries if one["kind"] == kind]
        if not own:
            continue
        ends = Counter(one["outcome"] for one in own)
        right = ends["promoted" if kind == SOUND else "refused"]
        low, high = binomtest(right, len(own)).proportion_ci(method="exact")
        seconds = sorted(one["seconds"] for one in own)[len(own) // 2]
        result[kind] = {"tries": len(own), **ends, "as_it_should": [right / len(own), low, high], "seconds": seconds}
        print(f"{kind:20} {len(own):3} tries: {', '.join(f'{n} {end}' for end, n in ends.items())}; as it should "
              f"{right / len(own):.3f} (95 % {low:.3f} to {high:.3f}); {seconds:.0f} s of the processor")  # fmt: skip
    for one in tries:
        if one["outcome"] != ("promoted" if one["kind"] == SOUND else "refused"):
            told = [sentence for _, outcome, sentence in one["checks"] if outcome != "pass"] or one["told"]
            print(f"shop {one['seed']} week {one['week']}, {one['kind']}: {one['outcome']}. {' '.join(told)}")
    return {"table": result, "tries": tries}


def main() -> None:
    """Takes every shop through its weeks, each in a process of its own."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--folder", type=Path, required=True)
    parser.add_argument("--shops", type=int, default=7)
    parser.add_argument("--table", action="store_true", help="only print what is there")
    parser.add_argument("--seed", type=int, help=argparse.SUPPRESS)
    given = parser.parse_args()
    folder = given.folder.resolve()
    (folder / "tries").mkdir(parents=True, exist_ok=True)
    if given.seed is not None:
        go_through(folder, given.seed)
        return
    for seed in range(100, 100 + given.shops) if not given.table else []:
        command = [sys.executable, __file__, "--folder", str(folder), "--seed", str(seed)]
        subprocess.run(command, check=True)
    from tfrec.files import write_json

    write_json(RESULT, table(folder))


if __name__ == "__main__":
    main()
