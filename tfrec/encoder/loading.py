"""From the name in a configuration to an encoder on this disk."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

from tfrec.encoder import store
from tfrec.encoder.hub_encoder import HubEncoder
from tfrec.encoder.packed_encoder import PackedEncoder
from tfrec.encoder.published import PUBLISHED
from tfrec.encoder.static_encoder import StaticEncoder
from tfrec.encoder.text_encoder import TextEncoder
from tfrec.errors import EncoderError
from tfrec.plugins import ENCODERS, plugin

if TYPE_CHECKING:
    from tfrec.config.modelling import EncoderConfig


def load_encoder(config: EncoderConfig, seed: int) -> TextEncoder:
    """Loads the encoder that the configuration names; `minilm` and `multilingual` are installed first if missing.

    A name that is neither installed nor a handle may come from another package (entry points tfrec.encoders), as a
    function (section encoder of the configuration, seed) -> TextEncoder.

    Args:
        config: the encoder section of the configuration.
        seed: of dropout.

    Returns:
        The encoder, its variables frozen as `config.freeze` says.

    Raises:
        EncoderError: the name is unknown, the handle cannot be reached, or it is not a transformer encoder.
    """
    if (pair := _pair(config.name)) is not None:
        from tfrec.config.modelling import LoraConfig
        from tfrec.encoder.joined_encoder import JoinedEncoder

        untrained = {"freeze": "all", "dropout": 0.0, "lora": LoraConfig(), "pooling": "auto"}
        second = config.model_copy(update={"name": pair[1], "query_prompt": None, "item_prompt": None, **untrained})
        return JoinedEncoder(
            load_encoder(config.model_copy(update={"name": pair[0]}), seed), load_encoder(second, seed)
        )
    found = resolve(config.name)
    if found is None and (make := plugin(ENCODERS, config.name)) is not None:
        return make(config, seed)
    if found is None:
        return HubEncoder(config)
    return StaticEncoder(found, config) if found.facts.get("kind") == "static" else PackedEncoder(found, config, seed)


def _pair(name: str) -> tuple[str, str] | None:
    """The two encoders that a name such as `minilm+multilingual` joins; None for one encoder."""
    first, plus, second = name.partition("+")
    if not plus or "://" in name or Path(name).expanduser().exists():
        return None
    if not first or not second or "+" in second:
        raise EncoderError(f"encoder.name {name!r} must join two encoders, as in minilm+multilingual.")
    return first, second


def resolve(name: str) -> store.InstalledEncoder | None:
    """Finds one of our own encoders; installs a published one when it is missing.

    Args:
        name: an installed encoder, or a folder that holds encoder.json.

    Returns:
        The encoder, or None when the name must be a TF-Hub handle.
    """
    if (present := store.find(name)) is not None:
        return present
    if (in_folder := store.at(Path(name).expanduser())) is not None:
        return in_folder
    if name in PUBLISHED:
        from tfrec.encoder.install import install

        print(f"installing the encoder {name} ({PUBLISHED[name].size}, once) ...", file=sys.stderr, flush=True)
        return install(name)
    return None
