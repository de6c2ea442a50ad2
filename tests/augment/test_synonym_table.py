"""The table: merging, reading a shop's list, what operations and commands make of it."""

from __future__ import annotations

import pytest
import yaml
from typer.testing import CliRunner

from tfrec.augment.resources import shop_resources
from tfrec.augment.synonyms.build import build_synonyms, load_synonyms, synonyms_folder
from tfrec.augment.synonyms.table import Pair, as_mapping, merged, read_own, read_table, write_table
from tfrec.cli.main import app
from tfrec.config import load_config
from tfrec.data.prepare import prepare
from tfrec.errors import DataError


def test_merging():
    pairs = merged([
        Pair("couch", "sofa", "queries", 0.6, 2), Pair("sofa", "couch", "embeddings", 0.5, 9),
        Pair("lamp", "light", "titles", 0.75, 2), Pair("lamp", "light", "own", 0.0),
        Pair("rug", "carpet", "own", 0.9), Pair("mug", "cup", "queries", 0.9, 1), Pair("mug", "cup", "own", 0.3),
    ])  # fmt: skip
    assert {(p.phrase, p.synonym): (p.source, p.score) for p in pairs} == {
        ("couch", "sofa"): ("embeddings+queries", 0.8),  # 1 - 0.4 * 0.5
        ("sofa", "couch"): ("embeddings+queries", 0.8),
        ("rug", "carpet"): ("own", 0.9),  # one direction, as written
        ("mug", "cup"): ("own", 0.3),  # the shop knows better
        ("cup", "mug"): ("queries", 0.9),
    }
    assert [pair.score for pair in pairs] == sorted((pair.score for pair in pairs), reverse=True)


def test_a_table_is_read_as_it_was_written(tmp_path):
    pairs = merged([Pair("power bank", "充电宝", "queries", 0.6, 2), Pair('27" tv', "télé", "own", 0.5)])
    write_table(tmp_path / "synonyms.csv", pairs)
    assert read_table(tmp_path / "synonyms.csv") == pairs
    assert as_mapping(pairs, 0.55) == {"power bank": ["充电宝"], "充电宝": ["power bank"]}


def test_the_best_synonyms_come_first_and_not_too_many():
    pairs = [Pair("a", f"b{score}", "own", score / 100) for score in range(30)]
    assert as_mapping(pairs) == {"a": [f"b{score}" for score in range(29, 21, -1)]}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("phrase,meaning\na,b\n", "no column synonym"),
        ("phrase,synonym,score\ncouch,sofa,2\n", "line 2: the score '2'"),
        ("phrase,synonym\ncouch,!!\n", "line 2: phrase or synonym holds no word"),
        ("", "no column phrase"),
        ('phrase,synonym\na,"b\nc,d\ne,f\n', "up to line 4: a quote is opened and not closed"),
        ("phrase,synonym,phrase\na,b,c\n", "names a column twice"),
        ("phrase,synonym\na,b,c\n", "line 2 has more fields"),
    ],
)
def test_a_faulty_list_is_told_by_file_and_line(tmp_path, text, said):
    (tmp_path / "own.csv").write_text(text)
    with pytest.raises(DataError, match=said):
        read_own(tmp_path / "own.csv")


def test_a_list_that_is_not_there_or_no_text(tmp_path):
    with pytest.raises(DataError, match="There is no synonyms file"):
        read_own(tmp_path / "own.csv")
    (tmp_path / "own.csv").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(DataError, match="cannot be read"):
        read_own(tmp_path / "own.csv")


@pytest.fixture()
def config(shop_home, tmp_path):
    """The known shop with a list of its own, in a run folder of this test."""
    tree = yaml.safe_load(shop_home.read_text())
    tree["runs_dir"] = str(tmp_path)
    tree["augment"] = {"synonyms": str(tmp_path / "own.csv")}
    (tmp_path / "own.csv").write_text("\ufeffPhrase,Synonym,Score\nLamp, Light ,0.8\nleft,right,\n", encoding="utf-8")
    (tmp_path / "shop.yaml").write_text(yaml.safe_dump(tree))
    return tmp_path / "shop.yaml"


def test_build_merges_keeps_and_is_the_same_again(config):
    parsed = load_config(config, [])
    shop = prepare(parsed)
    table = build_synonyms(parsed, shop, None)
    file = synonyms_folder(shop) / "synonyms.csv"
    assert read_table(file) == table.pairs
    assert [pair.phrase for pair in table.doubtful] == ["left"]
    first = file.read_bytes()
    build_synonyms(parsed, shop, None)
    assert file.read_bytes() == first
    resources = shop_resources(parsed, shop, None)
    assert resources.synonyms["lamp"] == ["light"] and resources.neighbours == {}


def test_the_own_list_counts_without_a_built_table_and_as_it_is_now(config):
    parsed = load_config(config, [])
    shop = prepare(parsed)
    assert shop_resources(parsed, shop, None).synonyms == {"lamp": ["light"], "left": ["right"]}
    build_synonyms(parsed, shop, None)
    (config.parent / "own.csv").write_text("phrase,synonym\nbed,cot\n")
    own = [pair for pair in load_synonyms(parsed, shop) if pair.source == "own"]
    assert own == [Pair("bed", "cot", "own", 1.0)]


def test_a_table_of_other_data_is_not_used(config):
    parsed = load_config(config, [])
    shop = prepare(parsed)
    build_synonyms(parsed, shop, None)
    manifest = synonyms_folder(shop) / "manifest.json"
    manifest.write_text(manifest.read_text().replace(shop.fingerprint, "0" * 64))
    with pytest.raises(DataError, match="built from other data"):
        shop_resources(parsed, shop, None)


def test_neighbours_are_guarded(config):
    parsed = load_config(config, [])
    asked = []

    def neighbours(words):
        asked.extend(words)
        return {"red": ["blue", "crimson"], "lamp": ["light"], "black": ["white"]}

    resources = shop_resources(parsed, prepare(parsed), neighbours)
    assert resources.neighbours == {"red": ["crimson"], "lamp": ["light"]}
    assert "lamp" in asked and asked == sorted(asked)


def test_the_commands(config):
    run = CliRunner()
    built = run.invoke(app, ["augment", "synonyms", "build", "-c", str(config)])
    assert built.exit_code == 0, built.output
    assert "light" in built.output and "looks like two things" in built.output
    shown = run.invoke(
        app, ["augment", "preview", "red lamp", "-c", str(config), "--operation", "synonyms", "--similarity"]
    )
    assert shown.exit_code == 0 and "red light" in shown.output and "similarity" in shown.output
    two = ["--operation", "word_swap", "--operation", "word_neighbours"]
    sampled = run.invoke(app, ["augment", "preview", "--sample", "3", "-c", str(config), *two])
    assert sampled.exit_code == 0 and "word_swap" in sampled.output and "word_neighbours" in sampled.output
    policy = run.invoke(
        app, ["augment", "preview", "red lamp", "-c", str(config), "--set", "augment.operations=[word_swap]"]
    )
    assert policy.exit_code == 0 and "policy custom" in policy.output, policy.output
    whole = run.invoke(app, ["augment", "preview", "--items", "3", "-c", str(config), "--strength", "0.9"])
    assert whole.exit_code == 0 and "attribute_dropout" in whole.output, whole.output
    for arguments in (["preview"], ["preview", "x", "--operation", "synonym"]):
        assert run.invoke(app, ["augment", *arguments, "-c", str(config)]).exit_code == 2
