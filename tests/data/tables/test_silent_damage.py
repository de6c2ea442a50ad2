"""What once was damaged without a word: each value comes out right, or empty, counted and shown; no row is lost."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import polars as pl
import pytest

from tfrec.config import Config
from tfrec.data.prepare import prepare
from tfrec.data.shop import ShopData
from tfrec.data.tables.amounts import read_amounts
from tfrec.data.tables.day_order import DayOrder
from tfrec.data.tables.times import Times, plausible
from tfrec.errors import DataError

ITEMS = "item_id,title\n" + "".join(f"I{n},lamp {n}\n" for n in range(8))
ASKED = "query,item_id\nlamp,I1\nred,I2\n"
READ: dict[str, float | None] = {
    "1.299,00 €": 1299, "1 299,00 €": 1299, "1\u00a0299,00 €": 1299, "1\u2009299,00": 1299, "1\u202f299,00": 1299,
    "15 000 Fcfa": 15000, "1299,-": 1299, "199 元": 199, "24,90 zł": 24.9, "19,99-29,99": 19.99, "ab 12,99 €": 12.99,
    "1'299,00": 1299, "1.899": 1899, "12,99 €": 12.99, "€12,99": 12.99, "１２，９９": 12.99, "1.234.567": 1234567,
    "—": None, "-": None, "N/A": None, "": None, "nan": None, "0": 0,
}  # fmt: skip
READ_WITH_POINTS: dict[str, float | None] = {
    "12,990 円": 12990, "24.90 zł": 24.9, "Rs. 1,299": 1299, "₹1,29,999.00": 129999, "1'299.00": 1299,
    "1’299.00": 1299, "$1,299.00": 1299, "19.99-29.99": 19.99, "from 12.99": 12.99, "$12.00 – $15.00": 12,
    "US$ 5": 5, "5 USD": 5, "1e3": 1000, "None": None, "NULL": None, "¥1,234": 1234, "0.899": 0.899,
}  # fmt: skip


@pytest.mark.parametrize("written", [READ, READ_WITH_POINTS])
def test_prices_of_a_column_are_read_by_the_sign_that_its_rows_tell(written: dict[str, float | None]) -> None:
    amounts = read_amounts([pl.Series([text]) for text in written])
    assert dict(zip(written, [part[0] for part in amounts.numbers], strict=True)) == written
    assert not any(part[0] for part in amounts.unreadable) and amounts.decimal in (".", ",")


def test_signs_that_no_row_tells_are_said_and_can_be_set() -> None:
    thousands = pl.Series(["1.899", "2.499 €"])
    assert (
        read_amounts([thousands]).numbers[0].to_list() == [1899, 2499] and "thousands" in read_amounts([thousands]).note
    )
    assert read_amounts([thousands], ".").numbers[0].to_list() == [1.899, 2.499]
    both = read_amounts([pl.Series(["$1,299.00", "12,99 €", "1.299"])])
    assert both.numbers[0].to_list() == [1299, 12.99, None] and both.unreadable[0].to_list() == [False, False, True]
    assert "decimal decides" in both.note
    odd = pl.Series(["12 % off", "2024-01-05", "call us", "12.99 / 100 g", "1.5.2"])
    assert read_amounts([odd]).unreadable[0].all()


def test_a_price_that_cannot_be_read_costs_the_value_and_not_the_product(make_shop: Callable[..., Config]) -> None:
    items = 'item_id,title,price\nI1,a,"1.299,00 €"\nI2,b,ask us\nI3,c,"12,99 €"\nI4,d,-5\nI5,e,—\nI6,f,1.899\n'
    shop = prepare(make_shop(items=items, searches=ASKED))
    assert shop.items["price"].to_list() == [1299, None, 12.99, None, None, 1899]
    report = shop.report["items"]
    assert report["faults"]["count"] == 0 and report["rows_kept"] == 6
    assert report["values"]["kinds"] == {"price that is no amount": 1, "negative price": 1}
    assert [(entry["row"], entry["what"]) for entry in report["values"]["first"]] == [
        (3, "price 'ask us' is no amount"), (5, "price '-5' is negative")]  # fmt: skip
    assert report["cleaning"]["signs for no value in price, read as empty"]["count"] == 1
    assert any("'1.899' has thousands, by rows such as" in note for note in report["notes"])


def test_numbers_of_a_typed_file_have_points_whatever_they_look_like(make_shop: Callable[..., Config]) -> None:
    content = '{"item_id": "I1", "title": "a", "price": 1.899}\n{"item_id": "I2", "title": "b", "price": 2.499}\n'
    shop = prepare(make_shop(items={"content": content, "path": "items.jsonl"}, searches=ASKED))
    assert shop.items["price"].to_list() == [1.899, 2.499] and shop.report["items"]["notes"] == []


@pytest.mark.parametrize("kind", ["parquet", "jsonl", "tfrecord"])
def test_nested_numbers_have_points_too(kind: str, make_shop: Callable[..., Config], tmp_path: Any) -> None:
    rows = [{"item_id": f"I{n}", "title": "a", "offer": {"price": price}} for n, price in ((1, 1.899), (2, 2.499))]
    (tmp_path / "shop").mkdir()
    path = tmp_path / "shop" / f"items.{kind}"
    if kind == "parquet":
        pl.DataFrame(rows).write_parquet(path)
    elif kind == "jsonl":
        path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    else:
        from tfrec.tensorflow_setup import tf

        with tf.io.TFRecordWriter(str(path)) as writer:
            for row in rows:
                example = tf.train.Example()
                example.features.feature["item_id"].bytes_list.value.append(row["item_id"].encode())
                example.features.feature["title"].bytes_list.value.append(b"a")
                example.features.feature["price"].float_list.value.append(row["offer"]["price"])
                writer.write(example.SerializeToString())
    columns = {} if kind == "tfrecord" else {"price": "offer.price"}
    shop = prepare(make_shop(items={"path": path.name, "columns": columns}, searches=ASKED))
    assert shop.items["price"].to_list() == [1.899, 2.499]


def test_a_price_column_can_be_refused_and_zero_be_none(make_shop: Callable[..., Config]) -> None:
    items = {"content": "item_id,title,price\nI1,a,0\nI2,b,5\n"}
    assert "price" not in prepare(make_shop(items={**items, "columns": {"price": None}}, searches=ASKED)).items.columns
    assert prepare(make_shop(items={**items, "null_values": ["0"]}, searches=ASKED)).items["price"].to_list() == [
        None,
        5,
    ]
    with pytest.raises(DataError, match="data.items.columns refuses 'title'"):
        prepare(make_shop(items={**items, "columns": {"title": None}}, searches=ASKED))


HEADERS = {
    "an id for a text": ("items", "item_id,name_id\nI1,17\nI2,18\n", None),
    "a number for a query": ("searches", "query_id,item_id\n0,I1\n1,I2\n208,I3\n", None),
    "a running number for a time": ("interactions", "user_id,item_id,time\nu,I1,536365\nv,I2,536366\n", None),
    "a near name of the wrong content": ("items", "item_id,titles\nI1,1\nI2,2\n", None),
    "a text for an id": ("items", "items,title\nred lamp,a\nplain stool,b\n", None),
    "nothing near": ("searches", "words,item_id\nlamp,I1\n", None),
    "a near name": ("items", "item_id,titel\nI1,red lamp\n", "{title: titel}"),
    "a usual name": ("searches", "search_term,item_id\nred lamp,I1\n", "{query: search_term}"),
    "a time": ("interactions", "user_id,item_id,InvoiceDate\nu,I1,2024-01-05\n", "{timestamp: InvoiceDate}"),
}


@pytest.mark.parametrize("kind", HEADERS)
def test_hints_need_likeness_of_name_and_content(kind: str, make_shop: Callable[..., Config]) -> None:
    table, content, hint = HEADERS[kind]
    with pytest.raises(DataError, match="has no column") as caught:
        prepare(make_shop(**{"items": ITEMS, "searches": ASKED, table: content}))
    assert (hint in str(caught.value)) if hint else ("is meant" not in str(caught.value))


WHEN = {
    "20180901": "2018-09-01", "20180901080500": "2018-09-01 08:05", "43344.336805555555": "2018-09-01 08:05",
    "1535789100": "2018-09-01 08:05", "1535789100000": "2018-09-01 08:05", "2018年9月1日 8:05": "2018-09-01 08:05",
    "２０１８年９月１日 ８：０５": "2018-09-01 08:05", "2018/9/1 下午8:05": "2018-09-01 20:05",
    "2018/9/1": "2018-09-01",
    "Sat, 01 Sep 2018 08:05:00 +0200": "2018-09-01 06:05", "Sep 1, 2018 8:05 PM": "2018-09-01 20:05",
    "1-Sep-18": "2018-09-01", "1 févr. 2018": "2018-02-01", "3 juil. 2018 14:05": "2018-07-03 14:05",
    "3 juin 2018": "2018-06-03", "1 paź 2018": "2018-10-01", "2 wrz 2018 8:05": "2018-09-02 08:05",
    "1 października 2018": "2018-10-01", "3 septiembre 2018": "2018-09-03",
    "5 dic 2018": "2018-12-05", "01.09.2018 08:05": "2018-09-01 08:05", "2018-09-01 08:05": "2018-09-01 08:05",
}  # fmt: skip


@pytest.mark.parametrize("text", WHEN)
def test_times_as_shops_write_them(text: str) -> None:
    times, order = Times(None, "data.interactions"), DayOrder(None, "data.interactions")
    texts = pl.Series([text])
    seconds, waiting = times.read(texts)
    if waiting[0]:
        order.look(texts, "a.csv, row 2")
        order.decide()
        seconds = order.read(texts)
    assert str(pl.from_epoch(seconds, "s")[0])[: len(WHEN[text])] == WHEN[text] and plausible(seconds).all()
    usual = ("1535789100", "1535789100000", "2018年9月1日 8:05", "2018/9/1", "2018-09-01 08:05")
    assert bool(times.notes() + order.notes()) == (not text.startswith(usual) and "２" not in text and "下" not in text)


def _bought(shop: ShopData) -> list[str]:
    return [str(when)[:16] for when in pl.from_epoch(shop.interactions["timestamp"], "s")]


def test_days_and_months_are_told_by_all_rows_or_asked_for(make_shop: Callable[..., Config]) -> None:
    rows = "user_id,item_id,timestamp\nu,I1,12/1/2010 8:26\nu,I2,1/2/2011 9:00\n"
    split = {"dev_days": 0}
    with pytest.raises(
        DataError, match=r"interactions.csv, row 2: whether the day or the month.*timestamp_format to day_first"
    ):
        prepare(make_shop(items=ITEMS, interactions=rows, split=split))
    days = prepare(make_shop(items=ITEMS, interactions=rows + "v,I3,13/1/2011 10:00\n", split=split))
    assert _bought(days) == ["2010-01-12 08:26", "2011-02-01 09:00", "2011-01-13 10:00"]
    assert any("days first, such as '13/1/2011 10:00'" in note for note in days.report["interactions"]["notes"])
    odd = rows + "v,I3,1/13/2011\nv,I4,14/14/2011\n"
    months = prepare(make_shop(items=ITEMS, interactions=odd, split=split, cleaning={"max_faulty_share": 0.5}))
    assert _bought(months) == ["2010-12-01 08:26", "2011-01-02 09:00", "2011-01-13 00:00"]
    assert months.report["interactions"]["faults"]["kinds"] == {"bad timestamp": 1}
    for form, first in (("month_first", "2010-12-01"), ("%d/%m/%Y %H:%M", "2010-01-12")):
        table = {"content": rows, "timestamp_format": form}
        assert _bought(prepare(make_shop(items=ITEMS, interactions=table, split=split)))[0].startswith(first)
    with pytest.raises(DataError, match="has the day first and '1/13/2011' the month"):
        prepare(make_shop(items=ITEMS, interactions=rows + "v,I3,13/1/2011\nv,I4,1/13/2011\n", split=split))


def test_times_that_no_shop_has_are_faults_with_a_sentence(make_shop: Callable[..., Config]) -> None:
    rows = "user_id,item_id,timestamp\nu,I1,536365\nu,I2,536366\n"
    with pytest.raises(DataError, match=r"row 2: timestamp '536365' is not between 1995 and tomorrow"):
        prepare(make_shop(items=ITEMS, interactions=rows))
    with pytest.raises(DataError, match=r"timestamp '2093-01-01' is not between 1995 and tomorrow"):
        prepare(make_shop(items=ITEMS, interactions="user_id,item_id,timestamp\nu,I1,2093-01-01\n"))


def test_rows_without_a_user_by_whatever_word_are_no_shopper(make_shop: Callable[..., Config]) -> None:
    users = ["NULL", "null", "\\N", "None", "nan", "", "u"]
    rows = "user_id,item_id,timestamp\n" + "".join(f"{user},I{n},2024-01-0{n + 1}\n" for n, user in enumerate(users))
    shop = prepare(make_shop(items=ITEMS, interactions=rows, split={"dev_days": 0}))
    assert shop.interactions["user_id"].to_list() == ["u"]
    changes = shop.report["interactions"]["cleaning"]
    assert changes["words for no value in user_id, read as empty"]["count"] == 5
    assert changes["rows without a user_id, dropped"]["count"] == 6


GAINS: dict[str, tuple[str, dict[Any, float], list[float], str]] = {
    "shares": ("0,0.5,1", {}, [0, 0.5, 1], ""),
    "decimal commas": ('"0","0,5","1"', {}, [0, 0.5, 1], ""),
    "grades": ("0,2,4", {}, [0, 0.5, 1], "goes up to 4"),
    "percent": ("0,50,100", {}, [0, 0.5, 1], "goes up to 100"),
    "clicks": ("0,600,1200", {}, [0, 0.5, 1], "counts of clicks"),
    "labels that are numbers": ("0,2,3.0", {0: 0, 2: 0.5, 3: 1}, [0, 0.5, 1], ""),
    "labels with grades": ("no,so,yes", {"no": 0, "so": 2, "yes": 4}, [0, 0.5, 1], "goes up to 4"),
}


@pytest.mark.parametrize("kind", GAINS)
def test_gains_above_one_are_shares_and_lose_no_row(kind: str, make_shop: Callable[..., Config]) -> None:
    import csv

    written, labels, expected, said = GAINS[kind]
    values = next(csv.reader([written]))
    rows = "query,item_id,gain\n" + "".join(f'lamp,I{n},"{gain}"\n' for n, gain in enumerate(values))
    shop = prepare(make_shop(items=ITEMS, searches={"content": rows, "gains": labels}))
    assert shop.searches["gain"].to_list() == expected and shop.report["searches"]["faults"]["count"] == 0
    notes = [note for note in shop.report["searches"]["notes"] if "gain" in note]
    assert (len(notes) == 1 and said in notes[0]) if said else notes == []


def test_orders_of_products_that_have_left_are_counted_and_stop_nothing(make_shop: Callable[..., Config]) -> None:
    gone = "".join(f"u{n},OLD{n},2023-01-01\n" for n in range(50))
    rows = "user_id,item_id,timestamp\n" + gone + "u,I1,2024-01-01\nu,I2,2024-01-02\n"
    shop = prepare(make_shop(items=ITEMS, interactions=rows, split={"dev_days": 0}))
    assert shop.interactions.height == 2 and shop.report["interactions"]["rows_gone"] == 50
    left = prepare(make_shop(items=ITEMS, interactions="user_id,item_id,timestamp\n" + gone), trains=False)
    assert not left.has_interactions, "a catalogue is updated whatever its old orders name"


def test_files_with_a_split_each(make_shop: Callable[..., Config], tmp_path: Any) -> None:
    paths = [{"path": "train.csv", "split": "train"}, {"path": "test.csv", "split": "test"}]
    config = make_shop(items=ITEMS, searches={"path": "train.csv", "content": ASKED})
    (tmp_path / "shop" / "test.csv").write_text("query,item_id\nblue,I3\n")
    tree = config.model_dump()
    tree["data"]["searches"]["path"] = paths
    shop = prepare(Config.model_validate(tree))
    assert shop.judgments("train").keys() == {"lamp", "red"} and shop.judgments("test").keys() == {"blue"}


def test_a_split_is_for_files_of_searches() -> None:
    from tfrec.config import parse_config
    from tfrec.errors import ConfigError

    with pytest.raises(ConfigError, match="a file of items has no split"):
        parse_config({"data": {"items": {"path": [{"path": "a.csv", "split": "train"}]}}})


def test_quantities_and_weights_that_cannot_be_read_cost_no_row(make_shop: Callable[..., Config]) -> None:
    rows = "user_id,item_id,timestamp,quantity\n" + "".join(
        f'u,I{n},2024-01-0{n + 1},"{text}"\n' for n, text in enumerate(["2", "1,5", "some", "", "1,000"])
    )
    asked = 'query,item_id,weight\nlamp,I1,"0,5"\nred,I2,often\n'
    shop = prepare(make_shop(items=ITEMS, searches=asked, interactions=rows, split={"dev_days": 0}))
    assert shop.interactions["quantity"].to_list() == [2, 1.5, 1, 1, 1] and shop.searches["weight"].to_list() == [
        0.5,
        1,
    ]
    assert shop.report["interactions"]["values"]["kinds"] == {"quantity that is no number": 2}
    assert shop.report["searches"]["values"]["kinds"] == {"weight that is no number": 1}


def test_inline_tags_part_no_words_and_blocks_do() -> None:
    from tfrec.data.clean import plain_text

    assert plain_text("<b>S</b>ofa H<sub>2</sub>O <span class='x'>re</span>d") == "Sofa H2O red"
    assert plain_text("a<br>b<br/>c<p>d</p>e<li>f</li><td>g</td><unknown>h").split() == list("abcdefgh")
