"""Tables in zip archives, as shops and data sets send them."""

from __future__ import annotations

import zipfile
from pathlib import Path

import pytest

from tfrec.errors import DataError

from .reading import read
from .test_titles import HEADER, ROWS, cells, write_xlsx

KINDS = {
    "a.csv": "item_id;title\r\n1;Stühle\r\n2;Tische\r\n".encode("cp1252"),
    "a.tsv": b"item_id\ttitle\n1\tSt\xc3\xbchle\n2\tTische\n",
    "folder/a.jsonl": '{"item_id": 1, "title": "Stühle"}\n{"item_id": 2, "title": "Tische"}\n'.encode(),
    "a.xml": b"<all><p><item_id>1</item_id><title>St\xc3\xbchle</title></p>"
    b"<p><item_id>2</item_id><title>Tische</title></p></all>",
}


def pack(path: Path, **members: bytes) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return path


@pytest.mark.parametrize("name", KINDS)
@pytest.mark.parametrize("archive", ["all.zip", "a.csv"])
def test_the_one_file_of_an_archive_is_read(name: str, archive: str, tmp_path: Path) -> None:
    pack(tmp_path / archive, **{name: KINDS[name], "__MACOSX/._a.csv": b"\0\5", "folder/.DS_Store": b"\0"})
    assert read(tmp_path / archive).rows == [("1", "Stühle"), ("2", "Tische")]


def test_a_workbook_in_an_archive_and_as_one(tmp_path: Path) -> None:
    book = write_xlsx(tmp_path / "a.xlsx", cells([HEADER, *ROWS]))
    pack(tmp_path / "a.zip", **{"a.xlsx": book.read_bytes()})
    assert read(tmp_path / "a.zip").rows == read(book).rows == [tuple(row[:2]) for row in ROWS]


def test_several_files_and_damage_are_told(tmp_path: Path) -> None:
    pack(tmp_path / "two.zip", **{"a.csv": KINDS["a.csv"], "b.csv": KINDS["a.csv"]})
    with pytest.raises(DataError, match=r"two.zip holds 2 files \(a.csv, b.csv\): unpack it"):
        read(tmp_path / "two.zip")
    whole = pack(tmp_path / "cut.zip", **{"a.csv": KINDS["a.csv"] * 99}).read_bytes()
    with pytest.raises(DataError, match="cut.zip is not whole"):
        read(tmp_path / "cut.zip", whole[: len(whole) // 2])
    start = whole.rindex(b"PK\x01\x02")
    deflate64 = whole[: start + 10] + b"\x09" + whole[start + 11 :]
    with pytest.raises(DataError, match="far.zip is compressed in a way that cannot be read here: unpack it"):
        read(tmp_path / "far.zip", deflate64)
