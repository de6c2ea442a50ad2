"""Reading the signatures out of a SavedModel without parsing its graph, which holds all weights of a frozen model.

The interpreter lock is held while protobuf parses; at 100 MB that would stop every running request for a while.
"""

from __future__ import annotations

import mmap
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tfrec.errors import ServingError

_META_GRAPHS, _GRAPH, _OBJECTS = 2, 2, 7  # SavedModel.meta_graphs; MetaGraphDef.graph_def, .object_graph_def
_VARINT, _FIXED64, _BYTES, _FIXED32 = 0, 1, 2, 5


def read_signature_defs(folder: Path) -> dict[str, Any]:
    """The `tensorflow.SignatureDef`s of a SavedModel's graph for serving, by name.

    Raises:
        ServingError: saved_model.pb is missing, is broken, or has no such graph.
    """
    # isort: off
    from tfrec.tensorflow_setup import tf  # noqa: F401
    from tensorflow.core.protobuf import meta_graph_pb2

    file = folder / "saved_model.pb"
    if not file.is_file():
        raise ServingError(f"{folder} is not a SavedModel, saved_model.pb is missing: export the model again.")
    try:
        with file.open("rb") as handle, mmap.mmap(handle.fileno(), 0, access=mmap.ACCESS_READ) as data:
            for number, start, body, end in _fields(data, 0, len(data)):
                if number != _META_GRAPHS or body == start:
                    continue
                kept = [data[a:c] for n, a, _, c in _fields(data, body, end) if n not in (_GRAPH, _OBJECTS)]
                graph = meta_graph_pb2.MetaGraphDef.FromString(b"".join(kept))
                if "serve" in graph.meta_info_def.tags:
                    return dict(graph.signature_def.items())
    except (ValueError, IndexError) as error:  # also what protobuf and an empty file raise
        raise ServingError(f"{file} cannot be read ({' '.join(str(error).split())}): export the model again.") from None
    except Exception as error:  # google.protobuf.message.DecodeError, whose class has moved between versions
        raise ServingError(f"{file} cannot be read ({type(error).__name__}): export the model again.") from None
    raise ServingError(f"{file} has no graph for serving: export the model again.")


def _fields(data: Any, place: int, end: int) -> Iterator[tuple[int, int, int, int]]:
    """Fields of a message in `data[place:end]`: (number, start, start of the content, end)."""
    while place < end:
        start = place
        key, place = _varint(data, place)
        kind, body = key & 7, place
        if kind == _VARINT:
            _, place = _varint(data, place)
        elif kind == _BYTES:
            size, body = _varint(data, place)
            place = body + size
        elif kind in (_FIXED64, _FIXED32):
            place += 8 if kind == _FIXED64 else 4
        else:
            raise ValueError("it is no protobuf")
        if place > end:
            raise ValueError("it ends too early")
        yield key >> 3, start, body, place


def _varint(data: Any, place: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        byte = data[place]
        value, place, shift = value | (byte & 127) << shift, place + 1, shift + 7
        if byte < 128:
            return value, place
        if shift > 63:
            raise ValueError("it is no protobuf")
