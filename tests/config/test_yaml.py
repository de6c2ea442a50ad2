"""Reading YAML: the core schema of YAML 1.2, no key twice, and an end to depth, anchors and size."""

from __future__ import annotations

import math
import time
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from tfrec.config import load_config
from tfrec.config.scalars import core_value
from tfrec.config.yaml_text import Plain, YamlTextError, parse_yaml
from tfrec.config.yaml_writing import yaml_of
from tfrec.errors import ConfigError

SHOP = "data: {items: items.csv}\n"


def read(folder: Path, text: str) -> Any:
    (folder / "shop.yaml").write_text(text, "utf-8")
    return load_config(folder / "shop.yaml")


def refused(folder: Path, text: str) -> str:
    start = time.process_time()
    with pytest.raises(ConfigError) as caught:
        read(folder, text)
    assert time.process_time() - start < 5  # a second on a machine that does nothing else
    message = str(caught.value)
    assert "\n" not in message and "shop.yaml" in message and len(message) < 400
    return message


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (f"{SHOP}training:\n  epochs: 3\nseed: 4\ntraining:\n  epochs: 5\n",
         "'training' of line 2 comes again in line 5"),
        (f"{SHOP}training:\n  epochs: 3\n  epochs: 3\n", "'epochs' of line 3 comes again in line 4"),
        (f"{SHOP}training: {{epochs: 3,\n  \"epochs\": 3}}\n", "'epochs' of line 2 comes again in line 3"),
        ("data:\n  items: {path: a.csv, columns: {title: a,\n    title: b}}\n",
         "'title' of line 2 comes again in line 3"),
        (f"{SHOP}augment:\n  operations:\n  - name: typo\n    name: word_swap\n",
         "'name' of line 4 comes again in line 5"),
    ],
)  # fmt: skip
def test_a_key_that_comes_twice_is_an_error_with_both_lines(tmp_path: Path, text: str, said: str) -> None:
    assert said in refused(tmp_path, text)


CORE = {
    "": None, "~": None, "null": None, "Null": None, "NULL": None, "true": True, "False": False, "TRUE": True,
    "12": 12, "+12": 12, "-3": -3, "010": 10, "0o17": 15, "0xfF": 255, "1.5": 1.5, "3e-5": 3e-5, "1e3": 1000.0,
    ".5": 0.5, "5.": 5.0, "-.5e1": -5.0, ".inf": math.inf, "-.INF": -math.inf,
    "yes": "yes", "No": "No", "on": "on", "OFF": "OFF", "1:30": "1:30", "1_000": "1_000", "0b11": "0b11", "inf": "inf",
    "nan": "nan", "2024-01-01": "2024-01-01", "0o8": "0o8", "tRue": "tRue", ".": ".", "1e": "1e",
    "١": "١", "-0x1": "-0x1",
}  # fmt: skip


@pytest.mark.parametrize("text", CORE)
def test_unquoted_scalars_mean_what_the_core_schema_says(text: str) -> None:
    value = core_value(text)
    assert value == CORE[text] and type(value) is type(CORE[text])
    assert math.isnan(core_value(".nan"))


def test_scalars_mean_what_their_field_takes(tmp_path: Path) -> None:
    config = read(
        tmp_path,
        """
        name: 007
        seed: 010
        data:
          items: {path: 2024, id_pattern: ~, columns: {title: 1.10, 4: true}}
          searches: {path: s.csv, gains: {4: 1, 3: .5, yes: 0}}
          cleaning: {html: false}
        encoder: {name: "null"}
        retrieval: {lexical: {language: no}}
        training: {max_steps: 1e3, learning_rate: "3e-5"}
    """,
    )
    assert config.name == "007" and config.seed == 10 and config.encoder.name == "null"
    assert config.data.items.path == "2024" and config.data.items.id_pattern is None
    assert config.data.items.columns == {"title": "1.10", "4": "true"}
    assert config.data.searches.gains == {"4": 1.0, "3": 0.5, "yes": 0.0}
    assert config.retrieval.lexical.language == "no"
    assert config.training.max_steps == 1000 and config.training.learning_rate == 3e-5


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("data: {items: a, cleaning: {html: yes}}",
         "data.cleaning.html: input should be true or false, not the text 'yes'"),
        ("data: {items: a, cleaning: {html: 1}}",
         "data.cleaning.html: input should be true or false, not 1"),
        (f"{SHOP}training: {{epochs: true}}",
         "training.epochs: input should be a valid number, not true"),
        (f"{SHOP}training: {{max_minutes: .inf}}",
         "training.max_minutes: input should be a finite number"),
        (f"{SHOP}training: {{max_minutes: inf}}",
         "training.max_minutes: input should be a valid number, not the text 'inf'"),
        (f"{SHOP}training: {{max_steps: 1:30}}",
         "training.max_steps: input should be a valid integer, not the text '1:30'"),
        (f"{SHOP}training: {{max_steps: 1_000}}", "not the text '1_000'"),
        (f"{SHOP}training: {{max_minutes: .nan}}",
         "training.max_minutes: input should be a finite number"),
        ("data: {items: a, searches: {path: s, gains: {a: true}}}",
         "data.searches.gains: input should be a valid number"),
        (f"{SHOP}training:\n", "training is empty: give it a value, or leave the line out"),
        (f"{SHOP}name:\n", 'name is empty: write "" for the empty text'),
        (f"{SHOP}training: {{interpolation: [.inf]}}", "input should be a finite number"),
    ],
)  # fmt: skip
def test_what_a_field_does_not_take_is_said(tmp_path: Path, text: str, said: str) -> None:
    assert said in refused(tmp_path, text)


