"""The demo shop: a deterministic catalogue with judged searches and purchases, in English and Chinese."""

from tfrec.data.demo.bulk import generate_items
from tfrec.data.demo.shop import generate

__all__ = ["generate", "generate_items"]
