"""Families of encoders whose checkpoints are read: one architecture, under different names."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

WORD_PIECE_MARKS = ("[CLS]", "[SEP]", "[PAD]", "[MASK]")
_BERT_CONFIG = {
    "hidden": "hidden_size", "layers": "num_hidden_layers", "heads": "num_attention_heads",
    "intermediate": "intermediate_size", "act": "hidden_act",
}  # fmt: skip
_BERT_PARTS = {
    "attention/output": "attention.output.dense",
    "attention/LayerNorm": "attention.output.LayerNorm",
    "ffn/inner": "intermediate.dense",
    "ffn/output": "output.dense",
    "ffn/LayerNorm": "output.LayerNorm",
}


@dataclass(frozen=True)
class Family:
    """What a family calls the parts of a BERT, and what it has of its own.

    Attributes:
        prefix: before all names of an encoder inside a larger model.
        first_position: where positions begin; RoBERTa and its kin count from their padding id on.
        config: our sizes -> keys of config.json.
        layer: the name of a layer; {} stands for its number.
        parts: our parts of a layer -> theirs.
        qkv: their queries, keys and values.
        types: whether there are segment types.
        relative: the table of relative positions, "" for none.
        marks: start, end, padding and mask of a vocabulary of word pieces.
    """

    prefix: str
    first_position: int = 0
    config: Mapping[str, str] = field(default_factory=lambda: _BERT_CONFIG)
    layer: str = "encoder.layer.{}."
    parts: Mapping[str, str] = field(default_factory=lambda: _BERT_PARTS)
    qkv: tuple[str, str, str] = ("attention.self.query", "attention.self.key", "attention.self.value")
    types: bool = True
    relative: str = ""
    marks: tuple[str, str, str, str] = WORD_PIECE_MARKS


# By model_type of config.json.
FAMILIES = {
    "bert": Family("bert."),
    "electra": Family("electra."),
    "xlm-roberta": Family("roberta.", first_position=2),
    "mpnet": Family(
        "mpnet.",
        first_position=2,
        parts=_BERT_PARTS | {"attention/output": "attention.attn.o", "attention/LayerNorm": "attention.LayerNorm"},
        qkv=("attention.attn.q", "attention.attn.k", "attention.attn.v"),
        types=False,
        relative="encoder.relative_attention_bias.weight",
        marks=("<s>", "</s>", "<pad>", "<mask>"),
    ),
    "distilbert": Family(
        "distilbert.",
        config={"hidden": "dim", "layers": "n_layers", "heads": "n_heads", "intermediate": "hidden_dim",
                "act": "activation"},
        layer="transformer.layer.{}.",
        parts={"attention/output": "attention.out_lin", "attention/LayerNorm": "sa_layer_norm",
               "ffn/inner": "ffn.lin1", "ffn/output": "ffn.lin2", "ffn/LayerNorm": "output_layer_norm"},
        qkv=("attention.q_lin", "attention.k_lin", "attention.v_lin"),
        types=False,
    ),
}  # fmt: skip
