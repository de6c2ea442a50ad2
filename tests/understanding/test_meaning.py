"""What queries mean in a shop whose answers are certain; read in the graph, as an export does."""

from __future__ import annotations

from typing import Any

import numpy as np
import polars as pl
import pytest

COLOURS = ["Red", "Blue", "Light Blue", "Black/White"]
TITLES = [
    "dress with long sleeves",
    "Air Max 90 shoe",
    "shelf 50 cm",
    "leather sofa",
    "no show socks",
    "dress, no sleeves",
]
N = 60


@pytest.fixture(scope="module")
def understanding() -> Any:
    import tfrec  # noqa: F401
    from tfrec.retrieval.lexical import LexicalScorer
    from tfrec.retrieval.lexical_tuning.fixed import fixed_index
    from tfrec.understanding.attributes import Attributes, AttributeValues
    from tfrec.understanding.categories import Categories
    from tfrec.understanding.languages import Languages
    from tfrec.understanding.measures import Measures
    from tfrec.understanding.negation import Negation
    from tfrec.understanding.prices import PriceWishes
    from tfrec.understanding.understanding import Understanding, word_keys

    columns: dict[str, Any] = {"item_id": [str(n) for n in range(N)]}
    columns["title"] = [TITLES[n % 6] if n % 6 != 2 else f"shelf {(50, 80)[n % 4 // 2]} cm" for n in range(N)]
    columns["color"] = [COLOURS[n % 4] for n in range(N)]
    columns["brand"] = ["Sofa" if n % 6 == 4 else ["Acme", "Red Bull"][n // 6 % 2] for n in range(N)]
    columns["price"] = [float(5 + 3 * n) if n else None for n in range(N)]
    items = pl.DataFrame(columns)
    titles = columns["title"]
    fields = {name: columns[name] for name in ("title", "color", "brand")}
    index = fixed_index(fields, dict.fromkeys(fields, 1.0))
    lexical = LexicalScorer(index)
    values = AttributeValues.of(items, None, lambda words: word_keys(lexical, words.flat))
    made = Understanding(
        PriceWishes(items["price"].cast(pl.Float64).to_numpy()), Measures(titles), Attributes(values, N),
        Negation(lexical, index, titles), Languages(titles), Categories(["x"], np.zeros(N, int)),
    )  # fmt: skip
    from tfrec.tensorflow_setup import tf

    made.read = tf.function(made.__call__, input_signature=[tf.TensorSpec([None], tf.string)], autograph=False)
    return made


def _read(understanding: Any, queries: list[str]) -> tuple[list[dict[str, Any]], Any]:
    from tfrec.tensorflow_setup import tf

    meaning = understanding.read(tf.constant(queries, tf.string))
    told = understanding.described(meaning, tf.ones([len(queries), 1]))

    def texts(name: str, row: int) -> list[str]:
        return [cell.decode() for cell in told[name].numpy()[row] if cell]

    rows = [
        {
            "text": meaning.text.numpy()[row].decode(), "language": told["language"].numpy()[row].decode(),
            **{name: texts(name, row) for name in ("conditions", "denied", "measures")},
        }
        for row in range(len(queries))
    ]  # fmt: skip
    return rows, understanding.obeyed(meaning, tf.ones([len(queries), N])).numpy()


PRICES = {
    "red dress under 50": (["price<=50"], "red dress"),
    "sofa under $1,200.50": (["price<=1200.5"], "sofa"),
    "sofa bis 1.200,50 €": (["price<=1200.5"], "sofa"),
    "sofa between 20 and 40": (["price>=20", "price<=40"], "sofa"),
    "sofa zwischen 20 und 40 Euro": (["price>=20", "price<=40"], "sofa"),
    "canapé entre 20 et 40 euros": (["price>=20", "price<=40"], "canapé"),
    "$20-$40 sofa": (["price>=20", "price<=40"], "sofa"),
    "sofa 100 or less": (["price<=100"], "sofa"),
    "sofa no more than 100": (["price<=100"], "sofa"),
    "sofa over 90": (["price>=90"], "sofa"),
    "低于50元的沙发": (["price<=50"], "的沙发"),
    "50元以下 沙发": (["price<=50"], "沙发"),
    "sofa hasta 60 euros": (["price<=60"], "sofa"),
}
NO_PRICES = [
    "nike air max 90",
    "shelf under 50 cm",
    "kids under 3",
    "no 5 perfume",
    "sofa over 9000",
    "2-3 person sofa",
    "",
]


def test_price_wishes_become_conditions_and_leave_the_text(understanding: Any) -> None:
    rows, _ = _read(understanding, list(PRICES))
    for query, row in zip(PRICES, rows, strict=True):
        prices = [condition for condition in row["conditions"] if condition.startswith("price")]
        assert (prices, row["text"]) == PRICES[query], query


def test_other_numbers_are_no_prices_and_the_text_stays_byte_by_byte(understanding: Any) -> None:
    rows, _ = _read(understanding, NO_PRICES)
    for query, row in zip(NO_PRICES, rows, strict=True):
        assert row["text"] == query
        assert not [condition for condition in row["conditions"] if condition.startswith("price")], query
    assert rows[1]["measures"] == ["50 cm"]


def test_air_max_with_money_behind_another_number_is_a_price(understanding: Any) -> None:
    rows, _ = _read(understanding, ["air max 90 under 30€"])
    assert rows[0]["text"] == "air max 90" and rows[0]["conditions"] == ["price<=30"]


def test_attributes_are_the_columns_own_values_the_longest_first(understanding: Any) -> None:
    rows, _ = _read(understanding, ["LIGHT BLUE shelf", "red bull shelf", "white dress acme", "sofa"])
    assert [row["conditions"] for row in rows] == [
        ["color=Light Blue"], ["brand=Red Bull"], ["color=White", "brand=Acme"], [],
    ]  # fmt: skip  # "Sofa" is a brand's name that titles hold of other brands' items


def test_negation_is_read_in_five_languages_and_kept_where_the_shop_writes_so(understanding: Any) -> None:
    queries = {
        "sofa without leather": (["leather"], "sofa", "en"),
        "sofa ohne das leather": (["leather"], "sofa", "de"),
        "robe sans manches": (["manches"], "robe", "fr"),
        "vestido sin mangas": (["mangas"], "vestido", "es"),
        "shoe -red": (["red"], "shoe", "en"),
        "不要红色 沙发": (["红色"], "沙发", "zh"),
        "no show socks": (["show"], "no show socks", "en"),
        "dress not light blue": (["light blue"], "dress", "en"),
    }
    rows, _ = _read(understanding, list(queries))
    for query, row in zip(queries, rows, strict=True):
        assert (row["denied"], row["text"], row["language"]) == queries[query], query
    assert not any(row["conditions"] for row in rows), "what is not wanted is no condition"


def test_wishes_are_obeyed_by_scores(understanding: Any) -> None:
    _, scores = _read(understanding, ["under 50", "dress without sleeves", "dress -blue", "dress"])
    prices = np.array([np.nan, *(5 + 3 * np.arange(1, N))])
    np.testing.assert_array_equal(np.isfinite(scores[0]), prices <= 50)
    held = np.arange(N) % 6 == 0  # an item that says "no sleeves" does not hold them
    np.testing.assert_array_equal(scores[1] < scores[1].max(), held)
    blue = np.isin(np.arange(N) % 4, (1, 2))
    np.testing.assert_array_equal(scores[2] < scores[2].max(), blue)
    assert (scores[3] == 1).all()


def test_answers_do_not_depend_on_the_batch(understanding: Any) -> None:
    queries = [*PRICES, *NO_PRICES, "dress -blue"]
    together, scores = _read(understanding, queries)
    for place in (0, 3, 10, len(queries) - 1):
        alone, own = _read(understanding, [queries[place]])
        assert alone[0] == together[place]
        np.testing.assert_array_equal(own[0], scores[place])
