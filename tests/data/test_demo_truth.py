"""The latent truth of the demo shop: gains follow from attributes, texts tell them, purchases follow tastes."""

from __future__ import annotations

from random import Random

import numpy as np
import pytest

from tfrec.data.demo.catalogue import HIGH, LOW, MIDDLE, NONE, Catalogue, draw_catalogue
from tfrec.data.demo.dirt import soil_text
from tfrec.data.demo.needs import Judge, Need
from tfrec.data.demo.queries import Query, draw_queries
from tfrec.data.demo.query_words import QueryWriter
from tfrec.data.demo.shoppers import draw_purchases
from tfrec.data.demo.structure import attribute_keys, product_types
from tfrec.data.demo.texts import ItemWriter, brand_names
from tfrec.data.demo.vocabulary import LANGUAGES, load_vocabulary

KEYS = attribute_keys()


@pytest.fixture(scope="module")
def catalogue() -> Catalogue:
    return draw_catalogue(1500, seed=23)


@pytest.fixture(scope="module", params=LANGUAGES)
def queries(request: pytest.FixtureRequest, catalogue: Catalogue) -> list[Query]:
    vocabulary = load_vocabulary(request.param)
    brands = brand_names(catalogue.brands, vocabulary, Random(1))
    return list(draw_queries(catalogue, QueryWriter(vocabulary, brands, Random(2)), 400, seed=23))


def index(attribute: str, key: str) -> int:
    if attribute == "type":
        return [kind.key for kind in product_types()].index(key)
    return KEYS[attribute].index(key)


def small(**columns: list[str | int]) -> Catalogue:
    """A hand-made catalogue: keys per attribute; attributes not named are absent."""
    count = len(columns["type"])
    kinds = [product_types()[index("type", str(key))] for key in columns["type"]]
    latents = {
        name: np.full(count, NONE, np.int16) for name in ("audience", "colour", "material", "use", "feature", "style")
    }
    latents |= {
        "size": np.full(count, NONE, np.int16),
        "brand": np.zeros(count, np.int16),
        "band": np.ones(count, np.int16),
    }
    latents["category"] = np.array([index("category", kind.category) for kind in kinds], np.int16)
    latents["family"] = np.array([index("family", f"{kind.category}/{kind.family}") for kind in kinds], np.int16)
    for name, values in columns.items():
        latents[name] = np.array(
            [NONE if v == "" else v if isinstance(v, int) else index(name, v) for v in values], np.int16
        )
    ones = np.ones(count)
    return Catalogue(latents, ones, ones / count, np.zeros(count, np.int16), 1)


def test_gains_of_a_hand_made_shelf() -> None:
    shelf = small(
        type=["sofa", "sofa", "sofa", "sofa", "armchair", "rug"],
        colour=["blue", "navy", "red", "blue", "blue", "blue"],
        material=["velvet", "velvet", "velvet", "linen", "velvet", "cotton"],
    )
    judge, rows = Judge(shelf), np.arange(6)
    sofa, blue, velvet = (
        index("type", "sofa"),
        ("colour", index("colour", "blue")),
        ("material", index("material", "velvet")),
    )

    def gains(*wishes: tuple[str, int]) -> list[float]:
        return judge.gains(Need("attribute", "type", sofa, wishes), rows).tolist()

    assert gains() == [1, 1, 1, 1, 0, 0]
    assert gains(blue) == [1, 0.5, 0.1, 1, 0.1, 0]  # navy is nearly blue; a blue armchair is a substitute
    assert gains(blue, velvet) == [1, 0.5, 0.5, 0.5, 0.1, 0]  # one of two wishes may be missed


def test_audience_is_no_matter_of_taste() -> None:
    shelf = small(type=["shirt"] * 3, audience=["women", "men", "women"], colour=["red", "red", "blue"])
    wishes = (("audience", index("audience", "women")), ("colour", index("colour", "red")))
    assert Judge(shelf).gains(Need("attribute", "type", index("type", "shirt"), wishes), np.arange(3)).tolist() == [
        1,
        0.1,
        0.5,
    ]


def test_a_gift_for_a_runner_is_about_the_use() -> None:
    shelf = small(
        type=["running_shoes", "water_bottle", "socks", "dumbbells", "sofa"],
        use=["running", "running", "running", "gym", "relax"],
        audience=["women", "", "men", "", ""],
    )
    wish = ("use", index("use", "running"))
    judge, rows = Judge(shelf), np.arange(5)
    assert judge.gains(Need("vague", "any", NONE, (wish,)), rows).tolist() == [1, 1, 1, 0.5, 0]
    for_her = ("audience", index("audience", "women"))
    assert judge.gains(Need("vague", "any", NONE, (wish, for_her)), rows).tolist() == [1, 1, 0, 0.5, 0]


