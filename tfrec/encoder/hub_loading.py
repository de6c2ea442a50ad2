"""Loading TF-Hub handles with errors that say what to do."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

from tfrec.encoder import store
from tfrec.errors import EncoderError
from tfrec.files import sha256_file
from tfrec.tensorflow_setup import tf

_INPUTS = {"input_word_ids", "input_mask", "input_type_ids"}


def hub_layer(handle: str, **options: Any) -> Any:
    """A handle or folder as hub.KerasLayer with these options.

    Loaded here and not by KerasLayer, which would import Keras 3 to look for options of loading.
    """
    import tensorflow_hub

    return tensorflow_hub.KerasLayer(hub_module(handle), **options)


def hub_module(handle: str) -> Any:
    """What TF-Hub loads of a handle or folder."""
    import tensorflow_hub

    return tensorflow_hub.load(_local(handle))


def load_layer(handle: str) -> Any:
    """The encoder as a trainable hub.KerasLayer.

    Args:
        handle: URL, Kaggle handle or folder of a TF2 SavedModel.

    Returns:
        The layer.

    Raises:
        EncoderError: the handle cannot be reached or holds nothing trainable.
    """
    layer = _loaded(handle, lambda: hub_layer(handle, trainable=True, name="encoder"))
    if not layer.trainable_variables:
        raise EncoderError(f"{handle} has no trainable variables: it is not a TF2 transformer encoder for fine-tuning.")
    return layer


def load_preprocessor(handle: str) -> Any:
    """The preprocessor, callable with string[B] and giving input_word_ids, input_mask and input_type_ids."""
    import tensorflow_hub
    import tensorflow_text  # noqa: F401  registers the ops of preprocessors

    loaded = _loaded(handle, lambda: tensorflow_hub.load(_local(handle)))
    try:
        outputs = loaded(tf.constant(["a"]))
    except (TypeError, ValueError, NotImplementedError):
        outputs = None
    if not isinstance(outputs, dict) or not set(outputs) >= _INPUTS:
        names = ", ".join(sorted(_INPUTS))
        raise EncoderError(f"{handle} is not a TF-Hub BERT preprocessor: texts do not give {names}.")
    return loaded


def handle_fingerprint(handle: str) -> str:
    """Sha256 of a folder's graph and variables; for a remote handle, of the handle itself (versions are part of it)."""
    folder = Path(handle).expanduser()
    digest = hashlib.sha256()
    if not folder.is_dir():
        digest.update(handle.encode())
        return digest.hexdigest()
    for file in sorted(path for path in folder.rglob("*") if path.is_file()):
        digest.update(file.relative_to(folder).as_posix().encode() + sha256_file(file).encode())
    return digest.hexdigest()


def _local(handle: str) -> str:
    folder = Path(handle).expanduser()
    return str(folder) if folder.is_dir() else handle


def _loaded(handle: str, load: Any) -> Any:
    folder = Path(handle).expanduser()
    if folder.is_dir() and not (folder / "saved_model.pb").is_file():
        raise EncoderError(
            f"{handle} holds neither a SavedModel nor an installed encoder: for a checkpoint folder run "
            f"`tfrec encoder install {handle}` first."
        )
    if not folder.is_dir() and "://" not in handle:
        names = ", ".join(encoder.name for encoder in store.installed()) or "none"
        if "/" not in handle:
            raise EncoderError(
                f"There is no encoder named {handle!r} (installed: {names}): run `tfrec encoder install`, or give a "
                "TF-Hub handle as encoder.name."
            )
    try:
        return load()
    except Exception as error:  # tensorflow_hub raises many kinds, all mean the same to the user
        lines = str(error).strip().splitlines() or [type(error).__name__]
        raise EncoderError(
            f"The TF-Hub handle {handle} cannot be loaded ({lines[0][:200]}): check the handle and the network, or "
            "give a local folder."
        ) from error
