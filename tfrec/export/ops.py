"""Which ops a SavedModel uses, and whether stock TensorFlow Serving has them all.

`stock_ops.txt` lists the ops of the TensorFlow and TensorFlow Text that tfrec is built with; the server links both
(tensorflow_serving/model_servers/BUILD, SUPPORTED_TENSORFLOW_OPS). `python -m tfrec.export.ops` writes it anew.
"""

from __future__ import annotations

import re
import subprocess
import sys
from functools import lru_cache
from pathlib import Path
from typing import Any

from tfrec.errors import ExportError

_STOCK_OPS = Path(__file__).with_name("stock_ops.txt")
# Registered in TensorFlow's core, but they call Python, or need XLA or a TPU, or other machines.
_NOT_SERVED = re.compile(r"^_?(Eager)?PyFunc|Xla|TPU|^_|^DTensor|^Collective|^Nccl|^DataService|^RegisterDataset")
_MUST_COMPILE = "_XlaMustCompile"
_LIST_OPS = """
import tensorflow, tensorflow_text
from tensorflow.core.framework.op_def_pb2 import OpList
from tensorflow.python.client import pywrap_tf_session as session
for op in OpList.FromString(session.TF_GetBuffer(session.TF_GetAllOpList())).op:
    print(op.name)
"""


@lru_cache(maxsize=1)
def stock_ops() -> frozenset[str]:
    """Names of the ops that stock TensorFlow Serving runs on a CPU."""
    lines = _STOCK_OPS.read_text("utf-8").splitlines()
    return frozenset(line for line in lines if line and not line.startswith("#"))


def _ops_of(graphs: list[Any]) -> set[str]:
    """Names of all ops in a SavedModel's graphs and in every function of their libraries."""
    ops: set[str] = set()
    functions: set[str] = set()
    for graph in graphs:
        functions.update(function.signature.name for function in graph.library.function)
        ops.update(node.op for nodes in _node_lists(graph) for node in nodes)
    return ops - functions  # a call may use the function's own name as its op


def check_ops(folder: Path) -> set[str]:
    """Fails unless stock TensorFlow Serving can run a SavedModel.

    Args:
        folder: holds saved_model.pb.

    Returns:
        The ops it uses.

    Raises:
        ExportError: names the ops that the server lacks, or functions that XLA must compile.
    """
    graphs = _graphs(folder)
    ops = _ops_of(graphs)
    foreign = sorted(ops - stock_ops())
    if foreign:
        raise ExportError(f"{folder} uses ops that stock TensorFlow Serving does not have: {', '.join(foreign)}.")
    compiled = {
        function.signature.name
        for graph in graphs
        for function in graph.library.function
        if function.attr[_MUST_COMPILE].b
    }
    compiled |= {
        node.name for graph in graphs for nodes in _node_lists(graph) for node in nodes if node.attr[_MUST_COMPILE].b
    }
    if compiled:
        raise ExportError(
            f"{folder} has {len(compiled)} functions or calls that XLA must compile, which stock TensorFlow Serving "
            f"does not do, such as {', '.join(sorted(compiled)[:3])}."
        )
    return ops


def _node_lists(graph: Any) -> list[Any]:
    return [graph.node, *(function.node_def for function in graph.library.function)]


def _graphs(folder: Path) -> list[Any]:
    from google.protobuf.message import DecodeError

    from tfrec.tensorflow_setup import tf  # noqa: F401  (the messages below belong to it)

    # isort: split
    from tensorflow.core.protobuf.saved_model_pb2 import SavedModel

    file = Path(folder) / "saved_model.pb"
    try:
        return [meta.graph_def for meta in SavedModel.FromString(file.read_bytes()).meta_graphs]
    except (OSError, DecodeError) as error:
        raise ExportError(f"{file} cannot be read as a SavedModel ({error}): export the model again.") from error


def list_stock_ops() -> list[str]:
    """The ops of the installed TensorFlow and TensorFlow Text, asked of a fresh process that loads nothing else."""
    told = subprocess.run([sys.executable, "-c", _LIST_OPS], check=True, capture_output=True, text=True).stdout
    return sorted(name for name in told.split() if not _NOT_SERVED.search(name))


def _main() -> None:
    from tfrec.export.manifest import versions
    from tfrec.files import atomic_write

    found = versions()
    header = (
        f"# Ops of tensorflow {found['tensorflow']} and tensorflow-text {found['tensorflow-text']} that stock\n"
        "# TensorFlow Serving runs on a CPU. Written by: python -m tfrec.export.ops\n"
    )
    atomic_write(_STOCK_OPS, header + "\n".join(list_stock_ops()) + "\n")


if __name__ == "__main__":
    _main()
