"""What a scheduler calls: from the shop's files as they are now to the version that is served, or a reason why not.

Each step finds done what an earlier run of it has done, so a run that was killed is gone on with by the next one, and
one that has nothing to do does nothing.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from tfrec.config import Config
from tfrec.data.prepare import prepare
from tfrec.data.shop import ShopData
from tfrec.drift.tables import check_tables
from tfrec.errors import EvaluationError, ExportError
from tfrec.evaluation.protocol import choose_splits
from tfrec.export.exporter import settings_digest
from tfrec.export.manifest import read_manifest, verify_manifest
from tfrec.export.version_names import newest_version
from tfrec.files import hold_while
from tfrec.lifecycle.act_log import Act, read_acts, standing
from tfrec.lifecycle.asking import Target
from tfrec.lifecycle.gate.judging import judge, made_of
from tfrec.lifecycle.models_config import Servers
from tfrec.lifecycle.promotion import STABLE, bring_to_end, leave, promote
from tfrec.lifecycle.verdict_file import PASS, REFUSE, Verdict, read_verdict
from tfrec.pipeline import api
from tfrec.pipeline.finished import finished_states, trained_data
from tfrec.pipeline.run_folder import RunFolder
from tfrec.pipeline.update import Update, update

Outcome = Literal["promoted", "nothing", "refused", "doubtful"]


@dataclass(frozen=True)
class Refreshed:
    """How a refresh ended.

    Attributes:
        outcome: "promoted", "nothing" (there was nothing to do), "refused" or "doubtful" (by the gate).
        version: that it is about.
        told: what was done, a sentence each.
    """

    outcome: Outcome
    version: int
    told: tuple[str, ...]


def served_manifest(run: RunFolder) -> dict[str, Any] | None:
    """The manifest of the stable version, None before the first promotion.

    Raises:
        ExportError: the version is gone, or has none.
    """
    stable = standing(run.export).stable
    return None if stable is None else read_manifest(run.export / str(stable))


def refresh(config: Config, servers: Servers, target: Target | None = None, full: bool = False) -> Refreshed:
    """Reads a shop's files, updates its model where something is new, and promotes what the gate passes.

    Args:
        config: the whole configuration.
        servers: the export folder and who is told.
        target: a running server that must have followed a promotion; else the promotion is undone.
        full: train from the pretrained weights instead of the served ones, unless that has been done for these files.

    Raises:
        TfrecError: the files cannot be read or differ too much from those that trained, nothing can be gone on from, a
            server did not follow.
        BusyError: another command is at work in the run folder or at the versions.
    """
    run = RunFolder(config)
    with run.alone:
        if newest_version(run.export) is not None:
            bring_to_end(servers, target)
        shop = prepare(config)
        told = list(_made(config, run, shop, full))
        newest = newest_version(run.export)
        assert newest is not None
        number, stable = int(newest.name), standing(run.export).stable
        if number == stable:
            return Refreshed("nothing", number, (*told, f"Nothing is new: version {number} is served."))
        if (act := _once_stable(run, number)) is not None:
            said = f"Version {number} was stable before ({act.when[:16]}); it is not promoted again without new data."
            return Refreshed("nothing", number, (*told, said, f"Version {stable} is served."))
        verdict = _verdict(config, run, shop, number)
        beside = "" if verdict.against is None else f" beside version {verdict.against}"
        told.append(f"The gate's verdict on version {number}{beside}: {verdict.outcome}.")
        told += [f"Drift alert: {sentence}." for sentence in verdict.drift_alerts]
        if verdict.outcome != PASS:
            leave(servers, verdict)
            serves = "nothing was promoted so far" if stable is None else f"version {stable} serves on"
            told += [*verdict.reasons, f"Version {number} is left; {serves}."]
            return Refreshed("refused" if verdict.outcome == REFUSE else "doubtful", number, tuple(told))
        done = promote(servers, number, target=target, keep=config.lifecycle.keep)
        was = "nothing" if stable is None else f"version {stable}"
        told.append(f"Version {number} is stable (was {was}).")
        told += [f"Version {gone} was removed (lifecycle.keep)." for gone in done.removed]
        return Refreshed("promoted", number, tuple(told))


def _made(config: Config, run: RunFolder, shop: ShopData, full: bool) -> Iterator[str]:
    """Has the newest version be one of the files and settings as they are now; tells what that took."""
    newest = newest_version(run.export)
    before = list(finished_states(run))
    if full or not before:
        if (known := trained_data(run, served_manifest(run))) is not None:
            check_tables(config.checks, shop, known)
        for path, _ in before:
            hold_while(shop, path / "last" / "state.json")  # the served weights stay, whatever the gate says
        trained = api.train(config)
        try:
            choose_splits(trained.shop, None)
        except EvaluationError as error:
            yield f"Not measured. {error}"
        else:
            api.evaluate(trained)
        folder = api.export(trained)
        api.report(config)
        if folder != newest:
            yield f"Trained from the pretrained weights ({trained.summary['steps']:,} steps): version {folder.name}."
        return
    if newest is not None and _is_of(newest, config, shop):
        return
    done = update(config, served_manifest(run), anyway=True)
    if done.added:
        assert done.export is not None
        yield told(done)
        yield f"Exported version {done.export.name}."


def told(done: Update) -> str:
    """What an update did, in a sentence or two."""
    if done.summary is None:
        return f"New: {done.newer}. The towers keep their weights."
    return (
        f"New: {done.newer}. Trained {done.summary['steps']:,} steps in {done.summary['seconds'] / 60:.1f} min on "
        f"{done.examples:,} new and {done.replayed:,} older examples; {done.summary['told']}."
    )


def _is_of(folder: Path, config: Config, shop: ShopData) -> bool:
    """Whether a version, whole as it was exported, is of data and settings as they are now."""
    try:
        manifest = verify_manifest(folder)
    except ExportError:
        return False
    return (manifest.get("prepared"), manifest.get("settings_sha256")) == (shop.hash, settings_digest(config))


def _once_stable(run: RunFolder, number: int) -> Act | None:
    """The act by which a version was stable that is not now: somebody rolled it back, or promoted another one."""
    found = None
    for act in read_acts(run.export):
        if act.version == number and (act.act, act.label) == ("promote", STABLE):
            found = act
        elif act.version == number and act.act == "undo":  # no server followed
            found = None
    return found


def _verdict(config: Config, run: RunFolder, shop: ShopData, number: int) -> Verdict:
    """The verdict that stands beside a version, where it is about what is stable now; else a new one."""
    try:
        kept = read_verdict(run.export, number)
    except ExportError:
        kept = None
    stable = standing(run.export).stable
    if kept is not None and stable in (None, kept.against) and kept.numbers.get("made_of") == made_of(config, shop):
        return kept
    return judge(config, shop, run.export, number)[0]
