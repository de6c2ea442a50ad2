"""What `tfrec init` understands of files as strange as shops have them; each kind once."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from tfrec.config import parse_config
from tfrec.data.discovery.proposal import Answers, Proposal
from tfrec.data.discovery.propose import propose
from tfrec.data.discovery.understood import Understood, understand

NAMES = ["red lamp", "oak chair", "steel table", "linen curtain", "wool rug", "clay pot"]


def proposed(folder: Path, **files: str) -> Proposal:
    """The proposal for these files (name__ending: content)."""
    for name, text in files.items():
        (folder / name.replace("__", ".")).write_text(text, "utf-8")
    return propose(folder, Answers({}))[0]


def understood(proposal: Proposal, folder: Path) -> Understood:
    """What training would read of it, which must need no answer."""
    assert not proposal.refusal and not proposal.questions, (proposal.refusal, proposal.questions)
    return understand(parse_config({"data": {"root": str(folder), **proposal.data()}}).data, folder)


def rows(head: str, row: str, count: int = 6) -> str:
    """A table of so many rows; {n} is the number, {name} a title."""
    return head + "\n" + "".join(row.format(n=n, name=NAMES[n % 6], m=n % 6, u=n % 4) + "\n" for n in range(count))


ITEMS = rows("sku,title,brand", "P{n},{name},Acme")
SESSIONS: list[dict[str, Any]] = [
    {"anonymousId": f"a{n % 4}", "event": ["Product Viewed", "Order Completed", "Page Viewed"][n % 3],
     "timestamp": f"2024-02-{1 + n % 27:02d}T08:00:00Z",
     "properties": {"products": [] if n % 3 == 2 else [{"product_id": f"P{n % 6}", "quantity": 1}]}}
    for n in range(24)
]  # fmt: skip


def test_lists_of_items_below_another_key_and_events_without_any(tmp_path: Path) -> None:
    track = "".join(json.dumps(session) + "\n" for session in SESSIONS)
    proposal = proposed(tmp_path, products__csv=ITEMS, track__jsonl=track)
    table = proposal.tables["interactions"]
    assert table["explode"] == "properties.products" and table["events"] == {"Product Viewed": 1, "Order Completed": 5}
    assert "events that name no product are left out: Page Viewed" in proposal.said
    found = understood(proposal, tmp_path)
    assert found.frames["interactions"].height == 16
    table.pop("events")
    report = understood(proposal, tmp_path).reports["interactions"].to_json()
    assert report["faults"]["count"] == 0
    assert report["cleaning"]["rows without an item in properties.products, dropped"]["count"] == 8


def test_a_number_of_the_whole_list_is_no_quantity(tmp_path: Path) -> None:
    users = "".join(
        json.dumps({"user_id": f"u{n}", "count": 9, "items": [{"item_id": f"P{(n + k) % 6}"} for k in range(3)]}) + "\n"
        for n in range(8)
    )
    proposal = proposed(tmp_path, products__csv=ITEMS, owned__jsonl=users)
    assert "quantity" not in proposal.tables["interactions"]["columns"]


def test_titles_elsewhere_come_before_a_layouts_bare_numbers(tmp_path: Path) -> None:
    sessions = "".join(
        json.dumps(
            {"session": n, "events": [{"aid": n % 6, "ts": 1661724000000 + n, "type": "clicks"} for _ in range(2)]}
        )
        + "\n"
        for n in range(12)
    )
    proposal = proposed(tmp_path, sessions__jsonl=sessions, articles__csv=rows("aid,headline", "{n},{name}"))
    assert proposal.layout == "otto" and proposal.tables["items"]["path"] == "articles.csv"
    assert understood(proposal, tmp_path).frames["items"]["title"].to_list() == NAMES


def test_descriptions_are_looked_up_where_another_file_has_the_titles(tmp_path: Path) -> None:
    described = rows("product_uid,product_description", "{n},It is a good {name} of ours")
    judged = rows("id,product_uid,product_title,search_term,relevance", "{n},{m},{name},good {name},{u}", 18)
    proposal = proposed(tmp_path, product_descriptions__csv=described, train__csv=judged)
    items = proposal.tables["items"]
    assert items["path"] == "train.csv" and items["join"][0]["path"] == "product_descriptions.csv"
    assert proposal.tables["searches"]["path"] == "train.csv"


def test_the_only_words_beside_the_ids_of_queries_are_the_queries(tmp_path: Path) -> None:
    proposal = proposed(
        tmp_path, products__csv=ITEMS, topics__csv=rows("qid,text", "{n},a {name}"),
        labels__csv=rows("qid,sku,grade", "{n},P{n},{u}"),
    )  # fmt: skip
    assert understood(proposal, tmp_path).frames["searches"]["query"].to_list() == [f"a {name}" for name in NAMES]


def test_orders_of_which_most_products_have_left_are_read(tmp_path: Path) -> None:
    orders = rows("customer_id,sku,order_date", "c{u},P{n},2024-01-{m}1", 20).replace("-01-01", "-01-03")
    orders = orders.replace("-01-31", "-01-30").replace("-01-41", "-01-14").replace("-01-51", "-01-15")
    proposal = proposed(tmp_path, products__csv=ITEMS, orders__csv=orders)
    found = understood(proposal, tmp_path)
    assert found.frames["interactions"].height == 6 and found.reports["interactions"].rows_gone == 14
    assert not found.doubts


def test_files_that_look_like_purchases_and_are_not_read_are_told(tmp_path: Path) -> None:
    odd = rows("customer_id,bought_at,colour", "c{u},2024-01-1{m},red", 12)
    people = rows("customer_id,email", "c{n},c{n}@x.org")
    proposal = proposed(tmp_path, products__csv=ITEMS, orders__csv=odd, customers__csv=people)
    assert not any(said.startswith("customers.csv") for said in proposal.said)
    assert "interactions" not in proposal.tables
    assert any(said.startswith("orders.csv has customer_id and bought_at, and is not read") for said in proposal.said)


def test_rows_of_another_kind_without_an_id_are_left_out_and_told(tmp_path: Path) -> None:
    lines = "".join(f"Product,{n},{name},{n}.5\n  SKU,,[S]Size=M,\n" for n, name in enumerate(NAMES))
    proposal = proposed(tmp_path, export__csv="Item Type,Product ID,Product Name,Price\n" + lines)
    found = understood(proposal, tmp_path)
    assert found.frames["items"]["title"].to_list() == NAMES
    assert proposal.tables["items"]["where"] == {"Item Type": "Product"}
    left_out = found.reports["items"].to_json()["cleaning"]["rows of another Item Type than wanted, left out"]
    assert left_out["count"] == 6


def test_an_archive_of_several_files_beside_them_is_told_and_stops_nothing(tmp_path: Path) -> None:
    import zipfile

    with zipfile.ZipFile(tmp_path / "all.zip", "w") as archive:
        archive.writestr("movies.csv", ITEMS)
        archive.writestr("ratings.csv", ITEMS)
    (tmp_path / "cut.zip").write_bytes((tmp_path / "all.zip").read_bytes()[:60])
    (tmp_path / "products.csv").write_text(ITEMS)
    proposal, seen = propose(tmp_path, Answers({}))
    assert understood(proposal, tmp_path).frames["items"].height == 6
    refused = {file.name: file.refused for file in seen if file.refused}
    assert "holds 2 files" in refused["all.zip"] and "not whole" in refused["cut.zip"]


def test_baskets_without_shopper_and_time_name_their_products(tmp_path: Path) -> None:
    text = "Bon;Artikel;Menge\n" + "".join(f"{n // 3};{NAMES[n % 6].split()[1]};1\n" for n in range(60))
    proposal = proposed(tmp_path, kasse__csv=text)
    table = proposal.tables["interactions"]
    assert table["order_is_time"] and table["columns"]["user_id"] == table["columns"]["order_id"] == "Bon"
    assert understood(proposal, tmp_path).frames["items"].height == 6


def test_the_first_of_several_pictures_is_the_picture(tmp_path: Path) -> None:
    cells = [
        '"[""http://x/1.jpg"", ""http://x/2.jpg""]"',
        '"http://x/1.jpg, http://x/2.jpg"',
        '"a, b.jpg"',
        "",
        "c.jpg",
    ]
    text = "sku,title,image\n" + "".join(f"P{n},{NAMES[n]},{cell}\n" for n, cell in enumerate(cells))
    found = understood(proposed(tmp_path, products__csv=text), tmp_path)
    assert found.frames["items"]["image"].to_list() == ["http://x/1.jpg", "http://x/1.jpg", "a, b.jpg", "", "c.jpg"]


def test_a_log_of_searches_most_of_them_without_a_click(tmp_path: Path) -> None:
    log = "ts,session,query,clicked_sku\n" + "".join(
        f"2024-01-{1 + n % 27:02d}T10:00:00,s{n % 5},{NAMES[n % 6]},{f'P{n % 6}' if n % 4 == 0 else ''}\n"
        for n in range(80)
    )
    found = understood(proposed(tmp_path, products__csv=ITEMS, search_log__csv=log), tmp_path)
    report = found.reports["interactions"].to_json()
    assert found.frames["interactions"].height == 20 and report["faults"]["kinds"] == {"empty item_id": 60}


def test_names_with_units_in_brackets_and_currencies_of_any_script(tmp_path: Path) -> None:
    text = "商品コード,商品名（全角）,価格（税込）\n" + "".join(f'{n},椅子 {n},"{n + 1}2,900원"\n' for n in range(6))
    found = understood(proposed(tmp_path, shohin__csv=text), tmp_path)
    assert found.frames["items"]["price"].to_list() == [12900 + 10000 * n for n in range(6)]
    russian = "Артикул;Наименование;Цена\n" + "".join(f"А{n};лампа {n};{n} 299,00 руб.\n" for n in range(6))
    (tmp_path / "ru").mkdir()
    proposal = proposed(tmp_path / "ru", goods__csv=russian)
    assert proposal.tables["items"]["columns"]["price"] == "Цена"
