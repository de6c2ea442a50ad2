"""`--set`: one rule for what a value means, and paths into lists and mappings."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tfrec.config import Config, load_config
from tfrec.errors import ConfigError

FILE = """
data: {items: items.csv, searches: {path: s.csv, gains: {Good: 1.0}}}
augment:
  policy: custom
  operations: [word_swap, {name: typo_insert, probability: 0.1}]
"""


@pytest.fixture
def with_set(tmp_path: Path) -> Any:
    (tmp_path / "shop.yaml").write_text(FILE)
    return lambda *overrides: load_config(tmp_path / "shop.yaml", overrides)


def at(config: Config, path: str) -> Any:
    value: Any = config
    for name in path.split("."):
        value = value[int(name)] if isinstance(value, list) else getattr(value, name)
    return value


@pytest.mark.parametrize(
    ("override", "value"),
    [
        ('data.template="{title}"', "{title}"),
        ("data.template='{title}'", "{title}"),
        ("data.template={title}", "{title}"),
        ("data.template={brand}: {title} # new", "{brand}: {title} # new"),
        ("data.template='{title} ''s'", "{title} 's"),
        ("name='007'", "007"),
        ("name=007", "007"),
        ("name=1.10", "1.10"),
        ("name=true", "true"),
        ("retrieval.lexical.language=no", "no"),
        ("data.items.id_pattern=[A-Z]{3}: \\d+", "[A-Z]{3}: \\d+"),
        ("data.items.id_pattern=null", None),
        ('data.items.id_pattern="null"', "null"),
        ("data.items.id_pattern=", None),
        ("training.max_steps=010", 10),
        ("training.max_steps=0o10", 8),
        ("training.max_steps=1e3", 1000),
        ("training.max_minutes=null", None),
        ("training.learning_rate=3e-5", 3e-5),
        ("data.cleaning.html=false", False),
        ("synthesis.enabled=auto", "auto"),
        ("synthesis.enabled=true", True),
        ("augment.operations.0.probability=0.2", 0.2),
        ("augment.operations.1.probability=0.2", 0.2),
        ("augment.operations.1.name=word_dropout", "word_dropout"),
        ("evaluation.baselines.0=bm25", "bm25"),
        ("retrieval.scorers.1=recency", "recency"),
        ("training.interpolation.1=0.9", 0.9),
        ("training.interpolation=[0.9]", [0.9]),
        ("training.interpolation=[]", []),
        ("data.root=~", None),
    ],
)
def test_a_value_means_what_its_field_takes(with_set: Any, override: str, value: Any) -> None:
    if override == "data.root=~":
        with pytest.raises(ConfigError, match="data.root is empty"):
            with_set(override)
        return
    found = at(with_set(override), override.partition("=")[0])
    assert found == value and type(found) is type(value)


def test_the_rest_of_a_list_a_mapping_and_a_section_stays(with_set: Any) -> None:
    config = with_set(
        "augment.operations.0.strength=0.5", "data.searches.gains.Fair=.5", "retrieval.lexical.fields.title=2",
        "data.items.columns.title=Name", "retrieval.scorers.3=recency", "augment.operations.2=word_dropout",
    )  # fmt: skip
    assert [(entry.name, entry.strength) for entry in config.augment.operations] == [
        ("word_swap", 0.5), ("typo_insert", 0.3), ("word_dropout", 0.3)]  # fmt: skip
    assert config.data.searches.gains == {"Good": 1.0, "Fair": 0.5}
    assert config.retrieval.lexical.fields == {"title": 2.0}  # null before
    assert config.retrieval.scorers == ["dense", "lexical", "collaborative", "recency"]
    assert config.data.items.path == "items.csv" and config.data.items.columns == {"title": "Name"}


def test_keys_with_dots_are_written_in_quotes(with_set: Any) -> None:
    config = with_set('tune.vary."training.batch_size"=[16, 32]', "tune.vary.'model.dropout'.low=0",
                      'tune.vary."model.dropout".high=0.3', 'data.searches.gains."a=b"=1')  # fmt: skip
    assert config.tune.vary["training.batch_size"].choice == [16, 32]
    assert (config.tune.vary["model.dropout"].low, config.tune.vary["model.dropout"].high) == (0, 0.3)
    assert config.data.searches.gains == {"Good": 1.0, "a=b": 1.0}


def test_of_two_for_one_key_the_last_counts(with_set: Any) -> None:
    assert with_set("seed=1", "seed=2").seed == 2


@pytest.mark.parametrize(
    ("override", "said"),
    [
        ("training.max_minutes=inf", "not the text 'inf'"),
        ("training.max_minutes=.inf", "finite number"),
        ("training.learning_rate=nan", "not the text 'nan'"),
        ("training.max_steps=1:30", "not the text '1:30'"),
        ("training.epochs=true", "not true"),
        ("data.cleaning.html=on", "true or false, not the text 'on'"),
        ("augment.operations.3.probability=0.2", "augment.operations is a list of 2, so its places are 0 to 2"),
        ("augment.operations.first.probability=0.2", "not 'first'"),
        ("augment.operations.-1.probability=0.2", "not '-1'"),
        ("augment.operations.2.probability=0.2", "augment.operations.2.name is missing"),
        ("seed.x=1", "seed is a single value"),
        ("data.template='{title}", "put a text in quotes"),
        ("data.template='a' b", "put a text in quotes"),
        ("training.interpolation=[0.5", "the value is no YAML"),
        ("data.searches.gains={a: 1, a: 2}", "the key 'a' of line 1 comes again"),
        ("training={epochs: 1, epochs: 2}", "the key 'epochs' of line 1 comes again"),
        ("training.interpolation=" + "[" * 3000, "nested more than 40 deep"),
        ("=5", "must look like"),
        ("a..b=5", "must look like"),
        ('"open=5', "must look like"),
    ],
)
def test_what_cannot_be_meant_is_one_sentence(with_set: Any, override: str, said: str) -> None:
    with pytest.raises(ConfigError) as caught:
        with_set(override)
    assert said in str(caught.value) and "\n" not in str(caught.value)
