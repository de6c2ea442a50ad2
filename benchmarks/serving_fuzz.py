"""Sends 5,000 hostile requests to the embedded server: a typed answer each, the server lives, nothing leaks.

    python benchmarks/serving_fuzz.py --requests 5000 --seed 1 [--export DIR]

Without --export a toy shop is made. Memory, threads and open files are told before and after.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import threading
import time
from collections import Counter
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

import grpc  # noqa: E402

from serving.server.threads import limit_tensorflow_threads  # noqa: E402

limit_tensorflow_threads(1)

from serving.client import Client  # noqa: E402
from serving.server.frontends import FrontendOptions  # noqa: E402
from serving.server.model_config import ModelConfig, VersionPolicy  # noqa: E402
from serving.server.server import ModelServer, ServerOptions  # noqa: E402
from tests.serving.protocol.fuzzing import send_all  # noqa: E402
from tests.serving.protocol.hostile import requests  # noqa: E402


def state() -> dict[str, float]:
    """Memory in MB, threads and open files of this process (Linux)."""
    status = Path("/proc/self/status").read_text()
    resident = int(next(line.split()[1] for line in status.splitlines() if line.startswith("VmRSS")))
    files = len(list(Path("/proc/self/fd").iterdir()))
    return {"memory_mb": round(resident / 1024, 1), "threads": threading.active_count(), "open_files": files}


def toy_export(folder: Path) -> Path:
    """Version 10 of the toy shop of the tests."""
    from importlib.util import module_from_spec, spec_from_file_location

    spec = spec_from_file_location("toy_shop", ROOT / "tests" / "serving" / "conftest.py")
    assert spec is not None and spec.loader is not None
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    from tfrec.export.manifest import write_manifest
    from tfrec.tensorflow_setup import tf

    shop = module._build_module(module.ITEMS)
    names = ("search", "recommend", "similar_items", "embed_item")
    tf.saved_model.save(
        shop, str(folder / "10"), {**{name: getattr(shop, name) for name in names}, "serving_default": shop.search}
    )
    write_manifest(folder / "10", {})
    return folder


def main() -> None:
    """Runs the benchmark and prints JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--requests", type=int, default=5000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--export", type=Path)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        base = arguments.export or toy_export(Path(folder))
        configs = [ModelConfig("shop", str(base), VersionPolicy("latest"))]
        options = ServerOptions(poll_seconds=0)
        with ModelServer(port=0, options=options, configs=configs, frontend=FrontendOptions(rest_port=0)) as server:
            with grpc.insecure_channel(server.address) as channel, Client(server.address, "shop", timeout=30) as client:
                assert server.rest_port is not None
                # A first part fills pools and caches, so that growth afterwards means something.
                first = max(arguments.requests // 5, 1)
                ended: Counter[str] = send_all(requests(arguments.seed + 1, first), channel, server.rest_port)
                before, started = state(), time.perf_counter()
                ended += send_all(requests(arguments.seed, arguments.requests - first), channel, server.rest_port)
                seconds = time.perf_counter() - started
                alive = len(client.search("sofa", 1)) == 1
                after = state()
    told = {
        "requests": sum(ended.values()), "ended": dict(ended.most_common()), "alive": alive, "before": before,
        "after": after, "seconds": round(seconds, 1),
    }  # fmt: skip
    print(json.dumps(told, indent=1))


if __name__ == "__main__":
    main()
