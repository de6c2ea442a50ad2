"""From the name in a configuration to an encoder on this disk, and to the precision that suits this CPU."""

from __future__ import annotations

import functools
import platform
import sys
from pathlib import Path

from tfrec.encoder import store


def resolve(name: str) -> store.InstalledEncoder | None:
    """Finds one of our own encoders; installs `minilm` when it is missing.

    Args:
        name: an installed encoder, or a folder that holds encoder.json.

    Returns:
        The encoder, or None when the name must be a TF-Hub handle.
    """
    if (present := store.find(name)) is not None:
        return present
    if (in_folder := store.at(Path(name).expanduser())) is not None:
        return in_folder
    if name == "minilm":
        from tfrec.encoder.install import install

        print("installing the encoder minilm (83 MB, once) ...", file=sys.stderr, flush=True)
        return install("minilm")
    return None


def chosen_precision(wanted: str) -> str:
    """Decides between "bf16" and "f32"; "auto" takes bf16 where the CPU has instructions for it."""
    if wanted != "auto":
        return wanted
    return "bf16" if cpu_multiplies_bf16() else "f32"


@functools.lru_cache(maxsize=1)
def cpu_multiplies_bf16() -> bool:
    """Whether the CPU has AVX512-BF16 or AMX-BF16; without them bf16 is emulated and slower than float32."""
    if platform.machine().lower() not in ("x86_64", "amd64"):
        return False
    try:
        flags = Path("/proc/cpuinfo").read_text("utf-8", errors="replace")
    except OSError:
        return False
    return "avx512_bf16" in flags or "amx_bf16" in flags
