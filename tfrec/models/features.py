"""Numeric columns of the catalogue as the item tower reads them."""

from __future__ import annotations

import difflib
from collections.abc import Sequence

import numpy as np

from tfrec.data.shop import ShopData
from tfrec.errors import ConfigError


def dense_features(shop: ShopData, columns: Sequence[str]) -> np.ndarray:
    """Standardises numeric item columns; a missing value becomes the mean, and a second column says so.

    Args:
        shop: the prepared data.
        columns: names of numeric columns of items.

    Returns:
        float32 [N, 2 * len(columns)].

    Raises:
        ConfigError: a column does not exist or is not numeric.
    """
    parts: list[np.ndarray] = []
    for name in columns:
        if name not in shop.items.columns:
            near = difflib.get_close_matches(name, shop.items.columns, n=1, cutoff=0.0)
            raise ConfigError(f"model.dense_features: items have no column {name!r}; the nearest is {near[0]!r}.")
        try:
            values = shop.items[name].cast(float, strict=True).to_numpy().astype(np.float64)
        except Exception as error:
            raise ConfigError(f"model.dense_features: the item column {name!r} is not numeric.") from error
        missing = ~np.isfinite(values)
        # Prices spread over magnitudes: a signed logarithm keeps the dear ones from drowning the rest.
        values = np.sign(values) * np.log1p(np.abs(np.where(missing, 0.0, values)))
        known = values[~missing]
        mean, deviation = (known.mean(), known.std()) if known.size else (0.0, 1.0)
        standard = np.where(missing, 0.0, (values - mean) / max(deviation, 1e-6))
        parts += [standard, missing.astype(np.float64)]
    if not parts:
        return np.zeros([shop.size, 0], np.float32)
    return np.stack(parts, axis=1).astype(np.float32)
