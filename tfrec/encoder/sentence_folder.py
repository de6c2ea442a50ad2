"""What a folder says about how its encoder is used: sentence-transformers' own files, where it has them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tfrec.errors import EncoderError
from tfrec.files import read_json
from tfrec.json_text import parse_json

_UNBOUNDED = 100_000  # tokenizers without a limit name 10 to the 30
_NOTHING_TO_DO = ("Normalize", "Dropout")  # vectors are made unit vectors anyway; dropout acts while training


@dataclass(frozen=True)
class SentenceFolder:
    """A folder's transformer and its use.

    Attributes:
        model: the folder with config.json and the weights.
        static: whether it holds one vector per piece and no transformer.
        pooling: "mean" or "cls", "" where the folder does not say.
        prompts: "query" and "item" -> what is put before such texts; may lack both.
        max_tokens: the longest text, 0 where the folder does not say.
        lower_case: whether texts are lower-cased before the tokenizer reads them.
    """

    model: Path
    static: bool
    pooling: str
    prompts: dict[str, str]
    max_tokens: int
    lower_case: bool


def open_folder(folder: Path) -> SentenceFolder:
    """Reads modules.json, the pooling's config.json, config_sentence_transformers.json and sentence_bert_config.json.

    Raises:
        EncoderError: a module does what is not supported.
    """
    model, pooling = folder, ""
    static = _json(folder / "config.json").get("model_type") == "model2vec"
    for module in _modules(folder / "modules.json"):
        kind = str(module.get("type", "")).rpartition(".")[2]
        path = folder / str(module.get("path", ""))
        if kind in ("Transformer", "StaticEmbedding"):
            model, static = path, static or kind == "StaticEmbedding"
        elif kind == "Pooling":
            pooling = _pooling(path / "config.json")
        elif kind not in _NOTHING_TO_DO:
            raise EncoderError(f"{folder} has a module {kind} behind its encoder, which is not supported.")
    told = _json(model / "sentence_bert_config.json")
    longest = told.get("max_seq_length") or _json(model / "tokenizer_config.json").get("model_max_length") or 0
    longest = int(longest) if longest < _UNBOUNDED else 0
    return SentenceFolder(
        model, static, pooling, _prompts(folder), longest, lower_case=bool(told.get("do_lower_case", False))
    )


def _modules(file: Path) -> list[dict[str, Any]]:
    if not file.is_file():
        return []
    try:
        return [dict(module) for module in parse_json(file.read_bytes())]
    except (ValueError, TypeError) as error:
        raise EncoderError(f"{file} is not sentence-transformers' list of modules ({error}).") from None


def _pooling(file: Path) -> str:
    told = _json(file)
    modes = {"pooling_mode_mean_tokens": "mean", "pooling_mode_cls_token": "cls"}
    on = [key for key, value in told.items() if key.startswith("pooling_mode_") and value is True]
    names = [modes.get(key, key) for key in on] or [str(told.get("pooling_mode", "mean"))]
    if names not in (["mean"], ["cls"]):
        raise EncoderError(f"{file} pools by {' and '.join(names)}, but only mean or cls is supported.")
    return names[0]


def _prompts(folder: Path) -> dict[str, str]:
    told = _json(folder / "config_sentence_transformers.json").get("prompts") or {}
    found = {"query": told.get("query"), "item": told.get("passage") or told.get("document")}
    return {role: prompt for role, prompt in found.items() if prompt}


def _json(file: Path) -> dict[str, Any]:
    return read_json(file) if file.is_file() else {}
