"""Loading one version: its place and content are checked first, and it is warm before anybody may ask it."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tfrec.errors import ServingError, TfrecError
from tfrec.serving.server.sessions.runtime import Kind, open_model
from tfrec.serving.server.sessions.servable import Servable, Surroundings
from tfrec.serving.server.sessions.threads import in_background
from tfrec.serving.server.sessions.warmup import warm_sizes, warm_up
from tfrec.serving.server.versions.folders import Version, check_place, find_versions, fingerprint

logger = logging.getLogger("tfrec.serving.server")
Verify = Callable[[Path], Any]
__all__ = ["LoadSettings", "Servable", "Verify", "Version", "find_versions", "load", "load_warm", "verify_export"]


def verify_export(folder: Path) -> Any:
    """Checks a version folder against its manifest.

    Returns:
        The manifest.

    Raises:
        ExportError: the manifest is missing, or a file is missing or changed.
    """
    from tfrec.export.manifest import verify_manifest

    return verify_manifest(folder)


@dataclass(frozen=True)
class LoadSettings:
    """How versions are loaded.

    Attributes:
        verify: check of a version folder before anything of it is loaded; raises a TfrecError to refuse it.
        warm_up: replay the export's records and run every batch size before the version is available.
        runtime: see tfrec.serving.server.sessions.runtime.
        intra_op: threads inside one TensorFlow op.
        niceness: how much a load beside running requests gives way to them.
        threads: for warming up while nothing is served yet.
    """

    verify: Verify = verify_export
    warm_up: bool = True
    runtime: Kind = "auto"
    intra_op: int = 1
    niceness: int = 5
    threads: int = 1


def load(
    name: str, version: Version, verify: Verify = verify_export, shared: Surroundings | None = None,
    runtime: Kind = "auto", intra_op: int = 1,
) -> Servable:  # fmt: skip
    """Checks and loads one version.

    Args:
        name: the name under which it will be served.
        version: the folder.
        verify: called with the folder before anything of it is loaded; raises a TfrecError to refuse it.
        shared: workers and limits; None makes some of its own.
        runtime: see tfrec.serving.server.sessions.runtime.
        intra_op: threads inside one TensorFlow op.

    Raises:
        TfrecError: the manifest does not fit, TensorFlow cannot load the folder, or it changed meanwhile.
    """
    started = time.perf_counter()
    before = fingerprint(version.folder)
    manifest = verify(version.folder)
    try:
        model = open_model(version.folder, runtime, intra_op)
    except TfrecError:
        raise
    except Exception as error:
        reason = " ".join(str(error).split())[:300]
        raise ServingError(f"The model in {version.folder} cannot be loaded ({reason}): export it again.") from error
    if fingerprint(version.folder) != before:
        model.close()
        raise ServingError(f"{version.folder} changed while it was loaded: write a version elsewhere, then rename it.")
    logger.info("Loaded %s version %d in %.1f s", name, version.number, time.perf_counter() - started)
    facts = manifest if isinstance(manifest, Mapping) else {}
    return Servable(name, version.number, version.folder, model, facts, shared or Surroundings.plain())


def load_warm(
    name: str, base_path: str, version: Version, settings: LoadSettings, shared: Surroundings, beside: bool,
    given_up: Callable[[], bool] = lambda: False,
) -> Servable:  # fmt: skip
    """Checks, loads and warms one version.

    Args:
        name: the name under which it will be served.
        base_path: the folder below which it must lie, links followed.
        version: the folder.
        settings: how.
        shared: workers and limits.
        beside: whether requests are being answered meanwhile; then the load runs in one thread that gives way.
        given_up: asked now and then; True ends the load.

    Raises:
        TfrecError: it is refused, cannot be loaded, fails its own warm-up records, or was given up.
    """
    threads = 1 if beside else settings.threads

    def work() -> Servable:
        check_place(base_path, version.folder)
        servable = load(name, version, settings.verify, shared, settings.runtime, settings.intra_op)
        try:
            if settings.warm_up:
                _warm(servable, base_path, shared, threads, given_up)
            if given_up():
                raise ServingError(f"The load of {version.folder} was given up: the server stops.")
        except BaseException:
            servable.retire(0)
            raise
        return servable

    try:
        return in_background(work, settings.niceness if beside else 0, f"load-{name}-{version.number}")
    except TfrecError:
        raise
    except Exception as error:  # a file system that says no, memory that ends: one model's trouble, not the server's
        reason = " ".join(f"{type(error).__name__}: {error}".split())[:300]
        raise ServingError(f"{version.folder} cannot be loaded ({reason}): check the folder.") from error


def _warm(servable: Servable, path: str, shared: Surroundings, threads: int, given_up: Callable[[], bool]) -> None:
    started, well = time.perf_counter(), False
    try:
        warm_up(servable, threads, given_up)
        warm_sizes(servable, shared.batcher.settings.sizes, threads, given_up)
        well = True
    finally:
        # By base path: the page of metrics must not grow with every version.
        shared.batcher.metrics.warmup(path, time.perf_counter() - started, well)
