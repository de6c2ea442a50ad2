"""What holds for every text operation."""

from __future__ import annotations

import unicodedata
from collections import Counter
from functools import cache
from random import Random
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tfrec.augment.clusters import split_clusters
from tfrec.augment.operation import Operation, Resources
from tfrec.augment.randomness import row_keys
from tfrec.tensorflow_setup import tf

PROTECTED = ["12", "7.5", "32gb", "XL", "Nike", "not", "without", "nicht"]
FREE = [
    "wireless", "headphones", "red", "running", "shoes", "waterproof", "jacket", "sofa", "television", "café", "für",
]  # fmt: skip
SHOP = [
    "wireless headphones with microphone", "e-reader for reading in bed", "e reader cover", "ereader", "sofa", "abc",
    "television 32 inch", 'monitor 27" curved', "Rice 5 kg bag", "crème brûlée torch", "T恤 男款 XL 夏季纯棉短袖",
    "ＸＬ ﾊﾞｯｸﾞ 黒", "red running shoes for men", "1,000 piece puzzle", "12in skillet", "STAINLESS Steel Bottle",
    "沙发 套", "кроссовки мужские красные", "旅行 バッグ",
]  # fmt: skip
FRAGMENTS = [
    *PROTECTED, *FREE, "T恤", "男款", "華為", "한국어", "กำลัง", "ไม่", "שלום", "مرحبا", "कक्षा", "cafe\u0301", "e-reader",
    "re\u0301sume\u0301", "👨\u200d👩\u200d👧", "👍🏽", "🇩🇪", "❤\ufe0f", "か\u3099",
    '12"', "½", "(new)", "x" * 40, "ß", "İ",
    "ﬁ", "ＡＢ", "ｶﾞ",
]  # fmt: skip
BLANKS = [" ", " ", " ", "  ", "\t", "\u3000", "\u00a0", "\n", ""]

shop_texts = st.lists(st.tuples(st.sampled_from(FRAGMENTS), st.sampled_from(BLANKS)), max_size=6).map(
    lambda parts: "".join(word + blank for word, blank in parts)
)
any_texts = st.one_of(shop_texts, st.text(max_size=20), st.sampled_from(["", " ", "\x00", "\u0301", "\u200d", "\r\n"]))

RESOURCES = Resources(
    protected=frozenset({"nike", "华为"}),
    synonyms={
        "sofa": ["couch"],
        "television": ["tv"],
        "running shoes": ["trainers"],
        "red": ["crimson"],
        "沙发": ["长椅"],
    },
    neighbours={
        "wireless": ["cordless"],
        "headphones": ["earphones", "headset"],
        "jacket": ["coat", "parka"],
        "sofa": ["divan"],
        "red": ["pink"],
    },
)


class Runner:
    """An operation as one graph, traced once for all tests."""

    def __init__(self, kind: type[Operation]) -> None:
        operation = kind(0.6, RESOURCES)
        signature = [tf.TensorSpec([None], tf.string), tf.TensorSpec([], tf.int64), tf.TensorSpec([], tf.float32)]
        self.graph = tf.function(
            lambda texts, step, magnitude: operation(texts, row_keys(texts, 7, step), magnitude),
            input_signature=signature,
            autograph=False,
        )

    def raw(self, texts: list[str], step: int = 0, magnitude: float = 1.0) -> list[bytes]:
        found: Any = self.graph(tf.constant(texts, tf.string), step, magnitude)
        assert found.shape == (len(texts),)
        return found.numpy().tolist()

    def __call__(self, texts: list[str], step: int = 0, magnitude: float = 1.0) -> list[str]:
        return [text.decode("utf-8") for text in self.raw(texts, step, magnitude)]


@cache
def runner(kind: Any) -> Runner:
    """The graph of an operation."""
    return Runner(kind)


