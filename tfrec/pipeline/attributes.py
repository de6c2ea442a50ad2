"""A shop's data with guessed attributes, where the configuration wants them."""

from __future__ import annotations

import hashlib

from tfrec.config import Config
from tfrec.data.shop import ShopData
from tfrec.pipeline.run_folder import RunFolder
from tfrec.pipeline.untrained import zero_shot


def filled(config: Config, shop: ShopData, encoder_fingerprint: str) -> ShopData:
    """The shop with guessed attributes (synthesis.attributes), or as it is."""
    if not config.synthesis.attributes.enabled:
        return shop
    from tfrec.synth.attributes.filling import fill_attributes

    made_of = f"{config.hash_of('data', 'synthesis', 'encoder')}{shop.hash}{encoder_fingerprint}"
    folder = RunFolder(config).attributes / hashlib.sha256(made_of.encode()).hexdigest()[:16]
    return fill_attributes(config, shop, lambda: zero_shot(config, shop)[0], encoder_fingerprint, folder)
