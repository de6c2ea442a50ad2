"""Cleaning: texts whose clean form is known, and properties that hold for every text."""

from __future__ import annotations

from collections.abc import Callable

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tfrec.config import Config
from tfrec.config.preparation import CleaningConfig
from tfrec.data.clean import clean_texts, normalised_query
from tfrec.data.prepare import prepare
from tfrec.data.report import TableReport
from tfrec.data.tables.amounts import read_amounts

KNOWN = {
    "Tom &amp; Jerry": "Tom & Jerry",
    "Tom &amp;amp; Jerry": "Tom & Jerry",
    "&lt;b&gt;Bold&lt;/b&gt; move": "Bold move",
    "one<br/>two<p>three</p>": "one two three",
    "a <!-- hidden --> b<script>alert('x')</script> c": "a b c",
    "I <3 you, 5 < 7 and 7 > 5": "I <3 you, 5 < 7 and 7 > 5",
    "Ｆｕｌｌ　ｗｉｄｔｈ ﬁne ①": "Full width fine 1",
    "Kindle™ Fire": "Kindle Fire",
    "caf\u0065\u0301": "café",
    "a\u00a0b\tc\r\nd\u2003\u200be\x00f": "a b c d e f",
    "so\u00adfa \u202alam\u2060p\u202c wi\u200e-fi": "sofa lamp wi-fi",
    "soft\u00adhyphen \ufeffmark ": "softhyphen mark",
    "AT&T R&D": "AT&T R&D",
    "沙发 👨‍👩‍👧": "沙发 👨‍👩‍👧",
    "&#x1F6CB; &euro;5": "🛋 €5",
    "   ": "",
    "they donâ€™t, dÃ©cor, 20Âº, BROWNâ„¢": "they don’t, décor, 20o, BROWN",
    "Hâ&#x20AC;&#x2122;s &Atilde;&copy;t&eacute;": "H’s été",
    "FRANÇAIS, ÄÖÜ, déjà vu, São Tomé, naïveté ÆØÅ «»": "FRANÇAIS, ÄÖÜ, déjà vu, São Tomé, naïveté ÆØÅ «»",
}


def _clean(texts: list[str], **switches: bool) -> tuple[list[str], dict[str, dict[str, object]]]:
    report = TableReport("items", CleaningConfig.model_validate({}))
    frame = pl.DataFrame({"title": pl.Series(texts, dtype=pl.String)})
    cleaned = clean_texts(frame, ["title"], CleaningConfig.model_validate(switches), report)
    return cleaned["title"].to_list(), report.to_json()["cleaning"]


def test_known_texts() -> None:
    cleaned, changes = _clean(list(KNOWN))
    assert dict(zip(KNOWN, cleaned, strict=True)) == KNOWN
    assert changes["HTML in title"]["count"] == 7
    assert "'Tom &amp; Jerry' -> 'Tom & Jerry'" in changes["HTML in title"]["examples"]
    assert all(len(entry["examples"]) <= 5 for entry in changes.values())


@pytest.mark.parametrize(
    "switch, text", [("mojibake", "cafÃ©"), ("html", "a &amp; b"), ("nfkc", "ＡＢ"), ("whitespace", " a  b ")]
)
def test_each_step_can_be_switched_off(switch: str, text: str) -> None:
    assert _clean([text], **{switch: False})[0] == [text]
    assert _clean([text])[0] != [text]


MISREAD = st.text().map(lambda text: text.encode("utf-8", "replace").decode("windows-1252", "replace"))


@settings(deadline=None)
@given(st.lists(st.one_of(st.text(), MISREAD), max_size=5))
def test_cleaning_twice_is_cleaning_once(texts: list[str]) -> None:
    once, _ = _clean([text.encode("utf-8", "replace").decode() for text in texts])
    again, changes = _clean(once)
    assert again == once and changes == {}


@given(st.lists(st.text(alphabet=st.characters(min_codepoint=97, max_codepoint=122), min_size=1), min_size=1))
def test_plain_words_are_never_touched(words: list[str]) -> None:
    text = " ".join(words)
    cleaned, changes = _clean([text])
    assert cleaned == [text] and changes == {}


@given(st.text())
def test_query_identity_ignores_case_width_and_blanks(text: str) -> None:
    text = text.encode("utf-8", "replace").decode()
    key = normalised_query(text)
    assert normalised_query(key) == key
    assert normalised_query(f"  {text}\t") == key
    assert normalised_query(text.casefold()) == key


def test_prices_as_shops_write_them() -> None:
    written = ["", "1", "$1,299.00", "12,99 €", "USD 5", "1e3", "abc", "1.299,00"]
    numbers = read_amounts([pl.Series(written)]).numbers[0]
    assert numbers.to_list() == [None, 1, 1299, 12.99, 5, 1000, None, 1299]


