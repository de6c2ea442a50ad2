"""Configuration: reading, overriding, and what is said when it is wrong."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from tfrec.cli.options import read_config
from tfrec.config import Config, documented_yaml, load_config, parse_config
from tfrec.errors import ConfigError

SHOP = {"name": "shop", "data": {"items": "items.csv", "searches": "searches.csv"}}
SHIPPED = sorted((Path(__file__).resolve().parents[2] / "configs").glob("*.yaml"))


def write(path: Path, tree: object) -> Path:
    path.write_text(yaml.safe_dump(tree), "utf-8")
    return path


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.stem)
def test_shipped_configurations_are_valid_and_survive_being_documented(path: Path) -> None:
    config = load_config(path)
    assert yaml.safe_load(documented_yaml(config)) == config.model_dump(mode="json")


def test_there_are_the_three_promised_configurations() -> None:
    assert {path.stem for path in SHIPPED} >= {"demo", "esci", "online_retail"}


def test_every_field_is_documented() -> None:
    text = documented_yaml(parse_config(SHOP))
    lines = text.splitlines()
    for number, line in enumerate(lines):
        if ":" in line and not line.lstrip().startswith("#"):
            assert lines[number - 1].lstrip().startswith("#"), f"no explanation above {line!r}"


def test_overrides_reach_their_field_with_their_type(tmp_path: Path) -> None:
    path = write(tmp_path / "c.yaml", SHOP)
    config = load_config(
        path, ["training.learning_rate=3e-5", "data.items.id_pattern=A.*", "training.max_minutes=null", "name=b"]
    )
    assert config.training.learning_rate == pytest.approx(3e-5)
    assert config.data.items is not None and config.data.items.path == "items.csv"
    assert config.data.items.id_pattern == "A.*"
    assert config.training.max_minutes is None
    assert config.name == "b"


@pytest.mark.parametrize(
    ("override", "said"),
    [
        ("training.learnin_rate=1", "training.learning_rate"),
        ("trainig.epochs=1", "training"),
        ("data.items.pth=x", "data.items.path"),
        ("training.batch_size=1", "greater than or equal to 2"),
        ("training.batch_size=many", "valid integer"),
        ("encoder.freeze=half", "top:N"),
        ("encoder.freeze=pattern:(", "regular expression"),
        ("data.template=nothing", "at least one {column}"),
        ("data.template='{title'", "not well formed"),
        ("name=../up", "letters, digits"),
        ("name.first=x", "single value"),
        ("no_equals", "must look like"),
        ("data.items=null", "data.items"),
        ("evaluation.baselines=[bm26]", "bm25"),
    ],
)
def test_a_wrong_value_is_one_sentence_that_names_the_place(tmp_path: Path, override: str, said: str) -> None:
    with pytest.raises(ConfigError) as caught:
        load_config(write(tmp_path / "c.yaml", SHOP), [override])
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)


def test_all_faults_are_told_at_once(tmp_path: Path) -> None:
    tree = SHOP | {"training": {"epochs": -1, "batch_sise": 3}}
    with pytest.raises(ConfigError, match=r"training\.epochs.*batch_sise.*training\.batch_size"):
        load_config(write(tmp_path / "c.yaml", tree))


@pytest.mark.parametrize("text", ["a: [1", "- 1\n- 2", "\tname: x"])
def test_broken_yaml_is_named(tmp_path: Path, text: str) -> None:
    path = tmp_path / "c.yaml"
    path.write_text(text)
    with pytest.raises(ConfigError, match=r"c\.yaml"):
        load_config(path)


def test_yaml_cannot_build_objects(tmp_path: Path) -> None:
    path = tmp_path / "c.yaml"
    path.write_text("name: !!python/object/apply:os.system ['true']\n")
    with pytest.raises(ConfigError):
        load_config(path)


def test_a_missing_file_says_how_to_make_one(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="config init"):
        load_config(tmp_path / "none.yaml")


def test_a_folder_is_no_configuration(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for path in (Path("."), Path(".."), Path("/")):
        with pytest.raises(ConfigError, match="cannot be read"):
            read_config(path, [])


def test_the_hash_follows_the_sections_it_names_and_the_seed() -> None:
    config = parse_config(SHOP)
    other = parse_config(SHOP | {"training": {"epochs": 3}})
    assert config.hash_of("data") == other.hash_of("data")
    assert config.hash_of("training") != other.hash_of("training")
    assert config.hash_of("data") != parse_config(SHOP | {"seed": 18}).hash_of("data")
    assert isinstance(config, Config)
