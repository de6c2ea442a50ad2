"""`tfrec init` on doubtful folders: a question or a refusal, never a wrong run."""

from __future__ import annotations

from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from tfrec.cli.main import app
from tfrec.config import load_config
from tfrec.data.discovery.names import likeness

NAMES = ["red lamp", "oak chair", "steel table", "linen curtain", "wool rug", "clay pot"]


def init(folder: Path, *options: str, answers: str | None = None) -> Result:
    return CliRunner().invoke(app, ["init", str(folder), *options], input=answers)


def write(folder: Path, **files: str) -> None:
    for name, text in files.items():
        (folder / f"{name}.csv").write_text(text)


def test_two_titles_are_a_question_that_can_be_answered(tmp_path: Path) -> None:
    write(
        tmp_path,
        items="sku,name_en,name_de,price\n" + "".join(f"S{n},{t},{t[::-1]} x,{n}.5\n" for n, t in enumerate(NAMES)),
    )
    asked = init(tmp_path)
    assert asked.exit_code == 3
    assert "--answer items.title=" in asked.output and "name_de" in asked.output
    assert not (tmp_path / "shop.yaml").exists()
    assert init(tmp_path, "--answer", "items.title=name_de").exit_code == 0
    items = load_config(tmp_path / "shop.yaml").data.items
    assert items is not None and items.columns["title"] == "name_de"
    again = init(tmp_path, "--yes")
    assert again.exit_code == 2 and "exists already" in again.output
    taken = init(tmp_path, "--yes", "--force")
    assert taken.exit_code == 0 and "which column is the product's title? Taken: name_" in taken.output


def test_an_answer_of_numbers_that_is_none_is_one_sentence(tmp_path: Path) -> None:
    write(
        tmp_path,
        items="sku,title\n" + "".join(f"S{n},{title}\n" for n, title in enumerate(NAMES)),
        searches="query,sku,gain\n" + "".join(f"{title},S{n},{'xy'[n % 2]}y\n" for n, title in enumerate(NAMES)),
    )
    wrong = init(tmp_path, "--answer", "searches.gains=xy=good,yy=0")
    assert wrong.exit_code == 2 and "searches.gains is as in A=1,B=0.5, not 'xy=good,yy=0'" in wrong.output
    assert init(tmp_path, "--answer", "searches.gains=xy,yy=0").exit_code == 0
    searches = load_config(tmp_path / "shop.yaml").data.searches
    assert searches is not None and searches.gains == {"xy": 1.0, "yy": 0.0}


def test_customers_are_no_catalogue(tmp_path: Path) -> None:
    write(tmp_path, customers="id,name,email\n" + "".join(f"{n},{t},a{n}@x.org\n" for n, t in enumerate(NAMES)))
    asked = init(tmp_path)
    assert asked.exit_code == 3 and "is customers.csv the catalogue" in asked.output
    assert not (tmp_path / "shop.yaml").exists()


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("a,b\n1,2\n3,4\n", "no catalogue is found"),
        ("", "nothing in .* can be read as a table"),
        ("product_id,weight_g\n1,20\n2,30\n", "no catalogue is found"),
    ],
)
def test_nothing_like_a_catalogue_is_refused(tmp_path: Path, text: str, told: str) -> None:
    import re

    write(tmp_path, things=text)
    refused = init(tmp_path, "--yes")
    assert refused.exit_code == 2 and re.search(told, refused.output), refused.output
    assert not (tmp_path / "shop.yaml").exists()


def test_purchases_of_another_catalogue_are_refused(tmp_path: Path) -> None:
    write(
        tmp_path,
        products="id,title,brand\n" + "".join(f"{n + 1},{t},Acme\n" for n, t in enumerate(NAMES)),
        orders="user_id,product_id,created_at\n"
        + "".join(f"u{n % 3},{n * 7},2024-01-0{1 + n % 9}\n" for n in range(40)),
    )
    done = init(tmp_path)
    config = tmp_path / "shop.yaml"
    assert done.exit_code != 0 or load_config(config).data.interactions is None


def test_events_that_nobody_knows_are_a_question(tmp_path: Path) -> None:
    rows = [f"u{n % 3},P-{n % 6},{'view' if n % 2 else 'zork'},{1700000000 + n * 9000}\n" for n in range(40)]
    write(
        tmp_path,
        products="sku,title,brand\n" + "".join(f"P-{n},{t},Acme\n" for n, t in enumerate(NAMES)),
        events="user_id,sku,event_type,ts\n" + "".join(rows),
    )  # fmt: skip
    asked = init(tmp_path)
    assert asked.exit_code == 3 and "zork" in asked.output
    assert init(tmp_path, "--answer", "interactions.events=view=1").exit_code == 0
    interactions = load_config(tmp_path / "shop.yaml").data.interactions
    assert interactions is not None and interactions.events == {"view": 1}


def test_validate_opens_the_files_and_says_what_it_would_read(tmp_path: Path) -> None:
    write(tmp_path, items="item_id,title\n" + "".join(f"{n},{t}\n" for n, t in enumerate(NAMES)) + ",nothing\n")
    (tmp_path / "shop.yaml").write_text("data: {items: items.csv}\n")
    done = CliRunner().invoke(app, ["config", "validate", "-c", str(tmp_path / "shop.yaml")])
    assert done.exit_code == 0, done.output
    for word in ("is valid", "6 of 7 rows read", "red lamp", "1 faulty rows, empty item_id"):
        assert word in done.output, word
    (tmp_path / "shop.yaml").write_text("data: {items: nowhere.csv}\n")
    bad = CliRunner().invoke(app, ["config", "validate", "-c", str(tmp_path / "shop.yaml")])
    assert bad.exit_code == 2 and "There is no file" in bad.output


@pytest.mark.parametrize(
    ("role", "column"),
    [
        ("item_id", "productId"), ("item_id", "ARTIKEL_NR"), ("item_id", "Référence"), ("item_id", "reference"),
        ("item_id", "商品编号"), ("item_id", "kod_produktu"), ("title", "Nazwa produktu"), ("title", "Désignation"),
        ("title", "item.displayName"), ("title", "宝贝标题"), ("user_id", "N° client"), ("user_id", "Kunden-Nr."),
        ("timestamp", "Data zamówienia"), ("timestamp", "orderedAt"), ("query", "Suchbegriff"),
        ("price", "Preis (brutto)"),
        ("quantity", "Ilość"), ("order_id", "Nr zamówienia"), ("brand", "Hersteller"), ("gain", "esci_label"),
    ],
)  # fmt: skip
def test_names_of_many_languages_are_known(role: str, column: str) -> None:
    assert likeness(role, column) >= 0.55


@pytest.mark.parametrize(
    ("role", "column"),
    [
        ("title", "category_name"), ("title", "customer name"), ("title", "file_name"),
        ("query", "query_id"), ("item_id", "user_id"), ("user_id", "item_id"), ("timestamp", "order_id"),
        ("price", "discount"),
    ],
)  # fmt: skip
def test_names_of_other_things_are_not_mistaken(role: str, column: str) -> None:
    assert likeness(role, column) < 0.55
