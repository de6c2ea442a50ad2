"""Search sessions: shoppers look at a page from top to bottom and click on what attracts them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from tfrec.config.synth_behaviour import ClicksConfig
from tfrec.progress import track
from tfrec.synth.likeness import Likeness
from tfrec.synth.source import Teacher
from tfrec.synth.train_labels import TrainLabels

_POOL = 3  # pages of the ranking that a page is filled from


@dataclass(frozen=True)
class Clicked:
    """An item that was clicked after a query.

    Attributes:
        query: what was typed.
        item: item index.
        rate: clicks per time shown.
        attractiveness: the same corrected for the places it was shown at, 0..1, without the noise.
    """

    query: str
    item: int
    rate: float
    attractiveness: float


def simulate_clicks(labels: TrainLabels, teacher: Teacher, settings: ClicksConfig, seed: int) -> list[Clicked]:
    """Turns judgments into clicks, and clicks back into what a shop would learn from them.

    A judged item attracts by its gain, an unjudged one by how near it scores to the query's answers. Pages differ from
    session to session. Attractiveness is estimated as a shop can that sees clicks only: by the places' known
    probabilities of being looked at (position), or from what stands above the last click (cascade).

    Args:
        labels: the judged pairs.
        teacher: what pages are ranked by.
        settings: the click model.
        seed: of all draws.

    Returns:
        the clicked items that no judgment calls irrelevant, by query, the most attractive first.

    Source: Chuklin, Markov and de Rijke 2015, Click Models for Web Search (PBM, cascade, simplified DBN).
    """
    rng = np.random.default_rng(seed)
    likeness = Likeness(teacher, 0.5)
    queries = list(labels.positives)
    vectors = teacher.encode(queries) if queries else np.zeros([0, teacher.items.shape[1]], np.float32)
    found: list[Clicked] = []
    every = likeness.to_items(queries, vectors)
    for query, scores in zip(track(queries, "Simulating searches"), every, strict=True):
        answers, judged = labels.positives[query], labels.judged[query]
        pool = np.union1d(_best(scores, _POOL * settings.shown), np.array(list(answers), np.int64))
        attractive = _attractiveness(pool, scores, answers, judged, settings)
        level = (scores[pool] - scores.mean()) / (scores.std() + 1e-6)
        noisy = level + settings.shuffling * rng.gumbel(size=[settings.sessions, len(pool)])
        pages = np.argsort(-noisy, axis=1, kind="stable")[:, : settings.shown]
        shown, clicked, estimate = _sessions(pages, attractive, settings, rng)
        estimate = np.clip((estimate - settings.noise) / (1.0 - settings.noise), 0.0, 1.0)
        rows = [
            Clicked(query, int(pool[at]), float(clicked[at] / shown[at]), float(estimate[at]))
            for at in np.flatnonzero(clicked)
            if (pool[at] in answers or pool[at] not in judged) and estimate[at] >= max(settings.minimum, 1e-6)
        ]
        found += sorted(rows, key=lambda row: (-row.attractiveness, row.item))
    return found


def _best(scores: np.ndarray, count: int) -> np.ndarray:
    return np.lexsort((np.arange(len(scores)), -scores))[:count]


def _attractiveness(
    pool: np.ndarray, scores: np.ndarray, answers: dict[int, float], judged: set[int], settings: ClicksConfig
) -> np.ndarray:
    """Probability of a click on each item of the pool once it is looked at, float64."""
    typical = max(float(np.median(scores[list(answers)])), 1e-6)
    relevance = np.array(
        [
            answers.get(item, 0.0) if item in judged else settings.unjudged * min(1.0, float(scores[item]) / typical)
            for item in pool.tolist()
        ]
    )
    return settings.noise + (1.0 - settings.noise) * relevance


def _sessions(
    pages: np.ndarray, attractive: np.ndarray, settings: ClicksConfig, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Lets shoppers look at pages.

    Args:
        pages: places in the pool, int [S, R], top first.
        attractive: float64 [P].
        settings: the click model.
        rng: where the draws come from.

    Returns:
        times shown, clicks, and estimated attractiveness of each item of the pool, [P] each.
    """
    depth = pages.shape[1]
    wanted = rng.random(pages.shape) < attractive[pages]
    if settings.model == "position":
        looked = (1.0 / np.arange(1, depth + 1)) ** settings.eta
        clicks = wanted & (rng.random(pages.shape) < looked)
        exposure = np.broadcast_to(looked, pages.shape)
    else:
        satisfied = wanted & (rng.random(pages.shape) < settings.stop)
        before = np.cumsum(satisfied, axis=1) - satisfied
        clicks = wanted & (before == 0)
        last = depth - 1 - np.argmax(clicks[:, ::-1], axis=1)
        last = np.where(clicks.any(axis=1), last, depth - 1)
        exposure = (np.arange(depth) <= last[:, None]).astype(np.float64)
    size = len(attractive)
    places = pages.reshape(-1)
    shown = np.bincount(places, minlength=size)
    clicked = np.bincount(places, clicks.reshape(-1), minlength=size)
    exposed = np.bincount(places, exposure.reshape(-1), minlength=size)
    return shown, clicked, clicked / np.maximum(exposed, 1e-9)
