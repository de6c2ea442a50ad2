"""What the stages after `tfrec data prepare` hold of a shop's purchases: memory of this process, step by step.

    python benchmarks/purchases_later.py runs/shop/data/0123456789abcdef

benchmarks/prepare_scale.py --later runs it on what it has prepared. Prints a line of JSON: step -> [GiB held after it,
highest GiB until then].
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tfrec.data.shop import ShopData


def memory() -> list[float]:
    """GiB held now, and at most so far (Linux)."""
    pages = int(Path("/proc/self/statm").read_text("ascii").split()[1])
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    return [round(pages * os.sysconf("SC_PAGE_SIZE") / 2**30, 2), round(peak, 2)]


def steps(shop: ShopData) -> dict[str, Callable[[], Any]]:
    """What a training does with purchases outside tf.data, which reads the shards as a stream."""
    from tfrec.retrieval.item_weights import item_knn
    from tfrec.retrieval.recent import purchase_matrix
    from tfrec.training.known_positives import KnownPositives

    return {
        "start": lambda: None,
        "table": lambda: shop.interactions,
        "shoppers evaluated": lambda: shop.shoppers("dev"),
        "known positives": lambda: KnownPositives(*shop.known_positives, shop.size),
        "who took what": lambda: purchase_matrix(shop),
        "item-item weights": lambda: item_knn(purchase_matrix(shop)),
    }


def main() -> None:
    """Takes the steps."""
    parser = argparse.ArgumentParser(description="Memory of what is done with purchases after they are prepared.")
    parser.add_argument("folder", type=Path)
    shop = ShopData.open(parser.parse_args().folder)
    held, found = [], {}
    for name, step in steps(shop).items():
        held.append(step())
        found[name] = memory()
        print(name, *found[name], file=sys.stderr, flush=True)
    json.dump(found, sys.stdout)


if __name__ == "__main__":
    main()
