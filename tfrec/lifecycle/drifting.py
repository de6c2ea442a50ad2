"""How far a shop's data has moved since a version was exported."""

from __future__ import annotations

from pathlib import Path

from tfrec.config import Config
from tfrec.data.shop import ShopData
from tfrec.drift.comparing import Finding, drift
from tfrec.drift.profile_file import read_profile
from tfrec.errors import ExportError
from tfrec.export.loaded import LoadedModel
from tfrec.lifecycle.act_log import standing
from tfrec.lifecycle.versions import check_version, version_numbers


def drift_since(config: Config, shop: ShopData, export: Path, version: int | None = None) -> tuple[int, list[Finding]]:
    """The version, and what has moved since it was exported.

    Args:
        config: section drift is read.
        shop: the data as it is now.
        export: folder of all versions.
        version: which; None takes the stable one, else the newest.

    Raises:
        ExportError: it is not there, or was exported before there were profiles.
    """
    stable = standing(export).stable
    number = version if version is not None else stable if stable is not None else version_numbers(export)[0]
    check_version(export, number)
    found = drift_of(config, shop, export / str(number), LoadedModel.open(export / str(number)))
    if found is None:
        raise ExportError(
            f"Version {number} has no reference profile, for it was exported by an earlier tfrec: export it again."
        )
    return number, found


def drift_of(config: Config, shop: ShopData, folder: Path, model: LoadedModel) -> list[Finding] | None:
    """What has moved since a loaded version was exported; None without a profile.

    Args:
        config: section drift is read.
        shop: the data as it is now.
        folder: of the version.
        model: the version, loaded.
    """
    profile = read_profile(folder)
    return None if profile is None else drift(config, profile, shop, model.embed_query, model.embed_item)
