"""Old versions go when they are beyond the number and the age that are kept; those that may be needed never do."""

from __future__ import annotations

import shutil
from datetime import datetime, timedelta, timezone
from pathlib import Path

from tfrec.config.lifecycle import KeepConfig
from tfrec.files import aside_of, remove_rests, speaking_os_errors
from tfrec.lifecycle.act_log import Act, Standing, append_act, standing
from tfrec.lifecycle.verdict_file import verdict_path
from tfrec.lifecycle.versions import last_full_training, made_when, version_numbers


def outlived(export: Path, keep: KeepConfig, stands: Standing, now: datetime | None = None) -> list[int]:
    """The versions that may go, oldest first.

    Args:
        export: the export folder.
        keep: how many and how old ones stay.
        stands: the stable and the canary version and the one before stay, and so does the last full training.
        now: with a time zone; None takes the clock.
    """
    numbers = version_numbers(export)
    edge = (now or datetime.now(timezone.utc)) - timedelta(days=keep.days)
    safe = {*stands.labels.values(), *stands.before[:1], *numbers[: keep.versions], last_full_training(export)}
    return sorted(number for number in numbers if number not in safe and made_when(export, number) < edge)


def remove_outlived(export: Path, keep: KeepConfig) -> list[int]:
    """Removes the versions that may go, each noted in the log first; to be called by whoever holds the folder.

    A version is renamed before it is removed: no server ever sees half of it.

    Returns:
        what went, oldest first.
    """
    stands = standing(export)
    gone = outlived(export, keep, stands)
    bound = f"beyond the newest {keep.versions} and older than {keep.days:g} days"
    for number in gone:
        append_act(export, Act("remove", number, stands, reason=bound))
        with speaking_os_errors(export):
            aside = aside_of(export / str(number))
            (export / str(number)).rename(aside)
            shutil.rmtree(aside, ignore_errors=True)
            verdict_path(export, number).unlink(missing_ok=True)
    remove_rests(export)  # of removals that were killed
    return gone
