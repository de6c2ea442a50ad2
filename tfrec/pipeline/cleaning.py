"""What a run no longer needs goes: earlier trainings once a later one has ended, and data that nothing refers to."""

from __future__ import annotations

import shutil
from collections.abc import Iterable, Iterator
from pathlib import Path

from tfrec.data.places import forget_data
from tfrec.files import flocked, read_json
from tfrec.pipeline.run_folder import RunFolder
from tfrec.training.training_state import last_state, training_folder


def forget_earlier(run: RunFolder, signature: str, wanted: Iterable[str] = (), keep: Iterable[str] = ()) -> None:
    """Removes what a finished training replaces; what another process reads at the moment stays until the next time.

    Args:
        run: the run.
        signature: of the training that has ended.
        wanted: see `forget_unused_data`.
        keep: signatures of other trainings that stay.
    """
    kept = {signature, *keep}
    own = {training_folder(run.checkpoints, one).name for one in kept}
    for folder in _folders(run.checkpoints):
        if folder.name not in own:
            _forget_training(folder)
    for folder in [*_folders(run.path / "retrieval"), *_folders(run.path / "ranking")]:
        if folder.name not in own:
            shutil.rmtree(folder, ignore_errors=True)
    about = run.index / "vectors" / "about.json"
    if about.is_file() and read_json(about).get("signature") not in kept:
        shutil.rmtree(about.parent, ignore_errors=True)
    forget_unused_data(run, wanted)


def forget_unused_data(run: RunFolder, wanted: Iterable[str] = ()) -> None:
    """Removes prepared data that no training, no made examples and no update of the run refers to.

    Args:
        run: the run.
        wanted: hashes of data that is needed all the same.
    """
    forget_data(run.data, {*wanted, *_referred(run)})


def _referred(run: RunFolder) -> Iterator[str]:
    """Hashes of the prepared data that something in the run was made of."""
    for pattern in ("checkpoints/*", "rounds/*/checkpoints/*"):
        for folder in run.path.glob(pattern):
            about = last_state(folder).get("about") or {}
            if "prepared" in about:
                yield about["prepared"]
    for file in (run.synthetic / "examples" / "manifest.json", run.index / "vectors" / "about.json"):
        if file.is_file() and "prepared" in (made := read_json(file)):
            yield made["prepared"]


def _forget_training(folder: Path) -> None:
    state = folder / "last" / "state.json"
    if not state.is_file():
        shutil.rmtree(folder, ignore_errors=True)
        return
    with flocked(state, wait=False) as free:
        if free:
            state.unlink()  # first, so that what a kill leaves is not taken for whole
            shutil.rmtree(folder, ignore_errors=True)


def _folders(folder: Path) -> list[Path]:
    return [path for path in folder.iterdir() if path.is_dir()] if folder.is_dir() else []
