"""What the words of events and judgments mean: which speak of liking, which of nothing of the kind."""

from __future__ import annotations

import re
from collections.abc import Collection

_WEIGHTS: list[tuple[float, str]] = [
    (
        0.0,
        r"remove|delete|refund|return|cancel|impression|expos|search|filter|login|log ?in|logout|sign|scroll|error"
        r"|abandon|retour|storn|dislike|hide|取消|退",
    ),
    (
        5.0,
        r"purchase|buy|bought|order|transaction|checkout|conversion|sale|sold|pay|kauf|bestell|achat|command|compra"
        r"|pedido|zakup|zamow|zamów|acquist|ordin|购买|下单|成交|支付|付款|交易|購入|注文|구매",
    ),
    (3.0, r"cart|basket|bag|warenkorb|panier|carrito|koszyk|carrello|加购|购物车|加入|カート|장바구니"),
    (2.0, r"fav|wish|like|save|collect|bookmark|merk|share|compare|收藏|お気に入り|찜"),
    (
        1.0,
        r"view|click|pv|visit|detail|page|open|watch|listen|play|read|stream|download|ansicht|klick|vue|clic|vista"
        r"|wyswietl|wyświetl|klik|浏览|点击|查看|閲覧|クリック|클릭|조회",
    ),
]
_GRADES: list[dict[str, float]] = [
    {"e": 1, "s": 0.1, "c": 0.01, "i": 0},
    {"exact": 1, "substitute": 0.1, "complement": 0.01, "irrelevant": 0},
    {"exact": 1, "partial": 0.5, "irrelevant": 0},
    {"perfect": 1, "excellent": 0.75, "good": 0.5, "fair": 0.25, "bad": 0, "poor": 0},
    {
        "highly relevant": 1, "very relevant": 1, "relevant": 0.7, "somewhat relevant": 0.4, "partially relevant": 0.4,
        "marginally relevant": 0.2, "not relevant": 0, "irrelevant": 0, "nonrelevant": 0, "non relevant": 0,
    },
    {"relevant": 1, "irrelevant": 0, "not relevant": 0, "nonrelevant": 0},
    {"exact match": 1, "partial match": 0.5, "no match": 0},
    {"sehr relevant": 1, "relevant": 0.7, "teilweise relevant": 0.4, "nicht relevant": 0, "irrelevant": 0},
    {"相关": 1, "部分相关": 0.5, "不相关": 0},
    {"完全相关": 1, "相关": 0.7, "部分相关": 0.4, "不相关": 0},
    {"yes": 1, "no": 0}, {"true": 1, "false": 0}, {"y": 1, "n": 0}, {"good": 1, "bad": 0}, {"ja": 1, "nein": 0},
    {"是": 1, "否": 0},
]  # fmt: skip


def event_weights(events: Collection[str]) -> tuple[dict[str, float], list[str], list[str]]:
    """The weights of kinds of event.

    Args:
        events: the words of the file.

    Returns:
        (weight of those that speak of liking, those that speak of something else, those that are not known).
    """
    weights: dict[str, float] = {}
    other: list[str] = []
    unknown: list[str] = []
    for event in events:
        plain = re.sub(r"[\W_]+", " ", event).lower()
        found = next((weight for weight, words in _WEIGHTS if re.search(words, plain)), None)
        if found is None:
            unknown.append(event)
        elif found:
            weights[event] = found
        else:
            other.append(event)
    return dict(sorted(weights.items(), key=lambda entry: entry[1])), sorted(other), sorted(unknown)


def label_gains(labels: Collection[str]) -> dict[str, float] | None:
    """The gain of every label of a judgments' file; None where they are not known words."""
    plain = {label: re.sub(r"[\W_]+", " ", label).strip().lower() for label in labels}
    for grades in _GRADES:
        if all(word in grades for word in plain.values()) and max(grades[word] for word in plain.values()) > 0:
            return dict(
                sorted(((label, float(grades[word])) for label, word in plain.items()), key=lambda entry: -entry[1])
            )
    return None