LAUGHS = "a: &a [x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"{name}: &{name} [{', '.join(['*' + before] * 9)}]\n"
    for before, name in zip("abcdefghijk", "bcdefghijkl", strict=True)
)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[" * 3000, "nested more than 40 deep"),
        ("x: " + "[" * 3000 + "]" * 3000, "nested more than 40 deep"),
        ("- " * 3000 + "x", "nested more than 40 deep"),
        ("{a: " * 3000, "nested more than 40 deep"),
        ("? " * 3000, "nested more than 40 deep"),
        (LAUGHS, "more than 20,000 values, with those that anchors repeat"),
        (LAUGHS.replace("[", "{<<: [").replace("]", "]}"), "<< takes over a mapping"),
        ("a: &a [*a]", "anchor 'a' is not known or holds itself"),
        ("a: *b", "anchor 'b' is not known"),
        ("a: [" + "1," * 30_000 + "]", "more than 20,000 values"),
        ("a: '" + "x" * 600_000 + "'", "600,005 bytes, more than 524,288"),
        ("a: !!python/object/apply:os.system ['true']", "tag"),
        ("a: !!int x", "'x' is no int"),
        ("a: 1\n---\nb: 2", "a second document begins"),
        ("[1]: x", "a key must be a plain word or text"),
        ("a: [1", "line 1, column 6"),
        ("a: \x01", "special characters are not allowed"),
    ],
    ids=range(17),
)
def test_hostile_yaml_is_one_sentence_within_a_second(tmp_path: Path, text: str, said: str) -> None:
    assert said in refused(tmp_path, text)


def test_anchors_and_merges_still_serve(tmp_path: Path) -> None:
    text = """
        data: {items: i.csv}
        training: &rates {learning_rate: 1e-4, epochs: 2}
        tune: {vary: {training.batch_size: &sizes [16, 32], training.hard_negatives: *sizes}}
        model: {dropout: 0.1}
        retrieval: {dense: {<<: {rescore: 7, block: 512}, block: 1024}}
    """
    config = read(tmp_path, text)
    assert config.training.epochs == 2
    assert config.tune.vary["training.hard_negatives"].choice == [16, 32]
    assert (config.retrieval.dense.rescore, config.retrieval.dense.block) == (7, 1024)


def test_what_an_anchor_repeats_is_not_shared(tmp_path: Path) -> None:
    (tmp_path / "c.yaml").write_text("data: {items: &t {path: a}, searches: *t, interactions: {path: b}}\n")
    config = load_config(tmp_path / "c.yaml", ["data.items.path=c"])
    assert config.data.items is not None and config.data.items.path == "c"
    assert config.data.searches is not None and config.data.searches.path == "a"


TEXTS = st.text(st.characters(exclude_categories=["Cs"])) | st.sampled_from(
    [*CORE, "a: b", "- a", "#", "'", '"', "...", "---"]
)
TREES = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**12), 10**12) | st.floats(allow_nan=False) | TEXTS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXTS, inner, max_size=4),
    max_leaves=12,
)


def plain(value: Any) -> Any:
    if isinstance(value, list):
        return [plain(entry) for entry in value]
    if isinstance(value, dict):
        return {key: plain(entry) for key, entry in value.items()}
    return core_value(value) if isinstance(value, Plain) else value


@given(TREES, st.booleans())
def test_what_is_written_is_read_back_by_us_and_by_readers_of_yaml_1_1(tree: Any, flow: bool) -> None:
    written = yaml_of(tree, flow, 1 << 30 if flow else 60)
    assert plain(parse_yaml(written)) == tree
    assert yaml.safe_load(written) == tree


@given(st.text(max_size=60))
def test_no_text_is_more_than_one_sentence_of_trouble(text: str) -> None:
    try:
        parse_yaml(text)
    except YamlTextError as error:
        assert "\n" not in str(error)