def test_items_are_cleaned_and_reported(make_shop: Callable[..., Config]) -> None:
    items = "item_id,title,image\n I1 ,Tom &amp; Jerry,http://x/?a=1&copy=2\nI2, b \nI3,c,\nI3,c,\n2.0,d,\n"
    shop = prepare(make_shop(items=items, searches="query,item_id\nＱ &amp; A,I1\nb,2.0\n"))
    assert shop.item_ids == ["I1", "I3", "2.0"]  # I2 has two fields of three
    assert shop.items["title"][0] == "Tom & Jerry"
    assert shop.items["image"][0] == "http://x/?a=1&copy=2"
    report = shop.report
    assert report["items"]["cleaning"]["duplicate rows, dropped"]["count"] == 1
    assert report["items"]["faults"]["kinds"] == {"unreadable row": 1}
    assert sorted(shop.searches["query"]) == ["Q & A", "b"]


def test_most_frequent_title_wins_over_the_first(make_shop: Callable[..., Config]) -> None:
    lines = ["I1,wrong", "I1,right", "I2,only", "I1,right", "I1,other"]
    items = {"content": "item_id,title\n" + "\n".join(lines) + "\n"}
    searches = "query,item_id\nq,I1\nr,I2\n"
    first = prepare(make_shop(items=items, searches=searches))
    assert dict(zip(first.item_ids, first.item_texts, strict=True)) == {"I1": "wrong", "I2": "only"}
    assert first.report["items"]["faults"]["kinds"] == {"repeated item_id with other content": 2}
    often = prepare(make_shop(items={**items, "duplicates": "most_frequent"}, searches=searches))
    assert dict(zip(often.item_ids, often.item_texts, strict=True)) == {"I1": "right", "I2": "only"}
    assert often.report["items"]["faults"]["count"] == 0
    assert often.report["items"]["cleaning"]["other descriptions of a repeated item_id, dropped"]["count"] == 2


def test_equal_products_are_merged_and_everything_is_re_pointed(make_shop: Callable[..., Config]) -> None:
    items = "item_id,title,price\nI1,sofa,1\nI2,lamp,2\nI3,sofa,3\nI4,desk,4\n"
    searches = "query,item_id,gain\nq,I3,1\nq,I2,0\nr,I4,1\ns,I1,1\n"
    purchases = "user_id,item_id,timestamp\nu,I3,2024-01-01\nu,I2,2024-02-01\nu,I4,2024-06-01\n"
    separate = prepare(make_shop(items=items, searches=searches, interactions=purchases))
    assert separate.size == 4
    merging = {"duplicate_products": True}
    merged = prepare(make_shop(items=items, searches=searches, interactions=purchases, cleaning=merging))
    assert merged.item_ids == ["I1", "I2", "I4"]
    assert set(merged.searches["item_id"]) == {"I1", "I2", "I4"} and merged.searches.height == 4
    assert merged.interactions["item_id"].to_list() == ["I1", "I2", "I4"]
    change = merged.report["items"]["cleaning"]["duplicate products, merged"]
    assert change == {"count": 1, "examples": ["'I3' -> 'I1'"]}
    index = [merged.item_ids[item] for item in merged.searches["item"]]
    assert index == merged.searches["item_id"].to_list()


def test_what_is_no_purchase_is_dropped_by_reason(make_shop: Callable[..., Config]) -> None:
    purchases = (
        "user_id,item_id,timestamp,quantity,order_id,event\n"
        "1.0,10001,2024-01-01,1,500,buy\n1.0,10002A,2024-02-01,2,501,buy\n1.0,10002A,2024-02-01,2,501,buy\n"
        "1.0,10001,2024-02-02,-1,C502,buy\n1.0,10001,2024-02-03,0,503,buy\n1.0,POST,2024-02-04,1,504,buy\n"
        ",10001,2024-02-05,1,505,buy\n1.0,10003,2024-02-05,1,505,view\n1.0,10003,2024-06-05,1,506,buy\n"
    )
    items = {"content": "item_id,title\n10001,a\n10002A,b\n10003,c\nPOST,postage\n", "id_pattern": r"\d{5}[A-Z]?"}
    table = {"content": purchases, "cancelled_pattern": "C.*", "events": ["buy"]}
    shop = prepare(make_shop(items=items, searches=None, interactions=table))
    assert shop.item_ids == ["10001", "10002A", "10003"]
    assert shop.interactions.select("user_id", "item_id", "quantity", "split").rows() == [
        ("1.0", "10001", 1, "train"), ("1.0", "10002A", 2, "train"), ("1.0", "10003", 1, "dev")]  # fmt: skip
    counts = {kind: entry["count"] for kind, entry in shop.report["interactions"]["cleaning"].items()}
    assert counts == {
        "other kinds of event, dropped": 1, "rows of cancelled orders, dropped": 1,
        "rows with no positive quantity, dropped": 1, "rows without a user_id, dropped": 1,
        "rows whose id is no product code, dropped": 1, "duplicate rows, dropped": 1,
    }  # fmt: skip
    assert sum(counts.values()) + shop.interactions.height == shop.report["interactions"]["rows_read"]
