"""A small encoder that reads queries: what it leaves to the large one, what it learns, and the same in an export."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tfrec.config.modelling import EncoderConfig
from tfrec.config.query_student import QueryStudentConfig
from tfrec.encoder.joined_encoder import JoinedEncoder
from tfrec.encoder.loading import load_encoder
from tfrec.encoder.query_student import QueryStudent
from tfrec.errors import EncoderError
from tfrec.tensorflow_setup import tf
from tfrec.training import checkpoints
from tfrec.training.distilling import distil

COLOURS, THINGS = ["red", "blue", "green", "black", "white"], ["sofa", "lamp", "table", "chair", "shelf", "rug", "bed"]
TEXTS = [f"{colour} {thing}" for colour in COLOURS for thing in THINGS]
UNSEEN = [f"{thing} {colour}" for colour in COLOURS[:2] for thing in THINGS]
TOKENS = 8


@pytest.fixture(scope="module")
def teacher(scratch_encoder: Callable[..., Path]) -> Any:
    """An encoder of two layers with a prompt before queries."""
    folder = scratch_encoder(TEXTS, hidden=16, layers=2, heads=2, vocabulary_size=120, seed=2)
    config = EncoderConfig(name=str(folder), precision="f32", dropout=0.0, query_prompt="find ")
    return load_encoder(config, 1)


def _student(teacher: Any, kind: str) -> QueryStudent:
    return QueryStudent(teacher, QueryStudentConfig.model_validate({"kind": kind, "layers": 1}), 1)


def _cosine(student: QueryStudent, texts: list[str]) -> float:
    own, aims = (one.encode(texts, TOKENS, role="query") for one in (student, student.teacher))
    lengths = np.linalg.norm(own, axis=1) * np.linalg.norm(aims, axis=1)
    return float(np.mean(np.sum(own * aims, axis=1) / lengths))


@pytest.mark.parametrize("kind", ["layers", pytest.param("static", marks=pytest.mark.slow)])
def test_it_learns_to_read_queries_and_an_export_reads_them_alike(kind: str, teacher: Any, tmp_path: Path) -> None:
    from tfrec.export.ops import check_ops

    student = _student(teacher, kind)
    before = [variable.numpy() for variable in teacher.variables]
    told = distil(student, TEXTS, TOKENS, 30, 1, tmp_path / "kept", "key")
    assert told["cosine"] > 0.98 and _cosine(student, UNSEEN) > 0.9, (told, _cosine(student, UNSEEN))
    for variable, value in zip(teacher.variables, before, strict=True):
        np.testing.assert_array_equal(variable.numpy(), value)
    items = student.encode(UNSEEN, TOKENS, role="item")
    np.testing.assert_array_equal(items, teacher.encode(UNSEEN, TOKENS, role="item"))
    again = _student(teacher, kind)
    checkpoints.restore(tmp_path / "kept" / "best-0", again.own_variables)
    module = tf.Module()
    module.encode = encode = again.inference_function("f32")
    served = tf.function(
        lambda text: {"query": encode(text, TOKENS, "query"), "item": encode(text, TOKENS, "item")},
        [tf.TensorSpec([None], tf.string, "text")], autograph=False,
    )  # fmt: skip
    tf.saved_model.save(module, str(tmp_path / "saved"), signatures=served.get_concrete_function())
    check_ops(tmp_path / "saved")
    found = tf.saved_model.load(str(tmp_path / "saved")).signatures["serving_default"](text=tf.constant([*UNSEEN, ""]))
    queries = student.encode([*UNSEEN, ""], TOKENS, role="query")
    np.testing.assert_allclose(found["query"].numpy(), queries, atol=1e-5)
    np.testing.assert_allclose(found["item"].numpy()[:-1], items, atol=1e-5)
    assert np.abs(queries[:-1] - teacher.encode(UNSEEN, TOKENS, role="query")).max() > 1e-3


class Killed(BaseException):
    """Ends a training where a kill would: nothing of it is caught."""


def test_a_killed_one_goes_on_after_its_last_pass(
    teacher: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole, killed, resumed = (_student(teacher, "static") for _ in range(3))
    distil(whole, TEXTS, TOKENS, 4, 1, tmp_path / "whole", "key")
    save, saved = checkpoints.save, []

    def kill(*given: Any) -> None:
        save(*given)
        saved.append(given[0])
        if len(saved) == 2:
            raise Killed

    monkeypatch.setattr(checkpoints, "save", kill)
    with pytest.raises(Killed):
        distil(killed, TEXTS, TOKENS, 4, 1, tmp_path / "killed", "key")
    distil(resumed, TEXTS, TOKENS, 4, 1, tmp_path / "killed", "key")
    assert len(saved) == 5, "two passes, and the student"
    for own, other in zip(resumed.own_variables, whole.own_variables, strict=True):
        np.testing.assert_allclose(own.numpy(), other.numpy(), atol=1e-5)


def test_it_takes_the_width_of_joined_encoders(teacher: Any) -> None:
    joined = JoinedEncoder(teacher, teacher)
    student = _student(joined, "layers")
    student.begin(TEXTS, joined.encode(TEXTS, TOKENS, role="query"), TOKENS)
    assert student.encode(TEXTS, TOKENS, role="query").shape == (len(TEXTS), 32)
    assert student.leading is teacher and student.teacher is joined
    assert _cosine(student, TEXTS) > 0.9


def test_what_cannot_be_cut_is_refused(teacher: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(EncoderError, match="layers=2 is no less than the 2 layers"):
        QueryStudent(teacher, QueryStudentConfig(kind="layers", layers=2), 1)

    monkeypatch.setattr(type(teacher), "transformer", None)
    with pytest.raises(EncoderError, match=r"query_student\.kind=none"):
        _student(teacher, "static")
