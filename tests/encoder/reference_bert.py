"""BERT in plain NumPy and Python, float32, one text at a time: the known truth of the encoder tests.

Written from the paper and the checkpoint's names alone; shares no code with tfrec. Run as a program it computes the
fixed vectors of minilm_reference.json:

    python tests/encoder/reference_bert.py CHECKPOINT_FOLDER > tests/encoder/minilm_reference.json
"""

from __future__ import annotations

import json
import math
import sys
import unicodedata
from pathlib import Path
from typing import Any

import numpy as np

TEXTS = (
    "red leather sofa",
    "Café crème: 12-pack, 0.5 L (naïve & co.)",
    "",
    "红色的真皮沙发",
    "running shoes 👟 for women ☕️",
    "Antidisestablishmentarianism unbelievableness",
    "stainless steel kitchen knife set with wooden block " * 20,
    "дом и сад",
)
MAX_TOKENS = 64


def words_of(text: str) -> list[str]:
    """Lower case, no accents, split at white space, around punctuation and around CJK characters."""
    out = []
    for character in unicodedata.normalize("NFD", text.lower()):
        category, code = unicodedata.category(character), ord(character)
        if category == "Mn" or category in ("Cc", "Cf") and character not in "\t\n\r":
            continue
        cjk = 0x4E00 <= code <= 0x9FFF or 0x3400 <= code <= 0x4DBF or 0xF900 <= code <= 0xFAFF
        ascii_mark = 33 <= code <= 47 or 58 <= code <= 64 or 91 <= code <= 96 or 123 <= code <= 126
        out.append(f" {character} " if cjk or ascii_mark or category.startswith("P") else character)
    return "".join(out).split()


def token_ids(text: str, vocabulary: dict[str, int], max_tokens: int) -> list[int]:
    """[CLS] greedy longest-match word pieces [SEP]."""
    ids: list[int] = []
    for word in words_of(text):
        pieces, start = [], 0
        while start < len(word):
            candidates = (("##" if start else "") + word[start:end] for end in range(len(word), start, -1))
            piece = next((c for c in candidates if c in vocabulary), None)
            if piece is None:
                pieces = ["[UNK]"]
                break
            pieces.append(piece)
            start += len(piece) - (2 if start else 0)
        ids += [vocabulary[p] for p in pieces]
    return [vocabulary["[CLS]"], *ids[: max_tokens - 2], vocabulary["[SEP]"]]


def sequence_output(ids: list[int], tensors: dict[str, np.ndarray], config: dict[str, Any]) -> np.ndarray:
    """Vectors of the last layer, float32 [T, hidden]."""

    def norm(x: np.ndarray, name: str) -> np.ndarray:
        centred = x - x.mean(-1, keepdims=True)
        deviation = np.sqrt((centred**2).mean(-1, keepdims=True) + config["layer_norm_eps"])
        return centred / deviation * tensors[f"{name}.weight"] + tensors[f"{name}.bias"]

    def dense(x: np.ndarray, name: str) -> np.ndarray:
        return x @ tensors[f"{name}.weight"].T + tensors[f"{name}.bias"]

    heads, erf = config["num_attention_heads"], np.vectorize(math.erf, otypes=[np.float32])
    x = tensors["embeddings.word_embeddings.weight"][ids] + tensors["embeddings.token_type_embeddings.weight"][0]
    x = norm(x + tensors["embeddings.position_embeddings.weight"][: len(ids)], "embeddings.LayerNorm")
    for layer in range(config["num_hidden_layers"]):
        at = f"encoder.layer.{layer}"
        q, k, v = (dense(x, f"{at}.attention.self.{n}") for n in ("query", "key", "value"))
        contexts = []
        for one_q, one_k, one_v in zip(*(np.split(part, heads, axis=-1) for part in (q, k, v)), strict=True):
            scores = one_q @ one_k.T / math.sqrt(one_q.shape[-1])
            e = np.exp(scores - scores.max(-1, keepdims=True))
            contexts.append(e / e.sum(-1, keepdims=True) @ one_v)
        x = norm(
            x + dense(np.concatenate(contexts, -1), f"{at}.attention.output.dense"), f"{at}.attention.output.LayerNorm"
        )
        inner = dense(x, f"{at}.intermediate.dense")
        x = norm(
            x + dense(0.5 * inner * (1 + erf(inner / math.sqrt(2))), f"{at}.output.dense"), f"{at}.output.LayerNorm"
        )
    return x


def reference_vectors(folder: Path, texts: tuple[str, ...] | list[str], max_tokens: int) -> np.ndarray:
    """Mean-pooled vectors float32 [N, hidden] of a checkpoint folder."""
    from safetensors.numpy import load_file

    tensors = load_file(folder / "model.safetensors")
    config = json.loads((folder / "config.json").read_text("utf-8"))
    lines = (folder / "vocab.txt").read_text("utf-8").split("\n")
    vocabulary = {piece: number for number, piece in enumerate(lines) if piece}
    every = [sequence_output(token_ids(text, vocabulary, max_tokens), tensors, config).mean(0) for text in texts]
    return np.stack(every).astype(np.float32)


if __name__ == "__main__":
    vectors = reference_vectors(Path(sys.argv[1]), TEXTS, MAX_TOKENS)
    rows = [{"text": text, "vector": [round(float(x), 6) for x in v]} for text, v in zip(TEXTS, vectors, strict=True)]
    print(json.dumps({"max_tokens": MAX_TOKENS, "rows": rows}, ensure_ascii=False, indent=None))
