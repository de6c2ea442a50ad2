"""Whether an explanation names what counts: an item's features are taken away, the first named group or another one.

    python benchmarks/explaining.py --config configs/demo.yaml

Of each ranker of a trained run (taught again where the run left it out), for requests of the test and their first ten
items: the group of features that the explanation names first (the largest part, whatever its sign) is set to what the
mean candidate has, for this item alone, and the item's place is looked up anew; likewise for another group, drawn from
the others. Likewise of the whole served model the typed word, or the item of the history, whose leaving out lowers the
item's score most, beside another one of the request. Printed: how often the place changes, and by how many places, with
paired intervals. Writes benchmarks/results/explaining_NAME.json.
"""

from __future__ import annotations

import argparse
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

RESULTS = Path(__file__).parent / "results"
FIRST, DEEP, SERVED = 10, 1000, 150


def moves(ranker: Any, candidates: Any, rng: np.random.Generator) -> dict[str, np.ndarray]:
    """By how many places each of the first ten items of each request moves, int64 [M]: "first" without the group that
    is named first, "other" without another one."""
    groups = ranker.of_groups(candidates)
    parts = np.stack([part.numpy() for part in groups.values()], axis=2)
    numbers = ranker.inputs(candidates).numpy()
    filled = candidates.filled.numpy()
    scores = np.where(filled, candidates.fused.numpy() + ranker(candidates).numpy(), -np.inf)
    of = np.repeat(np.arange(len(groups)), [len(feature.names) for feature in ranker.features])
    best = np.argsort(-scores, axis=1, kind="stable")[:, :FIRST]
    first = np.abs(np.take_along_axis(parts, best[:, :, None], axis=1)).argmax(axis=2)
    other = (first + rng.integers(1, len(groups), first.shape)) % len(groups)
    found: dict[str, np.ndarray] = {}
    for name, chosen in (("first", first), ("other", other)):
        shifts = []
        for place in range(best.shape[1]):
            row, changed = np.arange(len(best)), numbers.copy()
            item = best[:, place]
            changed[row, item] *= of[None] != chosen[:, place, None]
            again = candidates.fused.numpy() + ranker.corrected(changed, candidates).numpy()
            without = scores.copy()
            without[row, item] = again[row, item]
            now = (without > without[row, item][:, None]).sum(axis=1)
            was = (scores > scores[row, item][:, None]).sum(axis=1)
            shifts.append(np.abs(now - was)[filled[row, item]])
        found[name] = np.concatenate(shifts)
    return found


def measured(trained: Any, situation: int, seed: int) -> dict[str, Any] | None:
    """What `moves` gives for requests of the test; None where there is no ranker."""
    from tfrec.evaluation.significance import compare
    from tfrec.ranking.opinions import QUERY
    from tfrec.ranking.ranked_fusion import RankedFusion
    from tfrec.retrieval.answers import answered

    fusion = trained.fusion_knowing(("train",))
    ranker = fusion.ranker(situation) if isinstance(fusion, RankedFusion) else None
    if ranker is None:
        return None
    if situation == QUERY:
        words, past = list(trained.shop.judgments("test"))[:300], None
    else:
        past = [shopper.history for shopper in trained.shop.shoppers("test")[:300]]
        words = [""] * len(past)
    rng = np.random.default_rng(seed)
    found = answered(
        lambda request: fusion.candidates(request, *fusion.scored(request), situation),
        trained.model, words, past, trained.shop.size, 4,
    )  # fmt: skip
    several = [moves(ranker, candidates, rng) for _, _, candidates in found]
    both = {name: np.concatenate([some[name] for some in several]) for name in ("first", "other")}
    share = {name: (values > 0).astype(float) for name, values in both.items()}
    return {
        "items": len(both["first"]),
        **{name: {"moved": float(share[name].mean()), "places": float(both[name].mean())} for name in both},
        "comparison": compare(share["first"], share["other"], seed, "moved").to_dict(),
    }


def left_out(model: Any, requests: list[tuple[str, list[str]]], kind: str, seed: int) -> dict[str, Any] | None:
    """What leaving out the first-named and another word (or item of the history) does to the first ten items."""
    from tfrec.evaluation.significance import compare
    from tfrec.serving.client import answers, leave_one_out

    rng = np.random.default_rng(seed)
    places: dict[str, list[int]] = {"first": [], "other": []}
    for query, history in requests:
        several = leave_one_out.variants(query, history)
        if len(several) < 3:  # nothing to tell from another
            continue
        asked = [one.query for one in several], [one.history for one in several]
        found = model.search(asked[0], DEEP) if kind == "words" else model.recommend(asked[1], DEEP)
        ranked = [[item for item, _ in found.hits(row) if item not in history] for row in range(len(several))]
        items = ranked[0][:FIRST]
        scores = answers.part_sums(model.call("explain", leave_one_out.inputs(several, items), {}))
        for place, one in enumerate(leave_one_out.read(several, scores)):
            falls = list(getattr(one, kind).values())
            best = int(np.argmax(falls))
            other = (best + int(rng.integers(1, len(falls)))) % len(falls)
            for name, number in (("first", best), ("other", other)):
                now = ranked[1 + number]
                moved = now.index(items[place]) - place if items[place] in now else DEEP
                places[name].append(abs(moved))
    moved = {name: (np.asarray(values) > 0).astype(float) for name, values in places.items()}
    if not len(moved["first"]):
        return None
    return {
        "items": len(moved["first"]),
        **{name: {"moved": float(moved[name].mean()), "places": float(np.median(places[name]))} for name in places},
        "comparison": compare(moved["first"], moved["other"], seed, "moved").to_dict(),
    }


def told(name: str, found: dict[str, Any], kind: str) -> None:
    """Prints one comparison."""
    both = ", ".join(f"{one} {found[one]['moved']:.3f} moved by {found[one]['places']:.1f} places ({kind})"
                     for one in ("first", "other"))  # fmt: skip
    low, high = found["comparison"]["low"], found["comparison"]["high"]
    print(f"{name}, {found['items']:,} items: {both}; difference {low:+.3f} to {high:+.3f}", flush=True)


def main() -> None:
    """Reads a run back, measures, prints and writes."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--config", type=Path, default=Path("configs/demo.yaml"))
    parser.add_argument("--set", action="append", default=[], dest="overrides")
    options = parser.parse_args()

    import tfrec
    from tfrec.export.loaded import LoadedModel
    from tfrec.files import write_json
    from tfrec.ranking.opinions import HEADS

    trained = served = tfrec.train(tfrec.load_config(options.config, options.overrides))
    section = trained.config.ranking.model_copy(update={"enabled": "always"})
    trained = replace(trained, config=trained.config.model_copy(update={"ranking": section}))
    results = {}
    for situation, head in HEADS.items():
        found = measured(trained, situation, trained.config.seed)
        if found is not None:
            results[head] = found
            told(head, found, "mean")
    model = LoadedModel.open(tfrec.export(served))
    requests = {
        "words": [(query, []) for query in list(trained.shop.judgments("test"))[:SERVED]],
        "history": [
            ("", [trained.shop.item_ids[item] for item in shopper.history])
            for shopper in trained.shop.shoppers("test")[:SERVED]
        ],
    }
    for kind, several in requests.items():
        found = left_out(model, several, kind, trained.config.seed)
        if found is not None:
            results[kind] = found
            told(kind, found, "median")
    RESULTS.mkdir(parents=True, exist_ok=True)
    write_json(RESULTS / f"explaining_{trained.config.name}.json", results)


if __name__ == "__main__":
    main()
