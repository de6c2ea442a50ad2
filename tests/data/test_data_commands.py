"""`tfrec data prepare | inspect | download` as a user calls them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import yaml
from typer.testing import CliRunner

from tfrec.cli.data import app
from tfrec.config import Config, plain_yaml


def _config(make_shop: Callable[..., Config], tmp_path: Path, **shop: object) -> str:
    path = tmp_path / "shop.yaml"
    path.write_text(plain_yaml(make_shop(**shop)))
    return str(path)


def test_prepare_then_inspect(make_shop: Callable[..., Config], tmp_path: Path) -> None:
    items = "item_id,title\n" + "".join(f"I{n},Tom &amp; Jerry {n}\n" for n in range(40)) + ",none\n"
    path = _config(make_shop, tmp_path, items=items, interactions=True)
    done = CliRunner().invoke(app, ["prepare", "--config", path])
    assert done.exit_code == 0, done.output
    assert "40 items" in done.output and "1 empty item_id" in done.output
    shown = CliRunner().invoke(app, ["inspect", "--config", path], env={"COLUMNS": "160"})
    assert shown.exit_code == 0, shown.output
    for word in ("Tom & Jerry 0", "HTML in title", "item_id is empty", "items.csv", "dev", "leaks found: 0"):
        assert word in shown.output, word


def test_what_was_found_and_left_empty_is_said_by_both(make_shop: Callable[..., Config], tmp_path: Path) -> None:
    items = "item_id;title;price\n" + "".join(f"I{n};lamp {n};{n},50\n" for n in range(40)) + "I40;rug;ask\n"
    path = _config(make_shop, tmp_path, items=items)
    for command, words in (
        ("prepare", ("values left empty: 1 price that is no amount", "fields are separated by ';'")),
        ("inspect", ("price 'ask' is no amount", "42", "fields are separated by ';'", "left empty")),
    ):
        done = CliRunner().invoke(app, [command, "--config", path], env={"COLUMNS": "160"})
        assert done.exit_code == 0 and all(word in done.output for word in words), done.output


def test_set_overrides_and_mistakes_are_one_line(make_shop: Callable[..., Config], tmp_path: Path) -> None:
    path = _config(make_shop, tmp_path)
    done = CliRunner().invoke(app, ["prepare", "--config", path, "--set", f"runs_dir={tmp_path / 'other'}"])
    assert done.exit_code == 0 and (tmp_path / "other" / "test" / "data").is_dir()
    bad = CliRunner().invoke(app, ["prepare", "--config", path, "--set", "data.items.path=nowhere.csv"])
    assert bad.exit_code == 2 and bad.output.startswith("error: There is no file ") and bad.output.count("\n") == 1
    unknown = CliRunner().invoke(app, ["download", "mnist", "--to", str(tmp_path)])
    assert unknown.exit_code == 2 and "esci, online_retail" in unknown.output


def test_the_config_file_of_the_test_is_plain_yaml(make_shop: Callable[..., Config], tmp_path: Path) -> None:
    tree = yaml.safe_load(Path(_config(make_shop, tmp_path)).read_text())
    assert tree["data"]["items"]["path"] == "items.csv"
