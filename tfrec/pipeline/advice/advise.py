"""All advice about a shop before any training."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tfrec.config import Config
from tfrec.data.prepare import prepare
from tfrec.data.shop import ShopData
from tfrec.pipeline.advice.asked import candidates, read_log
from tfrec.pipeline.advice.fields import FieldAdvice, field_advice
from tfrec.pipeline.advice.labelling import Proposal, proposals
from tfrec.pipeline.advice.training import TrainingAdvice, training_advice
from tfrec.pipeline.advice.view import View
from tfrec.pipeline.untrained import zero_shot

PROPOSED = 20


@dataclass(frozen=True)
class Advice:
    """What a shop's own data says.

    Attributes:
        fields: what each text column is worth.
        training: whether training, and more labels, are likely to help.
        label_next: queries to label, the most telling first.
        shop: the prepared data, for the items' names.
    """

    fields: list[FieldAdvice]
    training: TrainingAdvice
    label_next: list[Proposal]
    shop: ShopData

    def to_json(self) -> dict[str, Any]:
        """As plain JSON values; items by their ids."""
        named = [one.to_json() | {"items": [self.shop.item_ids[item] for item in one.items]} for one in self.label_next]
        fields = [one.to_json() for one in self.fields]
        return {"fields": fields, "training": self.training.to_json(), "label_next": named}


def advise(config: Config, log: Path | None = None, count: int = PROPOSED) -> Advice:
    """Looks at a shop's data; nothing is trained, and the vectors of the catalogue are kept for the training.

    Args:
        config: the whole configuration.
        log: a file of queries without labels, see `asked.read_log`.
        count: queries to propose.

    Raises:
        DataError: the shop's files or the log cannot be read.
        ConfigError: the encoder or a configured column is not there.
    """
    shop = prepare(config)
    items, encode = zero_shot(config, shop)
    view = View(config, shop, items, encode)
    asked = candidates(view, read_log(log, view) if log is not None else [], count)
    fields = field_advice(view, [one.query for one in asked])
    return Advice(fields, training_advice(view), proposals(view, asked, count), shop)
