"""What this installation and machine have, and what is missing for what: to paste into a bug report."""

from __future__ import annotations

import os
import platform
import re
import shutil
from importlib.metadata import PackageNotFoundError, requires, version
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from tfrec.encoder.cpu import cpu_multiplies_bf16
from tfrec.encoder.store import home, installed

DISTRIBUTION = "tfrec-shop"
# What each package is for, where `pip install 'tfrec-shop[all]'` would not do.
OPTIONAL = {
    "s3fs": ("s3", "tfrec push and pull with s3://"),
    "gcsfs": ("gcs", "tfrec push and pull with gs://"),
    "adlfs": ("azure", "tfrec push and pull with az://"),
    "mlflow": ("mlflow", "tracking: mlflow"),
    "scann": ("scann", "retrieval of 100,000 items and more by ScaNN"),
    "pandas": ("", "to_pandas()"),
}
_FEATURES = ("avx2", "avx512f", "avx512_bf16", "amx_bf16")
_LEAST_MEMORY, _LEAST_DISK = 4 << 30, 5 << 30


def examine(runs: Path) -> dict[str, Any]:
    """Everything, as plain JSON values.

    Args:
        runs: folder of all runs; it need not exist.

    Returns:
        "versions" (None = not installed), "machine", "encoders", "runs", and "remarks": what is missing for what, and
        what is short, in sentences; empty when all is well.
    """
    machine, versions = _machine(runs), _versions()
    return {
        "versions": versions,
        "machine": machine,
        "encoders": [f"{e.name} ({e.facts.get('licence')}, {e.facts.get('source')})" for e in installed()],
        "encoder_folder": _short(home()),
        "runs": _runs(runs),
        "remarks": [*_missing(versions), *_shortages(machine)],
    }


def _versions() -> dict[str, str | None]:
    names = ["python", DISTRIBUTION, *_required()]
    found: dict[str, str | None] = {"python": platform.python_version()}
    return found | {name: _version(name) for name in names[1:]}


def _version(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None


def _required() -> list[str]:
    """Distributions that `tfrec-shop[all]` names, by the installed metadata; none when it is not installed."""
    try:
        told = requires(DISTRIBUTION) or []
    except PackageNotFoundError:
        return []
    wanted = [row for row in told if "extra ==" not in row or re.search(r"extra == ['\"]all['\"]", row)]
    return sorted({re.split(r"[^A-Za-z0-9._-]", row, maxsplit=1)[0].lower() for row in wanted})


def _machine(runs: Path) -> dict[str, Any]:
    flags = _read("/proc/cpuinfo")
    name = re.search(r"model name\s*: (.*)", flags)
    memory = dict(re.findall(r"(\w+):\s+(\d+) kB", _read("/proc/meminfo")))
    place = next(folder for folder in (runs.absolute(), *runs.absolute().parents) if folder.exists())
    return {
        "system": f"{platform.system()} {platform.release()} {platform.machine()}",
        "cpu": name[1] if name else platform.processor(),
        "cores": len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count(),
        "features": [feature for feature in _FEATURES if re.search(rf"\b{feature}\b", flags)],
        "bf16": cpu_multiplies_bf16(),
        "memory_free": int(memory["MemAvailable"]) * 1024 if "MemAvailable" in memory else None,
        "memory": int(memory["MemTotal"]) * 1024 if "MemTotal" in memory else None,
        "disk_free": shutil.disk_usage(place).free,
    }


def _read(path: str) -> str:
    try:
        return Path(path).read_text("utf-8", "replace")
    except OSError:
        return ""


def _missing(versions: dict[str, str | None]) -> list[str]:
    absent = [name for name, found in versions.items() if found is None]
    told = []
    if DISTRIBUTION in absent:
        told.append(f"{DISTRIBUTION} is not installed as a package; the source tree runs by itself.")
        absent.remove(DISTRIBUTION)
    if absent:
        told.append(f"Missing for training and serving: {', '.join(absent)} (pip install 'tfrec-shop[all]').")
    for package, (extra, use) in OPTIONAL.items():
        if find_spec(package) is None:
            wanted = f"'tfrec-shop[{extra}]'" if extra else package
            told.append(f"{package} is missing, only needed for {use} (pip install {wanted}).")
    return told


def _shortages(machine: dict[str, Any]) -> list[str]:
    told = []
    if machine["memory_free"] is not None and machine["memory_free"] < _LEAST_MEMORY:
        told.append("Less than 4 GiB of memory is free: training with the default encoders may not fit.")
    if machine["disk_free"] < _LEAST_DISK:
        told.append("Less than 5 GiB of disk is free where runs go: checkpoints and exports may not fit.")
    if not machine["bf16"]:
        told.append("This CPU has no bf16 instructions: encoders run in float32, which is slower.")
    return told


def _runs(runs: Path) -> list[dict[str, Any]]:
    """Each run: name, whether it has been trained, its exports, bytes."""
    found = []
    for folder in sorted(runs.iterdir()) if runs.is_dir() else ():
        if (folder / "config.yaml").is_file():
            exports = sorted((v.name for v in (folder / "export").glob("[0-9]*")), key=int)
            size = sum(f.stat().st_size for f in folder.rglob("*") if f.is_file() and not f.is_symlink())
            trained = (folder / "metrics.json").is_file()
            found.append({"name": folder.name, "trained": trained, "exports": exports, "bytes": size})
    return found


def _short(folder: Path) -> str:
    """A folder without the name of its owner, who may paste this into a public page."""
    try:
        return f"~/{folder.relative_to(Path.home())}"
    except ValueError:
        return str(folder)
