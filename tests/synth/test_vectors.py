"""Vectors that are encoded once: parts outlive a kill, bits are the same, nobody is asked twice."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from tfrec.synth import vectors as module
from tfrec.synth.source import Teacher
from tfrec.synth.vectors import encode_in_parts, remembering


class Encoder:
    """Texts to vectors that also tell what was encoded together with them, as real ones do in their last bits."""

    def __init__(self, fails_at: int = 10**6) -> None:
        self.asked: list[list[str]] = []
        self.fails_at = fails_at

    def __call__(self, texts: Sequence[str]) -> np.ndarray:
        if len(self.asked) == self.fails_at:
            raise KeyboardInterrupt
        self.asked.append(list(texts))
        return np.float32([[len(text), ord(text[0]), 1e-6 * len(texts)] for text in texts])


@pytest.fixture(autouse=True)
def small_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_PART", 3)


TEXTS = ["red sofa", "oak table", "lamp", "blue bed", "desk", "wool carpet", "mirror"]


def test_a_kill_costs_a_part_and_changes_no_bit(tmp_path: Path) -> None:
    whole = encode_in_parts(TEXTS, Encoder(), "k", tmp_path / "whole", "")
    with pytest.raises(KeyboardInterrupt):
        encode_in_parts(TEXTS, Encoder(fails_at=2), "k", tmp_path / "killed", "")
    rest = Encoder()
    again = encode_in_parts(TEXTS, rest, "k", tmp_path / "killed", "")
    assert rest.asked == [["mirror"]], "two of three parts were there"
    assert (
        again.dtype == np.float32 and np.array_equal(again, whole) and np.array_equal(whole[:, 0], [*map(len, TEXTS)])
    )


def test_what_another_encoder_or_other_texts_gave_is_not_used_and_goes(tmp_path: Path) -> None:
    encode_in_parts(TEXTS, Encoder(), "k", tmp_path, "")
    for key, texts, parts in (("k", TEXTS, 0), ("other", TEXTS, 3), ("other", TEXTS[:4], 1), ("other", [], 0)):
        encoder = Encoder()
        assert len(encode_in_parts(texts, encoder, key, tmp_path, "")) == len(texts)
        assert len(encoder.asked) == parts, (key, texts)
        assert len(list(tmp_path.iterdir())) == -(-len(texts) // 3)


def test_a_teacher_remembers_the_queries_and_encodes_others_as_before(tmp_path: Path) -> None:
    encoder = Encoder()
    teacher = Teacher(np.ones([2, 3], np.float32), encoder, lambda query: np.zeros(2, np.float32))
    knowing = remembering(teacher, [*TEXTS, *TEXTS], "k", tmp_path)
    assert sum(map(len, encoder.asked)) == len(TEXTS), "repeats cost nothing"
    assert knowing.encode(["desk", "red sofa", "desk"])[:, 0].tolist() == [4, 8, 4]
    assert knowing.encode([]).shape == (0, 3) and sum(map(len, encoder.asked)) == len(TEXTS)
    assert knowing.encode(["desk", "a new one"])[:, 0].tolist() == [4, 9]


def test_synthesis_encodes_every_query_once_and_the_catalogue_never_again(shop_home: Path, tmp_path: Path) -> None:
    from tfrec.config import load_config
    from tfrec.encoder.packed_encoder import PackedEncoder
    from tfrec.pipeline import api
    from tfrec.pipeline.run_folder import RunFolder

    settings = "synthesis={sources: [catalogue, templates], queries: 30, templates: {queries: 40}}"
    config = load_config(shop_home, [f"runs_dir={tmp_path}", settings])
    stricter = load_config(shop_home, [f"runs_dir={tmp_path}", settings, "synthesis.filters.length.words=[1, 1]"])
    asked: list[str] = []
    encode = PackedEncoder.encode

    def counted(self: PackedEncoder, texts: Sequence[str], *others: object, **named: object) -> np.ndarray:
        asked.extend(texts)
        return encode(self, texts, *others, **named)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(PackedEncoder, "encode", counted)
        shop, examples = api.make_samples(config)
        made = [pl.read_parquet(path)["query"] for path in tmp_path.glob("*/synthetic/*/candidates/samples.parquet")]
        queries = set(pl.concat(made))
        assert len(made) == 2 and sorted(asked) == sorted([*shop.item_texts, *queries])
        asked.clear()
        _, fewer = api.make_samples(stricter)
        assert not asked and fewer.size < examples.size, "the checks are made anew, with the vectors that are there"
    assert not (RunFolder(config).path / "zero_shot_parts").exists()
