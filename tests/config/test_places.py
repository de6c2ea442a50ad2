"""A configuration means the same folders from wherever a command is run."""

from __future__ import annotations

from pathlib import Path

import pytest

from tfrec.cli.options import read_config
from tfrec.config import load_config, parse_config, plain_yaml

FILE = "data: {root: files, items: items.csv}\n"


def _places(config: object) -> tuple[str, str]:
    return config.runs_dir, config.data.root  # type: ignore[attr-defined]


@pytest.fixture()
def file(tmp_path: Path) -> Path:
    (tmp_path / "shop").mkdir()
    path = tmp_path / "shop" / "shop.yaml"
    path.write_text(FILE)
    return path


def test_folders_are_relative_to_the_file_that_names_them(
    file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    wanted = (str(file.parent / "runs"), str(file.parent / "files"))
    for place, name in ((tmp_path, "shop/shop.yaml"), (file.parent, "shop.yaml"), (Path("/"), str(file))):
        monkeypatch.chdir(place)
        assert _places(load_config(name)) == wanted, place
    file.write_text("runs_dir: ../all\ndata: {items: items.csv}\n")
    assert _places(load_config(file)) == (str(tmp_path / "all"), str(file.parent))


def test_overrides_are_relative_to_the_working_directory(
    file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    found = load_config(file, ["runs_dir=here", "data.root=../data"])
    assert _places(found) == (str(tmp_path / "here"), str(tmp_path.parent / "data"))
    whole = load_config(file, ["data={items: other.csv}"])
    assert whole.data.root == str(file.parent), "a folder that nobody names is the file's"


def test_the_home_folder_is_expanded_everywhere(file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path / "me"))
    assert _places(load_config(file, ["runs_dir=~/r", "data.root=~/d"])) == (
        str(tmp_path / "me" / "r"), str(tmp_path / "me" / "d"),
    )  # fmt: skip
    file.write_text("runs_dir: ~/r\ndata: {root: ~/d, items: ~/d/items.csv}\nencoder: {name: ./tiny}\n")
    assert _places(load_config(file)) == (str(tmp_path / "me" / "r"), str(tmp_path / "me" / "d"))
    assert load_config(file).encoder.name == str(file.parent / "tiny")
    tree = {"runs_dir": "~/r", "data": {"root": "~/d", "items": "items.csv"}}
    assert _places(parse_config(tree)) == (str(tmp_path / "me" / "r"), str(tmp_path / "me" / "d"))

    from tfrec.data.tables.files import files_of

    (tmp_path / "me" / "d").mkdir(parents=True)
    (tmp_path / "me" / "d" / "items.csv").write_text("item_id,title\n")
    items = load_config(file).data.items
    assert items is not None and files_of(items, Path("/elsewhere")) == [tmp_path / "me" / "d" / "items.csv"]


def test_a_written_configuration_means_the_same_wherever_it_lies(
    file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    config = parse_config({"runs_dir": "runs", "data": {"root": "shop", "items": "items.csv"}})
    (tmp_path / "deep" / "er").mkdir(parents=True)
    copy = tmp_path / "deep" / "er" / "config.yaml"
    copy.write_text(plain_yaml(config))
    assert _places(load_config(copy)) == (str(tmp_path / "runs"), str(tmp_path / "shop"))


def test_artefacts_do_not_depend_on_where_the_files_lie(file: Path) -> None:
    one, other = load_config(file), load_config(file, ["data.root=/elsewhere", "runs_dir=/elsewhere"])
    assert one.hash_of("data", "encoder") == other.hash_of("data", "encoder")
    assert one.hash_of("data") != load_config(file, ["data.items=others.csv"]).hash_of("data")


def test_the_shipped_configurations_keep_their_runs_at_the_top(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    root = Path(__file__).resolve().parents[2]
    for path in sorted((root / "configs").glob("*.yaml")):
        assert load_config(path).runs_dir == str(root / "runs"), path
    monkeypatch.chdir(tmp_path)  # installed with tfrec, they belong to the folder one is in
    assert read_config(Path("esci"), []).runs_dir == str(tmp_path / "runs")
    assert read_config(Path("esci"), []).data.root == str(tmp_path / "downloads" / "esci")


def test_a_run_at_the_old_place_is_told(
    file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    read_config(file, [])
    assert capsys.readouterr().err == ""
    (tmp_path / "runs" / "shop").mkdir(parents=True)
    read_config(file, [])
    assert str(file.parent / "runs" / "shop") in capsys.readouterr().err
    read_config(file, ["runs_dir=runs"])
    assert capsys.readouterr().err == ""
