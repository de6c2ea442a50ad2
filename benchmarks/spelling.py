"""What mending the spelling of queries is worth to BM25, on the labelled shops, as typed and with made errors.

    pip install -c constraints.txt -e '.[bench]'
    python benchmarks/spelling.py --data ../shared/data

nDCG@10 of BM25 (k1 1.2, b .75, brand and title) over the whole catalogue without and with the speller: of all queries,
of those that it changes, and of the clean ones (which it leaves alone) with one error put into each. No label is used.
Then what the speller costs in the graph, a call of 1 and of 32 queries as typed, and what it holds.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
sys.path.insert(0, str(Path(__file__).resolve().parent))

from protocol.shops import FILES, LabelledShop, open_shops  # noqa: E402
from query_noise import noisy  # noqa: E402

_DEPTH, _ROUNDS = 10, 40


def main() -> None:
    """Measures and prints; writes JSON."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=Path("../shared/data"))
    parser.add_argument("--shops", nargs="+", choices=list(FILES), default=list(FILES))
    parser.add_argument("--out", type=Path, default=Path("benchmarks/results/spelling.json"))
    options = parser.parse_args()
    from tfrec.files import write_json

    shops = open_shops(options.data, options.shops, options.out.parent / "spelling")
    found = {shop.name: measured(shop) for shop in shops}
    options.out.parent.mkdir(parents=True, exist_ok=True)
    write_json(options.out, found)


def measured(shop: LabelledShop) -> dict[str, Any]:
    """All figures of one shop."""
    from tfrec.models.spelling.speller import mend
    from tfrec.pipeline.assemble import speller_of

    start = time.perf_counter()
    speller = speller_of(shop.config, shop.data, shop.encoder, ())
    built = time.perf_counter() - start
    queries = list(shop.truth)
    mended = mend(speller, queries).words
    changed = [query for query, other in zip(queries, mended, strict=True) if query != other]
    typos = [pair for pair in noisy(sorted({*queries} - {*changed}), "one typo") if pair[0] != pair[1]]
    rows = {
        "as typed": [(query, query, other) for query, other in zip(queries, mended, strict=True)],
        "changed": [(q, q, other) for q, other in zip(queries, mended, strict=True) if q != other],
        "clean ones with a made error": [
            (query, typed, other)
            for (query, typed), other in zip(typos, mend(speller, [typed for _, typed in typos]).words, strict=True)
        ],
    }
    figures = {name: _compared(shop, *zip(*triples, strict=True)) for name, triples in rows.items() if triples}
    times = {f"{size} queries": _milliseconds(speller, queries[:size]) for size in (1, 32)}
    held = sum(variable.numpy().nbytes for variable in speller.variables) / 1e6
    for name, (without, with_it, gain, number) in figures.items():
        print(f"{shop.name}, {name} ({number}): {without:.3f} without, {with_it:.3f} with the speller ({gain})")
    print(f"{shop.name}: built in {built:.1f} s, {held:.1f} MB, ms {times}", flush=True)
    return {"figures": figures, "milliseconds": times, "seconds": built, "megabytes": held}


def _compared(shop: LabelledShop, asked: Sequence[str], typed: Sequence[str], mended: Sequence[str]) -> list[Any]:
    """[mean without, mean with, difference and interval, number of queries]."""
    from tfrec.evaluation.significance import compare

    before = [_ndcg(shop, query, text) for query, text in zip(asked, typed, strict=True)]
    after = [_ndcg(shop, query, text) for query, text in zip(asked, mended, strict=True)]
    found = compare(after, before)
    difference = f"{found.difference:+.3f}, {found.low:+.3f} to {found.high:+.3f}"
    return [statistics.mean(before), statistics.mean(after), difference, len(asked)]


def _ndcg(shop: LabelledShop, query: str, text: str) -> float:
    import numpy as np

    from tfrec.models.spelling.alternatives import split_alternatives

    parts, _, weights = split_alternatives([text])
    scores = sum(w * shop.bm25.scores(part.decode()) for part, w in zip(parts.numpy(), weights.numpy(), strict=True))
    best = [row for row in np.argsort(-scores, kind="stable")[:_DEPTH] if scores[row] > 0]
    truth = shop.truth[query]
    gains = [truth.get(shop.data.item_ids[row], 0.0) for row in best]
    ideal = sorted(truth.values(), reverse=True)[:_DEPTH]
    discounts = 1 / np.log2(np.arange(2, _DEPTH + 2))
    return float(np.dot(gains, discounts[: len(gains)]) / np.dot(ideal, discounts[: len(ideal)]))


def _milliseconds(speller: Any, queries: Sequence[str]) -> float:
    """The median of calls in a graph."""
    import tensorflow as tf

    graph = tf.function(speller.__call__, input_signature=[tf.TensorSpec([None], tf.string)], autograph=False)
    texts, times = tf.constant(list(queries)), []
    graph(texts)
    for _ in range(_ROUNDS):
        start = time.perf_counter()
        graph(texts)
        times.append(1000 * (time.perf_counter() - start))
    return round(statistics.median(times), 2)


if __name__ == "__main__":
    main()
