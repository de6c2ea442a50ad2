"""The training that an update goes on from, and its weights over the catalogue as it is now."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any

import numpy as np

from tfrec.config import Config
from tfrec.data.places import folder_of
from tfrec.data.shop import ShopData
from tfrec.encoder.text_encoder import TextEncoder
from tfrec.errors import TrainingError
from tfrec.files import hold_while
from tfrec.models.features import dense_features
from tfrec.models.two_tower import TwoTower
from tfrec.pipeline.assemble import item_images, speller_of, train_interactions
from tfrec.pipeline.attributes import filled
from tfrec.pipeline.finished import finished_states
from tfrec.pipeline.identity import Finished
from tfrec.pipeline.run_folder import RunFolder
from tfrec.training import checkpoints

_ANEW = "`tfrec train` trains anew (`tfrec refresh --full` judges and promotes that, too)"


def exported_signature(training: str, trained: str, exported: str) -> str:
    """The signature that an export states: its training's, or with another catalogue one of both.

    Args:
        training: signature of the training.
        trained: fingerprint of the data that it was trained on.
        exported: fingerprint of the data whose catalogue is exported.
    """
    return training if exported == trained else hashlib.sha256(f"{training}{exported}".encode()).hexdigest()


def base_of(config: Config, encoder: TextEncoder, served: Mapping[str, Any] | None = None) -> Finished:
    """The finished training to go on from: that of the served version, else the newest.

    The configuration may have changed in all that leaves the weights' shapes and the encoder as they are.

    Args:
        config: the whole configuration.
        encoder: as it is before training.
        served: manifest of the served version; None takes the newest training.

    Raises:
        TrainingError: there is none, its data has gone, or it is of another encoder.
    """
    run = RunFolder(config)
    others = False
    for folder, state in finished_states(run):
        about, prepared = state["about"], folder_of(run.data, state["about"]["prepared"])
        if not (prepared / "manifest.json").is_file():
            continue
        plain = ShopData.open(prepared, verify=True)
        if about["parts"]["encoder"] != encoder.fingerprint:
            others = True
            continue
        shop = filled(config, plain, encoder.fingerprint)
        if served is not None:
            trained, exported = about["parts"]["data"], served.get("data_fingerprint", "")
            if served.get("signature") != exported_signature(str(state["signature"]), trained, str(exported)):
                continue
        found = Finished(folder, state, shop)
        hold_while(found, folder / "last" / "state.json")
        return found
    if others:
        raise TrainingError(f"The served weights are of another encoder than {config.encoder.name}: {_ANEW}.")
    what = "holds no finished training" if served is None else "no longer holds the training of the served version"
    raise TrainingError(f"{run.path} {what} to go on from: {_ANEW}.")


def towers_from(config: Config, base: Finished, shop: ShopData, encoder: TextEncoder) -> TwoTower:
    """Towers over a shop's data with the weights of a finished training; its encoder's go into `encoder`.

    An item keeps its id vector; one that has become known well enough gets one that begins without effect.

    Args:
        config: the whole configuration.
        base: the training.
        shop: the data as it is now.
        encoder: as it is before training.

    Raises:
        TrainingError: the configuration wants other towers than those that were trained.
    """
    images = item_images(config, shop)
    columns = np.zeros([base.shop.size, dense_features(shop, config.model.dense_features).shape[1]], np.float32)
    before = TwoTower(config, encoder, base.shop.size, train_interactions(base.shop), columns, images)
    try:
        checkpoints.restore_best(base.folder, base.state, before.saved_variables)
    except TrainingError as error:
        raise TrainingError(
            f"The served weights do not fit this configuration (sections model and encoder), or are damaged: {_ANEW}."
        ) from error
    features = dense_features(shop, config.model.dense_features)
    speller = speller_of(config, shop, encoder)
    model = TwoTower(config, encoder, shop.size, train_interactions(shop), features, images, speller)
    rows = {item_id: row for row, item_id in enumerate(base.shop.item_ids)}
    model.take_over(before, np.array([rows.get(item_id, -1) for item_id in shop.item_ids], np.int64))
    return model
