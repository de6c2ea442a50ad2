"""Promote and roll back: one version stands where another stood, the servers follow, and the log says who wanted it.

The order makes a kill harmless: the log line comes first, then the servers' files, each by one rename. Whoever comes
next finds files that the log is ahead of and writes them.
"""

from __future__ import annotations

import time
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from pathlib import Path

from tfrec.config.lifecycle import KeepConfig
from tfrec.errors import ExportError, ServingError, TfrecError
from tfrec.export.manifest import verify_manifest
from tfrec.lifecycle.act_log import Act, Standing, append_act, read_acts, standing
from tfrec.lifecycle.asking import Asked, Target, asked
from tfrec.lifecycle.keeping import remove_outlived
from tfrec.lifecycle.models_config import Servers, check_readable, is_told, write_models_config
from tfrec.lifecycle.verdict_file import DOUBTFUL, PASS, Verdict, read_verdict
from tfrec.lifecycle.versions import check_version, version_numbers
from tfrec.locks import alone_at

STABLE, CANARY = "stable", "canary"


@dataclass(frozen=True)
class Done:
    """What an act did.

    Attributes:
        before, after: how versions stood and stand.
        answers: label ("" for none) -> the version that a server answered with; None where none was asked.
        seconds: from the command to the server's answer, or to the written files.
        removed: old versions that went.
        finished: an act that was killed was brought to its end, and nothing else was to be done.
    """

    before: Standing
    after: Standing
    answers: dict[str, int] | None
    seconds: float
    removed: tuple[int, ...] = ()
    finished: bool = False


def promote(
    servers: Servers, version: int | None = None, label: str = STABLE, force: str = "", target: Target | None = None,
    keep: KeepConfig | None = None,
) -> Done:  # fmt: skip
    """Makes a version the stable one, or the canary beside it.

    Args:
        servers: the export folder and who is told.
        version: which; None takes the newest.
        label: "stable" or "canary".
        force: the reason for doing it though the gate did not pass it; "" obeys the gate.
        target: a running server that must have followed before this is done; else all is put back.
        keep: which old versions stay afterwards; None keeps all.

    Raises:
        ExportError: the version is not there or not what was exported, it stands there already, or the gate did not
            pass it and nobody forced it.
        ServingError: the server did not follow; all is as it was.
        BusyError: another command is at it.
    """
    started = time.monotonic()
    with _alone(servers, "promoting"):
        number = version_numbers(servers.export)[0] if version is None else version
        check_version(servers.export, number)
        before = standing(servers.export)
        if before.labels.get(label) == number:
            return _finished(servers, before, f"Version {number} is {label} already", target, started)
        if label == CANARY and before.stable is None:
            raise ExportError("A canary needs a stable version beside it: promote one first.")
        if label == CANARY and before.stable == number:
            raise ExportError(f"Version {number} is the stable one already: a canary is another one beside it.")
        verify_manifest(servers.export / str(number))
        verdict = _allowed(servers.export, number, label, before, force)
        after = before.with_stable(number) if label == STABLE else replace(before, canary=number)
        act = Act("promote", number, after, label, force, verdict is None, "" if verdict is None else verdict.sha256)
        answers = _carried_out(servers, before, act, target)
        seconds = time.monotonic() - started
        try:
            removed = [] if keep is None else remove_outlived(servers.export, keep)
        except TfrecError as error:
            raise TfrecError(f"Version {number} is {label} now, but old versions cannot be removed: {error}") from None
        return Done(before, after, answers, seconds, tuple(removed))


def roll_back(
    servers: Servers, to: int | None = None, canary: bool = False, reason: str = "", target: Target | None = None
) -> Done:
    """Makes the version stable again that was so before, or a given one; or ends a canary's trial.

    The gate is not asked: a rollback is for when something is wrong.

    Args:
        servers: the export folder and who is told.
        to: a version; None takes the one that was stable last.
        canary: take the label from the canary instead; the stable version stays.
        reason: noted in the log.
        target: as in `promote`.

    Raises:
        ExportError: there is nothing to go back to, or the version is gone or not what was exported.
        ServingError: the server did not follow; all is as it was.
        BusyError: another command is at it.
    """
    started = time.monotonic()
    with _alone(servers, "rolling back"):
        before = standing(servers.export)
        if canary:
            if before.canary is None:
                return _finished(servers, before, "There is no canary to take back", target, started)
            after = replace(before, canary=None)
            act = Act("rollback", before.canary, after, CANARY, reason)
        else:
            number = _former(servers, before) if to is None else to
            check_version(servers.export, number)
            if number == before.stable:
                return _finished(servers, before, f"Version {number} is stable already", target, started)
            verify_manifest(servers.export / str(number))
            after = before.back_to(number)
            act = Act("rollback", number, after, STABLE, reason)
        answers = _carried_out(servers, before, act, target)
        return Done(before, after, answers, time.monotonic() - started)