def test_every_best_item_has_what_the_query_asks_for(catalogue: Catalogue, queries: list[Query]) -> None:
    for query in queries:
        best = query.items[query.gains == 1.0]
        assert 1 <= len(best) <= 60
        if query.need.scope != "any":
            assert (catalogue[query.need.scope][best] == query.need.value).all()
        for attribute, value in query.need.wishes:
            found = catalogue[attribute][best]
            assert ((found == value) | ((attribute == "audience") & (found == NONE))).all()
        # Nothing better was left out: whoever meets all wishes is judged.
        fits = np.ones(catalogue.size, bool)
        if query.need.scope != "any":
            fits &= catalogue[query.need.scope] == query.need.value
        for attribute, value in query.need.wishes:
            fits &= (catalogue[attribute] == value) | ((attribute == "audience") & (catalogue[attribute] == NONE))
        assert set(np.flatnonzero(fits)) == set(best)


def test_outside_the_family_of_the_wanted_type_nothing_gains(catalogue: Catalogue, queries: list[Query]) -> None:
    kinds = {query.need.kind for query in queries}
    assert kinds == {"type", "attribute", "use", "vague", "category", "brand"}
    for query in queries:
        if query.need.scope == "type":
            wrong = query.items[catalogue["family"][query.items] != catalogue["family"][query.items[0]]]
            assert (query.gains[np.isin(query.items, wrong)] == 0).all()


def test_an_oracle_that_knows_the_latents_ranks_almost_perfectly(catalogue: Catalogue, queries: list[Query]) -> None:
    judge = Judge(catalogue)
    discounts = 1 / np.log2(np.arange(2, 12))
    values = []
    for query in queries:
        order = np.argsort(-judge.gains(query.need, np.arange(catalogue.size)), kind="stable")[:10]
        judged = dict(zip(query.items.tolist(), query.gains.tolist(), strict=True))
        ideal = np.sort(query.gains)[::-1][:10]
        values.append(
            sum(judged.get(i, 0.0) * d for i, d in zip(order.tolist(), discounts, strict=True)) / (ideal @ discounts)
        )
    assert np.mean(values) > 0.97


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_shop_tells_every_attribute_somewhere(catalogue: Catalogue, language: str) -> None:
    vocabulary = load_vocabulary(language)
    writer = ItemWriter(catalogue, vocabulary, brand_names(catalogue.brands, vocabulary, Random(1)), Random(2))
    silent_titles = 0
    for item in range(catalogue.size):
        text = writer.write(item)
        everything = " ".join((text.title, text.description, text.color, text.material)).lower()
        for attribute in ("type", "audience", "colour", "material", "use", "feature", "style"):
            value = int(catalogue[attribute][item])
            if value == NONE:
                continue
            forms = vocabulary.forms(attribute, "shop", value)
            if attribute in ("material", "use", "feature"):
                forms += vocabulary.forms(attribute, "text", value)
            if attribute == "use":
                forms += (vocabulary.series[value],)
            assert any(form.lower() in everything for form in forms), (attribute, text)
            if attribute == "colour":
                silent_titles += not any(form.lower() in text.title.lower() for form in forms)
    assert silent_titles > 0.2 * catalogue.size


def test_price_bands_are_the_quarters_within_a_type(catalogue: Catalogue) -> None:
    assert np.mean(catalogue["band"] == LOW) == pytest.approx(0.25, abs=0.04)
    for kind in np.unique(catalogue["type"]):
        of_type = catalogue["type"] == kind
        low, middle, high = (catalogue.price[of_type & (catalogue["band"] == band)] for band in (LOW, MIDDLE, HIGH))
        if len(low) and len(high):
            assert low.max() <= middle.min() and middle.max() <= high.min()


def test_purchases_follow_tastes_that_text_shows_and_tastes_that_only_company_shows(catalogue: Catalogue) -> None:
    purchases = draw_purchases(catalogue, shoppers=800, seed=23)
    assert (np.diff(purchases.timestamp) >= 0).all()
    assert set(np.unique(purchases.user)) == set(range(800))
    assert (catalogue.popularity[purchases.item] > 0).all()
    rng = np.random.default_rng(0)
    by_user = np.argsort(purchases.user, kind="stable")
    user, item = purchases.user[by_user], purchases.item[by_user]
    same = user[1:] == user[:-1]

    def agreement(values: np.ndarray, of: np.ndarray) -> float:
        return float(np.mean((values[of[1:]] == values[of[:-1]])[same]))

    shuffled = rng.permutation(item)
    for values in (catalogue["category"], catalogue["brand"], catalogue["use"], catalogue.vibe):
        assert agreement(values, item) > 1.3 * agreement(values, shuffled)


def test_summer_things_sell_in_summer(catalogue: Catalogue) -> None:
    purchases = draw_purchases(catalogue, shoppers=800, seed=23)
    late = purchases.timestamp >= 1746057600  # 2025-05-01

    def late_to_early(use: str) -> float:
        bought = catalogue["use"][purchases.item] == index("use", use)
        return float(np.mean(bought[late]) / np.mean(bought[~late]))

    assert late_to_early("summer") > 1.3
    assert late_to_early("winter") < 1 / 1.3


def test_soiled_text_can_be_cleaned_again() -> None:
    import html
    import unicodedata

    random = Random(4)
    clean = "Men's Coat & Scarf - Red"
    soiled = {soil_text(clean, random) for _ in range(500)}
    assert len(soiled) > 3
    assert {" ".join(unicodedata.normalize("NFKC", html.unescape(text)).split()) for text in soiled} == {clean}
