"""The finished trainings of a run, and whether the shop's files are still those that they were made from."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from tfrec.config import Config
from tfrec.data.places import folder_of, settings_of, sources_of
from tfrec.data.prepare import images_unchanged
from tfrec.data.shop import ShopData
from tfrec.errors import DataError
from tfrec.pipeline.run_folder import RunFolder
from tfrec.training.training_state import last_state, training_folder


def finished_states(run: RunFolder) -> Iterator[tuple[Path, dict[str, Any]]]:
    """Checkpoints and states of the finished trainings of a run, the newest first."""
    files = [(file.stat().st_mtime, file) for file in run.checkpoints.glob("*/last/state.json")]
    for _, file in sorted(files, reverse=True):
        folder = file.parent.parent
        state = last_state(folder)
        named = folder == training_folder(run.checkpoints, str(state.get("signature")))
        if state.get("finished") and state.get("about") and named:
            yield folder, state


def gone_on_from(run: RunFolder, signature: str) -> str | None:
    """The signature of the training whose weights a finished one started from; None for the pretrained weights."""
    state = last_state(training_folder(run.checkpoints, signature))
    base = (state.get("about") or {}).get("base")
    return None if base is None else str(base)


def trained_data(run: RunFolder, served: Mapping[str, Any] | None = None) -> ShopData | None:
    """The prepared data that the served version was made of, else that of the newest training; None where it has gone.

    Args:
        run: the run.
        served: manifest of the served version.
    """
    wanted = [] if served is None else [str(served.get("prepared"))]
    for prepared in [*wanted, *(str(state["about"].get("prepared")) for _, state in finished_states(run))]:
        try:
            return ShopData.open(folder_of(run.data, prepared))
        except DataError:
            continue
    return None


def changed_sources(config: Config, shop: ShopData) -> str:
    """Which of a shop's files are not those that its data was prepared from, in words; "" when all are."""
    if shop.manifest["settings"] != settings_of(config):
        return "The settings of the data have changed"
    try:
        sources = sources_of(config)
    except DataError as error:
        return f"The shop's files cannot be compared ({str(error).rstrip('.')}), which may have changed"
    if sources.demo is not None and not sources.inputs:  # generated again only to be prepared again
        return ""
    now, then = sources.inputs, shop.manifest["inputs"]
    if now == then and not images_unchanged(shop, sources.root):
        return "The pictures have changed"
    names = [name.partition(": ")[2] for name in sorted(now.keys() | then.keys()) if now.get(name) != then.get(name)]
    if not names:
        return ""
    return f"{', '.join(dict.fromkeys(names))} {'has' if len(set(names)) == 1 else 'have'} changed"
