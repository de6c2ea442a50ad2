"""Categories at depth one: read off the column, voted on by the first items, with a head beside the vote."""

from __future__ import annotations

import numpy as np
import polars as pl

import tfrec  # noqa: F401


def test_paths_and_lists_are_cut_at_depth_one() -> None:
    from tfrec.understanding.categories import categories_of, top_of

    assert top_of('["Home & Kitchen", "Beds"]') == top_of("Home & Kitchen > Beds") == "Home & Kitchen"
    assert top_of("") == top_of("[]") == ""
    items = pl.DataFrame({"category": ["A > b", "A > c", "a", "", "B | d", "B"]})
    names, codes = categories_of(items)
    assert names == ["A", "B"] and codes.tolist() == [0, 0, 0, -1, 1, 1]
    assert categories_of(pl.DataFrame({"category": list("abcdef")}))[0] == [], "ids are no categories"


def test_paths_without_signs_between_are_cut_where_they_branch() -> None:
    from tfrec.understanding.categories import categories_of

    tops = ["Home & Kitchen", "Electronics", "Beauty & Personal Care"]
    paths = [f"{tops[n % 3]} Part{n // 3 % 7} Thing{n // 21} small ones" for n in range(150)]
    names, codes = categories_of(pl.DataFrame({"category": paths * 2}))
    assert names == tops and codes.tolist() == [n % 3 for n in range(150)] * 2


def test_first_items_vote_by_their_places() -> None:
    from tfrec.tensorflow_setup import tf
    from tfrec.understanding.categories import Categories

    vote = Categories(["A", "B"], np.array([0, 1, 1, -1]))
    rows, scores = tf.constant([[0, 1, 3], [3, 3, 3]]), tf.constant([[3.0, 2.0, 1.0], [-np.inf] * 3])
    shares = vote(rows, scores, tf.zeros([2, 2])).numpy()
    one, two = 1 / np.log(2), 1 / np.log(3)
    np.testing.assert_allclose(shares, [[one / (one + two), two / (one + two)], [0, 0]], rtol=1e-5)
    names, likely = vote.named(tf.constant(shares))
    assert names.numpy().tolist() == [[b"A", b"B", b"", b"", b""], [b""] * 5]
    assert likely.shape == (2, 5)


def test_a_head_turns_a_vote_that_is_open() -> None:
    from tfrec.tensorflow_setup import tf
    from tfrec.understanding.categories import Categories, trained_head

    vectors = np.random.default_rng(0).normal(size=(200, 4))
    truths = (vectors[:, 0] > 0).astype(int)
    head = trained_head(vectors, truths, 2)
    rows, scores = tf.constant([[0, 1], [0, 1]]), tf.zeros([2, 2])
    told = Categories(["A", "B"], np.array([0, 1]), head)(rows, scores, tf.constant([[3.0, 0, 0, 0], [-3.0, 0, 0, 0]]))
    assert told.numpy().argmax(axis=1).tolist() == [1, 0]


def test_paths_with_bare_slashes_are_cut_where_most_are_paths() -> None:
    from tfrec.understanding.categories import categories_of

    paths = ["Home/Kitchen", "/Home/Bath", "Toys", "Toys/Dolls/Big"] * 3
    assert categories_of(pl.DataFrame({"category": paths}))[0] == ["Home", "Toys"]
    names = ["TV/Video", "Toys", "Garden", "Shoes"] * 3
    assert categories_of(pl.DataFrame({"category": names}))[0] == ["TV/Video", "Toys", "Garden", "Shoes"]
