"""Files in the layouts that shops have: ten lines read each as it is meant, and `tfrec init` finds those lines."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from typer.testing import CliRunner

from tests.data.layout_tables import told
from tfrec.cli.main import app
from tfrec.config import load_config, parse_config
from tfrec.data.discovery.proposal import Answers
from tfrec.data.discovery.propose import propose
from tfrec.data.discovery.understood import understand
from tfrec.data.discovery.writing import config_lines
from tfrec.data.layouts.layout import FOLDER, layout_named, layouts
from tfrec.data.layouts.resolve import with_items
from tfrec.data.places import sources_of
from tfrec.data.prepare import prepare
from tfrec.errors import ConfigError, DataError

LAYOUTS = Path(__file__).parent / "layouts"
EVERY = sorted(folder.name for folder in LAYOUTS.iterdir() if (folder / "expected.json").exists())
BY_NAME = {name: layout for name in EVERY for layout in layouts() if name == layout or name.startswith(f"{layout}_")}


def layout_file(name: str) -> Path:
    return FOLDER / f"{name}.yaml"


def expected(name: str) -> dict[str, Any]:
    return json.loads((LAYOUTS / name / "expected.json").read_text("utf-8"))


def read(config: Path) -> dict[str, Any]:
    parsed = load_config(config)
    return told(understand(parsed.data, Path(parsed.data.root)))


@pytest.mark.parametrize("name", EVERY)
def test_ten_lines_read_the_files_as_they_are(name: str) -> None:
    config = LAYOUTS / name / "shop.yaml"
    lines = [line for line in config.read_text("utf-8").splitlines() if not line.startswith("#")]
    assert len(lines) <= 10
    assert read(config) == expected(name)


@pytest.mark.parametrize("name", EVERY)
def test_init_finds_the_lines_without_an_answer(name: str, tmp_path: Path) -> None:
    proposal, _ = propose(LAYOUTS / name, Answers({}))
    assert not proposal.questions and not proposal.refusal
    (tmp_path / "new.yaml").write_text(config_lines(proposal, name, str(LAYOUTS / name)), "utf-8")
    assert read(tmp_path / "new.yaml") == expected(name)


def test_init_shows_reasons_and_first_rows(tmp_path: Path) -> None:
    config = tmp_path / "new.yaml"
    done = CliRunner().invoke(app, ["init", str(LAYOUTS / "european"), "--output", str(config)])
    assert done.exit_code == 0, done.output
    assert read(config) == expected("european")
    for word in ("Files", "Items", "why", "Sägeblatt", "the first ones", f"tfrec train -c {config}"):
        assert word in done.output, word


@pytest.mark.parametrize(
    "name", [name for name in BY_NAME if "template" not in (LAYOUTS / name / "shop.yaml").read_text()]
)
def test_one_word_is_enough(name: str) -> None:
    data: dict[str, Any] = {"format": BY_NAME[name], "root": str(LAYOUTS / name)}
    wanted = expected(name)
    if "items" not in layouts()[BY_NAME[name]].tables:
        data["items"] = {"path": "products.jsonl", "columns": {"item_id": "asin"}}
    found = understand(parse_config({"data": data}).data, LAYOUTS / name)
    assert told(found) == wanted


def test_prepared_data_is_of_the_layouts_files_and_text(tmp_path: Path) -> None:
    shutil.copy(LAYOUTS / "shopify" / "products_export_1.csv", tmp_path)
    shutil.copy(layout_file("shopify"), tmp_path / "mine.yaml")
    config = parse_config({"data": {"format": "mine.yaml", "root": str(tmp_path)}})
    before = sources_of(config)
    assert list(before.inputs) == ["items: products_export_1.csv"]
    shutil.copy(LAYOUTS / "shopify" / "orders_export_1.csv", tmp_path)
    assert list(sources_of(config).inputs) == ["items: products_export_1.csv", "interactions: orders_export_1.csv"]
    assert sources_of(config).settings == before.settings
    with (tmp_path / "mine.yaml").open("a") as layout:
        layout.write("# other\n")
    assert sources_of(config).settings != before.settings


def test_every_layout_has_files_here() -> None:
    assert set(layouts()) == set(BY_NAME.values())


def test_a_table_alone_can_have_a_layout(tmp_path: Path) -> None:
    shutil.copy(LAYOUTS / "shopify" / "products_export_1.csv", tmp_path / "mine.csv")
    data = {"root": str(tmp_path), "items": {"path": "mine.csv", "format": "shopify", "columns": {"category": "Type"}}}
    found = understand(parse_config({"data": data}).data, tmp_path)
    assert found.frames["items"]["item_id"].to_list() == ["linen-shirt", "clay-mug", "wool-sock"]
    assert found.frames["items"]["category"].to_list() == ["Shirts", "Mugs", "Socks"]


def test_a_newer_catalogue_of_a_layout_leaves_discontinued_items_out(tmp_path: Path) -> None:
    for file in (LAYOUTS / "shopify").glob("*.csv"):
        shutil.copy(file, tmp_path)
    config = parse_config(
        {
            "name": "shop",
            "runs_dir": str(tmp_path / "runs"),
            "data": {"format": "shopify", "root": str(tmp_path), "split": {"dev_days": 0}},
        }
    )
    before = prepare(config, trains=False)
    (tmp_path / "new").mkdir()
    lines = (tmp_path / "products_export_1.csv").read_text("utf-8").splitlines(keepends=True)
    kept = [line for line in lines if not line.startswith("clay-mug")]
    (tmp_path / "new" / "newer.csv").write_text("".join(kept), "utf-8")
    data = with_items(config.data, "new/newer.csv")
    after = prepare(config.model_copy(update={"data": data}), trains=False)
    assert set(before.item_ids) - set(after.item_ids) == {"clay-mug"} and len(after.item_ids) == 2
    gone = before.interactions.filter(pl.col("item_id") == "clay-mug").height
    assert gone > 0 and after.report["interactions"]["rows_gone"] >= gone
    assert after.report["interactions"]["faults"] == before.report["interactions"]["faults"]
    assert after.interactions.height == before.interactions.height - gone


def test_a_layout_of_ones_own_is_a_copy(tmp_path: Path) -> None:
    text = layout_file("wands").read_text("utf-8")
    (tmp_path / "mine.yaml").write_text(text.replace("Partial: 0.5", "Partial: 0.25"))
    for file in (LAYOUTS / "wands").glob("*.csv"):
        shutil.copy(file, tmp_path)
    data = parse_config({"data": {"root": str(tmp_path), "format": "mine.yaml"}}).data
    assert sorted(understand(data, tmp_path).frames["searches"]["gain"].to_list()) == [0, 0, 0.25, 1]


def test_unknown_layouts_and_other_files_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"no layout or file format 'shopfy'; the nearest is 'shopify'"):
        layout_named("shopfy", tmp_path)
    (tmp_path / "things.csv").write_text("a,b\n1,2\n")
    data = parse_config({"data": {"root": str(tmp_path), "format": "otto"}}).data
    with pytest.raises(DataError, match="holds things.csv, none of them in the layout otto"):
        understand(data, tmp_path)
    (tmp_path / "broken.yaml").write_text("tables: {items: 3}")
    with pytest.raises(ConfigError, match="broken.yaml: tables.items must"):
        layout_named("broken.yaml", tmp_path)