def leave(servers: Servers, verdict: Verdict) -> None:
    """Notes that a version is not promoted, once for each verdict on it.

    Args:
        servers: the export folder.
        verdict: on the version.

    Raises:
        BusyError: another command is at it.
    """
    with _alone(servers, "noting a verdict"):
        acts = read_acts(servers.export)
        if any((act.act, act.version, act.verdict) == ("leave", verdict.version, verdict.sha256) for act in acts):
            return
        reason = f"{verdict.outcome}: {' '.join(verdict.reasons)}"
        after = standing(servers.export)
        append_act(servers.export, Act("leave", verdict.version, after, reason=reason, verdict=verdict.sha256))


def bring_to_end(servers: Servers, target: Target | None = None) -> None:
    """Tells the servers what the log says, where an act was killed between the two; else does nothing.

    Args:
        servers: the export folder and who is told.
        target: as in `promote`.

    Raises:
        ServingError: the server did not follow.
        BusyError: another command is at it.
    """
    with _alone(servers, "bringing an act to its end"):
        stands = standing(servers.export)
        if not is_told(servers, stands):
            _finished(servers, stands, "", target, time.monotonic())


def _alone(servers: Servers, doing: str) -> AbstractContextManager[None]:
    """Holds the folder against other acts; one that holds no version is refused before anything is made in it."""
    version_numbers(servers.export)
    return alone_at(servers.export, doing, ".lifecycle.lock")


def _former(servers: Servers, stands: Standing) -> int:
    """The version to go back to; the stable one where a rollback to it was killed before the servers were told."""
    if stands.stable is None:
        raise ExportError(
            "Nothing was ever promoted here, so there is nothing to go back to: name a version with --to."
        )
    last = read_acts(servers.export)[-1]
    if (last.act, last.label) == ("rollback", STABLE) and not is_told(servers, stands, whole=False):
        return stands.stable
    if not stands.before:
        raise ExportError(f"No version was stable before {stands.stable}: name one with --to. Nothing was changed.")
    return stands.before[0]


def _allowed(export: Path, number: int, label: str, stands: Standing, force: str) -> Verdict | None:
    """The verdict that allows a promotion; None where somebody forces it."""
    if force:
        return None
    verdict = read_verdict(export, number)
    if verdict is None:
        raise ExportError(
            f"The gate has not judged version {number}: run `tfrec gate --candidate {number}`, or give --force REASON."
        )
    if verdict.against != stands.stable and not (stands.stable is None and verdict.against is not None):
        shown = "nothing" if verdict.against is None else f"version {verdict.against}"
        raise ExportError(
            f"The gate compared version {number} with {shown}, but version {stands.stable} is stable now: run "
            f"`tfrec gate --candidate {number}` again."
        )
    if verdict.outcome == PASS or (label == CANARY and verdict.outcome == DOUBTFUL):
        return verdict
    why = verdict.reasons[0].rstrip(".") if verdict.reasons else "no reason given"
    raise ExportError(
        f"The gate's verdict on version {number} is {verdict.outcome} ({why}): see `tfrec versions`; --force "
        "REASON overrules it."
    )


def _carried_out(servers: Servers, before: Standing, act: Act, target: Target | None) -> dict[str, int] | None:
    """Notes an act, tells the servers, and asks one whether it has followed; puts all back where it has not."""
    check_readable(servers)
    with asked(target) as server:
        there = server is None or server.is_loaded(act.version) or (act.label == CANARY and act.act == "rollback")
        append_act(servers.export, act)
        try:
            if server is not None and not there:
                _load_first(servers, before, act.version, server)
            write_models_config(servers, act.after)
            return None if server is None else server.wait_answers(act.after)
        except TfrecError as error:
            append_act(servers.export, Act("undo", act.version, before, act.label, str(error)))
            write_models_config(servers, before)
            raise type(error)(f"{str(error).rstrip('.')}. All was put back as it was.") from None


def _load_first(servers: Servers, before: Standing, version: int, server: Asked) -> None:
    """Has a version loaded before it gets a label: TensorFlow Serving labels only what is loaded."""
    if before.stable is not None:
        write_models_config(servers, before, also=[version])
        server.wait_loaded(version)


def _finished(servers: Servers, stands: Standing, already: str, target: Target | None, started: float) -> Done:
    """Brings an act to its end that was killed after its line in the log.

    Raises:
        ExportError: there is nothing to do, which is said.
    """
    if is_told(servers, stands):
        raise ExportError(f"{already}: nothing was changed.")
    write_models_config(servers, stands)
    with asked(target) as server:
        try:
            answers = None if server is None else server.wait_answers(stands)
        except ServingError as error:
            raise ServingError(f"models.config says what the log says again, but {error}") from None
    return Done(stands, stands, answers, time.monotonic() - started, finished=True)
