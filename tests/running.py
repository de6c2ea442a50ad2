"""How the tests run: threads, how many examples, what goes to which worker and in what order, memory."""

from __future__ import annotations

import ctypes
import gc
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings

# Before TensorFlow's first import, for child processes too. Toy models are compiled for seconds and run for
# milliseconds, and two workers have one core each.
os.environ.setdefault("XLA_FLAGS", "--xla_backend_optimization_level=0 --xla_llvm_disable_expensive_passes=true")
for threads in ("TF_NUM_INTRAOP_THREADS", "OMP_NUM_THREADS"):
    os.environ.setdefault(threads, "1")

# `make test` draws a few examples of each property, others each time; `make test-all` has --hypothesis-profile=full.
settings.register_profile("quick", deadline=None)
settings.register_profile("full", deadline=None, print_blob=True)
settings.load_profile("quick")
_QUICK_SHARE = 4

# With pytest-xdist a worker takes whole groups, in this order: long ones first, so that none is left over at the end.
# Tests of a folder named here share models that live in one worker; elsewhere a file is a group.
LONG_FOLDERS = ["export", "encoder"]
LONG_GROUPS = [
    "export", "encoder", "run_folder", "training/test_training", "retrieval/test_hybrid_shop",
    "training/test_augmented", "lifecycle/test_gate", "images/test_image_training", "tuner",
    "augment/test_operation_contract", "choosing/test_few_labels", "training", "synth/generator", "integration",
    "serving",
]  # fmt: skip
TOGETHER = {  # they share one trained shop
    "integration/test_spine": "training/test_training", "integration/test_docs_python": "training/test_training",
    "pipeline/test_judging_pool": "training/test_training", "pipeline/test_query_student": "training/test_training",
}  # fmt: skip
_GROWN = 200 << 20  # bytes of memory by which a module may grow


def examples(count: int) -> int:
    """How many examples of a costly property are tried: all of `count` in the profile "full", else a quarter."""
    return count if settings.get_current_profile_name() == "full" else max(1, count // _QUICK_SHARE)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Brings the long groups forward."""
    order = {id(item): _place(_group(item.nodeid)) for item in items}
    items.sort(key=lambda item: order[id(item)])


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """Workers take group after group in the order of the collection, whatever --dist says."""
    from xdist.scheduler import LoadScopeScheduling

    class Groups(LoadScopeScheduling):
        def _split_scope(self, nodeid: str) -> str:
            return _group(nodeid)

    config.option.loadscopereorder = False
    return Groups(config, log)


def pytest_collection_finish() -> None:
    """What is imported by now stays: the garbage collector need not walk it again and again."""
    gc.collect()
    gc.freeze()


def _group(nodeid: str) -> str:
    """The file below tests/, without its ending; or the folder, if its tests share models."""
    parts = Path(nodeid.partition("::")[0]).with_suffix("").parts[1:]
    name = "/".join(parts)
    return parts[0] if parts[0] in LONG_FOLDERS else TOGETHER.get(name, name)


def _place(group: str) -> int:
    return next((place for place, start in enumerate(LONG_GROUPS) if group.startswith(start)), len(LONG_GROUPS))


@pytest.fixture(scope="module", autouse=True)
def _graphs_are_freed() -> Iterator[None]:
    """Frees the memory of a module's graphs: they are cyclic garbage, and glibc keeps what they held."""
    before = _resident()
    yield
    if _resident() > before + _GROWN:
        gc.collect()
        if trim := getattr(ctypes.CDLL(None), "malloc_trim", None):
            trim(0)


def _resident() -> int:
    """Bytes of memory in use, 0 where the system does not tell."""
    statistics = Path("/proc/self/statm")
    return int(statistics.read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") if statistics.is_file() else 0
