"""Which column of a file may be meant: one whose name is like the wanted one's and whose values are of its kind."""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping, Sequence

import polars as pl

from tfrec.data.tables.amounts import read_amounts
from tfrec.data.tables.times import plausible_share
from tfrec.data.text_columns import holds_text

_LIKE = 0.72
_MOST = 0.8  # of the values must be of the kind
_TEXTS = ("title", "query", "description", "brand", "color", "category")
_NUMBERS = ("price", "gain", "weight", "quantity")
_NAMES = {
    "item_id": "item id sku asin product_id productid product_code stockcode stock_code article handle 商品id 商品编号",
    "title": "name product_name product_title item_name titel titre titulo nombre label 标题 名称 商品名称 商品名",
    "description": "desc body body_html product_description beschreibung 描述 商品描述",
    "brand": "vendor manufacturer marke marque 品牌",
    "color": "colour farbe couleur 颜色",
    "category": "categories product_type category_name kategorie 类别 分类",
    "price": "unit_price unitprice sale_price amount preis prix 价格 单价",
    "image": "image_link image_url image_src picture 图片",
    "query": "search_term search_query searchterm keyword keywords term q suchbegriff 搜索词 关键词",
    "gain": "relevance grade rating label score judgment relevance_label",
    "user_id": "user userid customer customer_id customerid visitor_id visitorid client_id shopper session_id 用户id",
    "timestamp": "time date datetime created_at invoicedate invoice_date order_date event_time ts datum 时间 日期",
    "event": "event_type action action_name behavior type",
    "quantity": "qty menge amount count 数量",
    "order_id": "order orderid invoice invoiceno invoice_no transaction_id transactionid",
}


def nearest(name: str, of: str, found: Sequence[str], sample: Mapping[str, list[str]]) -> str | None:
    """The column that is most likely meant.

    Args:
        name: tfrec's name of what is wanted, which says of what kind its values are.
        of: the name that was looked for.
        found: the file's columns that nothing else takes.
        sample: their values.

    Returns:
        the column; None where none is near: an id is never a text, nor a text an id, a running number never a time.
    """
    ranked = sorted(found, key=lambda column: -_likeness(column, name, of))
    return next((c for c in ranked if _likeness(c, name, of) >= _LIKE and fits(name, c, sample.get(c, []))), None)


def fits(name: str, column: str, values: list[str]) -> bool:
    """Whether a column's values are of the kind that one of tfrec's names stands for."""
    if (name in _TEXTS or name == "timestamp") and re.search(r"(?:^|[_\s.-])id$|[a-z]I[dD]$", column):
        return False
    if not values:
        return True
    if name.endswith("_id"):
        return sum(" " in value.strip() for value in values) <= (1 - _MOST) * len(values)
    series = pl.Series(values, dtype=pl.String)
    if name in _TEXTS:
        return holds_text(series)
    if name == "timestamp":
        return plausible_share(series) >= _MOST
    if name in _NUMBERS:
        return len(read_amounts([series]).numbers[0].drop_nulls()) >= _MOST * len(values)
    return True


def _likeness(column: str, name: str, of: str) -> float:
    one, other = _plain(column), _plain(of)
    if one in {_plain(word) for word in _NAMES.get(name, "").split()}:
        return 1.0
    return difflib.SequenceMatcher(None, one, other).ratio()


def _plain(name: str) -> str:
    return re.sub(r"[\W_]+", "", name.casefold())
