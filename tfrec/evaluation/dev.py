"""The evaluation inside training: quick enough to repeat, close enough to choose weights by."""

from __future__ import annotations

import numpy as np

from tfrec.config import Config
from tfrec.data.personalised.table import TASK as PERSONALISED
from tfrec.data.shop import ShopData
from tfrec.evaluation.metrics import evaluate_rankings
from tfrec.evaluation.recommendation import CUT, evaluate_recommendations
from tfrec.evaluation.retrieval import to_rankings, top_k
from tfrec.models.two_tower import TwoTower

SEARCH_METRIC, RECOMMENDATION_METRIC = "nDCG@10", "nDCG@20"
_MAX_SHOPPERS = 2000


class DevEvaluation:
    """Scores a model on the dev split.

    The few labelled queries of a shop without a dev split choose no weights. They are looked at for a search of
    settings only, which would have nothing to compare otherwise.

    A large catalogue is represented by every judged item and a seeded sample of the rest, the same at each call, so
    that scores are comparable over a run; they are above those of the whole catalogue, which `tfrec evaluate` reports.

    Args:
        config: sections evaluation and training are read.
        shop: the prepared data.
        model: the model to score, as it stands at each call.
        watched: whether somebody compares this run with others at its evaluations.

    Attributes:
        decides: whether weights may be chosen by it: there are dev queries or shoppers.
        requests: per task what each dev request reached at the last call, float64 [Q]; tasks that do not decide are
            left out.
    """

    def __init__(self, config: Config, shop: ShopData, model: TwoTower, watched: bool = False) -> None:
        self._shop, self._model = shop, model
        self._relevant = config.evaluation.relevant_gain
        tasks = config.training.tasks
        split = shop.choosing_split if watched else "dev"
        self._judgments = shop.judgments(split) if tasks.search > 0 else {}
        self._searches_decide = split == "dev"
        shoppers = shop.shoppers("dev") if shop.has_interactions and tasks.recommendation > 0 else []
        rng = np.random.default_rng(config.seed)
        if len(shoppers) > _MAX_SHOPPERS:
            shoppers = [shoppers[i] for i in np.sort(rng.choice(len(shoppers), _MAX_SHOPPERS, replace=False))]
        self._shoppers = shoppers
        both = shop.personalised_searches("dev", config.seed) if tasks.personalised > 0 else []
        self._both = [one for one in both if one.history][:_MAX_SHOPPERS]
        self.decides = bool(shoppers) or bool(self._both) or (self._searches_decide and bool(self._judgments))
        self.requests: list[np.ndarray] = []
        self._items = np.arange(shop.size)
        # Histories read the catalogue's vectors, so with shoppers all of them are refreshed anyway.
        if not shop.has_interactions and not self._both and shop.size > config.training.dev_items:
            index = {item: n for n, item in enumerate(shop.item_ids)}
            judged = {index[item] for items in self._judgments.values() for item in items if item in index}
            sample = rng.choice(shop.size, config.training.dev_items, replace=False)
            self._items = np.array(sorted(judged.union(sample.tolist())))

    def __call__(self) -> dict[str, float]:
        """Dev metrics of the model as it stands, and "score", their mean. Empty when dev is."""
        shop, model = self._shop, self._model
        if len(self._items) == shop.size:
            vectors = model.refresh_catalogue(shop.item_texts, shop.popularity)
        else:
            texts = [shop.item_texts[n] for n in self._items]
            vectors = model.item_vectors(texts, self._items, "Encoding a sample of the catalogue")
        metrics: dict[str, float] = {}
        self.requests = []
        if self._judgments:
            queries = list(self._judgments)
            indices, scores = top_k(model.query_vectors(queries), vectors, 100)
            ids = [shop.item_ids[n] for n in self._items]
            found = evaluate_rankings(self._judgments, to_rankings(queries, indices, scores, ids), self._relevant)
            metrics[f"search {SEARCH_METRIC}"] = found.means[SEARCH_METRIC]
            if self._searches_decide:
                self.requests.append(found.samples[SEARCH_METRIC])
        if self._shoppers:
            histories = [shopper.history for shopper in self._shoppers]
            queries_of = model.query_vectors([""] * len(histories), histories)
            ranked, _ = top_k(queries_of, vectors, CUT, exclude=[one.excluded for one in self._shoppers])
            bought = evaluate_recommendations([shopper.truth for shopper in self._shoppers], ranked, shop.size)
            metrics[f"recommendation {RECOMMENDATION_METRIC}"] = bought.means[RECOMMENDATION_METRIC]
            self.requests.append(bought.samples[RECOMMENDATION_METRIC])
        if self._both:
            names = [str(one.search) for one in self._both]
            taken = {str(one.search): {shop.item_ids[i]: g for i, g in one.truth.items()} for one in self._both}
            vectors_of = model.query_vectors([one.query for one in self._both], [one.history for one in self._both])
            rankings = to_rankings(names, *top_k(vectors_of, vectors, 100), shop.item_ids)
            reached = evaluate_rankings(taken, rankings, self._relevant)
            metrics[f"{PERSONALISED} {SEARCH_METRIC}"] = reached.means[SEARCH_METRIC]
            self.requests.append(reached.samples[SEARCH_METRIC])
        if metrics:
            metrics["score"] = float(np.mean(list(metrics.values())))
        return metrics
