"""Encoder families in plain NumPy and Python, one text at a time, by the names of their checkpoints.

Written from the papers (DistilBERT: Sanh et al. 2019; ELECTRA: Clark et al. 2020; MPNet: Song et al. 2020 with T5's
buckets, Raffel et al. 2020); shares no code with tfrec.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

_BERT = {
    "layer": "encoder.layer.{}.", "q": "attention.self.query", "k": "attention.self.key",
    "v": "attention.self.value", "o": "attention.output.dense", "after": "attention.output.LayerNorm",
    "inner": "intermediate.dense", "outer": "output.dense", "last": "output.LayerNorm",
}  # fmt: skip
_MPNET = _BERT | {"q": "attention.attn.q", "k": "attention.attn.k", "v": "attention.attn.v", "o": "attention.attn.o",
                  "after": "attention.LayerNorm"}  # fmt: skip
_DISTILBERT = {
    "layer": "transformer.layer.{}.", "q": "attention.q_lin", "k": "attention.k_lin", "v": "attention.v_lin",
    "o": "attention.out_lin", "after": "sa_layer_norm", "inner": "ffn.lin1", "outer": "ffn.lin2",
    "last": "output_layer_norm",
}  # fmt: skip
NAMES = {"bert": _BERT, "electra": _BERT, "mpnet": _MPNET, "distilbert": _DISTILBERT, "xlm-roberta": _BERT}


def shapes_of(config: dict[str, Any]) -> dict[str, tuple[int, ...]]:
    """Name -> shape of every weight of a checkpoint of this configuration."""
    kind = config["model_type"]
    names, (hidden, layers, heads, inner) = NAMES[kind], _sizes(config)
    width = config.get("embedding_size", hidden)
    shapes: dict[str, tuple[int, ...]] = {
        "embeddings.word_embeddings.weight": (config["vocab_size"], width),
        "embeddings.position_embeddings.weight": (config["max_position_embeddings"], width),
        "embeddings.LayerNorm.weight": (width,),
        "embeddings.LayerNorm.bias": (width,),
    }
    if "type_vocab_size" in config:
        shapes["embeddings.token_type_embeddings.weight"] = (config["type_vocab_size"], width)
    if width != hidden:
        shapes |= {"embeddings_project.weight": (hidden, width), "embeddings_project.bias": (hidden,)}
    if kind == "mpnet":
        shapes["encoder.relative_attention_bias.weight"] = (32, heads)
    dense = {"q": (hidden, hidden), "k": (hidden, hidden), "v": (hidden, hidden), "o": (hidden, hidden),
             "inner": (inner, hidden), "outer": (hidden, inner)}  # fmt: skip
    for layer in range(layers):
        at = names["layer"].format(layer)
        for part, shape in dense.items():
            shapes |= {f"{at}{names[part]}.weight": shape, f"{at}{names[part]}.bias": shape[:1]}
        for part in ("after", "last"):
            shapes |= {f"{at}{names[part]}.{leaf}": (hidden,) for leaf in ("weight", "bias")}
    return shapes


def _sizes(config: dict[str, Any]) -> tuple[int, int, int, int]:
    keys = ["hidden_size", "num_hidden_layers", "num_attention_heads", "intermediate_size"]
    if config["model_type"] == "distilbert":
        keys = ["dim", "n_layers", "n_heads", "hidden_dim"]
    hidden, layers, heads, inner = (config[key] for key in keys)
    return hidden, layers, heads, inner


def bucket(distance: int) -> int:
    """T5's bucket of a distance (key less query), 32 buckets for both directions, 128 the farthest."""
    behind, away = 16 if distance > 0 else 0, abs(distance)
    if away < 8:
        return behind + away
    return behind + min(15, 8 + int(math.log(away / 8) / math.log(128 / 8) * 8 + 1e-9))


def sequence_output(ids: list[int], tensors: dict[str, np.ndarray], config: dict[str, Any]) -> np.ndarray:
    """Vectors of the last layer, [T, hidden]."""
    kind = config["model_type"]
    names, (_, layers, heads, _) = NAMES[kind], _sizes(config)
    epsilon = config.get("layer_norm_eps", 1e-12)

    def norm(x: np.ndarray, name: str) -> np.ndarray:
        centred = x - x.mean(-1, keepdims=True)
        deviation = np.sqrt((centred**2).mean(-1, keepdims=True) + epsilon)
        return centred / deviation * tensors[f"{name}.weight"] + tensors[f"{name}.bias"]

    def dense(x: np.ndarray, name: str) -> np.ndarray:
        return x @ tensors[f"{name}.weight"].T + tensors[f"{name}.bias"]

    first = 2 if kind in ("mpnet", "xlm-roberta") else 0
    x = tensors["embeddings.word_embeddings.weight"][ids]
    x = x + tensors["embeddings.position_embeddings.weight"][first : first + len(ids)]
    if "embeddings.token_type_embeddings.weight" in tensors:
        x = x + tensors["embeddings.token_type_embeddings.weight"][0]
    x = norm(x, "embeddings.LayerNorm")
    if "embeddings_project.weight" in tensors:
        x = dense(x, "embeddings_project")
    bias = np.zeros([heads, len(ids), len(ids)])
    if kind == "mpnet":
        table = tensors["encoder.relative_attention_bias.weight"]
        for query in range(len(ids)):
            for key in range(len(ids)):
                bias[:, query, key] = table[bucket(key - query)]
    erf = np.vectorize(math.erf)
    for layer in range(layers):
        at = names["layer"].format(layer)
        q, k, v = (dense(x, at + names[part]) for part in "qkv")
        contexts = []
        for head, (a, b, c) in enumerate(zip(*(np.split(part, heads, axis=-1) for part in (q, k, v)), strict=True)):
            scores = a @ b.T / math.sqrt(a.shape[-1]) + bias[head]
            e = np.exp(scores - scores.max(-1, keepdims=True))
            contexts.append(e / e.sum(-1, keepdims=True) @ c)
        x = norm(x + dense(np.concatenate(contexts, -1), at + names["o"]), at + names["after"])
        inner = dense(x, at + names["inner"])
        x = norm(x + dense(0.5 * inner * (1 + erf(inner / math.sqrt(2))), at + names["outer"]), at + names["last"])
    return x