class OperationContract:
    """Subclass it and give the fixture `operation`, the operation's class."""

    @pytest.fixture(scope="class")
    def operation(self) -> type[Operation]:
        """The operation's class."""
        raise NotImplementedError("give the fixture `operation`: a class of tfrec.augment.operation.Operation")

    def test_it_says_what_it_is(self, operation: Any) -> None:
        assert operation.name and operation.fields and set(operation.fields) <= {"query", "title"}
        documented = (base.__doc__ or "" for base in operation.__mro__[:-2])
        assert any("trength" in text for text in documented), "the docstring says what the strength means"

    @settings(
        max_examples=12, deadline=None, derandomize=True,
        suppress_health_check=[HealthCheck.differing_executors, HealthCheck.function_scoped_fixture],
    )  # fmt: skip
    @given(texts=st.lists(any_texts, min_size=1, max_size=10), step=st.integers(0, 1 << 40), data=st.data())
    def test_any_text_stays_a_text(self, operation: Any, texts: list[str], step: int, data: Any) -> None:
        run = runner(operation)
        found = run.raw(texts, step)
        for before, raw in zip(texts, found, strict=True):
            after = raw.decode("utf-8")  # fails where it is not valid UTF-8
            assert bool(before.strip()) == bool(after.strip()), (before, after)
            assert before or not after
            assert len(after) <= 3 * len(before) + 20, (before, after)
        assert run(texts, step, 0.0) == texts, "magnitude 0 is the identity"
        assert run.raw(texts, step) == found, "the same keys give the same"
        order = data.draw(st.permutations(range(len(texts))))
        assert run.raw([texts[row] for row in order], step) == [found[row] for row in order], "batch order"
        assert run.raw(texts[:1], step) == found[:1], "a batch of one"

    def test_strength_zero_is_the_identity(self, operation: Any) -> None:
        texts = tf.constant([*SHOP, *FRAGMENTS, "", " a  b "])
        found = operation(0.0, RESOURCES)(texts, row_keys(texts, 1, 1))
        assert found.numpy().tolist() == texts.numpy().tolist()

    def test_protected_words_survive(self, operation: Any) -> None:
        if not operation.keeps_protected:
            pytest.skip("this operation says that it may change protected words")
        texts = sentences(PROTECTED + FREE, [" "], 150)
        for step in range(3):
            for before, after in zip(texts, runner(operation)(texts, step), strict=True):
                kept = Counter(after.split())
                for word, count in Counter(word for word in before.split() if word in PROTECTED).items():
                    assert kept[word] >= count, (before, after)

    def test_no_grapheme_cluster_is_broken(self, operation: Any) -> None:
        texts = sentences(FRAGMENTS, BLANKS, 150)
        for step in range(3):
            after = runner(operation)(texts, step)
            for before, old, new in zip(texts, clusters(texts), clusters(after), strict=True):
                allowed = {normal(cluster) for cluster in old}
                delicate = {cluster for cluster in new if len(cluster) > 1 or is_fragment(cluster)}
                assert all(normal(cluster) in allowed for cluster in delicate), (before, delicate)

    def test_it_does_something_and_not_always_the_same(self, operation: Any) -> None:
        runs = [runner(operation)(SHOP, step) for step in range(6)]
        assert any(run != SHOP for run in runs)
        assert len({tuple(run) for run in runs}) > 1

    def test_it_runs_in_an_input_pipeline(self, operation: Any) -> None:
        graph = runner(operation).graph
        concrete = graph.get_concrete_function()
        ops = [node.op for node in concrete.graph.as_graph_def().node]
        ops += [node.op for function in concrete.graph.as_graph_def().library.function for node in function.node_def]
        assert not {op for op in ops if "PyFunc" in op or op.startswith("Random") or op == "Multinomial"}
        pipeline = tf.data.Dataset.from_tensor_slices(SHOP).batch(7).enumerate()
        varied = tf.autograph.experimental.do_not_convert(lambda step, texts: graph(texts, step, 1.0))
        mapped = pipeline.map(varied, num_parallel_calls=2)
        found = np.concatenate(list(mapped.as_numpy_iterator())).tolist()
        by_hand = [text for step in range(3) for text in runner(operation).raw(SHOP[7 * step : 7 * step + 7], step)]
        assert found == by_hand

    def test_an_empty_batch_is_no_trouble(self, operation: Any) -> None:
        assert runner(operation)([]) == []


def sentences(words: list[str], blanks: list[str], count: int) -> list[str]:
    """So many texts of one to eight words, always the same."""
    draw = Random(5)
    lengths = [draw.randint(1, 8) for _ in range(count)]
    return ["".join(draw.choice(words) + draw.choice(blanks) for _ in range(length)) for length in lengths]


def clusters(texts: list[str]) -> list[list[str]]:
    return [[cluster.decode() for cluster in row] for row in split_clusters(tf.constant(texts)).to_list()]


def normal(cluster: str) -> str:
    return unicodedata.normalize("NFKC", cluster).casefold()


def is_fragment(character: str) -> bool:
    """Whether a character only makes sense as part of a cluster: a mark, a joiner, half a flag."""
    return (
        unicodedata.category(character)[0] == "M" or character in "\u200d\ufe0f" or 0x1F1E6 <= ord(character) < 0x1F200
    )
