"""Text files in the encodings that shops have, found from the bytes and said."""

from __future__ import annotations

from pathlib import Path

import pytest

from tfrec.errors import ConfigError

from .reading import read

CHINESE = [("1", "红色沙发，真皮，三人座"), ("2", "白色台灯"), ("3", "木制餐桌")]
TAIWANESE = [("1", "紅色沙發，真皮，三人座"), ("2", "白色檯燈"), ("3", "木製餐桌")]
JAPANESE = [("1", "赤い革のソファ"), ("2", "白いランプ"), ("3", "木のテーブル")]
KOREAN = [("1", "빨간 가죽 소파"), ("2", "하얀 램프"), ("3", "나무 식탁")]
WESTERN = [("1", "Lampe für die Küche"), ("2", "Crème brûlée dish – 5 €"), ("3", "plain")]
POLISH = [("1", "żółta łódka"), ("2", "krzesło dębowe"), ("3", "świecznik")]
RUSSIAN = [("1", "красный кожаный диван"), ("2", "белая лампа"), ("3", "стол")]
KINDS = {
    "gbk": (CHINESE, "gb18030"), "gb18030": (CHINESE, "gb18030"), "big5": (TAIWANESE, "big5"),
    "shift_jis": (JAPANESE, "cp932"), "euc_kr": (KOREAN, "cp949"), "cp1252": (WESTERN, "cp1252"),
    "cp1250": (POLISH, "cp1250"), "cp1251": (RUSSIAN, "cp1251"), "utf-16": (CHINESE, None),
    "utf-8-sig": (CHINESE, None),
    "utf-16-le": (WESTERN, "utf-16-le"), "utf-32": (WESTERN, None), "utf-8": (JAPANESE, None),
}  # fmt: skip


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("ending", ["csv", "tsv"])
def test_an_encoding_is_found_and_said(kind: str, ending: str, tmp_path: Path) -> None:
    rows, said = KINDS[kind]
    mark = "," if ending == "csv" else "\t"
    text = f"item_id{mark}title\n" + "".join(f"{item}{mark}{title}\n" for item, title in rows)
    found = read(tmp_path / f"a.{ending}", text.encode(kind))
    assert found.rows == rows
    assert said is None or f"is not UTF-8 but {said}" in found.notes[0]
    assert read(tmp_path / f"a.{ending}", text.encode(kind), encoding=kind).rows == rows


def test_an_odd_byte_in_a_late_row_changes_no_other(tmp_path: Path) -> None:
    rows = [(str(n), f"Küchenlampe {n}") for n in range(12_000)]
    text = "item_id,title\n" + "".join(f"{item},{title}\n" for item, title in rows)
    found = read(tmp_path / "a.csv", text.encode().replace("Küchenlampe 11116\n".encode(), b"K\xfcchenlampe 11116\n"))
    assert found.rows == rows
    assert "1 byte is not utf-8, the first in line 11,118: read as Windows-1252" in found.notes[0]


def test_one_odd_byte_alone_is_western(tmp_path: Path) -> None:
    found = read(tmp_path / "a.csv", b"item_id,title\n1,caf\xe9\n")
    assert found.rows == [("1", "café")] and "not UTF-8 but cp1252" in found.notes[0] and "café" in found.notes[0]


@pytest.mark.parametrize("kind", ["gbk", "utf-16", "cp1252"])
def test_json_lines_in_other_encodings(kind: str, tmp_path: Path) -> None:
    rows = WESTERN if kind == "cp1252" else CHINESE
    text = "".join(f'{{"item_id": {item}, "title": "{title}"}}\n' for item, title in rows)
    assert read(tmp_path / "a.jsonl", text.encode(kind)).rows == rows


def test_bytes_that_a_set_encoding_does_not_know_are_counted(tmp_path: Path) -> None:
    found = read(tmp_path / "a.csv", b"item_id,title\n1,caf\xe9\n2,\xe9t\xe9\n", encoding="utf-8")
    assert (
        found.rows == [("1", "café"), ("2", "été")] and "3 bytes are not utf-8, the first in line 2" in found.notes[0]
    )
    with pytest.raises(ConfigError, match="'klingon' is no encoding"):
        read(tmp_path / "a.csv", encoding="klingon")


CENTRAL = {
    "Dětská židle pěkná, červený stůl a měkké křeslo": "cp1250",
    "nők cipő, fűzős, bőr": "cp1250",
    "chaise en chêne où l'élève crée": "cp1252",
    "rød stol på værelset": "cp1252",
    "sillón pequeño, señora": "cp1252",
    "świeczka, żółty ręcznik, łóżko": "cp1250",
    "świeczka, źródlana, mąka": "iso8859-2",
    "kırmızı şapka, yeşil gömlek, çocuk ayakkabısı": "cp1254",
    "þægilegur stóll, ljós við rúmið": "cp1252",
}


@pytest.mark.parametrize("text", CENTRAL)
def test_letters_of_one_language_tell_west_from_east(text: str, tmp_path: Path) -> None:
    content = f"item_id,title\n1,{text}\n".replace(", ", "; ").encode(CENTRAL[text])
    found = read(tmp_path / "a.csv", content)
    assert found.rows == [("1", text.replace(", ", "; "))]


@pytest.mark.parametrize(
    ("text", "encoding"), [("红灯", "gbk"), ("kość", "cp1250"), ("Лампа", "cp1251"), ("Żółw", "cp1250")]
)
def test_a_text_too_short_to_tell_is_said_with_what_it_could_be(text: str, encoding: str, tmp_path: Path) -> None:
    found = read(tmp_path / "a.csv", f"item_id,title\n1,{text}\n".encode(encoding))
    assert any("could as well be" in note for note in found.notes)
    assert text in " ".join([*found.notes, found.rows[0][1]]), "the right reading is shown"
    assert read(tmp_path / "a.csv", encoding=encoding).rows == [("1", text)]
