"""Small encoders of known content."""

from __future__ import annotations

import importlib.util
import json
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

_MARKS = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
_WORDS = ["red", "sofa", "leather", "mug", "blue", "红", "色", "的", "沙", "发", ",", ".", "-", "1", "2"]
PIECES = [*_MARKS, *"abcdefghijklmnopqrstuvwxyz", *(f"##{c}" for c in "abcdefgnorsty"), *_WORDS]


@pytest.fixture(scope="session")
def reference_bert() -> ModuleType:
    """The module reference_bert.py beside this file: BERT in NumPy."""
    spec = importlib.util.spec_from_file_location("reference_bert", Path(__file__).with_name("reference_bert.py"))
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="session")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """An empty encoder store for the session's small encoders."""
    folder = tmp_path_factory.mktemp("tfrec-home")
    yield folder


@pytest.fixture
def own_store(home: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Makes the small store the current one for one test."""
    monkeypatch.setenv("TFREC_HOME", str(home))
    return home


def write_checkpoint(folder: Path, seed: int = 0, hidden: int = 32, layers: int = 2, heads: int = 4) -> Path:
    """A Hugging Face BERT checkpoint folder with random weights so large that every part of the model matters."""
    from safetensors.numpy import save_file

    folder.mkdir(parents=True, exist_ok=True)
    inner, generator = 2 * hidden, np.random.default_rng(seed)
    config = {"model_type": "bert", "hidden_act": "gelu", "vocab_size": len(PIECES), "hidden_size": hidden,
              "num_hidden_layers": layers, "num_attention_heads": heads, "intermediate_size": inner,
              "max_position_embeddings": 512, "type_vocab_size": 2, "layer_norm_eps": 1e-12}  # fmt: skip
    shapes = {
        "embeddings.word_embeddings.weight": (len(PIECES), hidden),
        "embeddings.position_embeddings.weight": (512, hidden),
        "embeddings.token_type_embeddings.weight": (2, hidden),
        "pooler.dense.weight": (hidden, hidden),
    }
    dense = {"attention.self.query": (hidden, hidden), "attention.self.key": (hidden, hidden),
             "attention.self.value": (hidden, hidden), "attention.output.dense": (hidden, hidden),
             "intermediate.dense": (inner, hidden), "output.dense": (hidden, inner)}  # fmt: skip
    norms = ["embeddings.LayerNorm"]
    for layer in range(layers):
        shapes |= {f"encoder.layer.{layer}.{name}.weight": shape for name, shape in dense.items()}
        norms += [f"encoder.layer.{layer}.{name}.LayerNorm" for name in ("attention.output", "output")]
    tensors = {name: generator.normal(0, 0.3, shape).astype(np.float32) for name, shape in shapes.items()}
    biased = [name for name in shapes if "dense" in name or "self" in name]
    tensors |= {
        name.replace(".weight", ".bias"): generator.normal(0, 0.1, shapes[name][0]).astype(np.float32)
        for name in biased
    }
    for name in norms:
        tensors[f"{name}.weight"] = generator.normal(1, 0.1, hidden).astype(np.float32)
        tensors[f"{name}.bias"] = generator.normal(0, 0.1, hidden).astype(np.float32)
    save_file(tensors, folder / "model.safetensors")
    (folder / "config.json").write_text(json.dumps(config), "utf-8")
    (folder / "vocab.txt").write_text("\n".join(PIECES) + "\n", "utf-8")
    return folder


@pytest.fixture(scope="session")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small checkpoint folder."""
    return write_checkpoint(tmp_path_factory.mktemp("checkpoint") / "small")


@pytest.fixture(scope="session")
def small(home: Path, checkpoint: Path) -> str:
    """The installed small encoder, as a value for encoder.name."""
    from tfrec.encoder.install import install

    patch = pytest.MonkeyPatch()
    patch.setenv("TFREC_HOME", str(home))
    try:
        return str(install(str(checkpoint)).folder)
    finally:
        patch.undo()
