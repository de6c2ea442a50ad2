"""Exports elsewhere: versions pushed to and pulled from a folder, S3, GCS or Azure, verified by their manifest."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tfrec.errors import ExportError
from tfrec.export.manifest import MANIFEST, listed_files, verify_manifest
from tfrec.export.version_names import newest_version, version_number
from tfrec.files import atomic_directory
from tfrec.json_text import parse_json
from tfrec.missing_packages import packages_for
from tfrec.progress import Progress

_EXTRAS = {"s3": "s3", "s3a": "s3", "gs": "gcs", "gcs": "gcs", "az": "azure", "abfs": "azure", "abfss": "azure"}


def push(export: Path, target: str) -> str:
    """Copies the newest version to target/<version>, unless it is there.

    The manifest is written last: a version without one is none yet, for `pull` and for whoever verifies. A push that
    was killed is made whole by the next one.

    Args:
        export: a version folder, or the folder above.
        target: folder of versions: a path, or a URL such as s3://bucket/models/shop, gs://..., az://...

    Returns:
        Where the version is.

    Raises:
        ExportError: the version is not what was exported, the target holds another one of this number, or it cannot be
            reached.
    """
    folder = Path(export) if (Path(export) / MANIFEST).is_file() else newest_version(Path(export))
    if folder is None:
        raise ExportError(f"{export} holds no export (no version folder such as 1): run `tfrec export` first.")
    manifest = verify_manifest(folder)
    number = version_number(folder.name)
    if number is None:
        raise ExportError(f"{folder} is not named by its version, such as 1: give the folder as it was exported.")
    files, base = _reached(target)
    place = f"{base}/{number}"
    with _told(target):
        if (there := _manifest_at(files, place)) is not None:
            if there.get("files") == manifest["files"]:
                return _shown(files, place)
            raise ExportError(
                f"{target} holds another version {number}: export again with a higher number, or remove it there."
            )
        with Progress("Pushing", len(manifest["files"]) + 1) as progress:
            for name in [*sorted(manifest["files"]), MANIFEST]:
                files.makedirs(f"{place}/{name}".rpartition("/")[0], exist_ok=True)
                files.put_file(str(folder / name), f"{place}/{name}")
                progress.advance(1)
    return _shown(files, place)


def pull(source: str, export: Path, version: int | None = None) -> Path:
    """Copies a version from source/<version> below `export`, and verifies it before it stands there.

    Args:
        source: folder of versions, as in `push`.
        export: folder of versions here.
        version: which; None takes the newest one that is whole.

    Returns:
        The version folder.

    Raises:
        ExportError: there is no such version, what came is not what was exported, or another one of its number is here.
    """
    files, base = _reached(source)
    with _told(source):
        number = _newest_at(files, base) if version is None else version
        manifest = None if number is None else _manifest_at(files, f"{base}/{number}")
        if manifest is None:
            which = "version" if version is None else f"version {version}"
            raise ExportError(f"{source} holds no whole {which} of an export: push one with `tfrec push`.")
        target = Path(export) / str(number)
        if target.exists():
            if verify_manifest(target)["files"] == manifest.get("files"):
                return target
            raise ExportError(f"{target} is another export than version {number} of {source}: move it away first.")
        names = [*listed_files(manifest, f"{source}/{number}"), MANIFEST]
        with atomic_directory(target) as aside, Progress("Pulling", len(names)) as progress:
            for name in names:
                (aside / name).parent.mkdir(parents=True, exist_ok=True)
                files.get_file(f"{base}/{number}/{name}", str(aside / name))
                progress.advance(1)
            verify_manifest(aside)
    return target


def _reached(url: str) -> tuple[Any, str]:
    """The file system of a URL or path, and the path in it."""
    extra = _EXTRAS.get(url.partition("://")[0], "all")
    with packages_for(f"{url.partition('://')[0]}://", ExportError, f"'tfrec-shop[{extra}]'"):
        import fsspec

        try:
            files, path = fsspec.core.url_to_fs(url)
        except ImportError as error:
            if isinstance(error.__cause__, ModuleNotFoundError):
                raise error.__cause__ from None
            raise ExportError(f"{url} cannot be reached ({error}): pip install 'tfrec-shop[{extra}]'.") from error
        except (OSError, ValueError) as error:
            raise ExportError(f"{url} cannot be reached: {error}.") from error
    return files, path.rstrip("/")


def _manifest_at(files: Any, place: str) -> dict[str, Any] | None:
    """The manifest of a version there, None where there is none."""
    try:
        found = parse_json(files.cat_file(f"{place}/{MANIFEST}"))
    except FileNotFoundError:
        return None
    except ValueError as error:
        raise ExportError(f"{place}/{MANIFEST} is not valid JSON ({error}): push the version again.") from error
    if not isinstance(found, dict) or not isinstance(found.get("files"), dict):
        raise ExportError(f"{place}/{MANIFEST} lists no files: push the version again.")
    return found


def _newest_at(files: Any, base: str) -> int | None:
    """The greatest version there that has a manifest."""
    try:
        names = [str(path).rstrip("/").rpartition("/")[2] for path in files.ls(base, detail=False)]
    except FileNotFoundError:
        return None
    numbers = sorted((n for name in names if (n := version_number(name)) is not None), reverse=True)
    return next((number for number in numbers if files.exists(f"{base}/{number}/{MANIFEST}")), None)


def _shown(files: Any, place: str) -> str:
    return str(files.unstrip_protocol(place)).removeprefix("file://")


class _told:
    """Turns what a file system raises into one sentence."""

    def __init__(self, url: str) -> None:
        self._url = url

    def __enter__(self) -> None: ...

    def __exit__(self, kind: Any, error: BaseException | None, trace: Any) -> None:
        own = (ExportError, KeyboardInterrupt, SystemExit, GeneratorExit)
        if error is None or isinstance(error, own) or not isinstance(error, Exception):
            return
        reason = " ".join(str(error).split())[:300] or type(error).__name__
        raise ExportError(f"{self._url}: {reason}.") from error
